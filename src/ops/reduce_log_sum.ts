import { reduceOp, sumOf } from "./reduce.ts";
import { dtypeIn, onCpu, place } from "./rules.ts";

/** Logarithm of the sum. */
export const reduceLogSum = reduceOp({
  op: "ReduceLogSum",
  place: place(onCpu(), onCpu(dtypeIn(["float", "double"]))),
  number: (v, at, n) => Math.log(sumOf(v, at, n)),
});
