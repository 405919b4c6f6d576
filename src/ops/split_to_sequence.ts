import { containerOp } from "./container.ts";
import { everywhere, notIntegrated } from "./rules.ts";

export const splitToSequence = containerOp("SplitToSequence", everywhere(notIntegrated()));
