import { fn } from "../../ir/function.ts";
import { intAttr } from "../../ir/graph.ts";
import type { Node } from "../../ir/graph.ts";
import type { TensorType } from "../../ir/tensor.ts";
import { conv, packConv } from "../../kernels/conv.ts";
import type { ConvShape, PackedConv } from "../../kernels/conv.ts";
import type { InferContext, OpDef, StepContext } from "../op.ts";
import { body, factor, requant64, settle, settleAttrs, split16 } from "./fragments.ts";
import { rangeOf, toType } from "./types.ts";
import { windowOf, windowOut } from "./window.ts";

const windowAttrs = ["pads:ints", "strides:ints", "dilations:ints", "group:int"];
const window = "{pads=@pads strides=@strides dilations=@dilations group=@group}";

/** acc through a float32 Conv: exact where every partial sum is an integer below 2^24. */
const floatSum = `xf=Cast(x){to=f32}; wf=Cast(w){to=f32}; a0=Conv(xf, wf)${window}; ` +
  "ad=Cast(a0){to=f64}; b3=Unsqueeze(b, i64:[1,2]); bd=Cast(b3){to=f64}; d=Add(ad, bd)";

/** acc in integers. */
const integerSum = `a0=ConvInteger(x, w)${window}; b3=Unsqueeze(b, i64:[1,2]); acc=Add(a0, b3); ` +
  "d=Cast(acc){to=f64}";

/** acc of int16 x in int64, through two float32 convolutions (exact where sum |w| * 255 <= 2^24). */
const floatSum16 = `xi=Cast(x){to=i32}; l=Mod(xi, i32:256); h0=Sub(xi, l); h=Div(h0, i32:256); ` +
  `hf=Cast(h){to=f32}; lf=Cast(l){to=f32}; wf=Cast(w){to=f32}; ah=Conv(hf, wf)${window}; ` +
  `al=Conv(lf, wf)${window}; ah64=Cast(ah){to=i64}; al64=Cast(al){to=i64}; ` +
  "ah2=Mul(ah64, i64:256); a1=Add(ah2, al64); b3=Unsqueeze(b, i64:[1,2]); b64=Cast(b3){to=i64}; " +
  "acc=Add(a1, b64)";

/** The same through two integer convolutions. */
const integerSum16 = `${split16("x", "sp")}; ah=ConvInteger(sp_hi, w)${window}; ` +
  `al=ConvInteger(sp_lo, w, i8:-128)${window}; ah64=Cast(ah){to=i64}; al64=Cast(al){to=i64}; ` +
  "ah2=Mul(ah64, i64:256); a1=Add(ah2, al64); b3=Unsqueeze(b, i64:[1,2]); b64=Cast(b3){to=i64}; " +
  "acc=Add(a1, b64)";

const scaleEach64 = "m3=Unsqueeze(m, i64:[1,2]); s3=Unsqueeze(s, i64:[1,2]); " +
  requant64("acc", "m3", "s3");

const scaleEach = "m3=Unsqueeze(m, i64:[1,2]); s3=Unsqueeze(s, i64:[1,2]); " +
  factor("k", "m3", "s3") + "; v=Mul(d, k)";

function infer(c: InferContext): TensorType[] {
  const x = c.need(0).shape, w = c.need(1).shape;
  const g = windowOf(c.node, [w[2]!, w[3]!]);
  return [{
    dtype: toType(c.node),
    shape: [
      x[0]!,
      w[0]!,
      windowOut(x[2]!, g.kernelH, g.strideH, g.padTop, g.padBottom, g.dilationH),
      windowOut(x[3]!, g.kernelW, g.strideW, g.padLeft, g.padRight, g.dilationW),
    ],
  }];
}

function shapeOf(c: StepContext, n: Node): ConvShape {
  const x = c.need(0).shape, y = c.output(0).shape, w = c.constant(1)!.shape;
  return {
    batch: x[0]!,
    inH: x[2]!,
    inW: x[3]!,
    inC: x[1]!,
    outC: y[1]!,
    outH: y[2]!,
    outW: y[3]!,
    group: intAttr(n, "group", 1),
    ...windowOf(n, [w[2]!, w[3]!]),
  };
}

function convOp(
  op: string,
  table: string,
  sum: string,
  accumulators: boolean,
  scale: string = scaleEach,
): OpDef {
  return {
    op,
    table,
    domain: "horizon",
    infer,
    body: accumulators
      ? fn(op, ["x", "w", "b"], ["y"], [...windowAttrs, ...settleAttrs], body(sum, settle("d")))
      : fn(
        op,
        ["x", "w", "b", "m", "s"],
        ["y"],
        [...windowAttrs, ...settleAttrs],
        body(sum, scale, settle("v")),
      ),
    packs: [1],
    prepare: (c) => packConv(c.arena, c.constant(1)!.data as Int8Array, shapeOf(c, c.node)),
    run(c, state) {
      const x = c.need(0);
      conv(c.arena, {
        x: x.ptr,
        y: c.output(0).ptr,
        packed: state as PackedConv,
        bias: c.need(2).ptr,
        multiplier: accumulators ? 0 : c.need(3).ptr,
        shift: accumulators ? 0 : c.need(4).ptr,
        shape: shapeOf(c, c.node),
        xType: x.dtype as "int8" | "int16",
        yType: toType(c.node),
        xZero: 0,
        yZero: 0,
        ...rangeOf(c.node),
        nonNegative: intAttr(c.node, "non_negative", 0) === 1,
      });
    },
    macs(c) {
      const w = c.need(1).shape, y = c.output(0).shape;
      return y.reduce((a, b) => a * b, 1) * w[1]! * w[2]! * w[3]!;
    },
  };
}

/**
 * int8 convolution with requantization (section 4): inputs x, w (OIHW), b, m, s. The plain name sums
 * in float32 (exact below 2^24, which the lowering proves), `Int` in integers, `Acc` hands out the
 * int32 accumulators.
 */
export const hzConv = convOp("HzSQuantizedConv", "HzSQuantizedConv", floatSum, false);
export const hzConvInt = convOp("HzSQuantizedConvInt", "HzSQuantizedConv", integerSum, false);
export const hzConvAcc = convOp("HzSQuantizedConvAcc", "HzSQuantizedConv", floatSum, true);
export const hzConvAccInt = convOp("HzSQuantizedConvAccInt", "HzSQuantizedConv", integerSum, true);
/** int16 activations, int8 weights. */
export const hzConv16 = convOp(
  "HzSQuantizedConvI16",
  "HzSQuantizedConv",
  floatSum16,
  false,
  scaleEach64,
);
export const hzConv16Int = convOp(
  "HzSQuantizedConvI16Int",
  "HzSQuantizedConv",
  integerSum16,
  false,
  scaleEach64,
);
/** The 1x1 convolution that holds colour conversion, mean and scale of an input. */
export const hzPreprocess = convOp(
  "HzSQuantizedPreprocess",
  "HzSQuantizedPreprocess",
  floatSum,
  false,
);
