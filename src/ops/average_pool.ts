import type { OpDef } from "./op.ts";
import { needFloat, pooled, windowMacs } from "./pool.ts";
import { inputRank, kernelHW, noAutoPad, onBpu, padsHW, place, strideHW } from "./rules.ts";
import { averagePoolQuant } from "./lower/pool.ts";

const cpu = [noAutoPad(), inputRank(4)];

/** Mean of each window. */
export const averagePool: OpDef = {
  op: "AveragePool",
  quant: averagePoolQuant,
  infer(c) {
    needFloat(c);
    return [pooled(c)];
  },
  place: place(
    onBpu(
      "unstated",
      [
        kernelHW(undefined, 256),
        strideHW(undefined, 256),
        padsHW(undefined, 256, "pads H,W <= 256"),
      ],
      cpu,
      "rank4",
    ),
    onBpu("no", [kernelHW(1, 7), strideHW(1, 185)], cpu),
  ),
  macs: windowMacs,
};
