import { bigSumOf, reduceOp, sumOf } from "./reduce.ts";
import { attrOneOf, inputRank, inputRankIn, onBpu, place } from "./rules.ts";
import { axesCount, axesHW, axesRequired, oneAxisOrHW } from "./rules_b.ts";
import { reduceSumQuant } from "./lower/reduce.ts";

/** Mean. */
export const reduceMean = reduceOp({
  op: "ReduceMean",
  quant: reduceSumQuant("HzSQuantizedReduceMean", true),
  place: place(
    onBpu(
      "in+out",
      [inputRankIn(2, 5), axesRequired, oneAxisOrHW, attrOneOf("keepdims", [1], 1)],
      [axesCount],
      "sizes",
    ),
    onBpu("no", [inputRank(4), axesHW], [axesCount]),
  ),
  number: (v, at, n) => sumOf(v, at, n) / n,
  big: (v, at, n) => n === 0 ? 0n : bigSumOf(v, at, n) / BigInt(n),
});
