import { unknownShape } from "./context.ts";
import type { OpDef } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** The table's row for calls of model-local functions, which loading inlines. */
export const functionCall: OpDef = {
  op: "Function",
  place: everywhere(notIntegrated()),
  infer: (c) => unknownShape(c.node, "a function call has no type before it is inlined"),
};
