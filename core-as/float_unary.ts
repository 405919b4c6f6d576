// Elementwise float32 functions of one input.
import { erf4, exp4, mish4, one, sigmoid4, silu4, tanh4 } from "./float_math";

// @ts-ignore: decorator
@inline
function apply(op: i32, x: v128, a: v128, b: v128): v128 {
  if (op == 0) return f32x4.pmin(f32x4.pmax(x, a), b); // clamp
  if (op == 1) return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), f32x4.mul(f32x4.pmin(x, f32x4.splat(0)), a)); // leaky
  if (op == 2) return sigmoid4(x);
  if (op == 3) return silu4(x);
  if (op == 4) return f32x4.pmin(f32x4.pmax(f32x4.add(f32x4.mul(x, a), b), f32x4.splat(0)), one()); // hard sigmoid
  if (op == 5) return f32x4.mul(x, f32x4.pmin(f32x4.pmax(f32x4.add(f32x4.mul(x, a), b), f32x4.splat(0)), one()));
  if (op == 6) return tanh4(x);
  if (op == 7) return exp4(x);
  if (op == 8) { // elu
    return v128.bitselect(x, f32x4.mul(a, f32x4.sub(exp4(f32x4.pmin(x, f32x4.splat(0))), one())), f32x4.gt(x, f32x4.splat(0)));
  }
  if (op == 9) return f32x4.neg(x);
  if (op == 10) return f32x4.abs(x);
  if (op == 11) return f32x4.sqrt(x);
  if (op == 12) return f32x4.div(one(), x);
  if (op == 13) return f32x4.floor(x);
  if (op == 14) return f32x4.ceil(x);
  if (op == 15) return erf4(x);
  if (op == 16) return f32x4.mul(f32x4.mul(x, f32x4.add(erf4(f32x4.mul(x, a)), one())), b); // gelu
  return mish4(x);
}

// @ts-ignore: decorator
@inline
function loop(op: i32, x: usize, y: usize, n: usize, a: v128, b: v128): void {
  const end = x + (n << 2), whole = x + ((n & ~3) << 2);
  for (; x < whole; x += 16, y += 16) v128.store(y, apply(op, v128.load(x), a, b));
  for (; x < end; x += 4, y += 4) v128.store32_lane(y, apply(op, v128.load32_splat(x), a, b), 0);
}

// y[i] = f(x[i]) for n elements; y may be x. a and b are the function's parameters.
export function unaryF32(op: i32, x: usize, y: usize, n: usize, alpha: f32, beta: f32): void {
  const a = f32x4.splat(alpha), b = f32x4.splat(beta);
  switch (op) {
    case 0: loop(0, x, y, n, a, b); break;
    case 1: loop(1, x, y, n, a, b); break;
    case 2: loop(2, x, y, n, a, b); break;
    case 3: loop(3, x, y, n, a, b); break;
    case 4: loop(4, x, y, n, a, b); break;
    case 5: loop(5, x, y, n, a, b); break;
    case 6: loop(6, x, y, n, a, b); break;
    case 7: loop(7, x, y, n, a, b); break;
    case 8: loop(8, x, y, n, a, b); break;
    case 9: loop(9, x, y, n, a, b); break;
    case 10: loop(10, x, y, n, a, b); break;
    case 11: loop(11, x, y, n, a, b); break;
    case 12: loop(12, x, y, n, a, b); break;
    case 13: loop(13, x, y, n, a, b); break;
    case 14: loop(14, x, y, n, a, b); break;
    case 15: loop(15, x, y, n, a, b); break;
    case 16: loop(16, x, y, n, a, b); break;
    default: loop(17, x, y, n, a, b);
  }
}
