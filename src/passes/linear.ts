/**
 * Conv, ConvTranspose, Gemm and MatMul with constant weights as one thing: y = W x + b, whose weights
 * take up a scale and a shift per output channel, or per input channel. The sums are made in
 * float64 and rounded to float32 once.
 *
 * @module
 */

import { attr, floatAttr, intAttr, intsAttr, type Node, node, stringAttr } from "../ir/graph.ts";
import { elementCount, f32, numbersOf, type Tensor } from "../ir/tensor.ts";
import { lossOf } from "./bpu.ts";
import { alongAxis } from "./match.ts";
import type { Rewriter } from "./rewriter.ts";

/** The operators of {@linkcode linearOf}. */
export const LINEAR = ["Conv", "ConvTranspose", "Gemm", "MatMul"] as const;

/** A node of the family with its constants. */
export interface Linear {
  readonly node: Node;
  readonly weight: Tensor;
  /** Per output channel; undefined when there is none. For Gemm beta is already in it. */
  readonly bias: Float64Array | undefined;
  readonly inputs: number;
  readonly outputs: number;
  /** Axis of the output tensor (and, for MatMul and Gemm, of the input) that is the channel. */
  readonly axis: number;
  /** Output (input) channel of weight element i. */
  outputOf(i: number): number;
  inputOf(i: number): number;
}

/** Reads a node of the family, or says why it cannot take anything into its weights. */
export function linearOf(w: Rewriter, n: Node): Linear | string {
  const weight = w.constant(n.inputs[1] ?? "");
  if (weight === undefined) return `the weights of ${n.name} are not constant`;
  if (weight.dtype !== "float32") return `the weights of ${n.name} are ${weight.dtype}`;
  const out = w.shape(n.outputs[0]!);
  if (out === undefined) return `the output shape of ${n.name} is not known`;
  const s = weight.shape;
  if (n.op === "Conv" || n.op === "ConvTranspose") {
    if (s.length < 3) return `the weights of ${n.name} have rank ${s.length}`;
    const group = intAttr(n, "group", 1);
    const taps = elementCount(s.slice(2));
    const [d0, d1] = [s[0]!, s[1]!];
    const bias = biasOf(w, n, 2);
    if (typeof bias === "string") return bias;
    if (n.op === "Conv") {
      const perGroup = d0 / group;
      return {
        node: n,
        weight,
        bias,
        inputs: d1 * group,
        outputs: d0,
        axis: 1,
        outputOf: (i) => Math.floor(i / (d1 * taps)),
        inputOf: (i) => {
          const o = Math.floor(i / (d1 * taps));
          return Math.floor(o / perGroup) * d1 + Math.floor(i / taps) % d1;
        },
      };
    }
    const inGroup = d0 / group;
    return {
      node: n,
      weight,
      bias,
      inputs: d0,
      outputs: d1 * group,
      axis: 1,
      inputOf: (i) => Math.floor(i / (d1 * taps)),
      outputOf: (i) => {
        const c = Math.floor(i / (d1 * taps));
        return Math.floor(c / inGroup) * d1 + Math.floor(i / taps) % d1;
      },
    };
  }
  if (s.length !== 2) return `the weights of ${n.name} have rank ${s.length}`;
  const transB = n.op === "Gemm" && intAttr(n, "transB", 0) !== 0;
  const [d0, d1] = [s[0]!, s[1]!];
  const [rows, cols] = transB ? [d1, d0] : [d0, d1];
  let bias: Float64Array | undefined;
  if (n.op === "Gemm" && (n.inputs[2] ?? "") !== "") {
    const c = w.constant(n.inputs[2]!);
    if (c === undefined) return `the bias of ${n.name} is not constant`;
    const per = alongAxis(c, [1, cols], 1);
    if (per === undefined) return `the bias of ${n.name} differs from row to row`;
    const beta = Math.fround(floatAttr(n, "beta", 1));
    bias = per.map((v) => v * beta);
  }
  return {
    node: n,
    weight,
    bias,
    inputs: rows,
    outputs: cols,
    axis: out.length - 1,
    outputOf: transB ? (i) => Math.floor(i / d1) : (i) => i % d1,
    inputOf: transB ? (i) => i % d1 : (i) => Math.floor(i / d1),
  };
}

function biasOf(w: Rewriter, n: Node, at: number): Float64Array | undefined | string {
  const name = n.inputs[at] ?? "";
  if (name === "") return undefined;
  const t = w.constant(name);
  if (t === undefined) return `the bias of ${n.name} is not constant`;
  return Float64Array.from(numbersOf(t));
}

/** Whether the node can take a shift: a MatMul can where it can become a Gemm, which has a bias. */
export function takesShift(w: Rewriter, n: Node): boolean {
  if (n.op !== "MatMul") return true;
  return w.shape(n.inputs[0]!)?.length === 2 &&
    lossOf(w, [n], [node("Gemm", n.name, n.inputs, n.outputs)]) === undefined;
}

/** Whether no input element is padding. */
export function unpadded(n: Node): boolean {
  const auto = stringAttr(n, "auto_pad", "NOTSET");
  if (auto === "VALID") return true;
  return auto === "NOTSET" && intsAttr(n, "pads", []).every((p) => p === 0);
}

/** Puts `y * scale + shift` (per output channel) into the weights; the node then writes `out`. */
export function absorbAfter(
  w: Rewriter,
  l: Linear,
  scale: Float64Array,
  shift: Float64Array,
  out: string,
): Node {
  const bias = new Float64Array(l.outputs);
  for (let o = 0; o < l.outputs; o++) bias[o] = (l.bias?.[o] ?? 0) * scale[o]! + shift[o]!;
  return withWeights(w, l, (v, i) => v * scale[l.outputOf(i)]!, bias, out);
}

/** Puts `x * scale + shift` (per input channel) into the weights; the node then reads `x`. */
export function absorbBefore(
  w: Rewriter,
  l: Linear,
  scale: Float64Array,
  shift: Float64Array,
  x: string,
): Node {
  const bias = new Float64Array(l.outputs);
  if (l.bias !== undefined) bias.set(l.bias);
  const values = numbersOf(l.weight);
  const alpha = alphaOf(l.node);
  for (let i = 0; i < values.length; i++) {
    bias[l.outputOf(i)]! += alpha * values[i]! * shift[l.inputOf(i)]!;
  }
  const next = withWeights(
    w,
    l,
    (v, i) => v * scale[l.inputOf(i)]!,
    bias,
    l.node.outputs[0]!,
  );
  return w.alter(next, { inputs: [x, ...next.inputs.slice(1)] });
}

function alphaOf(n: Node): number {
  return n.op === "Gemm" ? Math.fround(floatAttr(n, "alpha", 1)) : 1;
}

function withWeights(
  w: Rewriter,
  l: Linear,
  value: (v: number, i: number) => number,
  bias: Float64Array,
  out: string,
): Node {
  const n = l.node;
  const old = numbersOf(l.weight);
  const weights = new Float32Array(old.length);
  for (let i = 0; i < weights.length; i++) weights[i] = value(old[i]!, i);
  const inputs = [n.inputs[0]!, w.revise(n.inputs[1]!, n, f32(l.weight.shape, weights))];
  const given = (n.inputs[2] ?? "") !== "";
  if (given || bias.some((v) => v !== 0)) {
    const t = f32([l.outputs], bias);
    inputs.push(given ? w.revise(n.inputs[2]!, n, t) : w.store(`${n.name}_bias`, t));
  }
  if (n.op === "MatMul" && inputs.length > 2) {
    const gemm = node("Gemm", n.name, inputs, [out]);
    w.replace([n], [gemm]);
    return gemm;
  }
  const attrs = n.op === "Gemm" && inputs.length > 2 ? { beta: attr.float(1) } : {};
  return w.alter(n, { inputs, outputs: [out], attrs });
}
