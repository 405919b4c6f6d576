import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { i64, numbersOf } from "../ir/tensor.ts";
import { inferTypes } from "../ops/infer.ts";
import { foldShapes } from "./fold_shapes.ts";
import { apply, graphOf, ops, why } from "./test_support.ts";

const constants = { zero: i64([0]), minus: i64([-1]), index: i64([0]) };

const chain = [
  node("Shape", "shape", ["x"], ["s"]),
  node("Gather", "gather", ["s", "index"], ["b"]),
  node("Concat", "concat", ["b", "minus"], ["d"], { axis: attr.int(0) }),
  node("Reshape", "reshape", ["x", "d"], ["y"]),
];

Deno.test("a computed Reshape target becomes a constant under its name", async () => {
  const g = graphOf({ inputs: { x: [2, 3, 4] }, outputs: ["y"], nodes: chain, constants });
  const r = await apply(foldShapes, g, 0);
  assert.equal(ops(r.graph), "Reshape");
  assert.deepEqual([...numbersOf(r.graph.constants.get("d")!)], [2, -1]);
});

Deno.test("unknown dimensions stay, with the reason", async () => {
  const g = graphOf({ inputs: { x: [2, 3, 4] }, outputs: ["y"], nodes: chain, constants });
  const open = inferTypes({
    ...g,
    inputs: [{ ...g.inputs[0]!, shape: [-1, 3, 4] }],
    types: new Map(),
    outputs: [],
  });
  const r = await foldShapes.run(open);
  assert.equal(r.fired, 0);
  assert.match(why(r, "shape"), /not known/);
});

Deno.test("a shape that is an output of the model stays", async () => {
  const g = graphOf({
    inputs: { x: [2, 3] },
    outputs: ["s"],
    nodes: [node("Shape", "shape", ["x"], ["s"])],
  });
  const r = await apply(foldShapes, g, 0);
  assert.equal(r.fired, 0);
  assert.match(why(r, "shape"), /output of the model/);
});
