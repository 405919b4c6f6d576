/**
 * Scale migration behind layer normalisation (Xiao et al., "SmoothQuant", 2022): channels that
 * a normalisation makes loud are divided there, in its scale and bias, and multiplied in the weights of
 * the matrix products that read it. The float result does not change but for rounding.
 *
 * @module
 */

import { consumers, HORIZON, intAttr, intsAttr } from "../ir/graph.ts";
import type { Graph, Node } from "../ir/graph.ts";
import { f32 } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import { normalisedFrom } from "../ops/lower/layer_norm.ts";

/** Options of {@linkcode smooth}. */
export interface SmoothOptions {
  /** Part of the spread (as an exponent) that the weights take; default 0.5. */
  readonly alpha?: number;
}

/** The graph, and the results of normalisations that were changed. */
export interface Smoothed {
  readonly graph: Graph;
  readonly tensors: readonly string[];
}

/** Largest factor, and inverse of the smallest. */
const LIMIT = 32;

/** A normalised value is rarely further from its mean than this many deviations. */
const DEVIATIONS = 4;

/** A reader of a normalisation: where its weights are and which of their axes meets the channels. */
interface Reader {
  readonly weight: string;
  readonly axis: number;
}

/** Operators that keep values and only arrange them anew. */
const arranging: ReadonlySet<string> = new Set([
  "Transpose",
  "Reshape",
  "Flatten",
  "Squeeze",
  "Unsqueeze",
  "Identity",
]);

const product = (d: readonly number[]) => d.reduce((a, b) => a * b, 1);

/** The axis on which the channels are behind an arranging node, if they stay together. */
function axisBehind(graph: Graph, n: Node, axis: number): number | undefined {
  const from = graph.types.get(n.inputs[0]!)?.shape, to = graph.types.get(n.outputs[0]!)?.shape;
  if (from === undefined || to === undefined) return undefined;
  if (n.op === "Transpose") {
    const at = intsAttr(n, "perm", from.map((_, i) => from.length - 1 - i)).indexOf(axis);
    return at < 0 ? undefined : at;
  }
  const before = product(from.slice(0, axis));
  const at = to.findIndex((d, i) => d === from[axis] && product(to.slice(0, i)) === before);
  return at < 0 ? undefined : at;
}

/** All readers of a tensor's channels, or undefined where one cannot absorb factors. */
function readersOf(
  graph: Graph,
  tensor: string,
  axis: number,
  readers: ReadonlyMap<string, readonly Node[]>,
): Reader[] | undefined {
  const shown = new Set(graph.outputs.map((o) => o.name));
  const found: Reader[] = [];
  const queue: [string, number][] = [[tensor, axis]];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const [t, channels] = next;
    if (shown.has(t)) return undefined;
    for (const n of readers.get(t) ?? []) {
      if (n.domain !== "" || n.inputs[0] !== t) return undefined;
      if (arranging.has(n.op)) {
        const at = axisBehind(graph, n, channels);
        if (at === undefined) return undefined;
        queue.push([n.outputs[0]!, at]);
        continue;
      }
      const weight = n.inputs[1] ?? "", w = graph.constants.get(weight);
      const rank = graph.types.get(t)?.shape.length ?? 0;
      if (!(w?.data instanceof Float32Array) || readers.get(weight)?.length !== 1) return undefined;
      const conv = n.op === "Conv" && channels === 1 && intAttr(n, "group", 1) === 1;
      const product = n.op === "MatMul" && channels === rank - 1 && w.shape.length === 2;
      const gemm = n.op === "Gemm" && channels === 1 && intAttr(n, "transA", 0) === 0;
      if (!conv && !product && !gemm) return undefined;
      found.push({ weight, axis: conv || gemm && intAttr(n, "transB", 0) === 1 ? 1 : 0 });
    }
  }
  return found.length > 0 ? found : undefined;
}

/** Index along an axis of a flat element. */
const along = (shape: readonly number[], axis: number) => {
  const inner = product(shape.slice(axis + 1));
  return (i: number) => Math.floor(i / inner) % shape[axis]!;
};

/** LayerNormalization and its form without the mean. */
const isNormalisation = (n: Node) =>
  n.domain === "" && n.op === "LayerNormalization" ||
  n.domain === HORIZON && n.op === "HzRMSNormalization";

/**
 * Moves factors from every normalisation with constants of its own, over the last axis, into what
 * reads it, where all of that can absorb them: s = x^alpha / w^(1 - alpha), with x the largest value to
 * be expected of a channel, |bias| + 4 |scale|, and w its largest weight.
 */
export function smooth(graph: Graph, options: SmoothOptions = {}): Smoothed {
  const alpha = options.alpha ?? 0.5;
  const readers = consumers(graph);
  const constants = new Map(graph.constants);
  const tensors: string[] = [];
  for (const n of graph.nodes) {
    if (!isNormalisation(n) || n.outputs.length !== 1) continue;
    const shape = graph.types.get(n.outputs[0]!)?.shape;
    const own = n.inputs.slice(1).filter((t) => t !== "");
    const affine = own.map((t) => constants.get(t));
    const channels = shape?.at(-1);
    const lone = own.every((t) => readers.get(t)?.length === 1) && own.length > 0 &&
      affine.every((k) => k?.data instanceof Float32Array && k.data.length === channels);
    if (shape === undefined || !lone || normalisedFrom(n, shape.length) !== shape.length - 1) {
      continue;
    }
    const found = readersOf(graph, n.outputs[0]!, shape.length - 1, readers);
    if (found === undefined) continue;
    const [scale, bias] = affine.map((k) => k!.data as Float32Array);
    const most = new Float64Array(channels!);
    for (const r of found) {
      const w = constants.get(r.weight)!, channel = along(w.shape, r.axis);
      (w.data as Float32Array).forEach((v, i) => {
        const c = channel(i);
        most[c] = Math.max(most[c]!, Math.abs(v));
      });
    }
    const factor = Float64Array.from(most, (w, c) => {
      const x = Math.abs(bias?.[c] ?? 0) + DEVIATIONS * Math.abs(scale![c]!);
      const s = x > 0 && w > 0 ? x ** alpha / w ** (1 - alpha) : 1;
      return Math.min(LIMIT, Math.max(1 / LIMIT, s));
    });
    const multiply = (name: string, f: (i: number) => number) => {
      const k: Tensor = constants.get(name)!;
      constants.set(name, f32(k.shape, (k.data as Float32Array).map((v, i) => v * f(i))));
    };
    for (const t of own) multiply(t, (i) => 1 / factor[i]!);
    for (const r of found) {
      const channel = along(constants.get(r.weight)!.shape, r.axis);
      multiply(r.weight, (i) => factor[channel(i)]!);
    }
    tensors.push(n.outputs[0]!);
  }
  return { graph: { ...graph, constants }, tensors };
}
