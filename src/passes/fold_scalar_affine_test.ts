import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { f32, type Tensor } from "../ir/tensor.ts";
import { foldScalarAffine } from "./fold_scalar_affine.ts";
import { apply, graphOf, ops, Rng, why } from "./test_support.ts";

Deno.test("constants behind a linear operator go into it, on either side of the operator", async () => {
  const rng = new Rng(1);
  const cases: [string, string[], Tensor][] = [
    ["Mul", ["t", "c"], rng.f32([])],
    ["Mul", ["c", "t"], rng.f32([1, 4, 1, 1])],
    ["Add", ["t", "c"], rng.f32([4, 1, 1])],
    ["Sub", ["t", "c"], rng.f32([1])],
    ["Sub", ["c", "t"], rng.f32([1, 4, 1, 1])],
    ["Div", ["t", "c"], rng.f32([4, 1, 1], 0.4, 1)],
    ["Neg", ["t"], f32([], [0])],
  ];
  for (const [op, inputs, c] of cases) {
    for (const bias of [true, false]) {
      const g = graphOf({
        inputs: { x: [2, 3, 5, 5] },
        outputs: ["y"],
        nodes: [
          node("Conv", "conv", bias ? ["x", "w", "b"] : ["x", "w"], ["t"]),
          node(op, "affine", inputs, ["y"]),
        ],
        constants: { w: rng.f32([4, 3, 2, 2]), b: rng.f32([4]), c },
      });
      const r = await apply(foldScalarAffine, g);
      assert.equal(ops(r.graph), "Conv", `${op} ${inputs}`);
    }
  }
});

Deno.test("MatMul takes a scale at any rank, a shift only at rank 2", async () => {
  const rng = new Rng(2);
  const build = (shape: number[], op: string) =>
    graphOf({
      inputs: { x: shape },
      outputs: ["y"],
      nodes: [
        node("MatMul", "mm", ["x", "w"], ["t"]),
        node(op, "affine", ["t", "c"], ["y"]),
      ],
      constants: { w: rng.f32([4, 6]), c: rng.f32([6]) },
    });
  assert.equal(ops((await apply(foldScalarAffine, build([2, 3, 4], "Mul"))).graph), "MatMul");
  assert.equal(ops((await apply(foldScalarAffine, build([3, 4], "Add"))).graph), "Gemm");
  const kept = await apply(foldScalarAffine, build([2, 3, 4], "Add"));
  assert.match(why(kept, "affine"), /rank above 2/);
});

Deno.test("in front of a Conv a scale always goes, a shift only without padding", async () => {
  const rng = new Rng(3);
  const build = (op: string, pad: number, c: Tensor) =>
    graphOf({
      inputs: { x: [1, 4, 6, 6] },
      outputs: ["y"],
      nodes: [
        node(op, "affine", ["x", "c"], ["t"]),
        node("Conv", "conv", ["t", "w"], ["y"], {
          pads: attr.ints([pad, pad, pad, pad]),
          group: attr.int(2),
        }),
      ],
      constants: { w: rng.f32([6, 2, 3, 3]), c },
    });
  const scale = await apply(foldScalarAffine, build("Mul", 1, rng.f32([1, 4, 1, 1])));
  assert.equal(ops(scale.graph), "Conv");
  const shift = await apply(foldScalarAffine, build("Sub", 0, rng.f32([1, 4, 1, 1])));
  assert.equal(ops(shift.graph), "Conv");
  const padded = await apply(foldScalarAffine, build("Add", 1, rng.f32([])));
  assert.match(why(padded, "affine"), /pads with zeros/);
});

Deno.test("what is no scale per channel stays", async () => {
  const rng = new Rng(4);
  const g = (c: Tensor, inputs = ["t", "c"], op = "Mul") =>
    graphOf({
      inputs: { x: [1, 3, 4, 4] },
      outputs: ["y"],
      nodes: [
        node("Conv", "conv", ["x", "w"], ["t"]),
        node(op, "affine", inputs, ["y"]),
      ],
      constants: { w: rng.f32([4, 3, 1, 1]), c },
    });
  const wide = await apply(foldScalarAffine, g(rng.f32([4, 1])));
  assert.match(why(wide, "affine"), /neither a scalar nor/);
  const divides = await apply(foldScalarAffine, g(rng.f32([], 1, 3), ["c", "t"], "Div"));
  assert.match(why(divides, "affine"), /divides by the activation/);
  const larger = await apply(foldScalarAffine, g(rng.f32([2, 1, 1, 1])));
  assert.equal(larger.fired, 0);
});
