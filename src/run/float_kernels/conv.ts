/**
 * Convolutions and matrix products.
 *
 * @module
 */

import { floatAttr, intAttr, type Node } from "../../ir/graph.ts";
import { elementCount } from "../../ir/tensor.ts";
import { convF32, matmulF32, packConvF32, packConvTransposeF32 } from "../../kernels/conv_f32.ts";
import { checkShape, type ConvShape } from "../../kernels/conv_shape.ts";
import { type Window, windowOf } from "../../ops/spatial.ts";
import { NotCovered, type Planner, type Value } from "./plan.ts";

/** Geometry of a window over NCHW shapes. */
export function convShape(
  x: readonly number[],
  y: readonly number[],
  w: Window,
  group: number,
): ConvShape {
  const [batch, inC, inH, inW] = x as readonly [number, number, number, number];
  const [, outC, outH, outW] = y as readonly [number, number, number, number];
  const [padTop, padLeft, padBottom, padRight] = w.pads as readonly number[] as [
    number,
    number,
    number,
    number,
  ];
  if (Math.min(...w.pads) < 0) throw new NotCovered("negative pads");
  if (w.autoPad.startsWith("SAME") && w.dilations.some((d) => d !== 1)) {
    throw new NotCovered("auto_pad with dilations"); // onnxruntime refuses it
  }
  const s = {
    ...{ batch, inH, inW, inC, outC, outH, outW, group },
    ...{ kernelH: w.kernel[0]!, kernelW: w.kernel[1]! },
    ...{ strideH: w.strides[0]!, strideW: w.strides[1]! },
    ...{ dilationH: w.dilations[0]!, dilationW: w.dilations[1]! },
    ...{ padTop, padLeft, padBottom, padRight },
  };
  checkShape("convShape", s);
  return s;
}

/** Limits of a Relu or a Clip with constant limits; undefined for anything else. */
export function clampOf(p: Planner, n: Node): { min: number; max: number } | undefined {
  if (n.domain !== "") return undefined;
  if (n.op === "Relu") return { min: 0, max: Infinity };
  if (n.op !== "Clip") return undefined;
  const limit = (i: number, none: number): number | undefined => {
    if ((n.inputs[i] ?? "") === "") return none;
    const t = p.constant(n, i);
    return t?.data instanceof Float32Array && t.data.length === 1 ? t.data[0]! : undefined;
  };
  const min = limit(1, -Infinity), max = limit(2, Infinity);
  return min === undefined || max === undefined || !(min <= max) ? undefined : { min, max };
}

/** The clamp that follows, done in the same step, and the name of what comes out. */
function fused(p: Planner, n: Node): { name: string; min: number; max: number } {
  const name = n.outputs[0]!, next = p.soleReader(name);
  const limits = next === undefined || next.inputs[0] !== name ? undefined : clampOf(p, next);
  if (next === undefined || limits === undefined) return { name, min: -Infinity, max: Infinity };
  p.absorb(next);
  return { name: next.outputs[0]!, ...limits };
}

/** Conv and ConvTranspose of pictures. */
export function lowerConv(p: Planner, n: Node): void {
  const transposed = n.op === "ConvTranspose";
  const shape = p.shapeOf(n.inputs[0]!), out = p.shapeOf(n.outputs[0]!);
  if (shape.length !== 4) throw new NotCovered("a convolution that is not over pictures");
  const weights = p.floats(n, 1), kernel = p.shapeOf(n.inputs[1]!).slice(2);
  const bias = (n.inputs[2] ?? "") === "" ? undefined : p.floats(n, 2);
  const window = windowOf(n, shape.slice(2), kernel);
  if (transposed && window.autoPad !== "NOTSET") throw new NotCovered("auto_pad");
  if (transposed && n.attrs.has("output_shape")) throw new NotCovered("output_shape");
  if (transposed && window.dilations.some((d) => d !== 1)) {
    throw new NotCovered("a dilated transposed convolution");
  }
  const s = convShape(shape, out, window, intAttr(n, "group", 1));
  const { name, min, max } = fused(p, n);
  const x = p.as(n.inputs[0]!, "nhwc"), y = p.make(out, "nhwc");
  const [side, taps] = [transposed ? shape : out, kernel[0]! * kernel[1]!];
  const depthwise = !transposed && s.group === s.inC && s.outC === s.inC;
  const work = elementCount(side) * (transposed ? s.outC : s.inC) / s.group * taps;
  p.work[depthwise ? "depthwise" : "dense"] += work;
  p.step([x], [y], (m) => {
    const packed = (transposed ? packConvTransposeF32 : packConvF32)(m.arena, weights, s);
    const b = bias === undefined ? 0 : m.arena.put(bias);
    return () =>
      convF32(
        m.arena,
        { x: m.at(x), y: m.at(y), packed, bias: b, shape: s, min, max },
        m.executor,
      );
  });
  p.define(name, y);
}

/** y[rows][N] = a[rows][K] times constant weights [K][N]. */
function dense(
  p: Planner,
  a: Value,
  y: Value,
  rows: number,
  weights: (k: number, n: number) => number,
  bias: Float32Array | undefined,
  size: { K: number; N: number; min?: number; max?: number },
): void {
  const { K, N, min = -Infinity, max = Infinity } = size;
  const s: ConvShape = {
    ...{ batch: 1, inH: rows, inW: 1, inC: K, outC: N, outH: rows, outW: 1, kernelH: 1 },
    ...{ kernelW: 1, strideH: 1, strideW: 1, padTop: 0, padLeft: 0, padBottom: 0, padRight: 0 },
    ...{ dilationH: 1, dilationW: 1, group: 1 },
  };
  p.work.dense += rows * K * N;
  p.step([a], [y], (m) => {
    const w = new Float32Array(N * K);
    for (let j = 0; j < N; j++) for (let k = 0; k < K; k++) w[j * K + k] = weights(k, j);
    const packed = packConvF32(m.arena, w, s), b = bias === undefined ? 0 : m.arena.put(bias);
    return () =>
      convF32(
        m.arena,
        { x: m.at(a), y: m.at(y), packed, bias: b, shape: s, min, max },
        m.executor,
      );
  });
}

/** Gemm with constant weights. */
export function lowerGemm(p: Planner, n: Node): void {
  if (intAttr(n, "transA", 0) !== 0) throw new NotCovered("transA");
  const a = p.as(n.inputs[0]!, "nchw"), transB = intAttr(n, "transB", 0) !== 0;
  const B = p.floats(n, 1), shape = p.shapeOf(n.inputs[1]!);
  const [K, N] = transB ? [shape[1]!, shape[0]!] : [shape[0]!, shape[1]!];
  const alpha = floatAttr(n, "alpha", 1), beta = floatAttr(n, "beta", 1);
  let bias: Float32Array | undefined;
  if ((n.inputs[2] ?? "") !== "") {
    const C = p.floats(n, 2);
    if (C.length !== 1 && (C.length !== N || p.shapeOf(n.inputs[2]!).at(-1) !== N)) {
      throw new NotCovered("a bias per row");
    }
    bias = new Float32Array(N).map((_, i) => beta * C[C.length === 1 ? 0 : i]!);
  }
  const { name, min, max } = fused(p, n);
  const y = p.make(p.shapeOf(n.outputs[0]!), "nchw");
  const at = (k: number, j: number) => alpha * B[transB ? j * K + k : k * N + j]!;
  dense(p, a, y, a.shape[0]!, at, bias, { K, N, min, max });
  p.define(name, y);
}

/** MatMul by a constant matrix, or of two activations whose batch dimensions agree. */
export function lowerMatMul(p: Planner, n: Node): void {
  const [aShape, bShape] = [p.shapeOf(n.inputs[0]!), p.shapeOf(n.inputs[1]!)];
  if (aShape.length < 2 || bShape.length < 2) throw new NotCovered("a vector product");
  const a = p.as(n.inputs[0]!, "nchw"), out = p.shapeOf(n.outputs[0]!);
  const K = aShape.at(-1)!, M = aShape.at(-2)!, N = bShape.at(-1)!;
  const constant = p.constant(n, 1);
  if (constant !== undefined && bShape.length === 2) {
    const B = p.floats(n, 1), y = p.make(out, "nchw");
    dense(p, a, y, elementCount(aShape) / K, (k, j) => B[k * N + j]!, undefined, { K, N });
    return p.define(n.outputs[0]!, y);
  }
  const [aBatch, bBatch] = [elementCount(aShape.slice(0, -2)), elementCount(bShape.slice(0, -2))];
  const same = aShape.length === bShape.length &&
    aShape.slice(0, -2).every((d, i) => d === bShape[i]);
  if (!same && bBatch !== 1) throw new NotCovered("a product with broadcast batches");
  const b = p.as(n.inputs[1]!, "nchw"), y = p.make(out, "nchw");
  p.work.matrix += aBatch * M * K * N;
  p.step([a, b], [y], (m) => () =>
    matmulF32(m.arena, {
      ...{ a: m.at(a), b: m.at(b), y: m.at(y), M, K, N, batch: aBatch },
      bBatchStride: bBatch === 1 ? 0 : K * N,
    }, m.executor));
  p.define(n.outputs[0]!, y);
}

/** Scale and shift per channel that a BatchNormalization is. */
export function affineOf(p: Planner, n: Node): { scale: Float32Array; shift: Float32Array } {
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((i) => p.floats(n, i)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const epsilon = floatAttr(n, "epsilon", 1e-5);
  const scale = gamma.map((g, i) => g / Math.sqrt(variance[i]! + epsilon));
  return { scale, shift: beta.map((b, i) => b - mean[i]! * scale[i]!) };
}
