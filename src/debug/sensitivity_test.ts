import assert from "node:assert/strict";
import { attr, node, OPSET } from "../ir/graph.ts";
import type { Graph } from "../ir/graph.ts";
import { f32 } from "../ir/tensor.ts";
import { createFloatEngine } from "../run/float.ts";
import { quantizeValue } from "../ops/arithmetic.ts";
import { fakeQuantization, openReplay } from "./sensitivity.ts";

/** y = relu(x * a) + sigmoid(x), a skip connection around the tensor that is changed. */
const graph: Graph = {
  name: "g",
  opset: OPSET,
  domains: new Map([["", OPSET]]),
  nodes: [
    node("Mul", "mul", ["x", "a"], ["m"]),
    node("Relu", "relu", ["m"], ["r"]),
    node("Sigmoid", "sigmoid", ["x"], ["s"]),
    node("Add", "add", ["r", "s"], ["y"]),
    node("Softmax", "unread", ["x"], ["z"], { axis: attr.int(1) }),
  ],
  inputs: [{ name: "x", dtype: "float32", shape: [1, 8] }],
  outputs: [{ name: "y", dtype: "float32", shape: [1, 8] }],
  constants: new Map([["a", f32([], [2])]]),
  types: new Map(
    ["m", "r", "s", "y", "z"].map((t) => [t, { dtype: "float32" as const, shape: [1, 8] }]),
  ),
  metadata: new Map(),
};
const x = f32([1, 8], [-2, -1, -0.5, 0, 0.5, 1, 2, 3]);

Deno.test("replay: error of one tensor, monotone in the step, 0 where no output depends", async () => {
  const engine = createFloatEngine({ workers: 0 });
  try {
    const replay = await openReplay(graph, [new Map([["x", x]])], engine);
    const q = (step: number) => fakeQuantization(step, -128, 127);
    const [none, fine, coarse] = await replay.noise("m", [(v) => v, q(0.07), q(0.9)]);
    assert.ok(none! < 1e-12);
    assert.ok(fine! > 0 && fine! < 1e-3);
    assert.ok(coarse! > 10 * fine!);
    assert.deepEqual(await replay.noise("z", [q(1)]), [0]);
    // the output itself can be the tensor
    assert.ok((await replay.noise("y", [q(0.9)]))[0]! > 0);
  } finally {
    await engine.close();
  }
});

Deno.test("fake quantization is quantizeValue and back, exactly", () => {
  const values = Float32Array.from(
    [NaN, Infinity, -Infinity, 0, -0, ...Array.from({ length: 4000 }, (_, i) => (i - 2000) / 14)],
  );
  for (
    const [scale, low, high, zero] of [[1 / 7, -128, 127, 0], [0.37, -128, 127, -91], [
      1e-3,
      -32768,
      32767,
      0,
    ]] as const
  ) {
    const want = values.map((v) => (quantizeValue(v, scale, zero, low, high) - zero) * scale + 0);
    const got = fakeQuantization(scale, low, high, zero)(values).map((v) => v + 0);
    assert.deepEqual(got, want);
  }
});
