import { containerOp } from "./container.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** One element of a sequence. */
export const sequenceAt = containerOp("SequenceAt", everywhere(notIntegrated()));
