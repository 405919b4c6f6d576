/**
 * Gelu, exact (erf) or approximate (tanh), becomes one node.
 *
 * @module
 */

import { HORIZON, type Node, node } from "../ir/graph.ts";
import { isClose, scalarOf } from "./match.ts";
import { nodePass } from "./pass.ts";
import { fuse, productOf, scaled, sumWith } from "./product.ts";
import type { Rewriter } from "./rewriter.ts";

interface Match {
  readonly x: string;
  readonly op: "HzGelu" | "HzGeluTanh";
  readonly pattern: readonly Node[];
}

/** Coefficients of a polynomial, the constant first. */
type Polynomial = readonly number[];

const DEGREE = 3;

const times = (a: Polynomial, b: Polynomial): Polynomial | undefined => {
  if (a.length + b.length - 2 > DEGREE) return undefined;
  const out = new Array<number>(a.length + b.length - 1).fill(0);
  a.forEach((v, i) => b.forEach((u, k) => out[i + k]! += v * u));
  return out;
};

const plus = (a: Polynomial, b: Polynomial, sign: number): Polynomial =>
  Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0) + sign * (b[i] ?? 0));

/** A tensor as a polynomial of `x` with scalar coefficients; adds the nodes that compute it to `nodes`. */
function polynomial(w: Rewriter, name: string, x: string, nodes: Node[]): Polynomial | undefined {
  if (name === x) return [0, 1];
  const number = scalarOf(w, name);
  if (number !== undefined) return [number];
  const n = w.producerOf(name, "Add", "Sub", "Mul", "Div", "Pow");
  if (n === undefined || nodes.length >= 8) return undefined;
  const [a, b] = n.inputs.map((i) => polynomial(w, i, x, nodes));
  if (a === undefined || b === undefined) return undefined;
  nodes.push(n);
  if (n.op === "Add") return plus(a, b, 1);
  if (n.op === "Sub") return plus(a, b, -1);
  if (n.op === "Mul") return times(a, b);
  const c = b.length === 1 ? b[0]! : 0;
  if (n.op === "Div") return c === 0 ? undefined : a.map((v) => v / c);
  if (c !== 2 && c !== 3) return undefined;
  const square = times(a, a);
  return c === 2 || square === undefined ? square : times(square, a);
}

/** sqrt(2 / pi) (x + 0.044715 x^3) */
const TANH_FORM: Polynomial = [
  0,
  Math.sqrt(2 / Math.PI),
  0,
  0.044715 * Math.sqrt(2 / Math.PI),
];

/**
 * 0.5 * x * (1 + erf(x / sqrt 2)), multiplied in any order, becomes HzGelu(x), and
 * 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))), however the polynomial is written,
 * HzGeluTanh(x).
 */
export const gelu = nodePass<Match>({
  name: "gelu",
  doc: `x * 0.5 * (1 + Erf(x / sqrt(2)))   =>   HzGelu(x), with Tanh HzGeluTanh(x)`,
  ops: ["Mul", "Div"],
  check(w, n) {
    if (!w.isFloat(n.outputs[0]!)) return undefined;
    const p = productOf(w, n);
    if (p === undefined || p.factors.length !== 2) return undefined;
    for (const [x, gate] of [[p.factors[0]!, p.factors[1]!], [p.factors[1]!, p.factors[0]!]]) {
      const add = w.producer(gate!);
      const sum = sumWith(w, add);
      const inner = sum === undefined ? undefined : w.producerOf(sum.x, "Erf", "Tanh");
      if (sum === undefined || inner === undefined || !isClose(sum.number, 1)) continue;
      if (inner.op === "Tanh") {
        const nodes: Node[] = [];
        const p3 = polynomial(w, inner.inputs[0]!, x!, nodes);
        if (p3?.length !== 4) continue;
        const same = TANH_FORM.every((v, i) => v === 0 ? p3[i] === 0 : isClose(p3[i]!, v));
        if (!same) return `its Tanh takes ${p3.map(Math.fround).join(", ")} (by powers of x)`;
        if (!isClose(p.scale, 0.5)) return `the product has the factor ${p.scale}, Gelu has 0.5`;
        return { x: x!, op: "HzGeluTanh", pattern: [...nodes, inner, add!, ...p.nodes] };
      }
      const argument = w.producer(inner.inputs[0]!);
      const s = scaled(w, argument);
      if (s?.x !== x) continue;
      if (!isClose(s!.number, Math.SQRT1_2)) return `its Erf takes ${s!.number} * x`;
      if (!isClose(p.scale, 0.5)) return `the product has the factor ${p.scale}, Gelu has 0.5`;
      return { x: x!, op: "HzGelu", pattern: [argument!, inner, add!, ...p.nodes] };
    }
    return undefined;
  },
  rewrite(w, n, m) {
    const next = node(m.op, n.name, [m.x], [n.outputs[0]!], {}, HORIZON);
    return fuse(w, m.pattern, n, next);
  },
});
