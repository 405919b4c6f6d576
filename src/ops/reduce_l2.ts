import { reduceOp, sumOf } from "./reduce.ts";
import { everywhere, onCpu } from "./rules.ts";

/** Root of the sum of squares. */
export const reduceL2 = reduceOp({
  op: "ReduceL2",
  place: everywhere(onCpu()),
  number: (v, at, n) => Math.sqrt(sumOf(v, at, n, (x) => x * x)),
});
