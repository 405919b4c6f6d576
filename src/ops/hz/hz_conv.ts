import { fn } from "../../ir/function.ts";
import { intAttr } from "../../ir/graph.ts";
import type { Node } from "../../ir/graph.ts";
import type { TensorType } from "../../ir/tensor.ts";
import { packConv, planConv, runConv } from "../../kernels/conv.ts";
import type { ConvShape, PlannedConv } from "../../kernels/conv.ts";
import type { InferContext, OpDef, StepContext } from "../op.ts";
import { body, factor, requant64, settle, settleAttrs, split16 } from "./fragments.ts";
import { forms, zeroAt } from "./forms.ts";
import type { Form } from "./forms.ts";
import { rangeOf, toType } from "./types.ts";
import { rowMajorOf } from "./memory.ts";
import { windowOf, windowOut } from "./window.ts";

const windowAttrs = ["pads:ints", "strides:ints", "dilations:ints", "group:int"];
const window = "{pads=@pads strides=@strides dilations=@dilations group=@group}";

/** acc through a float32 Conv: exact where every partial sum is an integer below 2^24. */
const floatSum = (z: Form) =>
  `${z.minus("x", "xf", "x_zero", "f32")}; wf=Cast(w){to=f32}; a0=Conv(xf, wf)${window}; ` +
  "ad=Cast(a0){to=f64}; b3=Unsqueeze(b, i64:[1,2]); bd=Cast(b3){to=f64}; d=Add(ad, bd)";

/** acc in integers; ConvInteger pads with the zero point. */
const integerSum = (z: Form) =>
  (z.asym
    ? `xz=Cast(@x_zero){to=i8}; a0=ConvInteger(x, w, xz)${window}; `
    : `a0=ConvInteger(x, w)${window}; `) +
  "b3=Unsqueeze(b, i64:[1,2]); acc=Add(a0, b3); " +
  "d=Cast(acc){to=f64}";

/** acc of int16 x in int64, through two float32 convolutions (exact where sum |w| * 255 <= 2^24). */
const floatSum16 = () =>
  `xi=Cast(x){to=i32}; l=Mod(xi, i32:256); h0=Sub(xi, l); h=Div(h0, i32:256); ` +
  `hf=Cast(h){to=f32}; lf=Cast(l){to=f32}; wf=Cast(w){to=f32}; ah=Conv(hf, wf)${window}; ` +
  `al=Conv(lf, wf)${window}; ah64=Cast(ah){to=i64}; al64=Cast(al){to=i64}; ` +
  "ah2=Mul(ah64, i64:256); a1=Add(ah2, al64); b3=Unsqueeze(b, i64:[1,2]); b64=Cast(b3){to=i64}; " +
  "acc=Add(a1, b64)";

/** The same through two integer convolutions. */
const integerSum16 = () =>
  `${split16("x", "sp")}; ah=ConvInteger(sp_hi, w)${window}; ` +
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
  const x = c.need(0).shape, y = c.output(0).shape, w = (c.constant(1) ?? c.need(1)).shape;
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

function plan(c: StepContext, weight: Int8Array, accumulators: boolean): PlannedConv {
  const x = c.need(0), shape = shapeOf(c, c.node);
  return planConv(c.arena, {
    x: x.ptr,
    y: c.output(0).ptr,
    packed: packConv(c.arena, weight, shape),
    bias: c.need(2).ptr,
    multiplier: accumulators ? 0 : c.need(3).ptr,
    shift: accumulators ? 0 : c.need(4).ptr,
    shape,
    xType: x.dtype as "int8" | "int16",
    yType: toType(c.node),
    xZero: zeroAt(c.node, "x_zero"),
    yZero: zeroAt(c.node, "y_zero"),
    ...rangeOf(c.node),
    // x - z_x may be negative where no x is.
    nonNegative: intAttr(c.node, "non_negative", 0) === 1 && zeroAt(c.node, "x_zero") === 0,
  });
}

function convOp(
  name: string,
  table: string,
  sum: (z: Form) => string,
  accumulators: boolean,
  scale: string = scaleEach,
): OpDef[] {
  return forms(name, (op, z) => ({
    op,
    table,
    domain: "horizon",
    infer,
    body: accumulators
      ? fn(
        op,
        ["x", "w", "b"],
        ["y"],
        [...windowAttrs, ...settleAttrs, ...z.zeros("x_zero")],
        body(sum(z), settle("d")),
      )
      : fn(
        op,
        ["x", "w", "b", "m", "s"],
        ["y"],
        [...windowAttrs, ...settleAttrs, ...z.zeros("x_zero", "y_zero")],
        body(sum(z), scale, z.settle("v")),
      ),
    packs: [1],
    // Views stay where they are, so the job is set up once; computed weights are packed at every run.
    prepare(c) {
      const weight = c.constant(1);
      return weight === undefined ? undefined : plan(c, weight.data as Int8Array, accumulators);
    },
    run(c, state) {
      if (state !== undefined) {
        runConv(c.arena, state as PlannedConv, c.executor);
        return;
      }
      const mark = c.arena.mark(), w = c.need(1);
      const weight = c.arena.i8(rowMajorOf(c, w), w.count).slice();
      runConv(c.arena, plan(c, weight, accumulators), c.executor);
      c.arena.release(mark);
    },
    macs(c) {
      const w = c.need(1).shape, y = c.output(0).shape;
      return y.reduce((a, b) => a * b, 1) * w[1]! * w[2]! * w[3]!;
    },
  }));
}

const plain = "HzSQuantizedConv";

/**
 * Convolution with requantization (section 4): inputs x, w (OIHW), b, m, s. The plain name sums in
 * float32 (exact below 2^24, which the lowering proves), `Int` in integers, `Acc` hands out the int32
 * accumulators, `I16` takes int16 activations. `HzSQuantizedPreprocess` is the 1x1 convolution that
 * holds colour conversion, mean and scale of an input.
 */
export const hzConv: readonly OpDef[] = [
  ...convOp(plain, plain, floatSum, false),
  ...convOp(`${plain}Int`, plain, integerSum, false),
  ...convOp(`${plain}Acc`, plain, floatSum, true),
  ...convOp(`${plain}AccInt`, plain, integerSum, true),
  ...convOp(`${plain}I16`, plain, floatSum16, false, scaleEach64),
  ...convOp(`${plain}I16Int`, plain, integerSum16, false, scaleEach64),
  ...convOp("HzSQuantizedPreprocess", "HzSQuantizedPreprocess", floatSum, false),
];
