import assert from "node:assert/strict";
import { type Attr, type Graph, node } from "../ir/graph.ts";
import { f32, tensor } from "../ir/tensor.ts";
import { inlineIf } from "./inline_if.ts";
import { optimize } from "./mod.ts";
import { apply, assertSame, engine, graphOf, ops, why } from "./test_support.ts";

/** A branch that reads `outer` and an inner constant, with names that are taken outside too. */
function branch(op: string): Graph {
  const port = { name: "t", dtype: "float32", shape: [2, 3] } as const;
  return {
    ...graphOf({ inputs: {}, outputs: [], nodes: [] }),
    nodes: [
      node(op, "first", ["outer", "c"], ["a"]),
      node("Relu", "second", ["a"], ["t"]),
    ],
    outputs: [port],
    constants: new Map([["c", f32([], [0.25])]]),
  };
}

function model(condition: boolean | undefined): Graph {
  const then: Attr = { type: "graph", value: branch("Mul") };
  const other: Attr = { type: "graph", value: branch("Add") };
  return graphOf({
    inputs: condition === undefined ? { x: [2, 3], k: [1] } : { x: [2, 3] },
    outputs: ["y", "z"],
    nodes: [
      node("Neg", "first", ["x"], ["outer"]),
      ...(condition === undefined ? [node("Greater", "gt", ["k", "zero"], ["cond"])] : []),
      node("If", "if", ["cond"], ["t2"], { then_branch: then, else_branch: other }),
      node("Exp", "exp", ["t2"], ["y"]),
      node("Abs", "abs", ["outer"], ["z"]),
    ],
    constants: {
      zero: f32([1], [0]),
      ...(condition === undefined
        ? {}
        : { cond: tensor("bool", [], Uint8Array.of(condition ? 1 : 0)) }),
    },
  });
}

Deno.test("the branch that is taken stands in the place of the If", async () => {
  for (const condition of [true, false]) {
    const r = await apply(inlineIf, model(condition), 0);
    assert.equal(ops(r.graph), `Neg ${condition ? "Mul" : "Add"} Relu Identity Exp Abs`);
    const all = await optimize(model(condition), { engine, verify: true });
    await assertSame(model(condition), all.graph);
    assert.ok(!ops(all.graph).includes("Identity"));
  }
});

Deno.test("a condition that depends on data stays, and what the branches read with it", async () => {
  const g = model(undefined);
  const r = await apply(inlineIf, g, 0);
  assert.match(why(r, "if"), /not constant/);
  const all = await optimize(g, { engine, verify: true });
  await assertSame(g, all.graph);
  assert.ok(ops(all.graph).includes("If"));
});
