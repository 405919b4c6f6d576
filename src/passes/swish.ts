/**
 * x * sigmoid(x) and the many forms of hard-swish and hard-sigmoid become one node each.
 *
 * @module
 */

import { attr, floatAttr, HORIZON, type Node, node } from "../ir/graph.ts";
import { isClose } from "./match.ts";
import { rangeOf } from "./merge_clip.ts";
import { nodePass } from "./pass.ts";
import { fuse, productOf, scaled, sumWith } from "./product.ts";
import type { Rewriter } from "./rewriter.ts";

interface Match {
  readonly kind: "HzSwish" | "HardSwish" | "HardSigmoid";
  readonly x: string;
  readonly alpha?: number;
  readonly beta?: number;
  /** Every node of the pattern, the root included. */
  readonly pattern: readonly Node[];
}

/** `clip(x + 3, 0, 6)` behind a name. */
function ramp(
  w: Rewriter,
  name: string,
): { x: string; offset: number; top: number; nodes: Node[] } | undefined {
  const clip = w.producerOf(name, "Clip");
  const range = clip === undefined ? undefined : rangeOf(w, clip);
  if (clip === undefined || range === undefined || typeof range === "string") return undefined;
  if (range.lo !== 0 || !Number.isFinite(range.hi) || range.hi <= 0) return undefined;
  const add = w.producer(range.x);
  const sum = sumWith(w, add);
  if (sum === undefined) return undefined;
  return { x: sum.x, offset: sum.number, top: range.hi, nodes: [add!, clip] };
}

/** `clip(x * alpha + beta, 0, 1)`, with alpha = 1 when nothing is multiplied. */
function unitRamp(w: Rewriter, clip: Node): Match | undefined {
  const range = rangeOf(w, clip);
  if (range === undefined || typeof range === "string") return undefined;
  if (range.lo !== 0 || range.hi !== 1) return undefined;
  const add = w.producer(range.x);
  const sum = sumWith(w, add);
  if (sum === undefined) return undefined;
  const mul = w.producer(sum.x);
  const product = w.onlyUser(sum.x) === add ? scaled(w, mul) : undefined;
  return {
    kind: "HardSigmoid",
    x: product?.x ?? sum.x,
    alpha: product?.number ?? 1,
    beta: sum.number,
    pattern: product === undefined ? [add!, clip] : [mul!, add!, clip],
  };
}

function checkProduct(w: Rewriter, n: Node): Match | string | undefined {
  const p = productOf(w, n);
  if (p === undefined) return undefined;
  if (p.factors.length === 1) {
    // clip(x + a, 0, b) / b
    const r = ramp(w, p.factors[0]!);
    if (r === undefined || !isClose(p.scale * r.top, 1)) return undefined;
    const reader = w.onlyUser(n.outputs[0]!);
    // x * clip(x + 3, 0, 6) / 6 is found at its last node.
    const hard = isClose(r.offset, 3) && r.top === 6;
    if (hard && reader?.op === "Mul" && reader.inputs.includes(r.x)) return undefined;
    return {
      kind: "HardSigmoid",
      x: r.x,
      alpha: 1 / r.top,
      beta: r.offset / r.top,
      pattern: [...r.nodes, ...p.nodes],
    };
  }
  if (p.factors.length !== 2) return undefined;
  let why: string | undefined;
  for (const [x, gate] of [[p.factors[0]!, p.factors[1]!], [p.factors[1]!, p.factors[0]!]]) {
    const g = w.producer(gate!);
    if (g === undefined || g.domain !== "") continue;
    if (g.op === "Sigmoid" && g.inputs[0] === x) {
      if (isClose(p.scale, 1)) return { kind: "HzSwish", x: x!, pattern: [g, ...p.nodes] };
      why = `the product has the factor ${p.scale}`;
    }
    if (g.op === "HardSigmoid" && g.inputs[0] === x) {
      const [alpha, beta] = [floatAttr(g, "alpha", 0.2), floatAttr(g, "beta", 0.5)];
      if (isClose(alpha, 1 / 6) && isClose(beta, 0.5) && isClose(p.scale, 1)) {
        return { kind: "HardSwish", x: x!, pattern: [g, ...p.nodes] };
      }
      why = `its HardSigmoid has alpha ${alpha} and beta ${beta}, hard-swish 1/6 and 0.5`;
    }
    const r = ramp(w, gate!);
    if (r !== undefined && r.x === x) {
      if (isClose(r.offset, 3) && r.top === 6 && isClose(p.scale * 6, 1)) {
        return { kind: "HardSwish", x: x!, pattern: [...r.nodes, ...p.nodes] };
      }
      why = `it is x * clip(x + ${r.offset}, 0, ${r.top}) * ${p.scale}, not hard-swish`;
    }
  }
  return why;
}

/**
 * Recognises swish and hard-swish by their factors, in whatever order they are multiplied. The new node
 * keeps the name of the last multiplication (Clip for hard-sigmoid without one). Parts that others
 * read stay.
 */
export const swish = nodePass<Match>({
  name: "swish",
  doc: `x * Sigmoid(x)                                     =>  HzSwish(x)
x * HardSigmoid(x) | x * Clip(x + 3, 0, 6) / 6     =>  HardSwish(x)
Clip(x + 3, 0, 6) / 6 | Clip(x * a + b, 0, 1)      =>  HardSigmoid(x)`,
  ops: ["Mul", "Div", "Clip"],
  check(w, n) {
    if (!w.isFloat(n.outputs[0]!)) return undefined;
    return n.op === "Clip" ? unitRamp(w, n) : checkProduct(w, n);
  },
  rewrite(w, n, m) {
    const outs = [n.outputs[0]!];
    const next = m.kind === "HzSwish"
      ? node("HzSwish", n.name, [m.x], outs, {}, HORIZON)
      : m.kind === "HardSwish"
      ? node("HardSwish", n.name, [m.x], outs)
      : node("HardSigmoid", n.name, [m.x], outs, {
        alpha: attr.float(Math.fround(m.alpha!)),
        beta: attr.float(Math.fround(m.beta!)),
      });
    return fuse(w, m.pattern, n, next);
  },
});
