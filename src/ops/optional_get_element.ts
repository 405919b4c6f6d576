import type { OpDef } from "./op.ts";

/** What an optional value holds. */
export const optionalGetElement: OpDef = {
  op: "OptionalGetElement",
  // A tensor is its own element; any other optional has no tensor type.
  infer(c) {
    const { dtype, shape } = c.need(0);
    return [{ dtype, shape }];
  },
  fold(c) {
    const x = c.constant(0);
    return x && [x];
  },
};
