import { alongAxis } from "./normalised.ts";
import type { OpDef } from "./op.ts";
import { dtypeFloat, everywhere, onCpu } from "./rules.ts";

/** Logarithm of Softmax along one axis. */
export const logSoftmax: OpDef = alongAxis(
  "LogSoftmax",
  () => (line) => {
    let top = -Infinity;
    for (const v of line) if (v > top) top = v;
    let sum = 0;
    for (const v of line) sum += Math.exp(v - top);
    const shift = top + Math.log(sum);
    for (let i = 0; i < line.length; i++) line[i]! -= shift;
  },
  everywhere(onCpu(dtypeFloat)),
);
