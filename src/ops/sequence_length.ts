import type { OpDef } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** Number of elements of a sequence. */
export const sequenceLength: OpDef = {
  op: "SequenceLength",
  place: everywhere(notIntegrated()),
  infer: () => [{ dtype: "int64", shape: [] }],
};
