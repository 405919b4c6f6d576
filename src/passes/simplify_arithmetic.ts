/**
 * Arithmetic in the form that the BPU has: it multiplies by constants, it does not divide by them.
 *
 * @module
 */

import { attr, type Node, node } from "../ir/graph.ts";
import { f32, numbersOf, type Tensor } from "../ir/tensor.ts";
import { withConstant } from "./match.ts";
import { nodePass } from "./pass.ts";
import type { Rewriter } from "./rewriter.ts";

type Match =
  | { readonly kind: "mul"; readonly x: string; readonly factor: Tensor }
  | { readonly kind: "sum"; readonly factor: number }
  | { readonly kind: "leaky"; readonly alpha: number };

function checkDiv(w: Rewriter, n: Node): Match | string | undefined {
  const c = w.constant(n.inputs[1]!);
  if (c === undefined || w.constant(n.inputs[0]!) !== undefined) return undefined;
  if (c.dtype !== "float32") return undefined;
  const factor = Float32Array.from(numbersOf(c), (v) => 1 / v);
  if (factor.some((v) => !Number.isFinite(v) || v === 0)) {
    return "the reciprocal of its constant is not finite";
  }
  return { kind: "mul", x: n.inputs[0]!, factor: f32(c.shape, factor) };
}

/** Division by a constant, Neg, Mean and PRelu with one slope, as Mul, Sum and LeakyRelu. */
export const simplifyArithmetic = nodePass<Match>({
  name: "simplify_arithmetic",
  doc: `Div(x, c)               =>  Mul(x, 1/c)
Neg(x)                    =>  Mul(x, -1)
Mean(a, b)                =>  Sum(a, b) -> Mul(1/2)
PRelu(x, equal slopes)    =>  LeakyRelu(x)`,
  ops: ["Div", "Neg", "Mean", "PRelu"],
  check(w, n) {
    if (!w.isFloat(n.outputs[0]!)) return undefined;
    switch (n.op) {
      case "Div":
        return checkDiv(w, n);
      case "Neg":
        return w.constant(n.inputs[0]!) === undefined
          ? { kind: "mul", x: n.inputs[0]!, factor: f32([], [-1]) }
          : undefined;
      case "Mean":
        return n.inputs.length > 1 ? { kind: "sum", factor: 1 / n.inputs.length } : undefined;
      default: {
        const c = withConstant(w, n);
        if (c === undefined || c.at !== 0) return "its slopes are not constant";
        const slopes = numbersOf(c.constant);
        for (const v of slopes) if (v !== slopes[0]) return undefined;
        return slopes.length === 0 ? undefined : { kind: "leaky", alpha: slopes[0]! };
      }
    }
  },
  rewrite(w, n, m) {
    const out = n.outputs[0]!;
    if (m.kind === "mul") {
      const factor = w.store(`${n.name}_factor`, m.factor);
      w.replace([n], [node("Mul", n.name, [m.x, factor], [out])]);
    } else if (m.kind === "leaky") {
      w.replace([n], [
        node("LeakyRelu", n.name, [n.inputs[0]!], [out], { alpha: attr.float(m.alpha) }),
      ]);
    } else {
      const sum = w.temp(`${n.name}_sum`, w.type(out)!);
      const factor = w.store(`${n.name}_factor`, f32([], [m.factor]));
      const scale = w.nodeName(`${n.name}_scale`);
      w.replace([n], [
        node(n.inputs.length === 2 ? "Add" : "Sum", n.name, n.inputs, [sum]),
        node("Mul", scale, [sum, factor], [out]),
      ]);
    }
  },
});
