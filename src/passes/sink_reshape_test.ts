import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { f32, i64 } from "../ir/tensor.ts";
import { sinkReshape } from "./sink_reshape.ts";
import { apply, graphOf, ops, Rng, why } from "./test_support.ts";

const rng = new Rng(1);
const constants = { w: rng.f32([4, 3, 1, 1]), flat: i64([2, 4]), half: f32([], [0.5]) };

Deno.test("activations and scalars work before the Reshape, which keeps its name", async () => {
  const g = graphOf({
    inputs: { x: [2, 3, 1, 1] },
    outputs: ["y"],
    nodes: [
      node("Conv", "conv", ["x", "w"], ["c"]),
      node("Reshape", "re", ["c", "flat"], ["r"]),
      node("Relu", "relu", ["r"], ["s"]),
      node("Mul", "mul", ["half", "s"], ["t"]),
      node("LeakyRelu", "leaky", ["t"], ["y"], { alpha: attr.float(0.1) }),
    ],
    constants,
  });
  let r = await apply(sinkReshape, g, 0);
  for (let i = 0; i < 3; i++) r = await apply(sinkReshape, r.graph, 0);
  assert.equal(ops(r.graph), "Conv Relu Mul LeakyRelu Reshape");
  assert.equal(r.graph.nodes.at(-1)!.name, "re");
});

Deno.test("two operands move when both come from the same shape", async () => {
  const build = (other: number[]) =>
    graphOf({
      inputs: { x: [2, 4, 1, 1], z: other },
      outputs: ["y"],
      nodes: [
        node("Reshape", "a", ["x", "flat"], ["ra"]),
        node("Reshape", "b", ["z", "flat"], ["rb"]),
        node("Add", "add", ["ra", "rb"], ["y"]),
      ],
      constants,
    });
  assert.equal(ops((await apply(sinkReshape, build([2, 4, 1, 1]), 0)).graph), "Add Reshape");
  const other = await apply(sinkReshape, build([2, 1, 2, 2]), 0);
  assert.match(why(other, "add"), /different shapes/);
});

Deno.test("a shared Reshape and one that makes rank 4 stay", async () => {
  const g = graphOf({
    inputs: { x: [2, 4, 1, 1], z: [2, 4] },
    outputs: ["y", "r", "v"],
    nodes: [
      node("Reshape", "re", ["x", "flat"], ["r"]),
      node("Relu", "relu", ["r"], ["y"]),
      node("Reshape", "four", ["z", "rank4"], ["q"]),
      node("Relu", "relu4", ["q"], ["v"]),
    ],
    constants: { ...constants, rank4: i64([2, 4, 1, 1]) },
  });
  const r = await apply(sinkReshape, g, 0);
  assert.equal(r.fired, 0);
  assert.match(why(r, "relu"), /output of the model/);
});
