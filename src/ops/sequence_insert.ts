import { containerOp } from "./container.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** A sequence with one more element. */
export const sequenceInsert = containerOp("SequenceInsert", everywhere(notIntegrated()));
