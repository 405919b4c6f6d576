import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { completeConfig, parseConfig } from "../formats/config/mod.ts";
import type { CompleteConfig } from "../formats/config/mod.ts";
import { randomCalibration } from "../formats/data/mod.ts";
import { writeNpy } from "../formats/npy/npy.ts";
import { testModel } from "../formats/onnx/test_models.ts";
import { f32 } from "../ir/tensor.ts";
import { functionsOf } from "../ops/functions.ts";
import { createFloatEngine } from "../run/float.ts";
import type { FloatEngine } from "../run/float.ts";
import { inferModel } from "./infer.ts";
import { makertbin } from "./makertbin.ts";
import { smallConfig, smallGraph } from "./testing.ts";
import type { SmallModel } from "./testing.ts";

function configOf(m: SmallModel, model = "", inputs = ""): CompleteConfig {
  const yaml = smallConfig(m)
    .replace("input_parameters:\n", `${model}input_parameters:\n`)
    .replace("calibration_parameters:\n", `${inputs}calibration_parameters:\n`);
  const { config } = parseConfig(yaml, { file: "c.yaml", modelType: "onnx" });
  return completeConfig(config, smallGraph(m).inputs).config;
}

async function withEngine(body: (e: FloatEngine) => Promise<void>): Promise<void> {
  const engine = createFloatEngine({ workers: 0, functions: functionsOf });
  try {
    await body(engine);
  } finally {
    await engine.close();
  }
}

const npy = (values: number[]) =>
  new Map([["data", { file: "x.npy", bytes: writeNpy(f32([1, 3, 8, 8], values)) }]]);
const wave = Array.from({ length: 192 }, (_, i) => Math.sin(i * 0.7));

Deno.test("infer: a .bin without its Quantize and Dequantize takes and gives real numbers", async () => {
  await withEngine(async (engine) => {
    const results: number[][] = [];
    for (const model of ["", "  remove_node_type: 'Quantize; Dequantize'\n"]) {
      const config = configOf({}, model);
      const made = await makertbin(config, smallGraph({}), {
        engine,
        samples: randomCalibration(config.inputs),
      });
      equal(made.finished.deleted.length, model === "" ? 0 : 2);
      const bin = { file: "small.bin", bytes: made.files.get("small.bin")! };
      const { outputs } = await inferModel(bin, config, npy(wave), engine);
      results.push([...outputs.get("y")!.data]);
    }
    deepEqual(results[1], results[0]);
  });
});

Deno.test("infer: stages take the layout that they are in; convolutions of all stages agree", async () => {
  await withEngine(async (engine) => {
    const config = configOf({}, "  layer_out_dump: True\n", "  input_layout_rt: 'NHWC'\n");
    const made = await makertbin(config, smallGraph({}), {
      engine,
      samples: randomCalibration(config.inputs),
    });
    const stages = [
      ...["original_float_model", "optimized_float_model", "calibrated_model", "quantized_model"]
        .map((s) => `small_${s}.onnx`),
      "small.bin",
    ];
    const wanted = new Map<string, number[]>();
    for (const file of stages) {
      const { outputs, layers } = await inferModel(
        { file, bytes: made.files.get(file)! },
        config,
        npy(wave),
        engine,
      );
      deepEqual([...layers.keys()].sort(), ["conv1", "conv2"], file);
      for (const [name, t] of [...outputs, ...layers]) {
        // The quantized convolution ends with the Relu that was fused into it.
        const data = [...t.data].map((v) => name === "conv1" ? Math.max(v, 0) : v);
        const first = wanted.get(name);
        if (first === undefined) wanted.set(name, data);
        const range = Math.max(...(first ?? data).map(Math.abs));
        const worst = Math.max(...data.map((v, i) => Math.abs(v - (first ?? data)[i]!)));
        ok(worst < 0.03 * range, `${file} ${name}: ${worst} of ${range}`);
      }
    }
    equal(wanted.size, 3);
  });
});

Deno.test("infer: without layer_out_dump there are no scales, and that is said", async () => {
  await withEngine(async (engine) => {
    const config = configOf({});
    const made = await makertbin(config, smallGraph({}), {
      engine,
      samples: randomCalibration(config.inputs),
    });
    for (const file of ["small.bin", "small_quantized_model.onnx"]) {
      const said: string[] = [];
      const { layers } = await inferModel(
        { file, bytes: made.files.get(file)! },
        config,
        npy(wave),
        engine,
        { layers: true, warn: (l) => said.push(l) },
      );
      equal(layers.size, 0);
      match(said.join(), /convert it with layer_out_dump: True/);
    }
  });
});

Deno.test("infer: shapes with ? and inputs without a file are refused with the way out", async () => {
  await withEngine(async (engine) => {
    const g = smallGraph({});
    const bytes = testModel({
      opset: 17,
      nodes: g.nodes,
      inputs: [{ name: "data", shape: ["N", 3, 8, 8] }],
      outputs: [{ name: "y", shape: ["N", 5, 8, 8] }],
      initializers: g.constants,
    });
    const config = configOf({});
    await rejects(inferModel({ file: "m.onnx", bytes }, config, npy(wave), engine), (e: Error) => {
      match(e.message, /input data of the model has the shape \?x3x8x8/);
      return true;
    });
    const made = await makertbin(config, g, { engine, samples: randomCalibration(config.inputs) });
    const bin = { file: "small.bin", bytes: made.files.get("small.bin")! };
    await rejects(inferModel(bin, config, new Map(), engine), /no file was given for input data/);
  });
});
