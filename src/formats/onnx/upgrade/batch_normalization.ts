/**
 * BatchNormalization: opsets 7 (`spatial`, five outputs), 9 and 14 (`training_mode`, three outputs).
 *
 * @module
 */

import { attr, floatAttr, intAttr, type Node, node } from "../../../ir/graph.ts";
import { f32 } from "../../../ir/tensor.ts";
import { Chain } from "./chain.ts";
import { addScalarLike, type Context, helper, refuse, without } from "./context.ts";

/** Inference form with one output; `spatial=0` becomes its elementwise formula. */
export function batchNormalization(n: Node, c: Context): readonly Node[] | undefined {
  if (intAttr(n, "training_mode", 0) !== 0) return training(n, c);
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

/** Training mode: statistics of the batch itself, and their running means. */
function training(n: Node, c: Context): Node[] {
  const [x = "", scale = "", bias = "", mean = "", variance = ""] = n.inputs;
  const { rank, dtype } = c.fact(x);
  if (rank === undefined || rank < 2 || (dtype ?? "float32") !== "float32") {
    throw refuse(
      n,
      "the batch normalization is in training mode, and the rank of its input is not known",
      "Export the model in inference mode (model.eval()).",
    );
  }
  const chain = new Chain(n, c);
  const scalar = (what: string, v: number) => chain.constant(what, f32([], [v]));
  const others = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== 1);
  const average = (t: string) => chain.add("ReduceMean", [t], { axes: attr.ints(others) });
  const slices = chain.ints("slices", [-1, ...new Array<number>(rank - 2).fill(1)]);
  const spread = (t: string) => chain.add("Reshape", [t, slices]);
  const flat = chain.ints("flat", [-1]);
  const momentum = floatAttr(n, "momentum", 0.9);
  const running = (i: number, old: string, current: string): string | undefined => {
    const name = n.outputs[i] ?? "";
    if (name === "" || !c.isUsed(name)) return undefined;
    return chain.add("Add", [
      chain.add("Mul", [old, scalar("momentum", momentum)]),
      chain.add("Mul", [
        chain.add("Reshape", [current, flat]),
        scalar("rest", Math.fround(1 - momentum)),
      ]),
    ]);
  };
  const batchMean = average(x);
  const centred = chain.add("Sub", [x, batchMean]);
  const batchVariance = average(chain.add("Mul", [centred, centred]));
  const shifted = chain.add("Add", [
    batchVariance,
    scalar("epsilon", floatAttr(n, "epsilon", 1e-5)),
  ]);
  const unit = chain.add("Div", [centred, chain.add("Sqrt", [shifted])]);
  const y = chain.add("Add", [chain.add("Mul", [unit, spread(scale)]), spread(bias)]);
  return chain.as([y, running(1, mean, batchMean), running(2, variance, batchVariance)]);
}
