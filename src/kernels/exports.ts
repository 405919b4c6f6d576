/**
 * The functions of the kernel modules. Arguments are byte offsets and integers; the wrappers beside this
 * file check them, nothing else may call these.
 *
 * @module
 */

type N = number;

/** core-as/index.ts. */
export interface CoreExports {
  // deno-fmt-ignore
  convGeneric(x: N, y: N, w: N, bias: N, mul: N, shift: N, g: N, xt: N, yt: N, xz: N, yz: N, lo: N, hi: N): void;
  badFactor(mul: N, shift: N, n: N): N;
  // deno-fmt-ignore
  channelTables(bias: N, mul: N, shift: N, groups: N, og: N, lanes: N, requantizes: N, best: N, outBias: N, outMul: N, modes: N): void;
  // deno-fmt-ignore
  floatTables(bias: N, mul: N, shift: N, sums: N, reach: N, groups: N, og: N, lanes: N, outMul: N, modes: N): void;
  maddOf(a: N, b: N, c: N): N;
  /** 1 when one of n int8 is negative. */
  anyNegative(x: N, n: N): N;
  packRight(b: N, dst: N, k: N, n: N, z: N): void;
  // deno-fmt-ignore
  binary(op: N, at: N, bt: N, yt: N, a: N, b: N, y: N, d: N, m1: N, m2: N, s: N, az: N, bz: N, yz: N, lo: N, hi: N): void;
  // deno-fmt-ignore
  requant(xt: N, yt: N, x: N, y: N, n: N, m: N, s: N, xz: N, yz: N, lo: N, hi: N): void;
  // deno-fmt-ignore
  prelu(xt: N, yt: N, x: N, y: N, outer: N, channels: N, inner: N, mPos: N, sPos: N, mNeg: N, sNeg: N, xz: N, yz: N, lo: N, hi: N, scratch: N): void;
  lut8(x: N, y: N, table: N, n: N): void;
  lut8to16(x: N, y: N, table: N, n: N): void;
  lut16(x: N, y: N, table: N, n: N): void;
  maxPool(t: N, x: N, y: N, g: N, lo: N, hi: N): void;
  // deno-fmt-ignore
  avgPool(xt: N, yt: N, x: N, y: N, g: N, mul: N, shift: N, includePad: N, xz: N, yz: N, lo: N, hi: N): void;
  // deno-fmt-ignore
  reduceSum(xt: N, yt: N, x: N, y: N, outer: N, reduce: N, inner: N, m: N, s: N, xz: N, yz: N, lo: N, hi: N): void;
  reduceExtreme(t: N, x: N, y: N, outer: N, reduce: N, inner: N, minimum: N): void;
  argExtreme(t: N, x: N, y: N, outer: N, reduce: N, inner: N, minimum: N, last: N): void;
  // deno-fmt-ignore
  softmax(yt: N, x: N, y: N, outer: N, reduce: N, inner: N, e: N, r: N, h: N, lo: N, hi: N, scratch: N): void;
  // deno-fmt-ignore
  layerNorm(xt: N, yt: N, x: N, y: N, rows: N, n: N, xz: N, mean: N, r: N, m: N, b: N, s: N, epsilon: N, yz: N, lo: N, hi: N, table: N): void;
  // deno-fmt-ignore
  resizeNearest(x: N, y: N, batch: N, inH: N, inW: N, outH: N, outW: N, bytes: N, ih: N, iw: N): void;
  // deno-fmt-ignore
  resizeLinear(t: N, x: N, y: N, batch: N, inH: N, inW: N, outH: N, outW: N, c: N, h0: N, h1: N, wh: N, w0: N, w1: N, ww: N): void;
  copyStrided(src: N, dst: N, d: N, bytes: N, depth: N): void;
  fill(dst: N, n: N, bytes: N, lo: N, hi: N): void;
  // deno-fmt-ignore
  quantizeF32(x: N, y: N, yt: N, outer: N, channels: N, scales: N, perChannel: N, z: N, lo: N, hi: N, even: N): void;
  dequantizeF32(x: N, xt: N, y: N, outer: N, channels: N, scales: N, perChannel: N, z: N): void;
  // deno-fmt-ignore
  fakeQuantizeF32(x: N, y: N, outer: N, channels: N, scales: N, perChannel: N, z: N, lo: N, hi: N, even: N): void;
  absmaxF32(x: N, n: N): N;
  minmaxF32(x: N, n: N, out: N): void;
  /** 1 when a value is NaN or infinite. */
  rowRangesF32(x: N, rows: N, inner: N, out: N): N;
  channelRangesF32(x: N, pixels: N, channels: N, out: N): N;
  tallyF32(x: N, n: N, stride: N, scale: N, table: N, shift: N, out: N): void;
  foldTables(table: N, n: N, shift: N): void;
  lnTable(at: N): void;
  klCurve(h: N, n: N, levels: N, empty: N, table: N, work: N, out: N): void;
  compareF32(a: N, b: N, n: N, out: N): void;
  nv12ToRgb(x: N, y: N, width: N, height: N, k: N, swap: N): void;
  nv12ToYuv444(x: N, y: N, width: N, height: N, flip: N): void;
  flipSign(x: N, y: N, n: N): void;
  rgbToYuv(x: N, y: N, n: N, k: N, swap: N, flip: N): void;
  rgbToYuvF32(x: N, y: N, n: N, k: N, swap: N): void;
  rgbToGray(x: N, y: N, n: N, k: N, swap: N, flip: N): void;
  rgbToGrayF32(x: N, y: N, n: N, k: N, swap: N): void;
  yuvToRgb(x: N, y: N, n: N, k: N, swap: N, flipIn: N, flip: N): void;
  yuvToRgbF32(x: N, y: N, n: N, k: N, swap: N): void;
  rgbToNv12(x: N, y: N, width: N, height: N, k: N, swap: N, flip: N): void;
  planes3(x: N, y: N, n: N): void;
  planes3F32(x: N, y: N, n: N): void;
  pixels3(x: N, y: N, n: N): void;
  pixels3F32(x: N, y: N, n: N): void;
  swap3(x: N, y: N, n: N): void;
  swap3F32(x: N, y: N, n: N): void;
  repeat3(x: N, y: N, n: N): void;
  repeat3F32(x: N, y: N, n: N): void;
  // deno-fmt-ignore
  splineAlong(x: N, y: N, work: N, blocks: N, from: N, to: N, step: N, radius: N, mirrors: N, kernel: N, total: N, taps: N, index: N, weight: N, poles: N, poleCount: N): void;
  // deno-fmt-ignore
  resizeAcross(x: N, y: N, rows: N, inRow: N, outW: N, c: N, taps: N, index: N, weight: N): void;
  // deno-fmt-ignore
  resizeAcrossF32(x: N, y: N, rows: N, inRow: N, outW: N, c: N, taps: N, index: N, weight: N): void;
  resizeDown(x: N, y: N, outH: N, row: N, taps: N, index: N, weight: N): void;
  resizeDownF32(x: N, y: N, outH: N, row: N, taps: N, index: N, weight: N): void;
  packRightF32(b: N, dst: N, k: N, n: N): void;
  // deno-fmt-ignore
  binaryF32(op: N, a: N, aRow: N, aStep: N, b: N, bRow: N, bStep: N, y: N, rows: N, n: N): void;
  unaryF32(op: N, x: N, y: N, n: N, alpha: N, beta: N): void;
  maxPoolF32(x: N, y: N, g: N): void;
  avgPoolF32(x: N, y: N, g: N, includePad: N): void;
  // deno-fmt-ignore
  resizeLinearF32(x: N, y: N, batch: N, inH: N, inW: N, outH: N, outW: N, c: N, h0: N, h1: N, wh: N, w0: N, w1: N, ww: N): void;
  reduceF32(op: N, x: N, y: N, outer: N, reduce: N, inner: N, scale: N): void;
  copyRowsF32(src: N, dst: N, d: N, depth: N): void;
  // deno-fmt-ignore
  normalizeF32(x: N, y: N, rows: N, n: N, scale: N, shift: N, epsilon: N, centred: N): void;
  softmaxF32(x: N, y: N, outer: N, reduce: N, inner: N): void;
}

/** core-as/micro. */
export interface MicroExports {
  denseStrip(g: N, strip: N, scratch: N): void;
  depthwise(g: N, strip: N, firstPlane: N, scratch: N): void;
  /** n passes of 8 dots on 4 lanes from registers; for the benches. */
  peakDot(n: N, out: N): void;
  peakRelaxed(n: N, out: N): void;
  densePanels(g: N, strip: N, scratch: N, from: N, to: N): void;
  /** k: lower and upper limit, 4 lanes each. */
  depthwiseF32(x: N, y: N, w: N, bias: N, g: N, k: N): void;
}
