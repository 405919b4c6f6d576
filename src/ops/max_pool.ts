import type { OpDef } from "./op.ts";
import { pooled, windowMacs } from "./pool.ts";
import {
  attrOneOf,
  inputRank,
  kernelHW,
  noAutoPad,
  noDilations,
  onBpu,
  padsHW,
  place,
  strideHW,
} from "./rules.ts";
import { maxPoolQuant } from "./lower/pool.ts";

const cpu = [
  noDilations("dilations (1,1) only"),
  attrOneOf("storage_order", [0], 0, "row-major storage only"),
  noAutoPad(),
  attrOneOf("storage_order", [0], 0, "storage_order unsupported"),
  inputRank(4),
];

/** Largest element of each window; output 1 (optional) has the flat indices. */
export const maxPool: OpDef = {
  op: "MaxPool",
  quant: maxPoolQuant,
  infer(c) {
    const y = pooled(c);
    return (c.node.outputs[1] ?? "") === "" ? [y] : [y, { dtype: "int64", shape: y.shape }];
  },
  place: place(
    onBpu(
      "in+out",
      [
        kernelHW(undefined, 256),
        strideHW(undefined, 256),
        padsHW(undefined, 256, "pads H,W <= 256"),
        noDilations("dilations unsupported"),
      ],
      cpu,
      "rank4",
    ),
    onBpu("no", [
      kernelHW(1, 64),
      strideHW(1, 185),
      padsHW(0, undefined, "pads >= 0"),
      noDilations("dilations unsupported"),
    ], cpu),
  ),
  macs: windowMacs,
};
