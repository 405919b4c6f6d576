import { bigSumOf, reduceOp, sumOf } from "./reduce.ts";
import { inputRankIn, onBpu, onCpu, place } from "./rules.ts";
import { axesCount, axesRequired, oneAxis } from "./rules_b.ts";
import { reduceSumQuant } from "./lower/reduce.ts";

/** Sum. */
export const reduceSum = reduceOp({
  op: "ReduceSum",
  quant: reduceSumQuant("HzSQuantizedReduceSum", false),
  place: place(
    onBpu("in+out", [inputRankIn(2, 5), axesRequired, oneAxis], [axesCount], "sizes"),
    onCpu(axesCount),
  ),
  number: (v, at, n) => sumOf(v, at, n),
  big: (v, at, n) => bigSumOf(v, at, n),
});
