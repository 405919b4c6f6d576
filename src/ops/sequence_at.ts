import { containerOp } from "./container.ts";
import { everywhere, notIntegrated } from "./rules.ts";

export const sequenceAt = containerOp("SequenceAt", everywhere(notIntegrated()));
