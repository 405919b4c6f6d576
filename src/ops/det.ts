import { unify } from "./args.ts";
import { type OpDef, shapeError } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** Determinants of the last two axes. */
export const det: OpDef = {
  op: "Det",
  place: everywhere(notIntegrated()),
  infer(c) {
    const { dtype, shape } = c.need(0);
    if (shape.length < 2) shapeError(c.node, "the input must have rank 2 or more");
    unify(c.node, shape.at(-1)!, shape.at(-2)!, "the matrices must be square");
    return [{ dtype, shape: shape.slice(0, -2) }];
  },
};
