import { containerOp } from "./container.ts";
import { everywhere, notIntegrated } from "./rules.ts";

export const sequenceInsert = containerOp("SequenceInsert", everywhere(notIntegrated()));
