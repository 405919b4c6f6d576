import { fn } from "../../ir/function.ts";
import { intsAttr } from "../../ir/graph.ts";
import { byteSize, elementCount, stridesOf } from "../../ir/tensor.ts";
import { conv, packConv } from "../../kernels/conv.ts";
import type { ConvShape, PackedConv } from "../../kernels/conv.ts";
import { fill } from "../../kernels/copy.ts";
import type { InferContext, OpDef, StepContext } from "../op.ts";
import { body, factor, requant64, settle, settleAttrs, split16 } from "./fragments.ts";
import { forms, zeroAt } from "./forms.ts";
import type { Form } from "./forms.ts";
import { copyBox } from "./memory.ts";
import { rangeOf, toType } from "./types.ts";
import { windowOut } from "./window.ts";

const NAME = "HzSQuantizedConv3d";
const attrs = ["pads:ints", "strides:ints"];
const call = "{pads=@pads strides=@strides}";

const floatSum = (z: Form) =>
  `${z.minus("x", "xf", "x_zero", "f32")}; wf=Cast(w){to=f32}; a0=Conv(xf, wf)${call}; ` +
  "ad=Cast(a0){to=f64}; b3=Unsqueeze(b, i64:[1,2,3]); bd=Cast(b3){to=f64}; d=Add(ad, bd)";
const integerSum = (z: Form) =>
  (z.asym
    ? `xz=Cast(@x_zero){to=i8}; a0=ConvInteger(x, w, xz)${call}; `
    : `a0=ConvInteger(x, w)${call}; `) +
  "b3=Unsqueeze(b, i64:[1,2,3]); " +
  "acc=Add(a0, b3); d=Cast(acc){to=f64}";
const sum64 = "ah64=Cast(ah){to=i64}; al64=Cast(al){to=i64}; ah2=Mul(ah64, i64:256); " +
  "a1=Add(ah2, al64); b3=Unsqueeze(b, i64:[1,2,3]); b64=Cast(b3){to=i64}; acc=Add(a1, b64)";
const integerSum16 = () =>
  `${split16("x", "sp")}; ah=ConvInteger(sp_hi, w)${call}; ` +
  `al=ConvInteger(sp_lo, w, i8:-128)${call}; ${sum64}`;
const perChannel = "m3=Unsqueeze(m, i64:[1,2,3]); s3=Unsqueeze(s, i64:[1,2,3]); ";
const scaleEach = `${perChannel}${factor("k", "m3", "s3")}; v=Mul(d, k)`;
const scaleEach64 = perChannel + requant64("acc", "m3", "s3");

/** Output D, H and W. */
function outSize(c: InferContext, w: readonly number[]): number[] {
  const x = c.need(0).shape;
  const pads = intsAttr(c.node, "pads"), strides = intsAttr(c.node, "strides");
  return [0, 1, 2].map((i) =>
    windowOut(x[i + 2]!, w[i + 2]!, strides[i]!, pads[i]!, pads[i + 3]!, 1)
  );
}

/**
 * The same convolution in two dimensions: output depths are the batch, the taps along the depth are
 * more channels.
 */
function flatShape(c: InferContext): ConvShape {
  const [n, ch, , h, w] = c.need(0).shape as [number, number, number, number, number];
  const [o, , kd, kh, kw] = c.constant(1)!.shape as [number, number, number, number, number];
  const [outD, outH, outW] = outSize(c, [o, ch, kd, kh, kw]) as [number, number, number];
  const pads = intsAttr(c.node, "pads"), strides = intsAttr(c.node, "strides");
  return {
    batch: n * outD,
    inH: h,
    inW: w,
    inC: kd * ch,
    outC: o,
    outH,
    outW,
    kernelH: kh,
    kernelW: kw,
    strideH: strides[1]!,
    strideW: strides[2]!,
    padTop: pads[1]!,
    padLeft: pads[2]!,
    padBottom: pads[4]!,
    padRight: pads[5]!,
    dilationH: 1,
    dilationW: 1,
    group: 1,
  };
}

/** OIDHW weights as O (D I) H W. */
function flatWeights(w: Int8Array, shape: readonly number[]): Int8Array {
  const [o, ch, kd, kh, kw] = shape as [number, number, number, number, number];
  const out = new Int8Array(w.length);
  let k = 0;
  for (let a = 0; a < o; a++) {
    for (let d = 0; d < kd; d++) {
      for (let i = 0; i < ch; i++) {
        const from = ((a * ch + i) * kd + d) * kh * kw;
        for (let t = 0; t < kh * kw; t++) out[k++] = w[from + t]!;
      }
    }
  }
  return out;
}

/** [n * outD, h, w, kd * c] in scratch; taps outside of the input hold the zero point. */
function gatherDepths(c: StepContext): number {
  const x = c.need(0);
  const [n, ch, depth, h, w] = x.shape as [number, number, number, number, number];
  const shape = c.constant(1)!.shape, kd = shape[2]!;
  const [outD] = outSize(c, shape) as [number];
  const stride = intsAttr(c.node, "strides")[0]!, pad = intsAttr(c.node, "pads")[0]!;
  const bytes = byteSize(x.dtype), wide = kd * ch;
  const count = n * outD * h * w * wide;
  const ptr = c.arena.alloc(Math.max(1, count * bytes), 16);
  const value = zeroAt(c.node, "x_zero");
  fill(c.arena, { dst: ptr, n: count, elementBytes: bytes as 1 | 2, value });
  const [xn, xc, xd, xh, xw] = x.strides as [number, number, number, number, number];
  for (let k = 0; k < kd; k++) {
    const first = Math.max(0, Math.ceil((pad - k) / stride));
    const last = Math.min(outD - 1, Math.floor((depth - 1 + pad - k) / stride));
    if (last < first) continue;
    copyBox(
      c,
      [n, last - first + 1, h, w, ch],
      {
        ptr: x.ptr + (first * stride - pad + k) * xd * bytes,
        strides: [xn, stride * xd, xh, xw, xc],
      },
      {
        ptr: ptr + (first * h * w * wide + k * ch) * bytes,
        strides: [outD * h * w * wide, h * w * wide, w * wide, wide, 1],
      },
      x.dtype,
    );
  }
  return ptr;
}

function conv3d(name: string, sum: (z: Form) => string, scale: string | undefined): OpDef[] {
  const accumulators = scale === undefined;
  return forms(name, (op, z) => ({
    op,
    table: NAME,
    domain: "horizon",
    infer(c) {
      const w = c.need(1).shape;
      return [{ dtype: toType(c.node), shape: [c.need(0).shape[0]!, w[0]!, ...outSize(c, w)] }];
    },
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
    prepare(c) {
      const w = c.constant(1)!;
      return packConv(c.arena, flatWeights(w.data as Int8Array, w.shape), flatShape(c));
    },
    run(c, state) {
      const x = c.need(0), y = c.output(0);
      const mark = c.arena.mark();
      const shape = flatShape(c);
      const to = c.arena.alloc(Math.max(1, y.count * byteSize(y.dtype)), 16);
      conv(c.arena, {
        x: gatherDepths(c),
        y: to,
        packed: state as PackedConv,
        bias: c.need(2).ptr,
        multiplier: accumulators ? 0 : c.need(3).ptr,
        shift: accumulators ? 0 : c.need(4).ptr,
        shape,
        xType: x.dtype as "int8" | "int16",
        yType: toType(c.node),
        xZero: zeroAt(c.node, "x_zero"),
        yZero: zeroAt(c.node, "y_zero"),
        ...rangeOf(c.node),
      }, c.executor);
      const [n, o, d, h, w] = y.shape as [number, number, number, number, number];
      const [yn, yo, yd, yh, yw] = y.strides as [number, number, number, number, number];
      const dims = [n, d, h, w, o];
      copyBox(
        c,
        dims,
        { ptr: to, strides: stridesOf(dims) },
        { ptr: y.ptr, strides: [yn, yd, yh, yw, yo] },
        y.dtype,
      );
      c.arena.release(mark);
    },
    macs: (c) => elementCount(c.output(0).shape) * elementCount(c.need(1).shape.slice(1)),
  }));
}

/** Convolution over depth, height and width (section 4): inputs x, w (OIDHW), b, m, s; no groups. */
export const hzConv3d: readonly OpDef[] = [
  ...conv3d(NAME, floatSum, scaleEach),
  ...conv3d(`${NAME}Int`, integerSum, scaleEach),
  ...conv3d(`${NAME}Acc`, floatSum, undefined),
  ...conv3d(`${NAME}AccInt`, integerSum, undefined),
  ...conv3d(`${NAME}I16`, integerSum16, scaleEach64),
];
