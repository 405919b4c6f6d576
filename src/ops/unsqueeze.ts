import { axesOf, listArg, unknownDims } from "./args.ts";
import { modelError, unknownShape } from "./context.ts";
import { reshaped } from "./nd.ts";
import type { InferContext, OpDef } from "./op.ts";
import { note, onBpu, place, worded } from "./rules.ts";
import { foldedOnly, reshapeRanks } from "./rules_b.ts";
import { movementQuant } from "./lower/movement.ts";
import { runReshape } from "./movement_run.ts";

function target(c: InferContext): number[] {
  const { shape } = c.need(0);
  const axes = listArg(c, 1, "axes");
  if (axes === "absent") return modelError(c.node, "axes are missing");
  if (axes === "dynamic") {
    const n = c.need(1).shape[0] ?? -1;
    if (n < 0) unknownShape(c.node, "axes is not a constant");
    return unknownDims(shape.length + n);
  }
  const rank = shape.length + axes.length;
  const ones = new Set(axesOf(c.node, axes, rank));
  let at = 0;
  return Array.from({ length: rank }, (_, i) => ones.has(i) ? 1 : shape[at++]!);
}

/** Dimensions of 1 inserted. */
export const unsqueeze: OpDef = {
  op: "Unsqueeze",
  quant: movementQuant,
  run: runReshape,
  place: place(
    onBpu(
      "unstated",
      [note("converted to Reshape"), worded("same limits as Reshape", reshapeRanks)],
      [],
    ),
    foldedOnly,
  ),
  infer: (c) => [{ dtype: c.need(0).dtype, shape: target(c) }],
  fold(c) {
    const x = c.constant(0);
    if (x === undefined || listArg(c, 1, "axes") === "dynamic") return undefined;
    return [reshaped(x, target(c))];
  },
};
