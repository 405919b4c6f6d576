/**
 * Shape arithmetic disappears where the shapes are known.
 *
 * @module
 */

import { inferValues } from "../ops/infer.ts";
import type { Pass, Reason } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";

/**
 * Shape and Size of tensors with known dimensions, and what Gather, Slice, Concat, Cast, Mul and the
 * like make of them, become constants under the same names.
 */
export const foldShapes: Pass = {
  name: "fold_shapes",
  doc: `x -> Shape -> Gather -> Unsqueeze -> Concat -> Reshape(x)   =>   Reshape(x, constant)`,
  run(graph) {
    const w = new Rewriter(graph);
    const { values } = inferValues(graph);
    const reasons: Reason[] = [];
    let fired = 0;
    for (const n of graph.nodes) {
      const names = n.outputs.filter((o) => o !== "");
      if (names.length === 0 || !names.every((o) => values.has(o))) {
        if (n.domain === "" && (n.op === "Shape" || n.op === "Size")) {
          reasons.push({ node: n.name, why: `the shape of ${n.inputs[0]} is not known` });
        }
        continue;
      }
      const output = names.find((o) => w.isOutput(o));
      if (output !== undefined) {
        reasons.push({ node: n.name, why: `${output} is an output of the model` });
        continue;
      }
      w.becomes(n, n.outputs.map((o) => values.get(o)!));
      fired++;
    }
    return { graph: fired === 0 ? graph : w.build(), fired, reasons };
  },
};
