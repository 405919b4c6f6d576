import { tensor } from "../ir/tensor.ts";
import { given } from "./context.ts";
import type { OpDef } from "./op.ts";

/** Whether an optional value holds anything. */
export const optionalHasElement: OpDef = {
  op: "OptionalHasElement",
  infer: () => [{ dtype: "bool", shape: [] }],
  fold(c) {
    // Without an input there is nothing inside; a tensor that is known is its own element.
    if (!given(c, 0)) return [tensor("bool", [], Uint8Array.of(0))];
    return c.constant(0) && [tensor("bool", [], Uint8Array.of(1))];
  },
};
