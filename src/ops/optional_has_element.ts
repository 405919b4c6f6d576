import type { OpDef } from "./op.ts";

export const optionalHasElement: OpDef = {
  op: "OptionalHasElement",
  infer: () => [{ dtype: "bool", shape: [] }],
};
