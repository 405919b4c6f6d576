/**
 * Matrix products with constant weights are convolutions: the BPU has no other.
 *
 * @module
 */

import { attr, floatAttr, intAttr, intsAttr, type Node, node } from "../ir/graph.ts";
import {
  elementCount,
  f32,
  i64,
  numbersOf,
  sameShape,
  type Tensor,
  type TensorType,
} from "../ir/tensor.ts";
import { lossOf, offBpu } from "./bpu.ts";
import { alongAxis, reshapeNode, UNARY, withConstant } from "./match.ts";
import { nodePass } from "./pass.ts";
import { permOf } from "./permute.ts";
import type { Rewriter } from "./rewriter.ts";
import { RESHAPES } from "./squeeze_to_reshape.ts";

/** Largest kernel side of the convolution that stands for Flatten -> Gemm. */
const MAX_KERNEL = 31;

/** How the product becomes a convolution. */
interface Match {
  /** The activation that the convolution is made from, as the product reads it. */
  readonly x: string;
  readonly transA: boolean;
  /** Weight of output channel m and input channel k. */
  readonly weight: (m: number, k: number) => number;
  readonly weightName: string;
  readonly k: number;
  readonly m: number;
  readonly bias: Float64Array | undefined;
  readonly biasName: string | undefined;
  /** The Add that is the bias of a MatMul. */
  readonly add: Node | undefined;
  /** The channels are the last dimension of x, or the one before it. */
  readonly channels: "last" | "middle";
}

/** A picture that is flattened into the rows of a product. */
interface Picture {
  readonly x: string;
  /** [N, C, H, W] */
  readonly shape: readonly number[];
  /** Position in a row of the element (c, h, w). */
  readonly index: (c: number, h: number, w: number) => number;
}

/** The rank-4 tensor whose Reshape gives the rows [n, k], with a kernel of a size that exists. */
function pictureBehind(w: Rewriter, x: string, rows: number, k: number): Picture | undefined {
  const r = w.producerOf(x, ...RESHAPES);
  const from = r === undefined ? undefined : w.shape(r.inputs[0]!);
  if (r === undefined || from === undefined || from.length !== 4) return undefined;
  if (from[0] !== rows || elementCount(from.slice(1)) !== k) return undefined;
  const t = w.producerOf(r.inputs[0]!, "Transpose");
  if (t !== undefined && intsAttr(t, "perm", []).join() === "0,2,3,1") {
    const [h, wd, c] = [from[1]!, from[2]!, from[3]!];
    if (h > MAX_KERNEL || wd > MAX_KERNEL) return undefined;
    return {
      x: t.inputs[0]!,
      shape: [rows, c, h, wd],
      index: (ci, hi, wi) => (hi * wd + wi) * c + ci,
    };
  }
  const [h, wd] = [from[2]!, from[3]!];
  if (h > MAX_KERNEL || wd > MAX_KERNEL) return undefined;
  return { x: r.inputs[0]!, shape: from, index: (ci, hi, wi) => (ci * h + hi) * wd + wi };
}

function checkGemm(w: Rewriter, n: Node): Match | string {
  const weight = w.constant(n.inputs[1]!);
  if (weight === undefined) return "its weights are not constant";
  if (weight.dtype !== "float32") return `its weights are ${weight.dtype}`;
  const out = w.shape(n.outputs[0]!);
  if (out === undefined || w.shape(n.inputs[0]!) === undefined) return "its shape is not known";
  const alpha = Math.fround(floatAttr(n, "alpha", 1));
  const transB = intAttr(n, "transB", 0) !== 0;
  const [rows, cols] = [weight.shape[0]!, weight.shape[1]!];
  const values = numbersOf(weight);
  let bias: Float64Array | undefined;
  const biasName = (n.inputs[2] ?? "") === "" ? undefined : n.inputs[2]!;
  if (biasName !== undefined) {
    const c = w.constant(biasName);
    if (c === undefined) return "its bias is not constant";
    if (c.dtype !== "float32") return `its bias is ${c.dtype}`;
    const per = alongAxis(c, [1, out[1]!], 1);
    if (per === undefined) return "its bias differs from row to row";
    const beta = Math.fround(floatAttr(n, "beta", 1));
    bias = per.map((v) => v * beta);
  }
  return {
    x: n.inputs[0]!,
    transA: intAttr(n, "transA", 0) !== 0,
    weight: transB
      ? (m, k) => alpha * values[m * cols + k]!
      : (m, k) => alpha * values[k * cols + m]!,
    weightName: n.inputs[1]!,
    k: transB ? cols : rows,
    m: transB ? rows : cols,
    bias,
    biasName,
    add: undefined,
    channels: "last",
  };
}

/** The two dimensions of a weight whose other dimensions are 1; a vector is a column, or a row on the left. */
function matrixOf(t: Tensor, right: boolean): [number, number] | undefined {
  if (t.shape.length === 1) return right ? [t.shape[0]!, 1] : [1, t.shape[0]!];
  if (t.shape.length < 2 || t.shape.slice(0, -2).some((d) => d !== 1)) return undefined;
  return [t.shape.at(-2)!, t.shape.at(-1)!];
}

/** An Add of one constant per output channel as the only reader of a product. */
function biasBehind(
  w: Rewriter,
  n: Node,
  axisFromEnd: number,
): { add: Node; bias: Float64Array; name: string } | undefined {
  const add = w.onlyUser(n.outputs[0]!);
  if (add === undefined || add.domain !== "" || add.op !== "Add") return undefined;
  const c = withConstant(w, add);
  const shape = w.shape(n.outputs[0]!);
  if (c === undefined || shape === undefined || c.constant.dtype !== "float32") return undefined;
  const bias = alongAxis(c.constant, shape, shape.length - axisFromEnd);
  return bias === undefined ? undefined : { add, bias, name: c.constantName };
}

function checkMatMul(w: Rewriter, n: Node): Match | string {
  const [a, b] = [n.inputs[0]!, n.inputs[1]!];
  const right = w.constant(b);
  const left = w.constant(a);
  const weight = right ?? left;
  if (weight === undefined) return "both operands are activations";
  if (left !== undefined && right !== undefined) return "both operands are constant";
  if (weight.dtype !== "float32") return `its weights are ${weight.dtype}`;
  const isRight = right !== undefined;
  const dims = matrixOf(weight, isRight);
  if (dims === undefined) return "its weights are not one matrix";
  const x = right !== undefined ? a : b;
  const shape = w.shape(x);
  const out = w.shape(n.outputs[0]!);
  if (shape === undefined || out === undefined) return "its shape is not known";
  // A vector on the right of a constant is a column, of which the convolution has no form.
  if (shape.length < 1 || shape.length === 1 && !isRight) {
    return `the activation has rank ${shape.length}`;
  }
  if (shape.includes(0)) return "it is empty";
  const values = numbersOf(weight);
  const [k, m] = isRight ? dims : [dims[1], dims[0]];
  // Without a dimension of its own the bias is no row.
  const full = out.length >= 2 && shape.length >= 2 && weight.shape.length >= 2;
  const found = full ? biasBehind(w, n, isRight ? 1 : 2) : undefined;
  return {
    x,
    transA: false,
    weight: isRight ? (mi, ki) => values[ki * m + mi]! : (mi, ki) => values[mi * k + ki]!,
    weightName: isRight ? b : a,
    k,
    m,
    bias: found?.bias,
    biasName: found?.name,
    add: found?.add,
    channels: isRight ? "last" : "middle",
  };
}

/** Builds the nodes; one instance per rewrite. */
class Builder {
  readonly nodes: Node[] = [];
  constructor(readonly w: Rewriter, readonly n: Node, readonly match: Match) {}

  reshape(x: string, shape: readonly number[], hint: string, out?: string): string {
    const from = this.w.shape(x)!;
    if (out === undefined && from.length === shape.length && from.every((d, i) => d === shape[i])) {
      return x;
    }
    const name = this.w.nodeName(`${this.n.name}_${hint}`);
    const y = out ?? this.w.temp(name, { dtype: "float32", shape });
    this.nodes.push(reshapeNode(this.w, name, x, y, shape));
    return y;
  }

  transpose(x: string, perm: readonly number[], hint: string, out?: string): string {
    const from = this.w.shape(x)!;
    const shape = perm.map((p) => from[p]!);
    const name = this.w.nodeName(`${this.n.name}_${hint}`);
    const y = out ?? this.w.temp(name, { dtype: "float32", shape });
    this.nodes.push(node("Transpose", name, [x], [y], { perm: attr.ints(perm) }));
    return y;
  }

  /** A convolution of [N, C, H, W] with a kernel [kh, kw] that fits into it, stride 1. */
  conv(x: string, kernel: readonly [number, number], weights: Float32Array): string {
    const { w, n, match: m } = this;
    const [batch, c, h, wd] = w.shape(x) as [number, number, number, number];
    const shape = [batch, m.m, h - kernel[0] + 1, wd - kernel[1] + 1];
    const y = w.temp(`${n.name}_conv`, { dtype: "float32", shape });
    const inputs = [
      x,
      w.revise(m.weightName, n, f32([m.m, c, kernel[0], kernel[1]], weights)),
    ];
    if (m.bias !== undefined) {
      inputs.push(w.revise(m.biasName!, m.add ?? n, f32([m.m], m.bias)));
    }
    this.nodes.push(
      node("Conv", n.name, inputs, [y], {
        kernel_shape: attr.ints(kernel),
        strides: attr.ints([1, 1]),
        pads: attr.ints([0, 0, 0, 0]),
        dilations: attr.ints([1, 1]),
        group: attr.int(1),
      }),
    );
    return y;
  }
}

function plainWeights(m: Match): Float32Array {
  const values = new Float32Array(m.m * m.k);
  for (let o = 0; o < m.m; o++) for (let i = 0; i < m.k; i++) values[o * m.k + i] = m.weight(o, i);
  return values;
}

function pictureWeights(m: Match, p: Picture): Float32Array {
  const [, c, h, wd] = p.shape as [number, number, number, number];
  const values = new Float32Array(m.m * m.k);
  let at = 0;
  for (let o = 0; o < m.m; o++) {
    for (let ci = 0; ci < c; ci++) {
      for (let hi = 0; hi < h; hi++) {
        for (let wi = 0; wi < wd; wi++) values[at++] = m.weight(o, p.index(ci, hi, wi));
      }
    }
  }
  return values;
}

/** Rows [N, K]: a 1x1 convolution on [N, K, 1, 1], or one as large as the picture behind. */
function convRows(b: Builder, given: string, out: string): void {
  const { w, match: m } = b;
  const x = m.transA ? b.transpose(given, [1, 0], "transpose") : given;
  const [rows, k] = w.shape(x) as [number, number];
  const picture = m.transA ? undefined : pictureBehind(w, x, rows, k);
  const y = picture === undefined
    ? b.conv(b.reshape(x, [rows, k, 1, 1], "reshape_in"), [1, 1], plainWeights(m))
    : b.conv(picture.x, [picture.shape[2]!, picture.shape[3]!], pictureWeights(m, picture));
  b.reshape(y, w.shape(out)!, "reshape_out", out);
}

/** [..., L, K] with K the channels: to NCHW, convolve, and back. */
function convLast(b: Builder, out: string): void {
  const { w, match: m } = b;
  const shape = w.shape(m.x)!;
  const four = shape.length === 3
    ? [shape[0]!, 1, shape[1]!, shape[2]!]
    : [shape[0]!, shape[1]!, elementCount(shape.slice(2, -1)), shape.at(-1)!];
  const x = b.reshape(m.x, four, "reshape_in");
  const y = b.conv(b.transpose(x, [0, 3, 1, 2], "to_nchw"), [1, 1], plainWeights(m));
  const to = w.shape(out)!;
  if (shape.length === 4 && to.length === 4) {
    b.transpose(y, [0, 2, 3, 1], "to_nhwc", out);
    return;
  }
  b.reshape(b.transpose(y, [0, 2, 3, 1], "to_nhwc"), to, "reshape_out", out);
}

/** [..., K, L] with K the channels: already NCHW but for its rank. */
function convMiddle(b: Builder, out: string): void {
  const { w, match: m } = b;
  const shape = w.shape(m.x)!;
  const batch = elementCount(shape.slice(0, -2));
  const x = b.reshape(m.x, [batch, m.k, 1, shape.at(-1)!], "reshape_in");
  const y = b.conv(x, [1, 1], plainWeights(m));
  b.reshape(y, w.shape(out)!, "reshape_out", out);
}

/**
 * Why the product stays one on a march whose BPU takes it: not the convolution, or not what brings its input
 * there. What follows the convolution only counts for products over the last dimension of more than two:
 * behind rows there is a Reshape instead of one before them, and mostly nothing is left of it.
 */
function lossOfConv(w: Rewriter, n: Node, m: Match): string | undefined {
  if (w.march === undefined || offBpu(w, n) !== undefined) return undefined;
  if (isTurned(w, m.x, m.k)) return undefined;
  const shape = w.shape(m.x)!;
  const rows = shape.length <= 2 && m.channels === "last";
  const picture = rows && shape.length === 2 && !m.transA
    ? pictureBehind(w, m.x, shape[0]!, m.k)
    : undefined;
  const [x, name] = [`${n.name} picture`, `${n.name} kernel`];
  const from = picture?.shape ??
    (rows ? [elementCount(shape) / m.k, m.k, 1, 1] : pictureOf(shape, m));
  const kernel = picture === undefined ? [1, 1] : picture.shape.slice(2);
  const types = new Map<string, TensorType>([
    [x, { dtype: "float32", shape: from }],
    [`${n.name} sums`, { dtype: "float32", shape: [from[0]!, m.m, ...unit(from, kernel)] }],
  ]);
  const weight = f32([m.m, from[1]!, ...kernel], new Float32Array(m.m * m.k));
  const values = new Map([[name, weight], [`${n.name} shape`, i64(from)]]);
  const moves: Node[] = [];
  if (picture === undefined && !sameShape(shape, from)) {
    moves.push(node("Reshape", n.name, [m.x, `${n.name} shape`], [x]));
  }
  if (!rows && m.channels === "last") {
    moves.push(node("Transpose", n.name, [x], [x], { perm: attr.ints([0, 2, 3, 1]) }));
  }
  const conv = node("Conv", n.name, [x, name], [`${n.name} sums`]);
  return lossOf(w, [n], [...moves, conv], { types, values });
}

/**
 * Whether a Transpose has brought the k channels to the end, perhaps before elementwise functions: they are
 * where the convolution wants them without it.
 */
function isTurned(w: Rewriter, x: string, k: number): boolean {
  for (let steps = 0, n = w.producer(x); n !== undefined && steps < 4; steps++) {
    const shape = w.shape(n.outputs[0]!);
    if (shape?.at(-1) !== k) return false;
    if (n.op === "Transpose") return permOf(w, n)?.at(-1) !== shape.length - 1;
    if (!UNARY.has(n.op) && n.op !== "Reshape") return false;
    n = w.producer(n.inputs[0]!);
  }
  return false;
}

/** Sizes that are left of a picture under a kernel. */
function unit(from: readonly number[], kernel: readonly number[]): number[] {
  return kernel.map((k, i) => from[i + 2]! - k + 1);
}

/** The picture [N, K, 1, L] that a product of more than rows is made from. */
function pictureOf(shape: readonly number[], m: Match): number[] {
  if (m.channels === "middle") {
    return [elementCount(shape.slice(0, -2)), m.k, 1, shape.at(-1)!];
  }
  const [n, h, l] = shape.length === 3
    ? [shape[0]!, 1, shape[1]!]
    : [shape[0]!, shape[1]!, elementCount(shape.slice(2, -1))];
  return [n, m.k, h, l];
}

/**
 * Gemm, MatMul and MatMul -> Add with constant weights become Conv between Reshapes; the Conv keeps the
 * name. Where a picture [N, C, H, W] is flattened into the rows of the product the Conv gets the kernel
 * HxW and reads the picture itself.
 */
export const gemmToConv = nodePass<Match>({
  name: "gemm_to_conv",
  doc: `x [N,K] -> Gemm                        =>  Reshape -> Conv 1x1 -> Reshape
x [N,C,H,W] -> Flatten -> Gemm             =>  Conv HxW -> Reshape
x [N,L,K] -> MatMul(constant) -> Add       =>  Reshape -> Transpose -> Conv 1x1 -> Transpose -> Reshape`,
  ops: ["Gemm", "MatMul"],
  check(w, n) {
    if (!w.isFloat(n.outputs[0]!)) return `it works on ${w.type(n.outputs[0]!)?.dtype ?? "?"}`;
    return n.op === "Gemm" ? checkGemm(w, n) : checkMatMul(w, n);
  },
  rewrite(w, n, m) {
    const loss = lossOfConv(w, n, m);
    if (loss !== undefined) return loss;
    const b = new Builder(w, n, m);
    const out = (m.add ?? n).outputs[0]!;
    const shape = w.shape(m.x)!;
    if (m.channels === "middle") convMiddle(b, out);
    else if (shape.length === 1) convRows(b, b.reshape(m.x, [1, m.k], "row"), out);
    else if (shape.length === 2) convRows(b, m.x, out);
    else convLast(b, out);
    w.replace(m.add === undefined ? [n] : [n, m.add], b.nodes);
  },
});
