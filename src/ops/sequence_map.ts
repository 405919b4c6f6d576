import { containerOp } from "./container.ts";

/** A subgraph for each element of a sequence. */
export const sequenceMap = containerOp("SequenceMap");
