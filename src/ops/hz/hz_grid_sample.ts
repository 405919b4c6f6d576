import { fn } from "../../ir/function.ts";
import { intAttr } from "../../ir/graph.ts";
import type { OpDef, StepContext } from "../op.ts";
import { body, factor } from "./fragments.ts";
import { forms, zeroAt } from "./forms.ts";
import type { Form } from "./forms.ts";
import { integersAt, rowMajorOf, writeDensely } from "./memory.ts";

/** Positions have this many steps per pixel, like the weights of Resize. */
export const STEPS = 2 ** 11;

/** Largest position in steps that is kept apart from infinity. */
const FAR = 2 ** 30;

/**
 * Grid coordinates to pixel positions in steps of 2^-11: inputs grid [N,h,w,2], m (int32[2]),
 * s (int8[2]), offset (int32[2]), x before y; position = requant(grid; m, s) + offset, int32.
 */
export const hzGridPosition: readonly OpDef[] = forms("HzGridPosition", (op, z) => ({
  op,
  domain: "horizon",
  packs: [1, 2, 3],
  infer: (c) => [{ dtype: "int32", shape: c.need(0).shape }],
  body: fn(
    op,
    ["grid", "m", "s", "offset"],
    ["y"],
    z.zeros("x_zero"),
    body(
      factor("k", "m", "s"),
      z.minus("grid", "d", "x_zero", "f64"),
      "p=Mul(d, k); pa=Add(p, f64:0.5); f=Floor(pa); " +
        `o=Cast(offset){to=f64}; v=Add(f, o); c=Clip(v, f64:-${FAR}, f64:${FAR}); y=Cast(c){to=i32}`,
    ),
  ),
  run(c) {
    const g = c.need(0), y = c.output(0);
    const list = (i: number) => Array.from(c.constant(i)!.data as Int32Array, Number);
    const m = list(1), s = list(2), offset = list(3);
    const zero = zeroAt(c.node, "x_zero");
    const mark = c.arena.mark();
    const from = integersAt(c, rowMajorOf(c, g), g.count, g.dtype);
    writeDensely(c, y.shape, y, "int32", (ptr) => {
      const to = c.arena.i32(ptr, y.count);
      for (let i = 0; i < to.length; i++) {
        const k = i % 2;
        const v = Math.floor((from[i]! - zero) * (m[k]! * 2 ** -s[k]!) + 0.5) + offset[k]!;
        to[i] = Math.min(Math.max(v, -FAR), FAR);
      }
    });
    c.arena.release(mark);
  },
}));

/** Positions of the output, int32 [N,h,w,2] row-major, from an activation or a constant. */
function positionsOf(c: StepContext): Int32Array {
  const t = c.constant(1);
  if (t !== undefined) return t.data as Int32Array;
  const v = c.need(1);
  return c.arena.i32(rowMajorOf(c, v), v.count);
}

/** Calls `each` with the offsets of every output pixel: n, pixel, x and y position in steps. */
function pixels(
  c: StepContext,
  each: (n: number, pixel: number, px: number, py: number) => void,
): void {
  const y = c.output(0).shape, positions = positionsOf(c);
  const area = y[2]! * y[3]!;
  for (let n = 0, k = 0; n < y[0]!; n++) {
    for (let i = 0; i < area; i++, k += 2) each(n, i, positions[k]!, positions[k + 1]!);
  }
}

const outType: OpDef["infer"] = (c) => {
  const [n, ch] = c.need(0).shape, p = c.need(1).shape;
  return [{ dtype: c.need(0).dtype, shape: [n!, ch!, p[1]!, p[2]!] }];
};

/** Statements: `ix` and `iy` (int32 pixels) clamped to the picture, `in` whether they were inside. */
const inside = (z: Form, p: string) =>
  `${p}x1=Max(${p}x, i32:0); ${p}x2=Min(${p}x1, right); ${p}y1=Max(${p}y, i32:0); ` +
  `${p}y2=Min(${p}y1, bottom); ${p}ex=Equal(${p}x, ${p}x2); ${p}ey=Equal(${p}y, ${p}y2); ` +
  `${p}b=And(${p}ex, ${p}ey); ${p}i=Cast(${p}b){to=i32}; ${p}o=Max(${p}i, border); ` +
  `${p}n=Cast(${p}o){to=f64}; ${p}yu=Unsqueeze(${p}y2, i64:[-1]); ` +
  `${p}xu=Unsqueeze(${p}x2, i64:[-1]); ${p}yx=Concat(${p}yu, ${p}xu){axis=-1}; ` +
  `${p}l=Cast(${p}yx){to=i64}; ${p}g=GatherND(xt, ${p}l){batch_dims=1}; ` +
  `${
    z.minus(`${p}g`, `${p}f`, "x_zero", "f64")
  }; ${p}m=Unsqueeze(${p}n, i64:[-1]); ${p}v=Mul(${p}f, ${p}m)`;

const head = "xt=Transpose(x){perm=[0,2,3,1]}; border=Cast(@border){to=i32}; xs=Shape(x); " +
  "h64=Gather(xs, i64:2); w64=Gather(xs, i64:3); h32=Cast(h64){to=i32}; w32=Cast(w64){to=i32}; " +
  "bottom=Sub(h32, i32:1); right=Sub(w32, i32:1); px=Gather(p, i64:0){axis=3}; " +
  "py=Gather(p, i64:1){axis=3}";

/** Floor division of an int32 by 2^11 (Div truncates). */
const pixelOf = (p: string, out: string) =>
  `${out}r=Mod(${p}, i32:${STEPS}); ${out}d=Sub(${p}, ${out}r); ${out}=Div(${out}d, i32:${STEPS})`;

const tail = (z: Form, v: string) =>
  `u=Transpose(${v}){perm=[0,3,1,2]}; r_a=Add(u, f64:0.5); r_f=Floor(r_a); ` +
  (z.asym
    ? "r_z=Cast(@x_zero){to=f64}; r_s=Add(r_f, r_z); y=Cast(r_s){to=@to}"
    : "y=Cast(r_f){to=@to}");

const attrs = ["border:int", "to:int"];

/** `out` = the nearest pixel of a position, ties to the even one as in onnxruntime. */
const nearestTo = (p: string, out: string) =>
  `${out}_h=Add(${p}, i32:${STEPS / 2}); ${pixelOf(`${out}_h`, `${out}_u`)}; ` +
  `${out}_t=Mod(${p}, i32:${STEPS}); ${out}_q=Equal(${out}_t, i32:${STEPS / 2}); ` +
  `${out}_k=Cast(${out}_q){to=i32}; ${out}_w=Mod(${out}_u, i32:2); ${out}_z=Mul(${out}_k, ${out}_w); ` +
  `${out}=Sub(${out}_u, ${out}_z)`;

/** The same as a number. */
function nearestPixel(p: number): number {
  const up = Math.floor((p + STEPS / 2) / STEPS);
  const tie = (p - STEPS / 2) % STEPS === 0;
  return tie && up % 2 !== 0 ? up - 1 : up;
}

/** Pixels at positions, the nearest: inputs x, positions (int32 [N,h,w,2]). */
export const hzWarpNearest: readonly OpDef[] = forms("HzWarpNearest", (op, z) => ({
  op,
  table: "HzGridSample",
  domain: "horizon",
  infer: outType,
  body: fn(
    op,
    ["x", "p"],
    ["y"],
    [...attrs, ...z.zeros("x_zero")],
    body(
      head,
      nearestTo("px", "ax"),
      nearestTo("py", "ay"),
      inside(z, "a"),
      tail(z, "av"),
    ),
  ),
  run: (c) => warp(c, false),
}));

/** Pixels at positions, bilinear with weights of 11 bits and one rounding (section 8). */
export const hzWarpLinear: readonly OpDef[] = forms("HzWarpLinear", (op, z) => ({
  op,
  table: "HzGridSample",
  domain: "horizon",
  infer: outType,
  body: fn(
    op,
    ["x", "p"],
    ["y"],
    [...attrs, ...z.zeros("x_zero")],
    body(
      head,
      pixelOf("px", "ax"),
      pixelOf("py", "ay"),
      "bx=Add(ax, i32:1); by=Identity(ay); cx=Identity(ax); cy=Add(ay, i32:1); " +
        "ex=Add(ax, i32:1); ey=Add(ay, i32:1)",
      inside(z, "a"),
      inside(z, "b"),
      inside(z, "c"),
      inside(z, "e"),
      `fx0=Cast(axr){to=f64}; fy0=Cast(ayr){to=f64}; fx=Unsqueeze(fx0, i64:[-1]); ` +
        `fy=Unsqueeze(fy0, i64:[-1]); gx=Sub(f64:${STEPS}, fx); gy=Sub(f64:${STEPS}, fy); ` +
        "t0=Mul(av, gx); t1=Mul(bv, fx); t=Add(t0, t1); w0=Mul(cv, gx); w1=Mul(ev, fx); " +
        `w=Add(w0, w1); tt=Mul(t, gy); ww=Mul(w, fy); sum=Add(tt, ww); q=Div(sum, f64:${
          STEPS ** 2
        })`,
      tail(z, "q"),
    ),
  ),
  run: (c) => warp(c, true),
}));

function warp(c: StepContext, linear: boolean): void {
  const x = c.need(0), y = c.output(0);
  const [, ch, h, w] = x.shape as [number, number, number, number];
  const zero = zeroAt(c.node, "x_zero");
  const border = intAttr(c.node, "border") === 1;
  const mark = c.arena.mark();
  const [xn, xc, xh, xw] = x.strides as [number, number, number, number];
  const [yn, yc, yh, yw] = y.strides as [number, number, number, number];
  const reach = (v: typeof x) =>
    1 + v.shape.reduce((a, d, i) => a + Math.max(0, d - 1) * v.strides[i]!, 0);
  const from = integersAt(c, x.ptr, reach(x), x.dtype);
  const to = integersAt(c, y.ptr, reach(y), y.dtype);
  const width = y.shape[3]!;
  /** Offset of a pixel, or -1 where it counts as the zero point. */
  const offset = (n: number, iy: number, ix: number): number => {
    const cy = Math.min(Math.max(iy, 0), h - 1), cx = Math.min(Math.max(ix, 0), w - 1);
    return border || (cy === iy && cx === ix) ? n * xn + cy * xh + cx * xw : -1;
  };
  pixels(c, (n, pixel, px, py) => {
    const out = n * yn + Math.floor(pixel / width) * yh + pixel % width * yw;
    if (!linear) {
      const at = offset(n, nearestPixel(py), nearestPixel(px));
      for (let k = 0; k < ch; k++) to[out + k * yc] = at < 0 ? zero : from[at + k * xc]!;
      return;
    }
    const iy = Math.floor(py / STEPS), ix = Math.floor(px / STEPS);
    const fy = py - iy * STEPS, fx = px - ix * STEPS;
    const taps = [
      [offset(n, iy, ix), (STEPS - fy) * (STEPS - fx)],
      [offset(n, iy, ix + 1), (STEPS - fy) * fx],
      [offset(n, iy + 1, ix), fy * (STEPS - fx)],
      [offset(n, iy + 1, ix + 1), fy * fx],
    ] as const;
    for (let k = 0; k < ch; k++) {
      let sum = 0;
      for (const [at, weight] of taps) sum += (at < 0 ? zero : from[at + k * xc]!) * weight;
      to[out + k * yc] = Math.floor(sum / STEPS ** 2 + 0.5);
    }
  });
  c.arena.release(mark);
}
