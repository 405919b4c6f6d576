import { fn } from "../../ir/function.ts";
import type { OpDef } from "../op.ts";
import { body } from "./fragments.ts";

/**
 * Fake quantization of the calibrated stage: float32 in and out, rounded to the grid that the quantized
 * stage will use. Inputs x, scale (scalar, or one per channel shaped for broadcasting), zero. The
 * attributes threshold and method tell people where the scale came from.
 */
export const hzCalibration: OpDef = {
  op: "HzCalibration",
  domain: "horizon",
  infer: (c) => [{ dtype: "float32", shape: c.need(0).shape }],
  body: fn(
    "HzCalibration",
    ["x", "scale", "zero"],
    ["y"],
    ["qmin:int", "qmax:int"],
    body(
      "xd=Cast(x){to=f64}; sd=Cast(scale){to=f64}; q=Div(xd, sd); a=Abs(q); ah=Add(a, f64:0.5); " +
        "f=Floor(ah); sg=Sign(q); r=Mul(f, sg); zd=Cast(zero){to=f64}; rz=Add(r, zd); " +
        "l=Cast(@qmin){to=f64}; u=Cast(@qmax){to=f64}; c=Clip(rz, l, u); z=Sub(c, zd); " +
        "zf=Cast(z){to=f32}; y=Mul(zf, scale)",
    ),
  ),
};
