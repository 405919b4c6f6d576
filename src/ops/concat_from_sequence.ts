import { containerOp } from "./container.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** The elements of a sequence in one tensor. */
export const concatFromSequence = containerOp("ConcatFromSequence", everywhere(notIntegrated()));
