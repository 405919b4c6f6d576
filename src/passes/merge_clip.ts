/**
 * Relu, Clip, Max and Min with constants are one thing, y = min(hi, max(lo, x)), and chains of them
 * are one node.
 *
 * @module
 */

import { floatAttr, type Node, node } from "../ir/graph.ts";
import { f32, sameShape } from "../ir/tensor.ts";
import { lossOf } from "./bpu.ts";
import { FLT_MAX, scalarOf } from "./match.ts";
import { nodePass } from "./pass.ts";
import type { Rewriter } from "./rewriter.ts";

/** Limits of y = min(hi, max(lo, x)). */
export interface Range {
  readonly x: string;
  readonly lo: number;
  readonly hi: number;
}

/** Reads a node as limits; a sentence where limits are not known; undefined for other nodes. */
export function rangeOf(w: Rewriter, n: Node): Range | string | undefined {
  if (n.domain !== "" || !w.isFloat(n.outputs[0]!)) return undefined;
  const x = n.inputs[0]!;
  switch (n.op) {
    case "Relu":
      return { x, lo: 0, hi: Infinity };
    case "LeakyRelu":
      return floatAttr(n, "alpha", 0.01) === 0 ? { x, lo: 0, hi: Infinity } : undefined;
    case "Clip": {
      const limits = [n.inputs[1] ?? "", n.inputs[2] ?? ""].map((name, i) =>
        name === "" ? (i === 0 ? -Infinity : Infinity) : scalarOf(w, name)
      );
      const [lo, hi] = [limits[0], limits[1]];
      if (lo === undefined || hi === undefined) return "its limits are not constants";
      return { x, lo: lo <= -FLT_MAX ? -Infinity : lo, hi: hi >= FLT_MAX ? Infinity : hi };
    }
    case "Max":
    case "Min": {
      if (n.inputs.length !== 2) return undefined;
      const [a, b] = [scalarOf(w, n.inputs[0]), scalarOf(w, n.inputs[1])];
      const limit = a ?? b;
      if (limit === undefined || (a !== undefined && b !== undefined)) return undefined;
      const source = a === undefined ? n.inputs[0]! : n.inputs[1]!;
      const [from, to] = [w.shape(source), w.shape(n.outputs[0]!)];
      if (from === undefined || to === undefined || !sameShape(from, to)) {
        return "its constant enlarges the result";
      }
      return n.op === "Max"
        ? { x: source, lo: limit, hi: Infinity }
        : { x: source, lo: -Infinity, hi: limit };
    }
    default:
      return undefined;
  }
}

function apply(r: Range, v: number): number {
  return Math.min(r.hi, Math.max(r.lo, v));
}

/** First `a`, then `b`: the composition of two such functions is one again. */
export function compose(a: Range, b: Range): Range {
  return { x: a.x, lo: apply(b, apply(a, -Infinity)), hi: apply(b, apply(a, Infinity)) };
}

/** A Relu under the name of `n` in the place of `gone`; undefined where the BPU wants a Clip. */
function reluFor(w: Rewriter, n: Node, gone: readonly Node[], r: Range): Node | undefined {
  const relu = node("Relu", n.name, [r.x], [n.outputs[0]!]);
  return lossOf(w, gone, [relu]) === undefined ? relu : undefined;
}

/** The simplest node that computes the limits in the place of `gone`, under the name of `n`. */
function nodeFor(w: Rewriter, n: Node, gone: readonly Node[], r: Range): Node {
  const out = [n.outputs[0]!];
  const relu = r.lo === 0 && r.hi === Infinity ? reluFor(w, n, gone, r) : undefined;
  if (relu !== undefined) return relu;
  const limit = (v: number, hint: string) =>
    Number.isFinite(v) ? w.store(`${n.name}_${hint}`, f32([], [v])) : "";
  const inputs = [r.x, limit(r.lo, "min")];
  const hi = limit(r.hi, "max");
  return node("Clip", n.name, hi === "" ? inputs : [...inputs, hi], out);
}

/**
 * Chains become one Relu or Clip. The node that remains keeps the name of the first of the chain.
 */
export const mergeClip = nodePass<{ readonly range: Range; readonly first?: Node }>({
  name: "merge_clip",
  doc: `Relu -> Clip(0, 6)      =>  Clip(0, 6)
Max(x, 0) -> Min(6)          =>  Clip(0, 6)
Clip(0, inf)                 =>  Relu`,
  ops: ["Relu", "LeakyRelu", "Clip", "Max", "Min"],
  check(w, n) {
    const own = rangeOf(w, n);
    if (own === undefined || typeof own === "string") return own;
    const first = w.producer(own.x);
    const inner = first === undefined ? undefined : rangeOf(w, first);
    if (first !== undefined && inner !== undefined && typeof inner !== "string") {
      if (w.onlyUser(own.x) === n) return { range: compose(inner, own), first };
      // Shared, but a second limit that changes nothing still goes.
      const both = compose(inner, own);
      if (both.lo === inner.lo && both.hi === inner.hi) {
        return { range: { x: own.x, lo: -Infinity, hi: Infinity } };
      }
      if (n.op === "Relu" || n.op === "Clip") {
        return `the result of ${first.name} is shared: ${w.whyShared(own.x)}`;
      }
    }
    const positive = own.lo === 0 && own.hi === Infinity;
    const canonical = positive && reluFor(w, n, [n], own) !== undefined ? "Relu" : "Clip";
    return n.op === canonical && !(own.lo === -Infinity && own.hi === Infinity)
      ? undefined
      : { range: own };
  },
  rewrite(w, n, m) {
    if (m.range.lo === -Infinity && m.range.hi === Infinity) {
      if (m.first !== undefined) w.bypass(m.first, m.range.x);
      const here = w.current(n)!;
      return w.bypass(here, here.inputs.find((i) => w.constant(i) === undefined)!)
        ? undefined
        : "it stands between an input and an output of the model";
    }
    const named = m.first ?? n;
    const gone = m.first === undefined ? [n] : [m.first, n];
    w.replace(gone, [nodeFor(w, { ...named, outputs: n.outputs }, gone, m.range)]);
  },
});
