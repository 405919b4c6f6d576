import { fn } from "../../ir/function.ts";
import { runPad } from "../movement_run.ts";
import type { OpDef } from "../op.ts";
import { numbersOf } from "../../ir/tensor.ts";

/** int16 Pad with a constant (stock runtimes have none): inputs x, pads, value. */
export const hzPad16: OpDef = {
  op: "HzPadI16",
  table: "HzPad",
  domain: "horizon",
  infer(c) {
    const { shape } = c.need(0);
    const pads = numbersOf(c.constant(1)!);
    return [{ dtype: "int16", shape: shape.map((d, i) => d + pads[i]! + pads[i + shape.length]!) }];
  },
  body: fn(
    "HzPadI16",
    ["x", "pads", "value"],
    ["y"],
    [],
    "xi=Cast(x){to=i32}; v=Cast(value){to=i32}; yp=Pad(xi, pads, v); y=Cast(yp){to=i16}",
  ),
  run: runPad,
};
