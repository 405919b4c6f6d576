import { intAttr } from "../ir/graph.ts";
import { product } from "./args.ts";
import { reshaped } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { onBpu, onCpu, place, worded } from "./rules.ts";
import { reshapeRanks } from "./rules_b.ts";
import { movementQuant } from "./lower/movement.ts";
import { runReshape } from "./movement_run.ts";

function target(c: InferContext): number[] {
  const { shape } = c.need(0);
  const axis = intAttr(c.node, "axis", 1);
  const at = axis < 0 ? axis + shape.length : axis;
  // The axis may also be the rank: everything goes to the first dimension.
  if (at < 0 || at > shape.length) {
    shapeError(c.node, `axis ${axis} is outside -${shape.length}..${shape.length}`);
  }
  return [product(shape.slice(0, at)), product(shape.slice(at))];
}

/** Two dimensions: what is before the axis, and the rest. */
export const flatten: OpDef = {
  op: "Flatten",
  quant: movementQuant,
  run: runReshape,
  place: place(onBpu("unstated", [worded("same limits as Reshape", reshapeRanks)], []), onCpu()),
  infer: (c) => [{ dtype: c.need(0).dtype, shape: target(c) }],
  fold(c) {
    const x = c.constant(0);
    return x === undefined ? undefined : [reshaped(x, target(c))];
  },
};
