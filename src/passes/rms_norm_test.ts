import assert from "node:assert/strict";
import { attr, intsAttr, node } from "../ir/graph.ts";
import { f32 } from "../ir/tensor.ts";
import { layerNorm } from "./layer_norm.ts";
import { rmsNorm } from "./rms_norm.ts";
import { apply, graphOf, ops, Rng, why } from "./test_support.ts";

interface Form {
  readonly axes?: readonly number[];
  readonly keepdims?: 0;
  readonly square?: "Pow" | "Mul";
  readonly divide?: "Div" | "Reciprocal" | "One" | "Power" | "Factor";
  readonly gamma?: readonly number[];
  /** What the square is of. */
  readonly of?: "x" | "other";
  readonly shape?: readonly number[];
}

function build(f: Form) {
  const rng = new Rng(1), of = f.of ?? "x", shape = f.shape ?? [2, 3, 4, 5];
  const square = f.square === "Mul"
    ? node("Mul", "sq", [of, of], ["q"])
    : node("Pow", "sq", [of, "two"], ["q"]);
  const divide = {
    Div: [node("Sqrt", "sqrt", ["e"], ["s"]), node("Div", "norm", ["x", "s"], ["n"])],
    Reciprocal: [
      node("Sqrt", "sqrt", ["e"], ["s"]),
      node("Reciprocal", "rec", ["s"], ["r"]),
      node("Mul", "norm", ["x", "r"], ["n"]),
    ],
    One: [
      node("Sqrt", "sqrt", ["e"], ["s"]),
      node("Div", "rec", ["one", "s"], ["r"]),
      node("Mul", "norm", ["r", "x"], ["n"]),
    ],
    Power: [node("Pow", "rec", ["e", "half"], ["r"]), node("Mul", "norm", ["x", "r"], ["n"])],
    Factor: [
      node("Sqrt", "sqrt", ["e"], ["s"]),
      node("Reciprocal", "rec", ["s"], ["r"]),
      node("Mul", "scale", ["r", "kc"], ["k"]),
      node("Mul", "norm", ["k", "x"], ["n"]),
    ],
  }[f.divide ?? "Div"];
  const last = f.gamma === undefined || f.divide === "Factor" ? "n" : "y";
  return graphOf({
    inputs: { x: shape, other: shape },
    outputs: [last],
    nodes: [
      square,
      node("ReduceMean", "mean", ["q"], ["v"], {
        axes: attr.ints(f.axes ?? [-1]),
        keepdims: attr.int(f.keepdims ?? 1),
      }),
      node("Add", "eps", ["v", "epsilon"], ["e"]),
      ...divide,
      ...(last === "y" ? [node("Mul", "gamma", ["kc", "n"], ["y"])] : []),
    ],
    constants: {
      two: f32([], [2]),
      one: f32([], [1]),
      half: f32([], [-0.5]),
      epsilon: f32([], [1e-3]),
      kc: rng.f32(f.gamma ?? [5]),
    },
  });
}

Deno.test("every way to write a division by the root mean square becomes HzRMSNormalization", async () => {
  const forms: Form[] = [
    {},
    { gamma: [5] },
    { square: "Mul", divide: "Reciprocal", gamma: [5] },
    { divide: "One", gamma: [1, 5] },
    { divide: "Power", gamma: [5] },
    { divide: "Factor", gamma: [5] },
    { axes: [2, 3], gamma: [4, 5] },
  ];
  for (const f of forms) {
    const r = await apply(rmsNorm, build(f));
    assert.equal(ops(r.graph), "HzRMSNormalization", JSON.stringify(f));
    const n = r.graph.nodes[0]!;
    assert.equal(n.name, "norm");
    assert.deepEqual(intsAttr(n, "axes"), f.axes ?? [3]);
  }
});

Deno.test("other axes become the last ones between two Transposes", async () => {
  const r = await apply(rmsNorm, build({ axes: [1], gamma: [3, 1, 1] }));
  assert.equal(ops(r.graph), "Transpose HzRMSNormalization Transpose");
});

Deno.test("a scale over other dimensions stays behind it", async () => {
  const r = await apply(rmsNorm, build({ gamma: [3, 1, 1] }));
  assert.equal(ops(r.graph), "HzRMSNormalization Mul");
  const inside = await apply(rmsNorm, build({ divide: "Factor", gamma: [4, 1] }));
  assert.equal(inside.fired, 0);
  assert.match(why(inside, "norm"), /varies over other dimensions/);
});

Deno.test("the root mean square of something else, and one without its dimension, stay", async () => {
  assert.equal((await apply(rmsNorm, build({ of: "other" }))).fired, 0);
  const r = await apply(rmsNorm, build({ shape: [5, 5], keepdims: 0, axes: [1] }));
  assert.equal(r.fired, 0);
  assert.match(why(r, "norm"), /drop the dimensions/);
});

Deno.test("a centred value that layer_norm takes is no matter of this pass", async () => {
  const mean = (name: string, x: string, y: string) =>
    node("ReduceMean", name, [x], [y], { axes: attr.ints([1]) });
  const graph = graphOf({
    inputs: { x: [3, 8] },
    outputs: ["y"],
    nodes: [
      mean("mean", "x", "m"),
      node("Sub", "sub", ["x", "m"], ["d"]),
      node("Mul", "sq", ["d", "d"], ["q"]),
      mean("var", "q", "v"),
      node("Add", "eps", ["v", "epsilon"], ["e"]),
      node("Sqrt", "sqrt", ["e"], ["s"]),
      node("Div", "norm", ["d", "s"], ["y"]),
    ],
    constants: { epsilon: f32([], [1e-5]) },
  });
  const first = await apply(layerNorm, graph);
  assert.equal(ops(first.graph), "LayerNormalization");
  assert.equal((await apply(rmsNorm, first.graph)).fired, 0);
});
