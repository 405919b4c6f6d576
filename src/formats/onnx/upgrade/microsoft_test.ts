// What onnxruntime's optimiser writes: the fused operator in onnxruntime against its expansion.
import assert from "node:assert/strict";
import { attr } from "../../../ir/graph.ts";
import { elementCount, f32, numbersOf, type Tensor } from "../../../ir/tensor.ts";
import { loadOnnx } from "../load.ts";
import { saveOnnx } from "../save.ts";
import { differs, randomTensor, runOrt, testModel, type TestPort } from "../test_models.ts";
import { build, type Case, ops, refused, same, strings } from "./testing.ts";

const domain = "com.microsoft";
const fused = (what: string, c: Omit<Case, "opset">, opset = 17) =>
  same(what, { domain, tolerance: 2e-6, ...c, opset });
const picture = randomTensor([2, 3, 6, 5], 1);
const rows = randomTensor([2, 4, 8], 2);
const vector = (seed: number, length = 8) => randomTensor([length], seed);
const ints = (shape: number[], values: number[]): Tensor => ({
  dtype: "int32",
  shape,
  data: Int32Array.from(values),
});

Deno.test("FusedConv: activations, bias and the added tensor", async () => {
  const w = randomTensor([4, 3, 3, 3], 3), b = vector(4, 4);
  const window = { kernel_shape: attr.ints([3, 3]), pads: attr.ints([1, 1, 1, 1]) };
  const activations: readonly (readonly [string, readonly number[]])[] = [
    ["Relu", []],
    ["Sigmoid", []],
    ["Tanh", []],
    ["LeakyRelu", [0.2]],
    ["Clip", [-0.5, 1.5]],
    ["HardSigmoid", [0.3, 0.4]],
  ];
  for (const [op, params] of activations) {
    const attrs = { ...window, activation: strings(op), activation_params: attr.floats(params) };
    const g = await fused(op, { op: "FusedConv", attrs, feeds: [picture], constants: [w, b] });
    assert.equal(ops(g), `Conv ${op}`);
  }
  const z = randomTensor([2, 4, 6, 5], 5);
  for (const bias of [b, null]) {
    const g = await fused("with z", {
      op: "FusedConv",
      attrs: { ...window, activation: strings("Relu") },
      feeds: [picture],
      constants: [w, bias, z],
    });
    assert.equal(ops(g), "Conv Add Relu");
  }
  const plain = await fused("none", {
    op: "FusedConv",
    attrs: window,
    feeds: [picture],
    constants: [w, b],
  });
  assert.equal(ops(plain), "Conv");
  refused({
    opset: 17,
    domain,
    op: "FusedConv",
    attrs: { ...window, activation: strings("Snake") },
    feeds: [picture],
    constants: [w],
  }, /the fused activation Snake is not supported/);
});

Deno.test("FusedGemm", async () => {
  const attrs = { alpha: attr.float(0.5), beta: attr.float(2), transB: attr.int(1) };
  const feeds = [randomTensor([3, 8], 6)];
  const constants = [randomTensor([5, 8], 7), vector(8, 5)];
  const run = (op: string, more = {}) =>
    fused(op, {
      op: "FusedGemm",
      attrs: { ...attrs, activation: strings(op), ...more },
      feeds,
      constants,
    });
  assert.equal(ops(await run("Relu")), "Gemm Relu");
  await run("LeakyRelu", { activation_alpha: attr.float(0.25) });
  await run("Elu", { activation_alpha: attr.float(0.5) });
  await run("HardSigmoid", { activation_alpha: attr.float(0.3), activation_beta: attr.float(0.1) });
  await run("Tanh");
  await run("Softplus");
});

Deno.test("FusedMatMul: every combination of its switches", async () => {
  for (let bits = 0; bits < 16; bits++) {
    const [tA, tB, bA, bB] = [0, 1, 2, 3].map((i) => bits >> i & 1) as [
      number,
      number,
      number,
      number,
    ];
    // After all turns: 2 x 5 x 3 by 2 x 3 x 4.
    const shape = (rows: number, columns: number, t: number, b: number) => {
      const [r, k] = t ? [columns, rows] : [rows, columns];
      return b ? [r, 2, k] : [2, r, k];
    };
    const g = await fused(`switches ${bits}`, {
      op: "FusedMatMul",
      attrs: {
        alpha: attr.float(0.125),
        transA: attr.int(tA),
        transB: attr.int(tB),
        transBatchA: attr.int(bA),
        transBatchB: attr.int(bB),
      },
      feeds: [randomTensor(shape(5, 3, tA, bA), 9), randomTensor(shape(3, 4, tB, bB), 10)],
    }, 13);
    assert.equal(g.nodes.filter((n) => n.op === "Transpose").length, (tA | bA) + (tB | bB));
  }
  const plain = await fused("plain", {
    op: "FusedMatMul",
    feeds: [randomTensor([5, 3], 9)],
    constants: [randomTensor([3, 4], 10)],
  });
  assert.equal(ops(plain), "MatMul");
});

Deno.test("Gelu, BiasGelu, FastGelu, QuickGelu", async () => {
  const feeds = [rows], constants = [vector(11)];
  await fused("Gelu", { op: "Gelu", feeds });
  await fused("BiasGelu", { op: "BiasGelu", feeds, constants });
  // onnxruntime's Tanh is a rational approximation in both, but of differently rounded arguments.
  await fused("FastGelu", { op: "FastGelu", feeds, constants, tolerance: 1e-5 });
  await fused("FastGelu, no bias", { op: "FastGelu", feeds, tolerance: 1e-5 });
  await fused("QuickGelu", { op: "QuickGelu", feeds });
  await fused("SiLU", { op: "QuickGelu", feeds, attrs: { alpha: attr.float(1) } });
});

Deno.test("BiasSoftmax: the documented formula, as onnxruntime has no kernel for it on the CPU", async () => {
  const x = randomTensor([2, 3, 4, 5], 12), mask = randomTensor([2, 1, 1, 5], 13);
  for (const axis of [3, -1, 2]) {
    const { model, feeds } = build({
      opset: 17,
      domain,
      op: "BiasSoftmax",
      attrs: { axis: attr.int(axis), is_inner_broadcast: attr.int(1) },
      feeds: [x, mask],
    });
    const got = await runOrt(saveOnnx(loadOnnx(testModel(model))), feeds);
    const width = axis === 2 ? 20 : 5;
    const bias = numbersOf(mask);
    const sums = Array.from(numbersOf(x), (v, i) => v + bias[i % 5 + 5 * Math.floor(i / 60)]!);
    const want = sums.map((v, i) => {
      const row = sums.slice(i - i % width, i - i % width + width);
      return Math.exp(v) / row.reduce((a, b) => a + Math.exp(b), 0);
    });
    assert.equal(differs(f32(x.shape, want), got.get("y"), 1e-5), "", `axis ${axis}`);
  }
});

Deno.test("SkipLayerNormalization and its simplified form", async () => {
  const skip = randomTensor([2, 4, 8], 14);
  const [gamma, beta, bias] = [vector(15), vector(16), vector(17)];
  const attrs = { epsilon: attr.float(1e-3) };
  const outputs = [{ name: "y" }, { name: "" }, { name: "" }, { name: "sum" }];
  const run = (
    what: string,
    op: string,
    constants: (Tensor | null)[],
    outs: TestPort[] = outputs,
  ) =>
    fused(what, {
      op,
      attrs,
      feeds: [rows, skip],
      constants,
      outputs: outs,
      tolerance: 1e-5,
    });
  await run("all", "SkipLayerNormalization", [gamma, beta, bias]);
  await run("no bias", "SkipLayerNormalization", [gamma, beta], [{ name: "y" }]);
  await run("no beta", "SkipLayerNormalization", [gamma, null, bias]);
  await run("simplified", "SkipSimplifiedLayerNormalization", [gamma, bias]);
  await run("simplified, no bias", "SkipSimplifiedLayerNormalization", [gamma]);
});

Deno.test("LayerNormalization before opset 17 and SimplifiedLayerNormalization", async () => {
  for (const opset of [11, 13, 17]) {
    for (const axis of [-1, 1]) {
      const attrs = { axis: attr.int(axis), epsilon: attr.float(1e-3) };
      const size = axis === 1 ? [4, 8] : [8];
      const [scale, bias] = [randomTensor(size, 18), randomTensor(size, 19)];
      const feeds = [rows];
      const own = { domain: undefined, tolerance: 1e-5, attrs, feeds };
      await fused("full", { ...own, op: "LayerNormalization", constants: [scale, bias] }, opset);
      await fused(
        "simplified",
        { ...own, op: "SimplifiedLayerNormalization", constants: [scale] },
        opset,
      );
    }
  }
});

Deno.test("EmbedLayerNormalization", async () => {
  const ids = ints([2, 4], [1, 5, 0, 3, 2, 2, 4, 1]),
    kinds = ints([2, 4], [0, 0, 1, 1, 0, 1, 1, 1]);
  const places = ints([2, 4], [3, 2, 1, 0, 4, 4, 0, 1]);
  const words = randomTensor([6, 8], 20), position = randomTensor([5, 8], 21);
  const segment = randomTensor([2, 8], 22), gamma = vector(23), beta = vector(24);
  const outputs = [{ name: "y" }, { name: "", dtype: "int32" as const }, { name: "sum" }];
  const run = (
    what: string,
    feeds: Tensor[],
    constants: (Tensor | null)[],
    outs: TestPort[] = outputs,
  ) =>
    fused(what, {
      op: "EmbedLayerNormalization",
      feeds,
      constants,
      outputs: outs,
      tolerance: 1e-5,
    });
  await run("segments", [ids, kinds], [words, position, segment, gamma, beta], outputs.slice(0, 2));
  await run("no segments", [ids], [null, words, position, null, gamma, beta]);
  await run("places", [ids, kinds], [words, position, segment, gamma, beta, null, places]);
  refused({
    opset: 17,
    domain,
    op: "EmbedLayerNormalization",
    feeds: [ids],
    constants: [null, words, position, null, gamma, beta],
    outputs: [{ name: "y" }, { name: "mask", dtype: "int32" }],
  }, /its output mask_index is used by a fused attention/);
});

Deno.test("NhwcMaxPool", async () => {
  const values = Array.from(numbersOf(randomTensor([2, 6, 5, 3], 25, 120)));
  const x: Tensor = { dtype: "int8", shape: [2, 6, 5, 3], data: Int8Array.from(values) };
  assert.equal(x.data.length, elementCount(x.shape));
  await fused("strides and pads", {
    op: "NhwcMaxPool",
    attrs: {
      kernel_shape: attr.ints([3, 2]),
      strides: attr.ints([2, 1]),
      pads: attr.ints([1, 0, 1, 1]),
    },
    feeds: [x],
    outputs: [{ name: "y", dtype: "int8" }],
    tolerance: 0,
  });
});

Deno.test("an unknown operator of the domain stays as it is", () => {
  const { model } = build({ opset: 17, domain, op: "Attention", feeds: [rows] });
  const g = loadOnnx(testModel(model));
  assert.equal(g.nodes[0]!.domain, domain);
  assert.equal(ops(g), "Attention");
});
