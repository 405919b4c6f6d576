import { fn } from "../../ir/function.ts";
import { intAttr, type Node } from "../../ir/graph.ts";
import { elementCount, type Tensor } from "../../ir/tensor.ts";
import { quantizeValue } from "../arithmetic.ts";
import type { OpDef } from "../op.ts";
import { body } from "./fragments.ts";

/** The value of an HzCalibration node whose inputs are constants. */
export function calibrated(node: Node, x: Tensor, scale: Tensor, zero: Tensor): Tensor {
  const scales = scale.data as Float32Array, z = Number(zero.data[0]);
  const low = intAttr(node, "qmin", 0), high = intAttr(node, "qmax", 0);
  // A scale per channel has that channel's axis as the only one that is not 1.
  const axis = Math.max(0, scale.shape.findIndex((d) => d === scales.length));
  const inner = scales.length === 1 ? x.data.length : elementCount(x.shape.slice(axis + 1));
  const data = (x.data as Float32Array).map((v, i) => {
    const s = scales[Math.floor(i / inner) % scales.length]!;
    return Math.fround(quantizeValue(v, s, z, low, high) - z) * s;
  });
  return { dtype: "float32", shape: x.shape, data };
}

/**
 * Fake quantization of the calibrated stage: float32 in and out, rounded to the grid that the quantized
 * stage will use. Inputs x, scale (scalar, or one per channel shaped for broadcasting), zero. The
 * attributes threshold and method tell people where the scale came from.
 */
export const hzCalibration: OpDef = {
  op: "HzCalibration",
  domain: "horizon",
  infer: (c) => [{ dtype: "float32", shape: c.need(0).shape }],
  fold(c) {
    const [x, scale, zero] = [c.constant(0), c.constant(1), c.constant(2)];
    if (!(x?.data instanceof Float32Array) || scale === undefined || zero === undefined) return;
    return [calibrated(c.node, x, scale, zero)];
  },
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
