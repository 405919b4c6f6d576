// float32 reductions and softmax over [outer][reduce][inner].
import { exp4 } from "./float_math";

// @ts-ignore: decorator
@inline
function join(op: i32, a: v128, b: v128): v128 {
  if (op == 0) return f32x4.add(a, b);
  return op == 1 ? f32x4.pmax(a, b) : f32x4.pmin(a, b);
}

// @ts-ignore: decorator
@inline
function first(op: i32): v128 {
  return op == 0 ? f32x4.splat(0) : op == 1 ? f32x4.splat(-Infinity) : f32x4.splat(Infinity);
}

// @ts-ignore: decorator
@inline
function across(op: i32, v: v128): v128 {
  v = join(op, v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  return join(op, v, i32x4.shuffle(v, v, 1, 0, 3, 2));
}

// All lanes hold the reduction of n neighbours.
// @ts-ignore: decorator
@inline
function along(op: i32, x: usize, n: usize): v128 {
  let s0 = first(op), s1 = s0, s2 = s0, s3 = s0, i: usize = 0;
  for (; i + 16 <= n; i += 16, x += 64) {
    s0 = join(op, s0, v128.load(x));
    s1 = join(op, s1, v128.load(x, 16));
    s2 = join(op, s2, v128.load(x, 32));
    s3 = join(op, s3, v128.load(x, 48));
  }
  for (; i + 4 <= n; i += 4, x += 16) s0 = join(op, s0, v128.load(x));
  let v = across(op, join(op, join(op, s0, s1), join(op, s2, s3)));
  for (; i < n; i++, x += 4) v = join(op, v, v128.load32_splat(x));
  return v;
}

// @ts-ignore: decorator
@inline
function run(op: i32, x: usize, y: usize, outer: usize, reduce: usize, inner: usize, scale: v128): void {
  const line = inner << 2;
  for (let o: usize = 0; o < outer; o++, x += reduce * line) {
    if (inner == 1) {
      v128.store32_lane(y, f32x4.div(along(op, x, reduce), scale), 0);
      y += 4;
      continue;
    }
    let c: usize = 0;
    for (; c + 64 <= line; c += 64, y += 64) {
      let s0 = first(op), s1 = s0, s2 = s0, s3 = s0, p = x + c;
      for (let r: usize = 0; r < reduce; r++, p += line) {
        s0 = join(op, s0, v128.load(p));
        s1 = join(op, s1, v128.load(p, 16));
        s2 = join(op, s2, v128.load(p, 32));
        s3 = join(op, s3, v128.load(p, 48));
      }
      v128.store(y, f32x4.div(s0, scale));
      v128.store(y, f32x4.div(s1, scale), 16);
      v128.store(y, f32x4.div(s2, scale), 32);
      v128.store(y, f32x4.div(s3, scale), 48);
    }
    for (; c < line; c += 4, y += 4) {
      let s = first(op), p = x + c;
      for (let r: usize = 0; r < reduce; r++, p += line) s = join(op, s, v128.load32_splat(p));
      v128.store32_lane(y, f32x4.div(s, scale), 0);
    }
  }
}

// op: 0 sum, 1 max, 2 min; the result is divided by `scale`.
export function reduceF32(op: i32, x: usize, y: usize, outer: usize, reduce: usize, inner: usize, scale: f32): void {
  const s = f32x4.splat(scale);
  if (op == 0) run(0, x, y, outer, reduce, inner, s);
  else if (op == 1) run(1, x, y, outer, reduce, inner, s);
  else run(2, x, y, outer, reduce, inner, s);
}

// y may be x.
export function softmaxF32(x: usize, y: usize, outer: usize, reduce: usize, inner: usize): void {
  const line = inner << 2;
  for (let o: usize = 0; o < outer; o++, x += reduce * line, y += reduce * line) {
    if (inner == 1) {
      const top = along(1, x, reduce);
      let s = f32x4.splat(0), i: usize = 0;
      for (; i + 4 <= reduce; i += 4) {
        const e = exp4(f32x4.sub(v128.load(x + (i << 2)), top));
        v128.store(y + (i << 2), e);
        s = f32x4.add(s, e);
      }
      s = across(0, s);
      for (; i < reduce; i++) {
        const e = exp4(f32x4.sub(v128.load32_splat(x + (i << 2)), top));
        v128.store32_lane(y + (i << 2), e, 0);
        s = f32x4.add(s, e);
      }
      for (i = 0; i + 4 <= reduce; i += 4) v128.store(y + (i << 2), f32x4.div(v128.load(y + (i << 2)), s));
      for (; i < reduce; i++) v128.store32_lane(y + (i << 2), f32x4.div(v128.load32_splat(y + (i << 2)), s), 0);
      continue;
    }
    for (let c: usize = 0; c < line;) {
      const four = c + 16 <= line;
      let top = f32x4.splat(-Infinity), s = f32x4.splat(0), p = x + c, q = y + c;
      for (let r: usize = 0; r < reduce; r++, p += line) top = f32x4.pmax(top, four ? v128.load(p) : v128.load32_splat(p));
      p = x + c;
      for (let r: usize = 0; r < reduce; r++, p += line, q += line) {
        const e = exp4(f32x4.sub(four ? v128.load(p) : v128.load32_splat(p), top));
        if (four) v128.store(q, e);
        else v128.store32_lane(q, e, 0);
        s = f32x4.add(s, e);
      }
      q = y + c;
      for (let r: usize = 0; r < reduce; r++, q += line) {
        if (four) v128.store(q, f32x4.div(v128.load(q), s));
        else v128.store32_lane(q, f32x4.div(v128.load32_splat(q), s), 0);
      }
      c += four ? 16 : 4;
    }
  }
}

// y = (x - mean) / sqrt(variance + epsilon) * scale + shift for rows of n neighbours; y may be x.
export function normalizeF32(
  x: usize, y: usize, rows: usize, n: usize, scale: usize, shift: usize, epsilon: f32, centred: i32,
): void {
  for (let r: usize = 0; r < rows; r++, x += n << 2, y += n << 2) {
    const mean = centred ? f32x4.div(along(0, x, n), f32x4.splat(<f32>n)) : f32x4.splat(0);
    let sum = f32x4.splat(0), i: usize = 0;
    for (; i + 4 <= n; i += 4) {
      const d = f32x4.sub(v128.load(x + (i << 2)), mean);
      sum = f32x4.relaxed_madd(d, d, sum);
    }
    sum = across(0, sum);
    for (; i < n; i++) {
      const d = f32x4.sub(v128.load32_splat(x + (i << 2)), mean);
      sum = f32x4.relaxed_madd(d, d, sum);
    }
    const root = f32x4.sqrt(f32x4.add(f32x4.div(sum, f32x4.splat(<f32>n)), f32x4.splat(epsilon)));
    const factor = f32x4.div(f32x4.splat(1), root);
    for (i = 0; i + 4 <= n; i += 4) {
      const d = f32x4.mul(f32x4.sub(v128.load(x + (i << 2)), mean), factor);
      v128.store(y + (i << 2), f32x4.relaxed_madd(d, v128.load(scale + (i << 2)), v128.load(shift + (i << 2))));
    }
    for (; i < n; i++) {
      const d = f32x4.mul(f32x4.sub(v128.load32_splat(x + (i << 2)), mean), factor);
      const v = f32x4.relaxed_madd(d, v128.load32_splat(scale + (i << 2)), v128.load32_splat(shift + (i << 2)));
      v128.store32_lane(y + (i << 2), v, 0);
    }
  }
}
