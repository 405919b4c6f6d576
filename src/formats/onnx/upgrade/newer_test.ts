// Operators and element types that opset 17 does not have, against onnxruntime where it has them.
import assert from "node:assert/strict";
import { type Attr, attr, node } from "../../../ir/graph.ts";
import {
  byteSize,
  type DType,
  f32,
  i64,
  numbersOf,
  type Tensor,
  viewOf,
} from "../../../ir/tensor.ts";
import { loadOnnx } from "../load.ts";
import { float8Value } from "../narrow.ts";
import { saveOnnx } from "../save.ts";
import { randomTensor, runOrt, testModel } from "../test_models.ts";
import { refused, same, strings } from "./testing.ts";

function bits(dtype: DType, shape: readonly number[], seed: number): Tensor {
  let count = 1;
  for (const d of shape) count *= d;
  const bytes = new Uint8Array(count * byteSize(dtype));
  let state = seed;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    bytes[i] = state >> 16;
  }
  return { dtype, shape, data: viewOf(dtype, bytes, count) };
}

const integers = [
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
] as const;

Deno.test("BitwiseAnd, Or, Xor, Not of all integers", async () => {
  for (const dtype of integers) {
    const outputs = [{ name: "y", dtype }];
    const feeds = [bits(dtype, [2, 3, 4], 1), bits(dtype, [3, 1], 2)];
    for (const op of ["BitwiseAnd", "BitwiseOr", "BitwiseXor"]) {
      await same(`${op} ${dtype}`, { opset: 18, op, feeds, outputs });
    }
    await same(`not ${dtype}`, { opset: 18, op: "BitwiseNot", feeds: feeds.slice(0, 1), outputs });
  }
});

Deno.test("CenterCropPad: odd and even, more and less, some axes", async () => {
  const x = randomTensor([5, 6, 7], 3);
  for (const to of [[5, 6, 7], [4, 3, 2], [8, 9, 10], [2, 9, 6]]) {
    await same(`${to}`, { opset: 18, op: "CenterCropPad", feeds: [x], constants: [i64(to)] });
  }
  await same("axes", {
    opset: 18,
    op: "CenterCropPad",
    attrs: { axes: attr.ints([-1, 0]) },
    feeds: [x],
    constants: [i64([4, 8])],
  });
  refused({ opset: 18, op: "CenterCropPad", feeds: [x, i64([4, 3, 2])] }, /run time/);
});

Deno.test("Col2Im with strides, pads, dilations and a rest", async () => {
  const forms: { image: number[]; attrs: Record<string, Attr> }[] = [
    { image: [6, 7], attrs: {} },
    { image: [7, 8], attrs: { strides: attr.ints([2, 3]) } },
    { image: [6, 7], attrs: { pads: attr.ints([1, 0, 0, 1]), dilations: attr.ints([2, 1]) } },
  ];
  const columns = [25, 6, 30];
  for (const [i, { image, attrs }] of forms.entries()) {
    const x = randomTensor([2, 3 * 6, columns[i]!], i);
    const constants = [i64(image), i64([2, 3])];
    await same(`form ${i}`, {
      opset: 18,
      op: "Col2Im",
      attrs,
      feeds: [x],
      constants,
      tolerance: 1e-6,
    });
  }
});

Deno.test("GridSample of volumes in every mode", async () => {
  const x = randomTensor([2, 2, 3, 4, 5], 1);
  const wide = randomTensor([2, 2, 3, 4, 3], 2);
  const grid = { ...wide, data: (wide.data as Float32Array).map((v) => v * 1.7) };
  for (const mode of ["linear", "nearest"]) {
    for (const padding of ["zeros", "border", "reflection"]) {
      for (const corners of [0, 1]) {
        await same(`${mode} ${padding} ${corners}`, {
          opset: 20,
          op: "GridSample",
          attrs: {
            mode: strings(mode),
            padding_mode: strings(padding),
            align_corners: attr.int(corners),
          },
          feeds: [x, grid],
          tolerance: 1e-5,
        });
      }
    }
  }
});

Deno.test("AffineGrid of pictures and volumes, DFT with its axis as an input", async () => {
  for (const corners of [0, 1]) {
    const attrs = { align_corners: attr.int(corners) };
    for (
      const [theta, size] of [[[2, 2, 3], [2, 3, 5, 4]], [[1, 3, 4], [1, 2, 3, 2, 4]]] as const
    ) {
      await same(`grid ${size}`, {
        opset: 20,
        op: "AffineGrid",
        attrs,
        feeds: [randomTensor(theta, 5)],
        constants: [i64(size)],
        tolerance: 1e-5,
      });
    }
  }
  await same("DFT", {
    opset: 20,
    op: "DFT",
    feeds: [randomTensor([2, 8, 6, 1], 7)],
    constants: [null, { ...i64([-3]), shape: [] }],
    tolerance: 1e-5,
  });
});

/** Nearest float8 of a number, halves to the even code: by looking at all of them. */
function nearest(code: number, x: number, saturate: boolean): number {
  if (Number.isNaN(x)) return NaN;
  const grid = Array.from({ length: 128 }, (_, b) => float8Value(code, b)).filter(Number.isFinite);
  const top = grid.at(-1)!, step = top - grid.at(-2)!;
  const a = Math.abs(x), sign = Math.sign(x);
  let best = 0;
  for (const [b, v] of [...grid, top + step].entries()) {
    const d = Math.abs(a - v) - Math.abs(a - (grid[best] ?? top + step));
    if (d < 0 || d === 0 && b % 2 === 0) best = b;
  }
  const beyond = a >= top + step || best === grid.length;
  if (!beyond) return sign * grid[best]!;
  return sign * (saturate ? top : code === 19 ? Infinity : NaN);
}

Deno.test("Cast to each float8 rounds to the nearest, halves to even, and saturates when asked", async () => {
  for (const code of [17, 18, 19, 20]) {
    const values = [NaN, Infinity, -Infinity, 0, 1e30, -1e30, 1e-12];
    for (let b = 0; b < 127; b++) {
      const [v, w] = [float8Value(code, b), float8Value(code, b + 1)];
      if (!Number.isFinite(v) || !Number.isFinite(w)) continue;
      const half = (v + w) / 2;
      values.push(v, -w, half, -half, half * (1 + 2 ** -22), half * (1 - 2 ** -22));
    }
    const top = Math.max(...values.filter(Number.isFinite).filter((v) => v < 1e29));
    values.push(top * 1.03, top * 1.04, top * 1.07, top * 1.12, top * 1.13);
    const x = f32([values.length], values);
    for (const saturate of [true, false]) {
      const cast = (to: number, from: string, y: string) =>
        node("Cast", y, [from], [y], { to: attr.int(to), saturate: attr.int(saturate ? 1 : 0) });
      const g = loadOnnx(testModel({
        opset: 19,
        nodes: [cast(code, "x", "narrow"), cast(1, "narrow", "y")],
        inputs: [{ name: "x", shape: x.shape }],
        outputs: [{ name: "y" }],
        initializers: new Map(),
      }));
      const y = numbersOf((await runOrt(saveOnnx(g), new Map([["x", x]]))).get("y")!);
      const want = Array.from(numbersOf(x), (v) => nearest(code, v, saturate));
      assert.deepEqual(Array.from(y, (v) => v + 0), want.map((v) => v + 0), `${code} ${saturate}`);
    }
  }
});

Deno.test("Cast to bfloat16 and to 4 bits rounds; what follows sees the rounded values", async () => {
  const x = f32([6], [1.00390625, 1.01171875, -300.6, 7.5, 2.5, -1.5]);
  const want = new Map([
    [16, [1, 1.015625, -300, 7.5, 2.5, -1.5]],
    [21, [1, 1, 0, 8, 2, 0]],
    [22, [1, 1, -8, 7, 2, -2]],
  ]);
  for (const [code, values] of want) {
    const g = loadOnnx(testModel({
      opset: code === 16 ? 17 : 21,
      nodes: [
        node("Cast", "a", ["x"], ["a"], { to: attr.int(code) }),
        node("Cast", "b", ["a"], ["y"], { to: attr.int(1) }),
      ],
      inputs: [{ name: "x", shape: x.shape }],
      outputs: [{ name: "y" }],
      initializers: new Map(),
    }));
    const y = (await runOrt(saveOnnx(g), new Map([["x", x]]))).get("y")!;
    assert.deepEqual(Array.from(numbersOf(y), (v) => v + 0), values.map((v) => v + 0), `${code}`);
  }
});
