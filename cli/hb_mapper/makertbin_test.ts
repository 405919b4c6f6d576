/** `hb_mapper makertbin`, `infer` and `checker` as a user runs them: processes with few permissions. */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { recordsOf } from "../../src/container/deleted.ts";
import { readBin } from "../../src/container/bin.ts";
import { smallConfig, smallGraph } from "../../src/flow/testing.ts";
import { readNpy, writeNpy } from "../../src/formats/npy/npy.ts";
import { saveOnnx } from "../../src/formats/onnx/save.ts";
import { f32 } from "../../src/ir/tensor.ts";
import { inFolder, runTool } from "../testing.ts";
import type { Ran } from "../testing.ts";

const onnx = (m: Parameters<typeof smallGraph>[0] = {}) => saveOnnx(smallGraph(m));

const picture = (seed: number) =>
  f32(
    [1, 3, 8, 8],
    Array.from({ length: 192 }, (_, i) => Math.round(127 + 120 * Math.sin(i + seed))),
  );

const samples: [string, Uint8Array][] = [0, 1, 2].map(
  (i) => [`cal/${i}.npy`, writeNpy(picture(i))],
);

/** The yaml of a picture model that is calibrated with `cal`. */
const yaml = (more = "", typeRt: "rgb" | "nv12" = "rgb") =>
  smallConfig({ typeRt }).replace(
    "calibration_type: 'skip'",
    "calibration_type: 'max'\n  cal_data_dir: 'cal'",
  )
    .replace("input_parameters:\n", `${more}input_parameters:\n`);

const permissions = ["--allow-read=small.onnx,c.yaml,cal,out", "--allow-write=out"];
const open = ["--allow-read=.", "--allow-write=."];

const makertbin = (dir: string, args: string[], allowed: string[] = open): Promise<Ran> =>
  runTool("hb_mapper", allowed, ["makertbin", "--model-type", "onnx", ...args], dir);

async function listing(dir: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const e of Deno.readDir(dir)) names.push(e.name);
  } catch {
    return [];
  }
  return names.sort();
}

const artefacts = [
  "cache.json",
  "small.bin",
  "small_calibrated_model.onnx",
  "small_optimized_float_model.onnx",
  "small_original_float_model.onnx",
  "small_quant_info.json",
  "small_quantized_model.onnx",
];

/** Lines that must follow one another in the log. */
const order = [
  "Start hb_mapper....",
  "hb_mapper version",
  "Start Model Convert....",
  "validating model_parameters...",
  "Using onnx model file: small.onnx",
  "Model input names: ['data']",
  "Model has 1 inputs according to model file",
  "working_dir does not exist. Creating working_dir:",
  "validating model_parameters finished",
  "validating input_parameters...",
  "nv12 input type rt received.",
  "validating input_parameters finished",
  "validating calibration_parameters...",
  "validating calibration_parameters finished",
  "validating custom_op...",
  "custom_op does not exist, skipped",
  "validating custom_op finished",
  "validating compiler_parameters...",
  "Input node data's input_source not set, it will be set to pyramid by default",
  "validating compiler_parameters finished",
  "validating deprecated parameters...",
  "validating deprecated parameters finished",
  "Dump config:",
  "input 'data' : original model shape: [1, 3, 8, 8]",
  "First calibration picture name: 0.npy",
  "Read raw file: cal/0.npy",
  "num of calibration data: 3",
  "Start to optimize the model.",
  "End to optimize the model.",
  "Start to calibrate the model.",
  "Run calibration model with max method.",
  "End to calibrate the model.",
  "Start to quantize the model.",
  "End to quantize the model.",
  "Start to compile the model with march bayes.",
  "Compile submodel: main_graph_subgraph_0",
  "End to compile the model with march bayes.",
  "FPS=",
  "The converted model node information:",
  "HZ_PREPROCESS_FOR_data",
  "The quantify model output:",
  "simulator vs onnxruntime-web: 0 of 320 values differ",
  "start convert to *.bin file....",
  "ONNX model output num : 1",
  "############# model deps info #############",
  "############# model_parameters info #############",
  "############# input_parameters info #############",
  "############# calibration_parameters info #############",
  "############# compiler_parameters info #############",
  "Convert to runtime bin file successfully!",
  "End Model Convert",
];

function inOrder(text: string, wanted: readonly string[]): void {
  let at = 0;
  for (const w of wanted) {
    const found = text.indexOf(w, at);
    ok(found >= 0, `'${w}' is missing, or not after what stands before it`);
    at = found;
  }
}

Deno.test("makertbin: log in the original's order and format, all files, the same bytes with fewer permissions", async () => {
  const files = new Map<string, Uint8Array | string>([
    ["small.onnx", onnx()],
    ["c.yaml", yaml("", "nv12")],
    ...samples,
  ]);
  let bin: Uint8Array | undefined;
  await inFolder(files, async (dir) => {
    const ran = await makertbin(dir, ["-c", "c.yaml"]);
    equal(ran.code, 0, ran.err);
    deepEqual(await listing(`${dir}/out`), artefacts);
    const log = await Deno.readTextFile(`${dir}/hb_mapper_makertbin.log`);
    inOrder(log, order);
    const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}`;
    const line = new RegExp(`^${time} file: \\w+\\.ts func: \\S+ line No: \\d+ .+`);
    const timed = log.split("\n").filter((l) => /^\d{4}-/.test(l));
    ok(timed.length > 40);
    for (const l of timed) match(l, line);
    match(log, /file: job\.ts func: openJob line No: \d+ validating model_parameters\.\.\./);
    const shown = ran.out.split("\n").filter((l) => /^\d{4}-/.test(l));
    for (const l of shown) match(l, new RegExp(`^${time} INFO .+`));
    bin = await Deno.readFile(`${dir}/out/small.bin`);
  });
  await inFolder(files, async (dir) => {
    const ran = await makertbin(dir, ["-c", "c.yaml"], permissions);
    equal(ran.code, 0, ran.err);
    deepEqual(await listing(dir), ["c.yaml", "cal", "out", "small.onnx"]);
    deepEqual(await Deno.readFile(`${dir}/out/small.bin`), bin);
  });
});

Deno.test("makertbin: a second run takes the compilation from cache.json; a damaged one is said", async () => {
  await inFolder(
    new Map<string, Uint8Array | string>([["small.onnx", onnx()], ["c.yaml", yaml()], ...samples]),
    async (dir) => {
      equal((await makertbin(dir, ["-c", "c.yaml"])).code, 0);
      const first = await Deno.readFile(`${dir}/out/small.bin`);
      const again = await makertbin(dir, ["-c", "c.yaml"]);
      match(again.out, /The compilation is taken from cache\.json/);
      await Deno.writeTextFile(`${dir}/out/cache.json`, "{]");
      const broken = await makertbin(dir, ["-c", "c.yaml"]);
      equal(broken.code, 0);
      match(broken.err, /WARNING cache\.json is damaged and is not used/);
      deepEqual(await Deno.readFile(`${dir}/out/small.bin`), first);
      deepEqual(await listing(`${dir}/out`), artefacts);
    },
  );
});

Deno.test("makertbin: dump_calibration_data writes what the model takes, and replaces an older dump", async () => {
  const files = new Map<string, Uint8Array | string>([
    ["small.onnx", onnx()],
    ["c.yaml", yaml("  debug_mode: 'dump_calibration_data'\n  layer_out_dump: True\n")],
    ["out/calibration_data/old/9.npy", "stale"],
    ["out/small.bin.tmp", "left by a run that was killed"],
    ...samples,
  ]);
  await inFolder(files, async (dir) => {
    const ran = await makertbin(dir, ["-c", "c.yaml"]);
    equal(ran.code, 0, ran.err);
    deepEqual(await listing(`${dir}/out`), [
      "cache.json",
      "calibration_data",
      ...artefacts.slice(1),
    ]);
    deepEqual(await listing(`${dir}/out/calibration_data`), ["data"]);
    deepEqual(await listing(`${dir}/out/calibration_data/data`), ["0.npy", "1.npy", "2.npy"]);
    const t = readNpy(await Deno.readFile(`${dir}/out/calibration_data/data/1.npy`));
    deepEqual([t.dtype, t.shape], ["float32", [1, 3, 8, 8]]);
    deepEqual(
      [...t.data as Float32Array],
      [...picture(1).data as Float32Array].map((v) => v - 128),
    );

    // infer: the same input through all stages; convolutions come with the outputs.
    const stages = [
      "original_float_model",
      "optimized_float_model",
      "calibrated_model",
      "quantized_model",
    ];
    const dumps = new Map<string, Float32Array>();
    const infer = (model: string, extra: string[] = []) =>
      runTool("hb_mapper", open, [
        ...["infer", "-c", "c.yaml", "--model-file", model, "--model-type", "onnx"],
        ...["--image-file", "data", "cal/0.npy", "--output-dir", "dump", ...extra],
      ], dir);
    for (const stage of [...stages.map((s) => `out/small_${s}.onnx`), "out/small.bin"]) {
      const ran = await infer(stage);
      equal(ran.code, 0, `${stage}: ${ran.err}`);
      const names = await listing(`${dir}/dump`);
      ok(names.includes("y_float.bin") && names.includes("conv1_float.bin"), `${stage}: ${names}`);
      const bytes = await Deno.readFile(`${dir}/dump/y_float.bin`);
      dumps.set(stage, new Float32Array(bytes.buffer));
      equal(dumps.get(stage)!.length, 320);
      await Deno.remove(`${dir}/dump`, { recursive: true });
    }
    deepEqual(dumps.get("out/small.bin"), dumps.get("out/small_quantized_model.onnx"));
    // A raw file in the other layout, said with --input-layout.
    const nchw = picture(0).data as Float32Array;
    const nhwc = Uint8Array.from(nchw, (_, i) => nchw[(i % 3) * 64 + Math.floor(i / 3)]!);
    await Deno.writeFile(`${dir}/cal/0.npy`, nhwc);
    const raw = await infer("out/small.bin", ["--input-layout", "NHWC"]);
    equal(raw.code, 0, raw.err);
    const bytes = await Deno.readFile(`${dir}/dump/y_float.bin`);
    deepEqual(new Float32Array(bytes.buffer), dumps.get("out/small.bin"));
  });
});

Deno.test("makertbin: wrong flags and a failed conversion leave no file and end with the code of the error", async () => {
  await inFolder(
    new Map<string, Uint8Array | string>([
      ["small.onnx", onnx()],
      ["c.yaml", yaml("  output_nodes: 'nowhere'\n")],
      ...samples,
    ]),
    async (dir) => {
      const failed = await makertbin(dir, ["-c", "c.yaml"]);
      equal(failed.code, 3);
      match(failed.err, /output_nodes names 'nowhere'/);
      ok(!failed.out.includes("successfully"));
      deepEqual(await listing(`${dir}/out`), []);
      match(
        await Deno.readTextFile(`${dir}/hb_mapper_makertbin.log`),
        /exception in command: makertbin/,
      );
      const both = await makertbin(dir, ["-c", "c.yaml", "--fast-perf", "--model", "small.onnx"]);
      equal(both.code, 2);
      match(both.err, /--fast-perf has a built-in configuration and does not take --config/);
      const shape = await makertbin(dir, ["-c", "c.yaml", "-i", "data", "1x3x8x8"]);
      equal(shape.code, 2);
      match(shape.err, /--input-shape works with --fast-perf only/);
      for (
        const [flag, value, what] of [
          ["--accuracy", "2", /--accuracy takes a number above 0 and at most 1.*"2"/],
          ["--int16-tensors", "0.5", /--int16-tensors takes a whole number.*"0.5"/],
        ] as const
      ) {
        const r = await makertbin(dir, ["-c", "c.yaml", flag, value]);
        equal(r.code, 2);
        match(r.err, what);
      }
      equal((await makertbin(dir, ["--fast-perf"])).code, 2);
      equal((await makertbin(dir, [])).code, 2);
    },
  );
});

Deno.test("makertbin --json: what the search for int16 tensors found", async () => {
  const files = new Map<string, Uint8Array | string>([
    ["small.onnx", onnx()],
    ["c.yaml", yaml()],
    ...samples,
  ]);
  await inFolder(files, async (dir) => {
    const plain = await makertbin(dir, ["-c", "c.yaml", "--json"]);
    equal(JSON.parse(plain.out).search, null);
    const r = await makertbin(dir, ["-c", "c.yaml", "--json", "--int16-tensors", "1"]);
    equal(r.code, 0, r.err);
    const { search } = JSON.parse(r.out);
    match(search.chosen, /1 tensors at int16/);
    equal(search.samples, 3);
    const { int16, node_info, reached, pareto } = search.mixed;
    ok(int16.length >= 1 && reached === true);
    match(node_info, /^node_info: \{\n {2}".*": \{.*'int16'\}/);
    equal(pareto[0].int16_tensors, 0);
    ok(pareto[1].latency_us >= pareto[0].latency_us && pareto[1].similarity > 0);
    ok(pareto[1].predicted_noise < pareto[0].predicted_noise);
    ok((await listing(`${dir}/out`)).includes("small_pareto.svg"));
  });
});

Deno.test("makertbin --fast-perf: an open batch becomes 1, other open dimensions need -i, the edges go", async () => {
  const open = (shape: number[]) => {
    const g = smallGraph({});
    const types = new Map<string, never>();
    const outputs = g.outputs.map((p) => ({ ...p, shape: [-1, 5, -1, -1] }));
    return saveOnnx({ ...g, types, outputs, inputs: [{ ...g.inputs[0]!, shape }] });
  };
  await inFolder(
    new Map([["b.onnx", open([-1, 3, 8, 8])], ["hw.onnx", open([-1, 3, -1, -1])]]),
    async (dir) => {
      const batch = await makertbin(dir, ["--fast-perf", "--model", "b.onnx", "--json"]);
      equal(batch.code, 0, batch.err);
      const { program, info } = await readBin(
        await Deno.readFile(`${dir}/model_output/b.bin`),
        "b.bin",
      );
      deepEqual(program.inputs, [{ name: "data", dtype: "int8", shape: [1, 3, 8, 8] }]);
      deepEqual(recordsOf(info).map((d) => d.type), ["Quantize", "Dequantize"]);
      deepEqual(JSON.parse(batch.out).deleted, ["data_HzQuantize", "y_HzDequantize"]);
      const refused = await makertbin(dir, ["--fast-perf", "--model", "hw.onnx"]);
      equal(refused.code, 8);
      match(refused.err, /Add --input-shape data 1x3x224x224/);
      const given = await makertbin(dir, [
        "--fast-perf",
        "--model",
        "hw.onnx",
        "-i",
        "data",
        "1x3x16x16",
      ]);
      equal(given.code, 0, given.err);
      ok((await listing(`${dir}/model_output`)).includes("hw.bin"));
    },
  );
});
