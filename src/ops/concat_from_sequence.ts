import { containerOp } from "./container.ts";
import { everywhere, notIntegrated } from "./rules.ts";

export const concatFromSequence = containerOp("ConcatFromSequence", everywhere(notIntegrated()));
