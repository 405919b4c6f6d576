/**
 * Squeeze, Unsqueeze and Flatten are Reshape, and a chain of Reshapes is one.
 *
 * @module
 */

import { intsAttr, type Node } from "../ir/graph.ts";
import { reshapeNode } from "./match.ts";
import { nodePass } from "./pass.ts";
import type { Rewriter } from "./rewriter.ts";

/** The operators that only give the same elements another shape. */
export const RESHAPES = ["Reshape", "Squeeze", "Unsqueeze", "Flatten"] as const;

/** Whether a Transpose moves nothing but dimensions of size 1, so that it is a Reshape. */
export function movesNothing(w: Rewriter, n: Node): boolean {
  const shape = w.shape(n.inputs[0]!);
  if (shape === undefined) return false;
  const perm = intsAttr(n, "perm", shape.map((_, i) => shape.length - 1 - i));
  const moved = perm.filter((p) => shape[p] !== 1);
  return moved.every((p, i) => i === 0 || p > moved[i - 1]!);
}

/**
 * Squeeze, Unsqueeze, Flatten, and Transposes that move only dimensions of size 1, become Reshape with
 * a constant shape. A Reshape behind a Reshape reads the first one's input.
 */
export const squeezeToReshape = nodePass<{ readonly x: string; readonly shape: readonly number[] }>(
  {
    name: "squeeze_to_reshape",
    doc: `Squeeze | Unsqueeze | Flatten    =>  Reshape
Reshape -> Reshape                  =>  Reshape`,
    ops: [...RESHAPES, "Transpose"],
    check(w, n) {
      if (n.op === "Transpose" && !movesNothing(w, n)) return undefined;
      const shape = w.shape(n.outputs[0]!);
      if (shape === undefined) return "its output shape is not known";
      if (shape.includes(0)) return "it is empty";
      const before = w.producerOf(n.inputs[0]!, ...RESHAPES);
      if (before !== undefined) {
        return { x: before.inputs[0]!, shape };
      }
      if (n.op !== "Reshape" || w.constant(n.inputs[1]!) === undefined) {
        return { x: n.inputs[0]!, shape };
      }
      return undefined;
    },
    rewrite(w, n, m) {
      w.replace([n], [reshapeNode(w, n.name, m.x, n.outputs[0]!, m.shape)]);
    },
  },
);
