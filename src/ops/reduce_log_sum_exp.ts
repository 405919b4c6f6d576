import { reduceOp, sumOf } from "./reduce.ts";
import { dtypeIn, everywhere, onCpu } from "./rules.ts";

/** Logarithm of the sum of exponentials. */
export const reduceLogSumExp = reduceOp({
  op: "ReduceLogSumExp",
  place: everywhere(onCpu(dtypeIn(["float", "double"]))),
  number(v, at, n) {
    let m = -Infinity;
    for (let i = at; i < at + n; i++) m = Math.max(m, v[i]!);
    // An infinite maximum would give NaN differences.
    if (!Number.isFinite(m)) return m;
    return m + Math.log(sumOf(v, at, n, (x) => Math.exp(x - m)));
  },
});
