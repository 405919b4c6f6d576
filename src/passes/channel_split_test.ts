import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { i64, i64Scalar } from "../ir/tensor.ts";
import { channelSplit } from "./channel_split.ts";
import { apply, graphOf, ops, why } from "./test_support.ts";

function shuffle(x: number[], a: number[], perm: number[], b: number[], index: number, axis = 0) {
  return graphOf({
    inputs: { x },
    outputs: ["y"],
    nodes: [
      node("Reshape", "a", ["x", "sa"], ["t"]),
      node("Transpose", "p", ["t"], ["u"], { perm: attr.ints(perm) }),
      node("Reshape", "b", ["u", "sb"], ["v"]),
      node("Gather", "g", ["v", "i"], ["y"], { axis: attr.int(axis) }),
    ],
    constants: { sa: i64(a), sb: i64(b), i: i64Scalar(index) },
  });
}

Deno.test("the two halves of a channel shuffle are strided slices", async () => {
  for (const index of [0, 1, -1]) {
    const g = shuffle([1, 8, 3, 5], [4, 2, 15], [1, 0, 2], [2, 1, 4, 3, 5], index);
    const r = await apply(channelSplit, g, 0);
    assert.equal(ops(r.graph), "Slice");
    assert.equal(r.graph.nodes[0]!.name, "g");
  }
});

Deno.test("the first or second half of the channels, without a Transpose between", async () => {
  const g = graphOf({
    inputs: { x: [2, 8, 3, 5] },
    outputs: ["y"],
    nodes: [
      node("Reshape", "a", ["x", "sa"], ["t"]),
      node("Gather", "g", ["t", "i"], ["y"], { axis: attr.int(1) }),
    ],
    constants: { sa: i64([2, 2, 4, 3, 5]), i: i64Scalar(1) },
  });
  assert.equal(ops((await apply(channelSplit, g, 0)).graph), "Slice");
});

Deno.test("with a batch it is a slice where the channels are even, else pictures mix", async () => {
  const g = shuffle([2, 8, 3, 5], [8, 2, 15], [1, 0, 2], [2, 2, 4, 3, 5], 1);
  assert.equal(ops((await apply(channelSplit, g, 0)).graph), "Slice");
  const mixed = shuffle([2, 3, 4, 4], [3, 2, 16], [1, 0, 2], [2, 1, 3, 4, 4], 0);
  const r = await apply(channelSplit, mixed, 0);
  assert.equal(r.fired, 0);
  assert.notEqual(why(r, "g"), "");
});

Deno.test("what reorders the picture stays", async () => {
  const g = shuffle([1, 4, 3, 3], [2, 2, 9], [1, 2, 0], [2, 1, 2, 3, 3], 0);
  const r = await apply(channelSplit, g, 0);
  assert.equal(r.fired, 0);
  assert.match(why(r, "g"), /reorders|regroups/);
});
