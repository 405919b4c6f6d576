import { containerOp } from "./container.ts";
import { everywhere, notIntegrated } from "./rules.ts";

export const sequenceConstruct = containerOp("SequenceConstruct", everywhere(notIntegrated()));
