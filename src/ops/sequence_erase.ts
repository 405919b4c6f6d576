import { containerOp } from "./container.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** A sequence without one element. */
export const sequenceErase = containerOp("SequenceErase", everywhere(notIntegrated()));
