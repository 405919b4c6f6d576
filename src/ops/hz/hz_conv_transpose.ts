import { fn } from "../../ir/function.ts";
import { intAttr, intsAttr } from "../../ir/graph.ts";
import { packConvTranspose, planConvTranspose, runConv } from "../../kernels/conv.ts";
import type { ConvShape, PlannedConv } from "../../kernels/conv.ts";
import type { InferContext, OpDef } from "../op.ts";
import { body, factor, requant64, settle, settleAttrs, split16 } from "./fragments.ts";
import { forms, zeroAt } from "./forms.ts";
import type { Form } from "./forms.ts";
import { rangeOf, toType } from "./types.ts";

const NAME = "HzSQuantizedConvTranspose";
const attrs = ["strides:ints", "pads:ints", "output_padding:ints", "group:int"];
const call = "{strides=@strides pads=@pads output_padding=@output_padding group=@group}";

/** acc through float32, exact where every partial sum is an integer below 2^24. */
const floatSum = (z: Form) =>
  `${z.minus("x", "xf", "x_zero", "f32")}; wf=Cast(w){to=f32}; a0=ConvTranspose(xf, wf)${call}; ` +
  "ad=Cast(a0){to=f64}; b3=Unsqueeze(b, i64:[1,2]); bd=Cast(b3){to=f64}; d=Add(ad, bd)";

/**
 * Weights turned by half a turn and regrouped to [outC, inC / group, kh, kw], and the pads of the
 * convolution that does the same on the input with zeros between its pixels.
 */
const turned = "g=Unsqueeze(@group, i64:[0]); ws=Shape(w); kk=Slice(ws, i64:[2], i64:[4]); " +
  "og=Slice(ws, i64:[1], i64:[2]); " +
  "wr=Slice(w, i64:[-1,-1], i64:[-9223372036854775808,-9223372036854775808], i64:[2,3], i64:[-1,-1]); " +
  "ws5=Concat(g, i64:[-1], og, kk){axis=0}; w5=Reshape(wr, ws5); " +
  "w5t=Transpose(w5){perm=[0,2,1,3,4]}; oc=Mul(g, og); ws4=Concat(oc, i64:[-1], kk){axis=0}; " +
  "w4=Reshape(w5t, ws4); xs=Shape(x); nc=Slice(xs, i64:[0], i64:[2]); " +
  "hw=Slice(xs, i64:[2], i64:[4]); s1=Sub(@strides, i64:[1]); sh=Slice(s1, i64:[0], i64:[1]); " +
  "sw=Slice(s1, i64:[1], i64:[2]); zp=Concat(i64:[0,0,0,0,0,0,0,0,0], sh, i64:[0], sw){axis=0}; " +
  "hws=Mul(hw, @strides); ns=Concat(nc, hws){axis=0}; k1=Sub(kk, i64:[1]); " +
  "pa=Slice(@pads, i64:[0], i64:[2]); pb=Slice(@pads, i64:[2], i64:[4]); pl=Sub(k1, pa); " +
  "pr0=Sub(k1, pb); pr1=Add(pr0, @output_padding); pr=Sub(pr1, s1); " +
  "pp=Concat(i64:[0,0], pl, i64:[0,0], pr){axis=0}";

/** `out` = integer sums of `x` (int8 with the given zero point). */
const spread = (x: string, zero: string, out: string) =>
  `${out}6=Unsqueeze(${x}, i64:[3,5]); ${out}7=Pad(${out}6, zp, ${zero}); ` +
  `${out}8=Reshape(${out}7, ns); ${out}9=Pad(${out}8, pp, ${zero}); ` +
  `${out}=ConvInteger(${out}9, w4, ${zero}){group=@group}`;

const integerSum = (z: Form) =>
  `${turned}; ${z.asym ? "xz=Cast(@x_zero){to=i8}; " : ""}` +
  `${spread("x", z.asym ? "xz" : "i8:0", "a0")}; b3=Unsqueeze(b, i64:[1,2]); ` +
  "acc=Add(a0, b3); d=Cast(acc){to=f64}";

const sum64 = "ah64=Cast(ah){to=i64}; al64=Cast(al){to=i64}; ah2=Mul(ah64, i64:256); " +
  "a1=Add(ah2, al64); b3=Unsqueeze(b, i64:[1,2]); b64=Cast(b3){to=i64}; acc=Add(a1, b64)";

const floatSum16 = () =>
  `xi=Cast(x){to=i32}; l=Mod(xi, i32:256); h0=Sub(xi, l); h=Div(h0, i32:256); ` +
  `hf=Cast(h){to=f32}; lf=Cast(l){to=f32}; wf=Cast(w){to=f32}; ` +
  `ah=ConvTranspose(hf, wf)${call}; al=ConvTranspose(lf, wf)${call}; ${sum64}`;

const integerSum16 = () =>
  `${turned}; ${split16("x", "sp")}; ${spread("sp_hi", "i8:0", "ah")}; ` +
  `${spread("sp_lo", "i8:-128", "al")}; ${sum64}`;

const perChannel = "m3=Unsqueeze(m, i64:[1,2]); s3=Unsqueeze(s, i64:[1,2]); ";
const scaleEach = `${perChannel}${factor("k", "m3", "s3")}; v=Mul(d, k)`;
const scaleEach64 = perChannel + requant64("acc", "m3", "s3");

function outShape(c: InferContext): number[] {
  const x = c.need(0).shape, w = c.need(1).shape;
  const strides = intsAttr(c.node, "strides"), pads = intsAttr(c.node, "pads");
  const extra = intsAttr(c.node, "output_padding");
  const size = (i: number) =>
    strides[i]! * (x[i + 2]! - 1) + extra[i]! + w[i + 2]! - pads[i]! - pads[i + 2]!;
  return [x[0]!, w[1]! * intAttr(c.node, "group"), size(0), size(1)];
}

function shapeOf(c: InferContext): ConvShape {
  const x = c.need(0).shape, w = c.constant(1)!.shape, y = outShapeOf(c, w);
  const [strideH, strideW] = intsAttr(c.node, "strides");
  const [padTop, padLeft, padBottom, padRight] = intsAttr(c.node, "pads");
  return {
    batch: x[0]!,
    inH: x[2]!,
    inW: x[3]!,
    inC: x[1]!,
    outC: y[1]!,
    outH: y[2]!,
    outW: y[3]!,
    kernelH: w[2]!,
    kernelW: w[3]!,
    strideH: strideH!,
    strideW: strideW!,
    padTop: padTop!,
    padLeft: padLeft!,
    padBottom: padBottom!,
    padRight: padRight!,
    dilationH: 1,
    dilationW: 1,
    group: intAttr(c.node, "group"),
  };
}

const outShapeOf = (c: InferContext, w: readonly number[]): number[] =>
  outShape({ ...c, need: (i) => i === 1 ? { dtype: "int8", shape: w } : c.need(i) });

function transposed(name: string, sum: (z: Form) => string, scale: string | undefined): OpDef[] {
  const accumulators = scale === undefined;
  return forms(name, (op, z) => ({
    op,
    table: NAME,
    domain: "horizon",
    infer: (c) => [{ dtype: toType(c.node), shape: outShape(c) }],
    body: scale === undefined
      ? fn(
        op,
        ["x", "w", "b"],
        ["y"],
        [...attrs, ...settleAttrs, ...z.zeros("x_zero")],
        body(sum(z), settle("d")),
      )
      : fn(
        op,
        ["x", "w", "b", "m", "s"],
        ["y"],
        [...attrs, ...settleAttrs, ...z.zeros("x_zero", "y_zero")],
        body(sum(z), scale, z.settle("v")),
      ),
    packs: [1],
    // Views stay where they are, so the job is set up once.
    prepare(c) {
      const x = c.need(0), shape = shapeOf(c);
      return planConvTranspose(c.arena, {
        x: x.ptr,
        y: c.output(0).ptr,
        packed: packConvTranspose(c.arena, c.constant(1)!.data as Int8Array, shape),
        bias: c.need(2).ptr,
        multiplier: accumulators ? 0 : c.need(3).ptr,
        shift: accumulators ? 0 : c.need(4).ptr,
        shape,
        xType: x.dtype as "int8" | "int16",
        yType: toType(c.node),
        xZero: zeroAt(c.node, "x_zero"),
        yZero: zeroAt(c.node, "y_zero"),
        ...rangeOf(c.node),
      });
    },
    run: (c, state) => runConv(c.arena, state as PlannedConv, c.executor),
    macs(c) {
      const w = c.need(1).shape, x = c.need(0).shape;
      return x.reduce((a, b) => a * b, 1) * w[1]! * w[2]! * w[3]!;
    },
  }));
}

/**
 * Transposed convolution (section 4): inputs x, w [inC, outC / group, kh, kw], b, m, s. The plain name
 * sums in float32 (exact below 2^24), `Int` in integers, `Acc` hands out int32 accumulators, `I16` takes
 * int16 activations.
 */
export const hzConvTranspose: readonly OpDef[] = [
  ...transposed(NAME, floatSum, scaleEach),
  ...transposed(`${NAME}Int`, integerSum, scaleEach),
  ...transposed(`${NAME}Acc`, floatSum, undefined),
  ...transposed(`${NAME}AccInt`, integerSum, undefined),
  ...transposed(`${NAME}I16`, floatSum16, scaleEach64),
  ...transposed(`${NAME}I16Int`, integerSum16, scaleEach64),
];
