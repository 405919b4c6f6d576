import assert from "node:assert/strict";
import { node, OPSET } from "../../ir/graph.ts";
import type { Graph } from "../../ir/graph.ts";
import { f32 } from "../../ir/tensor.ts";
import { marchOf } from "../../march/mod.ts";
import { functionsOf } from "../../ops/functions.ts";
import { createFloatEngine } from "../../run/float.ts";
import { openProgram } from "../../run/simulator.ts";
import { createCalibrator } from "../calibrator.ts";
import { convert } from "../convert.ts";

Deno.test("dead channels and biases beyond the accumulator keep their values", async () => {
  const weights = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i + 1));
  weights.fill(0, 0, 3); // channel 0 is its bias
  for (let i = 3; i < 6; i++) weights[i] = 1e-30; // channel 1 all but dead
  const graph: Graph = {
    name: "g",
    opset: OPSET,
    domains: new Map([["", OPSET]]),
    nodes: [
      node("Conv", "c1", ["x", "w", "b"], ["a"]),
      node("Relu", "relu", ["a"], ["r"]),
      node("Conv", "c2", ["r", "w2"], ["y"]),
    ],
    inputs: [{ name: "x", dtype: "float32", shape: [1, 3, 4, 4] }],
    outputs: [{ name: "y", dtype: "float32", shape: [1, 4, 4, 4] }],
    constants: new Map([
      ["w", f32([4, 3, 1, 1], weights)],
      ["b", f32([4], [40, 25, 1, -1])],
      // The second one hands every channel on.
      ["w2", f32([4, 4, 1, 1], Array.from({ length: 16 }, (_, i) => i % 5 === 0 ? 1 : 0))],
    ]),
    types: new Map(),
    metadata: new Map(),
  };
  const engine = createFloatEngine({ workers: 0, functions: functionsOf });
  try {
    const x = f32([1, 3, 4, 4], Float32Array.from({ length: 48 }, (_, i) => Math.cos(i * 3)));
    const feeds = new Map([["x", x]]);
    const { program, quantized } = await convert(graph, {
      march: marchOf("bayes"),
      calibrator: createCalibrator({ type: "max", maxPercentile: 1 }, engine, () => [feeds]),
      engine,
    });
    const wanted = (await (await engine.open(graph)).run(feeds)).get("y")!.data as Float32Array;
    const simulator = await openProgram(program, { cpu: engine });
    const found = (await simulator.run(feeds)).get("y")!.data as Float32Array;
    await simulator.close();
    const exact = (await (await engine.open(quantized.graph)).run(feeds)).get("y")!;
    assert.deepEqual(found, exact.data);
    const step = 40 / 127;
    found.forEach((v, i) => assert.ok(Math.abs(v - wanted[i]!) <= step, `${i}: ${wanted[i]} ${v}`));
  } finally {
    await engine.close();
  }
});
