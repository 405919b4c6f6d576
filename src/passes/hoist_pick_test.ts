import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { i64, i64Scalar } from "../ir/tensor.ts";
import { hoistPick } from "./hoist_pick.ts";
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
    const r = await apply(hoistPick, g, 0);
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
  assert.equal(ops((await apply(hoistPick, g, 0)).graph), "Slice");
});

Deno.test("queries, keys and values are slices of their channels", async () => {
  const take = (op: "Gather" | "Slice", i: number) =>
    op === "Gather"
      ? node("Gather", `g${i}`, ["t", `i${i}`], [`y${i}`])
      : node("Slice", `g${i}`, ["t", `s${i}`, `e${i}`, "zero"], [`y${i}`]);
  for (const op of ["Gather", "Slice"] as const) {
    const g = graphOf({
      inputs: { x: [1, 5, 24] },
      outputs: ["y0", "y1", "y2"],
      nodes: [
        node("Reshape", "r", ["x", "heads"], ["h"]),
        node("Transpose", "p", ["h"], ["t"], { perm: attr.ints([2, 0, 3, 1, 4]) }),
        take(op, 0),
        take(op, 1),
        take(op, 2),
      ],
      constants: {
        heads: i64([1, 5, 3, 2, 4]),
        zero: i64([0]),
        ...Object.fromEntries(
          [0, 1, 2].flatMap((i) => [
            [`i${i}`, i64Scalar(i)],
            [`s${i}`, i64([i])],
            [`e${i}`, i64([i + 1])],
          ]),
        ),
      },
    });
    const r = await apply(hoistPick, g, 0);
    assert.equal(r.fired, 3);
    assert.equal(ops(r.graph), Array(3).fill("Slice Reshape Transpose").join(" "));
  }
});

Deno.test("ranges move in front where they are transposed again", async () => {
  const build = (perm: number[] | undefined) =>
    graphOf({
      inputs: { x: [2, 6, 1, 5] },
      outputs: ["y", "z"],
      nodes: [
        node("Transpose", "p", ["x"], ["t"], { perm: attr.ints([0, 2, 3, 1]) }),
        node("Reshape", "r", ["t", "flat"], ["f"]),
        node("Slice", "a", ["f", "zero", "two", "last"], ["u"]),
        node("Slice", "b", ["f", "two", "end", "last"], ["v"]),
        perm === undefined
          ? node("Relu", "relu", ["u"], ["y"])
          : node("Transpose", "ta", ["u"], ["y"], { perm: attr.ints(perm) }),
        node("Transpose", "tb", ["v"], ["z"], { perm: attr.ints([0, 2, 1]) }),
      ],
      constants: {
        flat: i64([2, 5, 6]),
        zero: i64([0]),
        two: i64([2]),
        end: i64([9]),
        last: i64([-1]),
      },
    });
  const r = await apply(hoistPick, build([0, 2, 1]), 0);
  assert.equal(r.fired, 2);
  assert.equal(r.graph.nodes[0]!.op, "Slice");
  const kept = await apply(hoistPick, build(undefined), 0);
  assert.equal(kept.fired, 0);
});

Deno.test("another reader of the whole, and an index across dimensions, keep the chain", async () => {
  const g = shuffle([1, 8, 3, 5], [4, 2, 15], [1, 0, 2], [2, 1, 4, 3, 5], 1);
  const read = graphOf({
    inputs: { x: [1, 8, 3, 5] },
    outputs: ["y", "z"],
    nodes: [...g.nodes, node("Neg", "neg", ["v"], ["z"])],
    constants: Object.fromEntries(g.constants),
  });
  assert.match(why(await apply(hoistPick, read, 0), "g"), /neg reads v as it is/);
  const across = shuffle([3, 4, 2, 1], [12, 2, 1], [1, 0, 2], [2, 3, 4], 1, 1);
  assert.equal((await apply(hoistPick, across, 0)).fired, 1);
  const scattered = shuffle([8, 3, 1, 1], [2, 2, 2, 3], [1, 0, 2, 3], [2, 2, 2, 3], 1, 0);
  assert.match(why(await apply(hoistPick, scattered, 0), "g"), /scattered/);
});
