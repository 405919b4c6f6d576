import { containerOp } from "./container.ts";
import { everywhere, notIntegrated } from "./rules.ts";

export const sequenceErase = containerOp("SequenceErase", everywhere(notIntegrated()));
