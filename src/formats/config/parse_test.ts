import assert from "node:assert/strict";
import { exitCodes } from "../../errors.ts";
import { ConfigError, editDistance, issueText, suggest } from "./issues.ts";
import { allKeys } from "./schema.ts";
import { errorsOf, goodValues, parse, render } from "./test_config.ts";

Deno.test("config: every key of the schema that is in use is read", () => {
  const named = goodValues.flatMap(([g, keys]) => keys.map(([k]) => `${g}.${k}`));
  const declared = allKeys().filter((k) => k.state === undefined).map((k) =>
    `${k.group}.${k.name}`
  );
  const caffe = ["model_parameters.prototxt", "model_parameters.caffe_model"];
  const untested = declared.filter((d) => !named.includes(d) && !caffe.includes(d));
  assert.deepEqual(untested, []);
  const { config, warnings } = parse(render().text);
  assert.deepEqual(warnings.map(issueText), []);
  assert.equal(config.modelType, "onnx");
  assert.deepEqual(config.model, {
    onnxModel: "./m.onnx",
    caffeModel: undefined,
    prototxt: undefined,
    march: "bayes",
    outputModelFilePrefix: "m",
    workingDir: "out",
    layerOutDump: false,
    outputNodes: ["a", "b"],
    removeNodeType: ["Dequantize", "Transpose"],
    removeNodeName: ["x"],
    dumpCalibrationData: true,
    nodeInfo: [{ name: "c", on: "BPU", inputTypes: new Map() }],
    logLevel: undefined,
  });
  assert.deepEqual(config.inputs, [{
    name: "data",
    shape: [1, 3, 224, 224],
    typeTrain: "rgb",
    typeRt: "nv12",
    layoutTrain: "NCHW",
    layoutRt: "NHWC",
    spaceAndRange: "regular",
    norm: { type: "data_mean_and_scale", mean: [1, 2, 3], scale: [0.5] },
    calDataDir: "./cal_f32",
    calDataType: "float32",
    calDataTypeGiven: true,
    inputSource: "pyramid",
    inputSourceGiven: true,
  }]);
  assert.equal(config.inputBatch, 2);
  assert.deepEqual(config.calibration, {
    type: "max",
    maxPercentile: 0.9999,
    perChannel: true,
    preprocessOn: false,
    optimization: ["set_Conv_input_int16"],
    accuracyTarget: 0.99,
    latencyBudget: 1500,
  });
  assert.deepEqual(config.compiler, {
    compileMode: "balance",
    balanceFactor: 40,
    debug: true,
    coreNum: 1,
    optimizeLevel: "O3",
    maxTimePerFc: 1000,
    jobs: 4,
    advice: 5,
  });
  assert.deepEqual(config.customOp, { method: "register", files: ["a.ts"], dir: "ops" });
});

Deno.test("config: defaults are those of the J5 documents, for absent, null and empty values", () => {
  const needed = new Set([
    "onnx_model",
    "march",
    "input_type_train",
    "input_layout_train",
    "input_type_rt",
    "cal_data_dir",
  ]);
  for (const nothing of [undefined, "", "''", '""', "null", "~", "None"]) {
    const values: Record<string, string | undefined> = {};
    for (const [g, keys] of goodValues) {
      for (const [k] of keys) if (!needed.has(k)) values[`${g}.${k}`] = nothing;
    }
    const { config, warnings } = parse(render(values).text);
    assert.deepEqual(warnings.map(issueText), []);
    assert.equal(config.model.outputModelFilePrefix, "model");
    assert.equal(config.model.workingDir, "model_output");
    assert.equal(config.model.layerOutDump, false);
    assert.equal(config.calibration.type, "default");
    assert.equal(config.calibration.maxPercentile, 1);
    assert.equal(config.inputBatch, 1);
    assert.equal(config.inputs[0]!.norm.type, "no_preprocess");
    assert.equal(config.inputs[0]!.spaceAndRange, "regular");
    assert.equal(config.inputs[0]!.layoutRt, undefined);
    assert.equal(config.inputs[0]!.calDataType, "float32");
    assert.equal(config.inputs[0]!.inputSource, "pyramid");
    assert.deepEqual(config.compiler, {
      compileMode: "latency",
      balanceFactor: undefined,
      debug: true,
      coreNum: 1,
      optimizeLevel: "O0",
      maxTimePerFc: 0,
      jobs: undefined,
      advice: 0,
    });
    assert.equal(config.customOp, undefined);
  }
});

/** One letter dropped, doubled, replaced, or two swapped, at every position. */
function typos(word: string): string[] {
  const out = new Set<string>();
  for (let i = 0; i < word.length; i++) {
    out.add(word.slice(0, i) + word.slice(i + 1));
    out.add(word.slice(0, i) + word[i]! + word.slice(i));
    out.add(word.slice(0, i) + "q" + word.slice(i + 1));
    if (i > 0) out.add(word.slice(0, i - 1) + word[i]! + word[i - 1]! + word.slice(i + 1));
  }
  out.delete(word);
  out.delete("");
  return [...out];
}

Deno.test("config: every typo in every key is reported at its place with a suggestion", () => {
  let tried = 0;
  for (const [group, keys] of goodValues) {
    for (const [key] of keys) {
      const path = `${group}.${key}`;
      for (const typo of typos(key)) {
        const r = render({}, { [path]: typo });
        let found;
        try {
          found = parse(r.text).warnings;
        } catch (e) {
          // A required key is then missing: that is an error, and it names the key.
          assert.ok(e instanceof ConfigError);
          assert.match(e.message, new RegExp(`'${key}'`));
          continue;
        }
        tried++;
        const mine = found.find((w) => w.line === r.lines.get(path) && w.column === 3);
        assert.ok(mine !== undefined, `${typo}: ${found.map(issueText)}`);
        assert.match(
          issueText(mine),
          new RegExp(`^c\\.yaml:\\d+:3: ${group}\\.${typo}: .*ignored`),
        );
        assert.match(mine.message, /did you mean \w+\?/, `${typo}: ${mine.message}`);
      }
    }
  }
  assert.ok(tried > 1000, String(tried));
});

Deno.test("config: a typo in a group is reported, and the group is missing", () => {
  for (const [group] of goodValues) {
    const text = render().text.replace(`${group}:`, `${group.slice(0, -1)}:`);
    if (group === "custom_op") {
      assert.match(issueText(parse(text).warnings[0]!), /did you mean custom_op\?/);
      continue;
    }
    assert.match(errorsOf(text)[0]!.message, new RegExp(`Missing keys: '${group}'`));
  }
});

const wrong: Record<string, string[]> = {
  "model_parameters.march": [
    "bayesian",
    "nash-e",
    "nash",
    "bernoulli",
    "5",
    "[bayes, bernoulli2]",
    "{a: 1}",
  ],
  "model_parameters.layer_out_dump": ["maybe", "2", "[]x", "'Fals'"],
  "model_parameters.output_model_file_prefix": ["a/b", "..", "'a\\b'", "{x: 1}"],
  "model_parameters.onnx_model": ['"a\\0b"', "[a, b]", "{x: 1}"],
  "model_parameters.remove_node_type": ["Conv", "Dequantize;Sofmax", "{x: {y: 1}}"],
  "model_parameters.debug_mode": ["dump", "1"],
  "model_parameters.node_info": [
    "{c: {'ON': 'GPU'}}",
    "{c: {'InputType': 'int4'}}",
    "{c: {'OutputType0': 'int16'}}",
    "{c: [1]}",
    "{c: {'ON': {x: 1}}}",
    "c",
    "'c:int32'",
  ],
  "input_parameters.input_name": ["data;data"],
  "input_parameters.input_type_train": ["rgba", "rgb;bgr;gray", "1", "gray"],
  "input_parameters.input_layout_train": ["CHW", "NCWH"],
  "input_parameters.input_type_rt": ["yuv", "gray", "featuremap", "nv21"],
  "input_parameters.input_layout_rt": ["NHCW"],
  "input_parameters.input_space_and_range": ["bt709", "full"],
  "input_parameters.input_shape": [
    "abc",
    "1x3x224.5x224",
    "1x3x223x224",
    "1x3x224",
    "1x4x224x224",
    "1x3x224x99999999999",
    "1x3x224x224; 1x3x224x224",
  ],
  "input_parameters.input_batch": ["0", "4097", "1.5", "two", "-1", "[1]x"],
  "input_parameters.norm_type": ["mean", "data_mean_scale"],
  "input_parameters.mean_value": ["a b c", "1 2 nan", "1e999", "1/255", "inf"],
  "input_parameters.scale_value": ["1/255", "x", "0.1 0.2 0,x"],
  "calibration_parameters.cal_data_type": ["float64", "f32"],
  "calibration_parameters.preprocess_on": ["yess"],
  "calibration_parameters.calibration_type": ["mse", "percentile"],
  "calibration_parameters.max_percentile": ["0.4", "1.1", "99.9", "max"],
  "calibration_parameters.accuracy_target": ["0", "1.1", "99.9", "high"],
  "calibration_parameters.latency_budget": ["0", "-1", "1 ms"],
  "calibration_parameters.per_channel": ["all"],
  "calibration_parameters.optimization": ["set_conv_input_int16", "speed", "set_Conv_int16"],
  "compiler_parameters.compile_mode": ["fast", "O3"],
  "compiler_parameters.balance_factor": ["-1", "101", "half"],
  "compiler_parameters.debug": ["verbose"],
  "compiler_parameters.core_num": ["0", "2", "3", "one"],
  "compiler_parameters.optimize_level": ["O4", "3", "Os"],
  "compiler_parameters.input_source": ["{data: camera}", "{other: ddr}", "usb", "{data: [ddr]}"],
  "compiler_parameters.max_time_per_fc": ["1", "999", "4294967296", "-5"],
  "compiler_parameters.jobs": ["-1", "many"],
  "compiler_parameters.advice": ["-1", "x", "0.5"],
  "custom_op.custom_op_method": ["import"],
};

Deno.test("config: every wrong value is an error at its place that says what is allowed", () => {
  const free = new Set([
    "model_parameters.working_dir",
    "model_parameters.output_nodes",
    "model_parameters.remove_node_name",
    "calibration_parameters.cal_data_dir",
    "custom_op.op_register_files",
    "custom_op.custom_op_dir",
  ]);
  for (const [g, keys] of goodValues) {
    for (const [k] of keys) assert.ok(`${g}.${k}` in wrong || free.has(`${g}.${k}`), `${g}.${k}`);
  }
  for (const [path, values] of Object.entries(wrong)) {
    for (const value of values.filter((v) => !/\]x$/.test(v))) {
      const r = render({ [path]: value });
      const issues = errorsOf(r.text);
      const key = path.split(".")[1]!;
      const mine = issues.find((i) => i.line === r.lines.get(path) && i.key === path);
      // A wrong pair of types may be reported at either of its two keys.
      const pair = issues.find((i) => /input_(type|shape|space|layout)/.test(i.key ?? ""));
      const found = mine ?? (key.startsWith("input_type") ? pair : undefined);
      assert.ok(found !== undefined, `${path}: ${value}: ${issues.map(issueText).join("\n")}`);
      assert.ok((found.column ?? 0) > 3);
      assert.match(issueText(found), /^c\.yaml:\d+:\d+: [a-z_.]+: .+/);
    }
  }
});

Deno.test("config: the place of a part of a list is that of the part", () => {
  const r = render({ "model_parameters.remove_node_type": "'Cast; Reshap; Softmax'" });
  const [issue] = errorsOf(r.text);
  // "  remove_node_type: 'Cast; Reshap": the part starts in column 28.
  assert.equal(issue!.column, 28);
  assert.match(issue!.message, /did you mean Reshape\?/);
});

Deno.test("config: all problems come at once, in the order of the file, with exit code 3", () => {
  const r = render({
    "compiler_parameters.optimize_level": "O9",
    "model_parameters.march": "x",
    "input_parameters.input_batch": "0",
  });
  try {
    parse(r.text);
    assert.fail();
  } catch (e) {
    assert.ok(e instanceof ConfigError);
    assert.equal(exitCodes[e.code], 3);
    const lines = e.message.split("\n");
    assert.equal(lines.length, 3);
    assert.match(
      lines[0]!,
      /^c\.yaml:3:10: model_parameters\.march: 'x' is not a value; allowed: bayes, /,
    );
    assert.match(lines[1]!, /input_batch/);
    assert.match(lines[2]!, /optimize_level.*O0, O1, O2, O3/);
    assert.equal(e.place.key, "model_parameters.march");
    assert.equal(e.sentence(), e.message);
  }
});

Deno.test("config: missing keys are listed as the original does", () => {
  const onnx = render({
    "model_parameters.onnx_model": "''",
    "input_parameters.input_type_rt": undefined,
    "calibration_parameters.cal_data_dir": undefined,
    "compiler_parameters.balance_factor": undefined,
  });
  assert.deepEqual(errorsOf(onnx.text).map(issueText), [
    "c.yaml:1:1: Key 'model_parameters' error: Missing keys: 'onnx_model'; " +
    "'onnx_model' in line 2 has no value",
    "c.yaml:12:1: Key 'input_parameters' error: Missing keys: 'input_type_rt'",
    "c.yaml:23:1: Key 'calibration_parameters' error: Missing keys: 'cal_data_dir'",
    "c.yaml:32:1: Key 'compiler_parameters' error: Missing keys: 'balance_factor'",
  ]);
  const caffe = errorsOf(render().text, { modelType: "caffe" });
  assert.equal(
    caffe[0]!.message,
    "Key 'model_parameters' error: Missing keys: 'caffe_model', 'prototxt'",
  );
  assert.match(errorsOf("")[0]!.message, /Missing keys: 'model_parameters', 'input_parameters', /);
  assert.match(errorsOf("- 1\n- 2\n").map(issueText).join("\n"), /a mapping of groups/);
  const norm = render({
    "input_parameters.norm_type": "data_mean_and_scale",
    "input_parameters.mean_value": "None",
    "input_parameters.scale_value": undefined,
  });
  assert.match(errorsOf(norm.text)[0]!.message, /Missing keys: 'mean_value', 'scale_value'/);
});

Deno.test("config: a missing key or group that is misspelt, empty or elsewhere is pointed at", () => {
  const march = (line: string) =>
    errorsOf(render().text.replace(/^ *march:.*$/m, line)).map((e) => e.message).join("\n");
  assert.match(march("  marhc: 'bayes'"), /'march'; 'marhc' in line 3: did you mean march\?/);
  assert.match(march("  March: 'bayes'"), /'March' in line 3: did you mean march\?/);
  assert.match(march("  march:"), /'march'; 'march' in line 3 has no value$/m);
  assert.match(march("  march: ~"), /'march' in line 3 has no value$/m);
  assert.match(
    errorsOf(render().text.replace("model_parameters:", "Model_Parameters:"))[0]!.message,
    /^Missing keys: 'model_parameters'; 'Model_Parameters' in line 1: did you mean model_param/,
  );
  const moved = render().text.replace(/^ *march:.*\n/m, "")
    .replace("compiler_parameters:", "compiler_parameters:\n  march: bayes");
  assert.match(errorsOf(moved)[0]!.message, /'march' in line \d+ belongs into model_parameters/);
});

Deno.test("config: cal_data_dir is not needed for load and skip", () => {
  for (const type of ["load", "skip"]) {
    const r = render({
      "calibration_parameters.cal_data_dir": undefined,
      "calibration_parameters.calibration_type": type,
      "calibration_parameters.max_percentile": undefined,
    });
    const { config: { calibration }, warnings } = parse(r.text);
    assert.equal(calibration.type, type);
    // Random data cannot be searched on.
    assert.equal(calibration.accuracyTarget, type === "skip" ? undefined : 0.99);
    assert.equal(warnings.length, type === "skip" ? 2 : 0);
  }
});

Deno.test("config: numbers, quoted and bare booleans, case and spelling", () => {
  for (const v of ["True", "true", "TRUE", "'True'", '"true"', "yes", "on", "1"]) {
    assert.equal(
      parse(render({ "compiler_parameters.debug": v }).text).config.compiler.debug,
      true,
      v,
    );
  }
  for (const v of ["False", "'false'", "no", "off", "0"]) {
    assert.equal(
      parse(render({ "compiler_parameters.debug": v }).text).config.compiler.debug,
      false,
      v,
    );
  }
  const numbers = parse(
    render({
      "model_parameters.output_model_file_prefix": "123",
      "calibration_parameters.max_percentile": "'0.99995'",
      "compiler_parameters.jobs": '"8"',
      "input_parameters.mean_value": "0",
      "input_parameters.scale_value": "3.9e-3",
    }).text,
  ).config;
  assert.equal(numbers.model.outputModelFilePrefix, "123");
  assert.equal(numbers.calibration.maxPercentile, 0.99995);
  assert.equal(numbers.compiler.jobs, 8);
  assert.deepEqual(numbers.inputs[0]!.norm, {
    type: "data_mean_and_scale",
    mean: [0],
    scale: [0.0039],
  });
  const shouting = parse(
    render({
      "input_parameters.input_type_rt": "NV12",
      "input_parameters.input_layout_train": "nchw",
      "model_parameters.march": "bayes_e",
      "calibration_parameters.calibration_type": "MAX",
    }).text,
  );
  assert.equal(shouting.config.inputs[0]!.typeRt, "nv12");
  assert.equal(shouting.config.inputs[0]!.layoutTrain, "NCHW");
  assert.equal(shouting.config.model.march, "bayes-e");
  assert.equal(shouting.config.calibration.type, "max");
  assert.equal(shouting.warnings.length, 4);
});

Deno.test("config: a near miss of compile_mode is read with a warning", () => {
  const { config, warnings } = parse(
    render({ "compiler_parameters.compile_mode": "lantency" }).text,
  );
  assert.equal(config.compiler.compileMode, "latency");
  assert.match(warnings[0]!.message, /read as latency/);
});

Deno.test("config: values that other keys make useless are reported", () => {
  const r = render({
    "calibration_parameters.calibration_type": "default",
    "calibration_parameters.optimization": "asymmetric, set_model_output_int8;bias_correction",
    "compiler_parameters.compile_mode": "bandwidth",
    "input_parameters.norm_type": "data_scale",
  });
  const { config, warnings } = parse(r.text);
  assert.deepEqual(warnings.map((w) => w.key).sort(), [
    "calibration_parameters.max_percentile",
    "calibration_parameters.optimization",
    "calibration_parameters.per_channel",
    "compiler_parameters.balance_factor",
    "input_parameters.mean_value",
  ]);
  assert.deepEqual(config.calibration.optimization, [
    "asymmetric",
    "set_model_output_int8",
    "bias_correction",
  ]);
  assert.deepEqual(config.inputs[0]!.norm, { type: "data_scale", mean: [], scale: [0.5] });
});

Deno.test("config: keys of other generations and deprecated ones are understood", () => {
  const extra = (group: string, line: string) =>
    render({ "model_parameters.node_info": undefined }).text.replace(
      `${group}:\n`,
      `${group}:\n  ${line}\n`,
    );
  const one = (group: string, line: string) => {
    const { config, warnings } = parse(extra(group, line));
    assert.equal(warnings.length, 1, line);
    assert.equal(warnings[0]!.line! > 1, true);
    return config;
  };
  const info = one("model_parameters", "set_node_data_type: 'a:0:int16;b:int8'").model.nodeInfo;
  assert.deepEqual(info.map((n) => [n.name, n.outputType]), [["a:0", "int16"], ["b", "int8"]]);
  const cpu = one("calibration_parameters", "run_on_cpu: x; y").model.nodeInfo;
  assert.deepEqual(cpu.map((n) => [n.name, n.on]), [["x", "CPU"], ["y", "CPU"]]);
  assert.equal(one("calibration_parameters", "run_on_bpu: x").model.nodeInfo[0]!.on, "BPU");
  one("compiler_parameters", "cache_mode: disable");
  one("compiler_parameters", "cache_path: x");
  one("calibration_parameters", "quant_config: {a: {b: 1}}");
  one("input_parameters", "separate_batch: False");
  assert.equal(one("model_parameters", "log_level: debug").model.logLevel, "debug");
  const passed = extra("compiler_parameters", "hbdk_pass_through_params: '--fast --O2'")
    .replace(/ {2}optimize_level.*\n/, "");
  assert.equal(parse(passed).config.compiler.optimizeLevel, "O2");
  const std = extra("input_parameters", "std_value: 2 4 8").replace(/ {2}scale_value.*\n/, "");
  assert.deepEqual(parse(std).config.inputs[0]!.norm.scale, [0.5, 0.25, 0.125]);
  assert.match(
    errorsOf(extra("input_parameters", "separate_batch: True"))[0]!.message,
    /not supported/,
  );
  const both = parse(
    extra("calibration_parameters", "run_on_cpu: c").replace(
      "model_parameters:\n",
      "model_parameters:\n  node_info: {c: {'ON': 'BPU', 'InputType1': int16, OutputType: int8}}\n",
    ),
  ).config.model.nodeInfo;
  assert.deepEqual(both, [
    { name: "c", on: "BPU", inputTypes: new Map([[1, "int16"]]), outputType: "int8" },
  ]);
});

Deno.test("config: node_info as a string and as a mapping in a string", () => {
  const read = (v: string) =>
    parse(render({ "model_parameters.node_info": v }).text).config.model.nodeInfo;
  assert.deepEqual(read("'n1:int16; n2:int16;'").map((n) => [n.name, n.outputType]), [
    ["n1", "int16"],
    ["n2", "int16"],
  ]);
  assert.deepEqual(read(`"{'n': {'ON': 'CPU'}}"`).map((n) => [n.name, n.on]), [["n", "CPU"]]);
  assert.deepEqual(read("{__proto__: {'ON': 'CPU'}}").map((n) => n.name), ["__proto__"]);
});

Deno.test("config: the march of another chip is refused with the list", () => {
  for (const march of ["nash-e", "nash-b-plus", "bernoulli", "mars"]) {
    const text = issueText(errorsOf(render({ "model_parameters.march": march }).text)[0]!);
    assert.match(text, new RegExp(`'${march}'.*allowed: bayes, bernoulli2, bayes-e`));
  }
  const b2 = parse(
    render({ "model_parameters.march": "bernoulli2", "compiler_parameters.core_num": "2" }).text,
  );
  assert.equal(b2.config.compiler.coreNum, 2);
  assert.match(b2.warnings[0]!.message, /no int16/);
});

Deno.test("config: a duplicate key is reported and the later one counts", () => {
  const text = render().text.replace("  debug: True\n", "  debug: True\n  debug: False\n");
  const { config, warnings } = parse(text);
  assert.equal(config.compiler.debug, false);
  assert.match(warnings[0]!.message, /stands twice \(first in line/);
});

Deno.test("config: a key in the wrong group is explained", () => {
  const text = render().text.replace(
    "compiler_parameters:\n",
    "compiler_parameters:\n  march: bayes\n",
  );
  assert.match(parse(text).warnings[0]!.message, /belongs into model_parameters/);
  assert.match(
    parse(render().text + "debug: True\n").warnings[0]!.message,
    /belongs into compiler_parameters/,
  );
});

Deno.test("config: edit distance and suggestions", () => {
  assert.equal(editDistance("kitten", "sitting"), 3);
  assert.equal(editDistance("ab", "ba"), 1);
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(suggest("lantency", ["latency", "bandwidth"]), "latency");
  assert.equal(suggest("zzz", ["latency"]), undefined);
});
