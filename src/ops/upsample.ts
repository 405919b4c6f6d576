import { resizeBpu, resizeCpu } from "./resize_rules.ts";
import { resizeAs } from "./resize.ts";
import { both, onBpu, place } from "./rules.ts";
import type { OpDef } from "./op.ts";

const bpu = [both("handled as Resize", ...resizeBpu)];

/** Deprecated by ONNX since opset 10 in favour of Resize. */
export const upsample: OpDef = resizeAs(
  "Upsample",
  place(onBpu("unstated", bpu, resizeCpu, "sizes"), onBpu("no", bpu, resizeCpu)),
);
