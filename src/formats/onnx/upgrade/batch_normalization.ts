/**
 * BatchNormalization: opsets 7 (`spatial`, five outputs), 9 and 14 (`training_mode`, three outputs).
 *
 * @module
 */

import { floatAttr, intAttr, type Node, node } from "../../../ir/graph.ts";
import { addScalarLike, type Context, helper, refuse, without } from "./context.ts";

/** Inference form with one output; `spatial=0` becomes its elementwise formula. */
export function batchNormalization(n: Node, c: Context): readonly Node[] | undefined {
  if (intAttr(n, "training_mode", 0) !== 0) {
    throw refuse(
      n,
      "the batch normalization is in training mode",
      "Export the model in inference mode (model.eval()).",
    );
  }
  if (n.outputs.slice(1).some((o) => o !== "" && c.isUsed(o))) {
    throw refuse(n, "the statistics of the batch normalization are used", "Export for inference.");
  }
  const perChannel = intAttr(n, "spatial", 1) !== 0 || (c.fact(n.inputs[1] ?? "").rank ?? 1) === 1;
  const attrs = without(n.attrs, "spatial", "is_test", "training_mode", "consumed_inputs");
  if (perChannel) return [{ ...n, outputs: n.outputs.slice(0, 1), attrs }];

  // One mean and variance for each position: shapes [C, D1, ...] broadcast over the batch.
  const [x = "", scale = "", bias = "", mean = "", variance = ""] = n.inputs;
  const epsilon = addScalarLike(n, c, "epsilon", floatAttr(n, "epsilon", 1e-5), x);
  const shifted = helper(n, c, "Add", "var_eps", [variance, epsilon]);
  const root = helper(n, c, "Sqrt", "std", [shifted.outputs[0]!]);
  const centred = helper(n, c, "Sub", "centred", [x, mean]);
  const unit = helper(n, c, "Div", "unit", [centred.outputs[0]!, root.outputs[0]!]);
  const scaled = helper(n, c, "Mul", "scaled", [unit.outputs[0]!, scale]);
  return [
    shifted,
    root,
    centred,
    unit,
    scaled,
    node("Add", n.name, [scaled.outputs[0]!, bias], n.outputs.slice(0, 1)),
  ];
}
