import { bigSumOf, reduceOp, sumOf } from "./reduce.ts";
import { everywhere, onCpu } from "./rules.ts";

/** Sum of magnitudes. */
export const reduceL1 = reduceOp({
  op: "ReduceL1",
  place: everywhere(onCpu()),
  number: (v, at, n) => sumOf(v, at, n, Math.abs),
  big: (v, at, n) => bigSumOf(v, at, n, (x) => x < 0n ? -x : x),
});
