import { axesOf, listArg, unknownDims } from "./args.ts";
import { unknownShape } from "./context.ts";
import { reshaped } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { note, onBpu, place, worded } from "./rules.ts";
import { foldedOnly, reshapeRanks } from "./rules_b.ts";
import { movementQuant } from "./lower/movement.ts";
import { runReshape } from "./movement_run.ts";

function target(c: InferContext): number[] {
  const { shape } = c.need(0);
  const axes = listArg(c, 1, "axes");
  if (axes === "dynamic") {
    const n = c.need(1).shape[0] ?? -1;
    if (n < 0) unknownShape(c.node, "axes is not a constant");
    return unknownDims(Math.max(0, shape.length - n));
  }
  if (axes === "absent") {
    if (shape.includes(-1)) {
      unknownShape(c.node, "without axes the rank depends on an unknown dimension");
    }
    return shape.filter((d) => d !== 1);
  }
  const drop = new Set(axesOf(c.node, axes, shape.length));
  for (const a of drop) {
    const d = shape[a]!;
    if (d !== 1 && d !== -1) shapeError(c.node, `dimension ${a} is ${d}, not 1`);
  }
  return shape.filter((_, i) => !drop.has(i));
}

/** Dimensions of 1 removed. */
export const squeeze: OpDef = {
  op: "Squeeze",
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
