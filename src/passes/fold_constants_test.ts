import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { f32, i64, numbersOf } from "../ir/tensor.ts";
import { foldConstants } from "./fold_constants.ts";
import { apply, graphOf, ops, why } from "./test_support.ts";

Deno.test("nodes of constants become constants of the same names, one behind the other", async () => {
  const g = graphOf({
    inputs: { x: [2, 3] },
    outputs: ["y"],
    nodes: [
      node("Transpose", "t", ["w"], ["wt"], { perm: attr.ints([1, 0]) }),
      node("Neg", "neg", ["wt"], ["wn"]),
      node("MatMul", "mm", ["x", "wn"], ["y"]),
    ],
    constants: { w: f32([2, 3], [1, 2, 3, 4, 5, 6]) },
  });
  const r = await apply(foldConstants, g, 0);
  assert.equal(ops(r.graph), "MatMul");
  assert.deepEqual([...numbersOf(r.graph.constants.get("wn")!)], [-1, -4, -2, -5, -3, -6]);
  assert.ok(!r.graph.constants.has("w"));
});

Deno.test("what the operators do not fold themselves goes to the engine, or stays without one", async () => {
  const g = graphOf({
    inputs: { x: [1, 1, 2, 2] },
    outputs: ["y"],
    nodes: [
      node("MaxPool", "pool", ["c"], ["p"], { kernel_shape: attr.ints([2, 2]) }),
      node("Add", "add", ["x", "p"], ["y"]),
    ],
    constants: { c: f32([1, 1, 2, 2], [1, 4, 3, 2]) },
  });
  const r = await apply(foldConstants, g, 0);
  assert.equal(ops(r.graph), "Add");
  const without = await foldConstants.run(g);
  assert.equal(without.fired, 0);
  assert.match(why(without, "pool"), /without an engine/);
});

Deno.test("constants that would blow up and random numbers stay, outputs of the model keep a node", async () => {
  const g = graphOf({
    inputs: { x: [1] },
    outputs: ["y", "z", "r"],
    nodes: [
      node("Expand", "expand", ["one", "shape"], ["big"]),
      node("ReduceMax", "max", ["big"], ["m"], { keepdims: attr.int(0) }),
      node("Add", "add", ["x", "m"], ["y"]),
      node("Neg", "neg", ["one"], ["z"]),
      node("RandomNormalLike", "random", ["one"], ["n"]),
      node("Mul", "mul", ["n", "zero"], ["r"]),
    ],
    constants: { one: f32([1], [1]), zero: f32([1], [0]), shape: i64([3000, 2000]) },
  });
  const r = await foldConstants.run(g);
  assert.equal(r.fired, 1);
  assert.match(why(r, "expand"), /24000000 bytes/);
  // An output of the model keeps a node behind it.
  const neg = r.graph.nodes.find((n) => n.outputs[0] === "z")!;
  assert.equal(neg.op, "Identity");
  assert.deepEqual(Array.from(numbersOf(r.graph.constants.get(neg.inputs[0]!)!)), [-1]);
  assert.equal((await foldConstants.run(r.graph)).fired, 0);
  assert.match(why(r, "random"), /differs from run to run/);
});
