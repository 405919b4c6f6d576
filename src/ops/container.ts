/**
 * Sequences and optional values: they are not tensors, so no type can be given for them. The
 * operators are known, so that placement can refuse them by name.
 *
 * @module
 */

import { unknownShape } from "./context.ts";
import type { OpDef } from "./op.ts";

/** An operator whose output is a sequence or an optional, or an element of one. */
export function containerOp(
  op: string,
  place?: OpDef["place"],
): OpDef {
  return {
    op,
    place,
    infer: (c) => unknownShape(c.node, "sequences and optional values have no tensor type"),
  };
}
