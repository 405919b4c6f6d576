import assert from "node:assert/strict";
import { type Attr, attr, node } from "../ir/graph.ts";
import { i64 } from "../ir/tensor.ts";
import { keepDims } from "./keep_dims.ts";
import { apply, graphOf, ops, why } from "./test_support.ts";

Deno.test("reductions keep their dimensions, whatever the axes", async () => {
  const drop = { keepdims: attr.int(0) };
  const cases: [string, string[], Record<string, Attr>][] = [
    ["ReduceMean", ["x"], { ...drop, axes: attr.ints([1]) }],
    ["ReduceMax", ["x"], { ...drop, axes: attr.ints([-1, 0]) }],
    ["ReduceSum", ["x", "axes"], drop],
    ["ArgMax", ["x"], { ...drop, axis: attr.int(-2) }],
  ];
  for (const [op, inputs, attrs] of cases) {
    const g = graphOf({
      inputs: { x: [2, 3, 4] },
      outputs: ["y"],
      nodes: [node(op, "n", inputs, ["y"], attrs)],
      constants: { axes: i64([2]) },
    });
    const r = await apply(keepDims, g, 0);
    assert.equal(ops(r.graph), `${op} Reshape`);
    assert.equal(r.graph.nodes[0]!.name, "n");
    assert.equal((await apply(keepDims, r.graph, 0)).fired, 0);
  }
});

Deno.test("a reduction of everything stays", async () => {
  const g = graphOf({
    inputs: { x: [2, 3] },
    outputs: ["y"],
    nodes: [node("ReduceMean", "n", ["x"], ["y"], { keepdims: attr.int(0) })],
  });
  assert.match(why(await apply(keepDims, g, 0), "n"), /reduces everything/);
});
