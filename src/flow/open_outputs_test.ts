import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { readBin } from "../container/bin.ts";
import { tensorsOf } from "../container/tensors.ts";
import { completeConfig, parseConfig } from "../formats/config/mod.ts";
import { randomCalibration } from "../formats/data/mod.ts";
import { node } from "../ir/graph.ts";
import type { Graph } from "../ir/graph.ts";
import { f32 } from "../ir/tensor.ts";
import { functionsOf } from "../ops/functions.ts";
import { createFloatEngine } from "../run/float.ts";
import { openProgram } from "../run/simulator.ts";
import { makertbin } from "./makertbin.ts";
import { smallConfig, smallGraph } from "./testing.ts";

/** Places of the larger values of a convolution: how many there are, only a run can tell. */
function graph(): Graph {
  const small = smallGraph({});
  const found = node("NonZero", "found", ["larger"], ["places"]);
  return {
    ...small,
    nodes: [...small.nodes, node("Greater", "cut", ["y", "limit"], ["larger"]), found],
    constants: new Map([...small.constants, ["limit", f32([], [0.2])]]),
    outputs: [{ name: "places", dtype: "int64", shape: [4, -1] }],
  };
}

Deno.test("an output whose size the values decide goes through all stages", async () => {
  const text = smallConfig({}).replace("'skip'", "'max'\n  cal_data_dir: 'x'");
  const { config } = parseConfig(text, { file: "small.yaml", modelType: "onnx" });
  const done = completeConfig(config, graph().inputs).config;
  const samples = randomCalibration(done.inputs);
  const engine = createFloatEngine({ workers: 0, functions: functionsOf });
  try {
    const made = await makertbin(done, graph(), { engine, samples });
    const { program, info } = await readBin(made.files.get("small.bin")!, "small.bin");
    deepEqual(program.outputs, [{ name: "places", dtype: "int64", shape: [4, -1] }]);
    const [tensor] = tensorsOf(info, "small.bin").outputs;
    deepEqual([tensor!.byteSize, tensor!.validShape], [0, [4, -1]]);
    const feeds = await samples.sample(0);
    const simulator = await openProgram(program, { cpu: engine });
    const places = (await simulator.run(feeds)).get("places")!;
    await simulator.close();
    const session = await engine.open(graph());
    const float = (await session.run(feeds)).get("places")!;
    await session.close();
    // Values near the limit cross it in int8; different sizes must not stop the comparison.
    notEqual(places.shape[1]!, float.shape[1]!);
    equal(made.proof.exact.differing, 0);
    ok(made.proof.exact.total > 0);
  } finally {
    await engine.close();
  }
});
