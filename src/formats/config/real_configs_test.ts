import assert from "node:assert/strict";
import { BpuError } from "../../errors.ts";
import { issueText } from "./issues.ts";
import { normalisedJson } from "./normalise.ts";
import { parseConfig, type ParsedConfig } from "./parse.ts";

const folder = new URL("../../../../shared/data/configs/", import.meta.url);

function names(): string[] {
  try {
    return [...Deno.readDirSync(folder)].map((e) => e.name).filter((n) => n.endsWith(".yaml"))
      .sort();
  } catch {
    return [];
  }
}

const files = names();
const read = (file: string) => Deno.readTextFileSync(new URL(encodeURIComponent(file), folder));

Deno.test(`real configs: ${files.length} files are read as meant or refused for a good reason`, () => {
  if (files.length === 0) return console.log("skipped: 0 configs found");
  for (const file of files) {
    const text = read(file);
    let parsed: ParsedConfig | undefined;
    let message = "";
    try {
      parsed = parseConfig(text, { file, template: true });
    } catch (e) {
      assert.ok(e instanceof BpuError, `${file}: ${e}`);
      message = e.message;
    }
    const otherChip = /march:\s*['"]?nash/.test(text);
    const empty = file.includes("yaml_template");
    assert.equal(parsed === undefined, otherChip || empty, `${file}: ${message}`);
    if (empty) assert.match(message, /Missing keys: .*'input_layout_train', 'input_type_train'/);
    if (otherChip) assert.match(message, /is the J6 generation.*allowed: bayes/);
    if (parsed !== undefined) JSON.parse(JSON.stringify(normalisedJson(parsed.config)));
  }
});

Deno.test("real configs: what their authors meant", () => {
  const config = (part: string) => {
    const file = files.find((f) => f.includes(part));
    return file === undefined ? undefined : parseConfig(read(file), { file, template: true });
  };
  const osnet = config("OSNet")?.config;
  if (osnet === undefined) return console.log("skipped: 0 configs found");
  assert.equal(osnet.model.march, "bayes-e");
  assert.deepEqual(osnet.model.removeNodeType, ["Reshape"]);
  assert.ok(osnet.model.dumpCalibrationData);
  assert.deepEqual(osnet.inputs[0]!.norm, {
    type: "data_mean_and_scale",
    mean: [123.675, 116.28, 103.53],
    scale: [0.01712475, 0.017507, 0.01742919],
  });
  const edge = config("EdgeNeXt")!.config;
  assert.equal(edge.model.nodeInfo.length, 16);
  assert.deepEqual(edge.model.nodeInfo[15], {
    name: "/stages/stages.2/blocks/blocks.5/norm_xca/ReduceMean_1",
    on: "BPU",
    inputType: "int16",
    outputType: "int16",
    inputTypes: new Map(),
  });
  assert.equal(edge.calibration.maxPercentile, 0.999);
  const softmax = config("source_reference_yamls")!.config;
  assert.deepEqual(softmax.calibration.optimization, [
    "set_Softmax_input_int8",
    "set_Softmax_output_int8",
  ]);
  assert.equal(softmax.compiler.jobs, 2);
  const caffe = config("multi_input_caffe")!.config;
  assert.equal(caffe.modelType, "caffe");
  assert.deepEqual(caffe.inputs.map((i) => i.norm.mean), [[123.68], [116.78], [103.94]]);
  assert.deepEqual(caffe.inputs.map((i) => i.calDataDir), [
    "./cal/image_b",
    "./cal/image_g",
    "./cal/image_r",
  ]);
  const balance = config("node_info_balance")!.config;
  assert.deepEqual(
    balance.inputs.map((i) => [i.name, i.inputSource, i.spaceAndRange, i.layoutRt]),
    [
      ["img", "pyramid", "bt601_video", undefined],
      ["feat", "ddr", "regular", "NCHW"],
    ],
  );
  assert.deepEqual(balance.model.nodeInfo[1]!.inputTypes, new Map([[0, "int16"], [1, "int16"]]));
  assert.equal(balance.compiler.balanceFactor, 50);
  const doc = config("full_template_ptq_process")!;
  assert.deepEqual(doc.config.model.outputNodes, ["OP_name"]);
  assert.match(doc.warnings.map(issueText).join(), /both a Caffe and an ONNX model/);
  // A template passes only where it is looked at: a conversion needs a model and a march.
  const simple = files.find((f) => f.includes("simple_template"))!;
  assert.throws(
    () => parseConfig(read(simple), { file: simple }),
    /Missing keys: 'calibration_parameters'[^]*Missing keys: 'march', 'onnx_model'/,
  );
});
