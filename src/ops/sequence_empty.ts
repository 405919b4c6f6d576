import { containerOp } from "./container.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** An empty sequence. */
export const sequenceEmpty = containerOp("SequenceEmpty", everywhere(notIntegrated()));
