/**
 * No pass makes of a node that the march's BPU runs one that it does not: for every pass that could, a graph
 * that stays on one march and changes on another (or without one).
 */

import assert from "node:assert/strict";
import { type Attr, attr, type Graph, type Node, node } from "../ir/graph.ts";
import { f32, i64, type Tensor } from "../ir/tensor.ts";
import { bayes } from "../march/bayes.ts";
import { bayesE } from "../march/bayes_e.ts";
import { bernoulli2 } from "../march/bernoulli2.ts";
import type { March } from "../march/march.ts";
import { place } from "../quantize/place.ts";
import { focus } from "./focus.ts";
import { foldPad } from "./fold_pad.ts";
import { foldScalarAffine } from "./fold_scalar_affine.ts";
import { fullRank } from "./full_rank.ts";
import { gelu } from "./gelu.ts";
import { gemmToConv } from "./gemm_to_conv.ts";
import { keepDims } from "./keep_dims.ts";
import { layerNorm } from "./layer_norm.ts";
import { mergeClip } from "./merge_clip.ts";
import { optimize } from "./mod.ts";
import type { Pass } from "./pass.ts";
import { pixelShuffle } from "./pixel_shuffle.ts";
import { reduceMeanToPool } from "./reduce_mean_to_pool.ts";
import { sinkReshape } from "./sink_reshape.ts";
import { swish } from "./swish.ts";
import { apply, engine, graphOf, ops, Rng, why } from "./test_support.ts";
import { transposePairs } from "./transpose_pairs.ts";

const rng = new Rng(11);

/** A graph of nodes given as [op, inputs, output, attributes], named by their outputs. */
type Row = readonly [string, readonly string[], string, Record<string, Attr>?];

function graph(
  shape: readonly number[],
  rows: readonly Row[],
  constants: Record<string, Tensor> = {},
): Graph {
  const nodes: Node[] = rows.map(([op, inputs, out, a]) => node(op, out, inputs, [out], a ?? {}));
  return graphOf({ inputs: { x: shape }, outputs: ["y"], nodes, constants });
}

/** The graph stays as it is on `kept`, with a reason, and becomes `want` on `changed`. */
async function stays(
  pass: Pass,
  g: Graph,
  kept: March,
  changed: readonly (March | undefined)[],
  want: string,
): Promise<void> {
  const r = await apply(pass, g, undefined, kept);
  assert.equal(r.graph, g, `${pass.name} made ${ops(r.graph)} on ${kept.name}`);
  for (const march of changed) {
    const other = await apply(pass, g, undefined, march);
    assert.equal(ops(other.graph), want, `on ${march?.name}`);
  }
}

const perm = (...p: number[]) => ({ perm: attr.ints(p) });
const axes = (...a: number[]) => ({ axes: attr.ints(a) });

Deno.test("a product with a constant stays where the Transposes of a Conv are not on the BPU", async () => {
  const g = graph([1, 2, 8, 32], [["MatMul", ["x", "w"], "y"]], { w: rng.f32([32, 4]) });
  await stays(gemmToConv, g, bernoulli2, [bayes, bayesE, undefined], "Transpose Conv Transpose");
  const r = gemmToConv.run(g, { march: bernoulli2 });
  assert.match(why(r, "y"), /bernoulli2 runs y \(MatMul\), and not what it would become/);
});

Deno.test("behind a Transpose the Conv needs none, and Gemm behind a picture no Reshape", async () => {
  const turned = graph([1, 2, 32, 8], [
    ["Transpose", ["x"], "t", perm(0, 1, 3, 2)],
    ["Relu", ["t"], "r"],
    ["MatMul", ["r", "w"], "y"],
  ], { w: rng.f32([32, 4]) });
  assert.match(ops((await apply(gemmToConv, turned, undefined, bernoulli2)).graph), /Conv/);
  const w = { w: rng.f32([12, 5]) };
  const flat = graph([1, 3, 2, 2], [["Flatten", ["x"], "f"], ["Gemm", ["f", "w"], "y"]], w);
  const picture = await apply(gemmToConv, flat, undefined, bernoulli2);
  assert.equal(ops(picture.graph), "Flatten Conv Reshape");
  const rows = graph([3, 12], [["Gemm", ["x", "w"], "y"]], w);
  await stays(gemmToConv, rows, bernoulli2, [bayes, undefined], "Reshape Conv Reshape");
});

Deno.test("a MatMul stays one where a Gemm of its size would not run", async () => {
  const g = graph(
    [1, 16400],
    [["MatMul", ["x", "w"], "m"], ["Add", ["m", "b"], "y"]],
    { w: rng.f32([16400, 2], 0.01), b: rng.f32([2]) },
  );
  await stays(foldScalarAffine, g, bernoulli2, [undefined], "Gemm");
});

Deno.test("a pixel shuffle to channels that DepthToSpace does not make stays Reshapes on bayes", async () => {
  const g = graph([1, 4, 3, 3], [
    ["Reshape", ["x", "six"], "a"],
    ["Transpose", ["a"], "b", perm(0, 1, 4, 2, 5, 3)],
    ["Reshape", ["b", "out"], "y"],
  ], { six: i64([1, 1, 2, 2, 3, 3]), out: i64([1, 1, 6, 6]) });
  await stays(pixelShuffle, g, bayesE, [bernoulli2, undefined], "DepthToSpace");
  await stays(pixelShuffle, g, bayes, [undefined], "DepthToSpace");
});

Deno.test("slices of a picture that is too wide for SpaceToDepth stay", async () => {
  const part = (i: number) => ["Slice", ["x", `s${i}`, "e", "a", "st"], `p${i}`] as const;
  const g = graph([1, 1, 2, 2 * 65540], [
    ...[0, 1, 2, 3].map(part),
    ["Concat", ["p0", "p1", "p2", "p3"], "y", { axis: attr.int(1) }],
  ], {
    ...Object.fromEntries([0, 1, 2, 3].map((i) => [`s${i}`, i64([i >> 1, i & 1])])),
    e: i64([2, 2 * 65540]),
    a: i64([2, 3]),
    st: i64([2, 2]),
  });
  await stays(focus, g, bayes, [bernoulli2, undefined], "SpaceToDepth");
});

Deno.test("a mean over more than a global pooling takes stays ReduceMean", async () => {
  for (const keepdims of [0, 1]) {
    const g = graph([1, 2, 96, 96], [
      ["ReduceMean", ["x"], "y", { ...axes(2, 3), keepdims: attr.int(keepdims) }],
    ]);
    const want = `GlobalAveragePool${keepdims === 0 ? " Reshape" : ""}`;
    await stays(reduceMeanToPool, g, bernoulli2, [bayes, undefined], want);
    if (keepdims === 0) await stays(keepDims, g, bernoulli2, [bayes], "ReduceMean Reshape");
  }
});

Deno.test("Clip(0, inf) stays Clip where a Relu needs a Conv to be fused into", async () => {
  const clip = (...before: Row[]) =>
    graph([1, 2, 4, 4], [...before, ["Clip", [before.length > 0 ? "c" : "x", "lo"], "y"]], {
      lo: f32([], [0]),
      w: rng.f32([2, 2, 1, 1]),
    });
  await stays(mergeClip, clip(), bernoulli2, [bayes, undefined], "Relu");
  const conv = await apply(mergeClip, clip(["Conv", ["x", "w"], "c"]), undefined, bernoulli2);
  assert.equal(ops(conv.graph), "Conv Relu");
  const leaky = graph([1, 2, 4, 4], [["LeakyRelu", ["x"], "y", { alpha: attr.float(0) }]]);
  assert.equal(ops((await apply(mergeClip, leaky, undefined, bernoulli2)).graph), "Clip");
});

Deno.test("x Sigmoid(x) is one table where that fits, else its product stays on the BPU", async () => {
  const of = (size: number) =>
    graph([1, 8, size, size], [["Sigmoid", ["x"], "s"], ["Mul", ["x", "s"], "y"]]);
  await stays(swish, of(40), bernoulli2, [bayes, bayesE, undefined], "HzSwish");
  assert.equal(ops((await apply(swish, of(8), undefined, bernoulli2)).graph), "HzSwish");
});

Deno.test("hard-swish and Gelu, CPU operators of bernoulli2, stay the parts that its BPU runs", async () => {
  const k = (v: number) => f32([1, 1, 1, 1], [v]);
  const hard = graph([1, 4, 4, 4], [
    ["Add", ["x", "three"], "a"],
    ["Clip", ["a", "lo", "hi"], "c"],
    ["Mul", ["x", "c"], "m"],
    ["Mul", ["m", "sixth"], "y"],
  ], { three: k(3), lo: f32([], [0]), hi: f32([], [6]), sixth: k(1 / 6) });
  await stays(swish, hard, bernoulli2, [bayes, undefined], "HardSwish");
  const erf = graph([1, 4, 4, 4], [
    ["Mul", ["x", "root"], "q"],
    ["Erf", ["q"], "e"],
    ["Add", ["e", "one"], "o"],
    ["Mul", ["x", "o"], "m"],
    ["Mul", ["m", "half"], "y"],
  ], { root: k(Math.SQRT1_2), one: k(1), half: k(0.5) });
  await stays(gelu, erf, bernoulli2, [bayes, undefined], "HzGelu");
});

Deno.test("a normalisation stays written out where the BPU runs its means", async () => {
  const written = (shape: readonly number[], ...over: number[]) =>
    graph(shape, [
      ["ReduceMean", ["x"], "mean", axes(...over)],
      ["Sub", ["x", "mean"], "d"],
      ["Mul", ["d", "d"], "sq"],
      ["ReduceMean", ["sq"], "var", axes(...over)],
      ["Add", ["var", "eps"], "v"],
      ["Sqrt", ["v"], "s"],
      ["Div", ["d", "s"], "y"],
    ], { eps: f32([], [1e-5]) });
  const picture = written([1, 4, 6, 6], 2, 3);
  await stays(layerNorm, picture, bernoulli2, [bayes, undefined], "LayerNormalization");
  const rows = await apply(layerNorm, written([1, 4, 6], 2), undefined, bernoulli2);
  assert.equal(ops(rows.graph), "LayerNormalization");
});

Deno.test("a function stays behind a Reshape where it is too large in front of it", async () => {
  const g = graph([1, 1, 90, 89], [
    ["Reshape", ["x", "flat"], "r"],
    ["Sigmoid", ["r"], "y"],
  ], { flat: i64([1, 8010, 1]) });
  await stays(sinkReshape, g, bernoulli2, [bayes, undefined], "Sigmoid Reshape");
});

Deno.test("padding stays a Pad where the convolution has no room for it", async () => {
  const g = graph([1, 1, 4, 4], [
    ["Pad", ["x", "pads"], "p"],
    ["Conv", ["p", "w"], "y", { pads: attr.ints([200, 0, 0, 0]) }],
  ], { pads: i64([0, 0, 100, 0, 0, 0, 0, 0]), w: rng.f32([1, 1, 1, 1]) });
  await stays(foldPad, g, bayes, [bernoulli2, undefined], "Conv");
});

Deno.test("what the BPU runs is not moved into an order in which it does not", async () => {
  const g = graph([1, 6, 6, 4], [
    ["Transpose", ["x"], "t", perm(0, 3, 1, 2)],
    ["ReduceMean", ["t"], "m", axes(2, 3)],
    ["Transpose", ["m"], "u", perm(0, 2, 3, 1)],
    ["Relu", ["u"], "y"],
  ]);
  await stays(transposePairs, g, bernoulli2, [undefined], "ReduceMean Relu");
  await stays(transposePairs, g, bayes, [undefined], "ReduceMean Relu");
});

Deno.test("a scalar beside a picture gets rank 4 where only that is multiplied", async () => {
  const constants = { k: f32([], [0.5]), c: rng.f32([3, 1, 1], 0.2, 1) };
  const g = graph([1, 3, 4, 4], [["Mul", ["x", "k"], "m"], ["Mul", ["c", "m"], "y"]], constants);
  const r = await apply(fullRank, g, undefined, bernoulli2);
  assert.equal(r.fired, 2);
  assert.deepEqual(r.graph.constants.get("k")!.shape, [1, 1, 1, 1]);
  assert.deepEqual(r.graph.constants.get("c")!.shape, [1, 3, 1, 1]);
  assert.deepEqual([...place(r.graph, bernoulli2).values()].map((p) => p.on), ["BPU", "BPU"]);
  assert.deepEqual([...place(g, bernoulli2).values()].map((p) => p.on), ["CPU", "CPU"]);
  for (const march of [bayes, undefined]) assert.equal((await fullRank.run(g, { march })).fired, 0);
});

Deno.test("optimize gives every pass the march and ends on each", async () => {
  const g = graph([1, 2, 8, 32], [
    ["MatMul", ["x", "w"], "m"],
    ["Sigmoid", ["m"], "s"],
    ["Mul", ["m", "s"], "z"],
    ["MatMul", ["z", "v"], "y"],
  ], { w: rng.f32([32, 4]), v: rng.f32([4, 3]) });
  const on = async (march: March) =>
    ops((await optimize(g, { engine, march, verify: true })).graph);
  assert.equal(await on(bernoulli2), "MatMul HzSwish MatMul");
  assert.equal(await on(bayes), "Transpose Conv HzSwish Conv Transpose");
});
