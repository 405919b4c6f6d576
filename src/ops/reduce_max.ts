import { reduceOp } from "./reduce.ts";
import { attrOneOf, inputRankIn, onBpu, onCpu, place } from "./rules.ts";
import { axesCount, axesRequired, oneAxis, reducedSize } from "./rules_b.ts";
import { reduceExtremeQuant } from "./lower/reduce.ts";

/** Largest element. */
export const reduceMax = reduceOp({
  op: "ReduceMax",
  quant: reduceExtremeQuant("HzQuantizedReduceMax"),
  place: place(
    onBpu(
      "in+out",
      [
        inputRankIn(2, 5),
        axesRequired,
        oneAxis,
        reducedSize,
        attrOneOf("keepdims", [1], 1),
      ],
      [axesCount],
      "sizes",
    ),
    onCpu(axesCount),
  ),
  number(v, at, n) {
    let m = -Infinity;
    for (let i = at; i < at + n; i++) m = Math.max(m, v[i]!);
    return m;
  },
  big(v, at, n) {
    let m = n === 0 ? -(1n << 63n) : v[at]!;
    for (let i = at; i < at + n; i++) if (v[i]! > m) m = v[i]!;
    return m;
  },
});
