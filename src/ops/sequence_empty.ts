import { containerOp } from "./container.ts";
import { everywhere, notIntegrated } from "./rules.ts";

export const sequenceEmpty = containerOp("SequenceEmpty", everywhere(notIntegrated()));
