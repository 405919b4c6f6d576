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
  readonly divide?: "Div" | "Reciprocal" | "Factor";
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
  } else if (f.divide === "Factor") {
    nodes.push(
      node("Reciprocal", "rec", ["s"], ["r"]),
      node("Mul", "scale", ["r", "kc"], ["k"]),
      node("Mul", "norm", ["k", "d"], ["n"]),
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
      kc: rng.f32([5]),
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
    { divide: "Factor", beta: [5] },
  ];
  for (const f of forms) {
    const r = await apply(layerNorm, build(f));
    assert.equal(ops(r.graph), "LayerNormalization", JSON.stringify(f));
    assert.equal(r.graph.nodes[0]!.name, "norm");
  }
});

/** As TensorFlow writes it: the scale is part of the factor, the mean part of the bias. */
function buildFolded(f: {
  readonly axes: readonly number[];
  readonly gamma?: readonly number[];
  readonly beta?: readonly number[];
  readonly inverse?: "Reciprocal" | "Pow" | "Div";
  /** The variance as mean(x^2) - mean^2. */
  readonly moments?: boolean;
}) {
  const rng = new Rng(2);
  const mean = (name: string, x: string, y: string) =>
    node("ReduceMean", name, [x], [y], { axes: attr.ints(f.axes) });
  const variance = f.moments
    ? [
      node("Mul", "sq", ["x", "x"], ["q"]),
      mean("squares", "q", "qm"),
      node("Mul", "ms", ["m", "m"], ["mm"]),
      node("Sub", "var", ["qm", "mm"], ["v"]),
    ]
    : [
      node("Sub", "sub", ["x", "m"], ["d"]),
      node("Mul", "sq", ["d", "d"], ["q"]),
      mean("var", "q", "v"),
    ];
  const inverse = f.inverse === "Pow" ? [node("Pow", "inv", ["e", "minus"], ["r"])] : [
    node("Sqrt", "sqrt", ["e"], ["s"]),
    f.inverse === "Div"
      ? node("Div", "inv", ["one", "s"], ["r"])
      : node("Reciprocal", "inv", ["s"], ["r"]),
  ];
  const k = f.gamma === undefined ? "r" : "k";
  return graphOf({
    inputs: { x: [2, 3, 4, 5] },
    outputs: ["y"],
    nodes: [
      mean("mean", "x", "m"),
      ...variance,
      node("Add", "eps", ["epsilon", "v"], ["e"]),
      ...inverse,
      ...(f.gamma === undefined ? [] : [node("Mul", "scale", ["gc", "r"], ["k"])]),
      node("Mul", "xk", ["x", k], ["a"]),
      node("Mul", "mk", [k, "m"], ["b"]),
      ...(f.beta === undefined
        ? [node("Sub", "norm", ["a", "b"], ["y"])]
        : [node("Sub", "rest", ["bc", "b"], ["c"]), node("Add", "norm", ["c", "a"], ["y"])]),
    ],
    constants: {
      epsilon: f32([], [1e-3]),
      one: f32([], [1]),
      minus: f32([], [-0.5]),
      gc: rng.f32(f.gamma ?? [1]),
      bc: rng.f32(f.beta ?? [1]),
    },
  });
}

Deno.test("TensorFlow's form, and the difference of moments, become LayerNormalization", async () => {
  for (
    const f of [
      { axes: [3], gamma: [5], beta: [5] },
      { axes: [3] },
      { axes: [3], gamma: [5], inverse: "Pow" },
      { axes: [2, 3], beta: [4, 5], inverse: "Div", moments: true },
      { axes: [-1], gamma: [1, 1, 1, 5], beta: [1], moments: true },
    ] as const
  ) {
    const r = await apply(layerNorm, buildFolded(f));
    assert.equal(ops(r.graph), "LayerNormalization", JSON.stringify(f));
    assert.equal(r.graph.nodes[0]!.name, "norm");
  }
  const turned = await apply(
    layerNorm,
    buildFolded({ axes: [1], gamma: [3, 1, 1], beta: [3, 1, 1] }),
  );
  assert.equal(ops(turned.graph), "Transpose LayerNormalization Transpose");
  const other = await apply(layerNorm, buildFolded({ axes: [3], gamma: [4, 1], beta: [5] }));
  assert.equal(other.fired, 0);
  assert.match(why(other, "norm"), /varies over other dimensions/);
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
