import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { i64, numbersOf } from "../ir/tensor.ts";
import { squeezeToReshape } from "./squeeze_to_reshape.ts";
import { apply, graphOf, ops } from "./test_support.ts";

Deno.test("Squeeze, Unsqueeze and Flatten become Reshape; the batch stays open", async () => {
  const g = graphOf({
    inputs: { x: [2, 3, 1, 4] },
    outputs: ["a", "b", "c"],
    nodes: [
      node("Squeeze", "sq", ["x", "two"], ["a"]),
      node("Unsqueeze", "un", ["x", "zero"], ["b"]),
      node("Flatten", "flat", ["x"], ["c"]),
    ],
    constants: { two: i64([2]), zero: i64([0]) },
  });
  const r = await apply(squeezeToReshape, g, 0);
  assert.equal(ops(r.graph), "Reshape Reshape Reshape");
  const target = (i: number) => [
    ...numbersOf(r.graph.constants.get(r.graph.nodes[i]!.inputs[1]!)!),
  ];
  assert.deepEqual(target(0), [0, 3, 4]);
  assert.deepEqual(target(1), [1, 2, 3, 1, 4]);
  assert.deepEqual(target(2), [0, 12]);
  assert.equal((await apply(squeezeToReshape, r.graph, 0)).fired, 0);
});

Deno.test("a chain of them is one Reshape; the inner one stays where it is read", async () => {
  const g = graphOf({
    inputs: { x: [2, 3, 4] },
    outputs: ["y", "z"],
    nodes: [
      node("Flatten", "flat", ["x"], ["f"]),
      node("Reshape", "re", ["f", "shape"], ["t"]),
      node("Unsqueeze", "un", ["t", "zero"], ["y"]),
      node("Neg", "neg", ["f"], ["z"]),
    ],
    constants: { shape: i64([4, -1]), zero: i64([0]) },
  });
  let r = await apply(squeezeToReshape, g, 0);
  r = await apply(squeezeToReshape, r.graph, 0);
  const last = r.graph.nodes.find((n) => n.name === "un")!;
  assert.equal(last.inputs[0], "x");
});

Deno.test("a Transpose that moves only dimensions of 1 is a Reshape, others are not", async () => {
  const g = graphOf({
    inputs: { x: [1, 3, 1, 4] },
    outputs: ["a", "b"],
    nodes: [
      node("Transpose", "ones", ["x"], ["a"], { perm: attr.ints([1, 2, 0, 3]) }),
      node("Transpose", "real", ["x"], ["b"], { perm: attr.ints([0, 3, 2, 1]) }),
    ],
  });
  const r = await apply(squeezeToReshape, g, 0);
  assert.equal(ops(r.graph), "Reshape Transpose");
});
