import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { f32, tensor } from "../ir/tensor.ts";
import { dequantizeWeights } from "./dequantize_weights.ts";
import { apply, graphOf, ops, why } from "./test_support.ts";

const q = tensor("int8", [2, 3], Int8Array.of(-128, 0, 127, 5, -7, 1));
const u = tensor("uint8", [2, 3], Uint8Array.of(0, 128, 255, 5, 7, 1));

Deno.test("integer weights become float, per tensor and per channel, exactly", async () => {
  for (const axis of [0, 1, -1]) {
    const channels = axis === 0 ? 2 : 3;
    const g = graphOf({
      inputs: { x: [2, 3] },
      outputs: ["y"],
      nodes: [
        node("DequantizeLinear", "dq", ["q", "s", "z"], ["w"], { axis: attr.int(axis) }),
        node("DequantizeLinear", "du", ["u", "one", "zu"], ["v"]),
        node("Sum", "sum", ["x", "w", "v"], ["y"]),
      ],
      constants: {
        q,
        u,
        s: f32([channels], [0.1, 0.033, 0.7].slice(0, channels)),
        z: tensor("int8", [channels], new Int8Array([3, 0, -4].slice(0, channels))),
        one: f32([], [0.37]),
        zu: tensor("uint8", [], Uint8Array.of(128)),
      },
    });
    const r = await apply(dequantizeWeights, g, 0);
    assert.equal(ops(r.graph), "Sum");
    assert.equal(r.fired, 2);
  }
});

Deno.test("activations stay; so does a constant that is an output", async () => {
  const g = graphOf({
    inputs: { x: [2, 3] },
    outputs: ["y", "w"],
    nodes: [
      node("QuantizeLinear", "ql", ["x", "s"], ["t"]),
      node("DequantizeLinear", "dq", ["t", "s"], ["y"]),
      node("DequantizeLinear", "dw", ["q", "s"], ["w"]),
    ],
    constants: { q, s: f32([], [0.1]) },
  });
  const r = await apply(dequantizeWeights, g, 0);
  assert.equal(r.fired, 0);
  assert.match(why(r, "dw"), /output of the model/);
});
