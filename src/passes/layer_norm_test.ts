import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { f32 } from "../ir/tensor.ts";
import { layerNorm } from "./layer_norm.ts";
import { apply, graphOf, ops, Rng, why } from "./test_support.ts";

interface Form {
  readonly axes?: readonly number[];
  /** Axes of the variance where they differ. */
  readonly variance?: readonly number[];
  readonly square?: "Pow" | "Mul";
  readonly divide?: "Div" | "Reciprocal";
  readonly gamma?: readonly number[];
  readonly beta?: readonly number[];
}

function build(f: Form) {
  const rng = new Rng(1);
  const mean = (name: string, x: string, y: string, axes = f.axes ?? [-1]) =>
    node("ReduceMean", name, [x], [y], { axes: attr.ints(axes) });
  const nodes = [
    mean("mean", "x", "m"),
    node("Sub", "sub", ["x", "m"], ["d"]),
    f.square === "Mul"
      ? node("Mul", "sq", ["d", "d"], ["q"])
      : node("Pow", "sq", ["d", "two"], ["q"]),
    mean("var", "q", "v", f.variance),
    node("Add", "eps", ["v", "epsilon"], ["e"]),
    node("Sqrt", "sqrt", ["e"], ["s"]),
  ];
  if (f.divide === "Reciprocal") {
    nodes.push(
      node("Reciprocal", "rec", ["s"], ["r"]),
      node("Mul", "norm", ["d", "r"], ["n"]),
    );
  } else nodes.push(node("Div", "norm", ["d", "s"], ["n"]));
  let out = "n";
  for (const [op, shape, c] of [["Mul", f.gamma, "g"], ["Add", f.beta, "b"]] as const) {
    if (shape === undefined) continue;
    nodes.push(node(op, c, [out, `${c}c`], [`${c}o`]));
    out = `${c}o`;
  }
  return graphOf({
    inputs: { x: [2, 3, 4, 5] },
    outputs: [out],
    nodes,
    constants: {
      two: f32([], [2]),
      epsilon: f32([], [1e-3]),
      gc: rng.f32(f.gamma ?? [1]),
      bc: rng.f32(f.beta ?? [1]),
    },
  });
}

Deno.test("decomposed normalisations become LayerNormalization", async () => {
  const forms: Form[] = [
    {},
    { gamma: [5], beta: [5] },
    { square: "Mul", divide: "Reciprocal", gamma: [1, 1, 5], beta: [] },
    { axes: [2, 3], gamma: [4, 5] },
    { axes: [-2, -1], gamma: [5], beta: [4, 1] },
    { gamma: [5], axes: [3] },
  ];
  for (const f of forms) {
    const r = await apply(layerNorm, build(f));
    assert.equal(ops(r.graph), "LayerNormalization", JSON.stringify(f));
    assert.equal(r.graph.nodes[0]!.name, "norm");
  }
});

Deno.test("an affine part over other dimensions stays behind it", async () => {
  const r = await apply(layerNorm, build({ gamma: [3, 1, 1] }));
  assert.equal(ops(r.graph), "LayerNormalization Mul");
});

Deno.test("other axes become the last ones between two Transposes", async () => {
  const forms: Form[] = [
    { axes: [1], gamma: [3, 1, 1], beta: [1, 3, 1, 1] },
    { axes: [1], square: "Mul", divide: "Reciprocal" },
    { axes: [1, 3], gamma: [3, 1, 5], beta: [5] },
    { axes: [2, 1], gamma: [] },
  ];
  for (const f of forms) {
    const r = await apply(layerNorm, build(f));
    assert.equal(ops(r.graph), "Transpose LayerNormalization Transpose", JSON.stringify(f));
  }
  const r = await apply(layerNorm, build({ axes: [1], gamma: [5] }));
  assert.equal(ops(r.graph), "Transpose LayerNormalization Transpose Mul");
});

Deno.test("a mean of another dimension than the variance stays", async () => {
  const r = await apply(layerNorm, build({ axes: [1], variance: [3] }));
  assert.equal(r.fired, 0);
  assert.match(why(r, "norm"), /different axes/);
});
