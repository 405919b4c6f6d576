import { reduceOp } from "./reduce.ts";
import { everywhere, onCpu } from "./rules.ts";
import { reduceExtremeQuant } from "./lower/reduce.ts";

/** Smallest element. */
export const reduceMin = reduceOp({
  op: "ReduceMin",
  quant: reduceExtremeQuant("HzQuantizedReduceMin"),
  place: everywhere(onCpu()),
  number(v, at, n) {
    let m = Infinity;
    for (let i = at; i < at + n; i++) m = Math.min(m, v[i]!);
    return m;
  },
  big(v, at, n) {
    let m = n === 0 ? (1n << 63n) - 1n : v[at]!;
    for (let i = at; i < at + n; i++) if (v[i]! < m) m = v[i]!;
    return m;
  },
});
