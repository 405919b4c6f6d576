import { containerOp } from "./container.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** A tensor cut into a sequence. */
export const splitToSequence = containerOp("SplitToSequence", everywhere(notIntegrated()));
