import { containerOp } from "./container.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** A sequence of tensors. */
export const sequenceConstruct = containerOp("SequenceConstruct", everywhere(notIntegrated()));
