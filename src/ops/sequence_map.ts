import { containerOp } from "./container.ts";

export const sequenceMap = containerOp("SequenceMap");
