import { bigSumOf, reduceOp, sumOf } from "./reduce.ts";
import { everywhere, onCpu } from "./rules.ts";
import { axesCount } from "./rules_b.ts";

/** Sum of squares. */
export const reduceSumSquare = reduceOp({
  op: "ReduceSumSquare",
  place: everywhere(onCpu(axesCount)),
  number: (v, at, n) => sumOf(v, at, n, (x) => x * x),
  big: (v, at, n) => bigSumOf(v, at, n, (x) => x * x),
});
