/**
 * Scalar references of elementwise_f32.ts, in double precision.
 *
 * @module
 */

import type { BinaryF32, UnaryF32 } from "./elementwise_f32.ts";

const between = (v: number, lo: number, hi: number) => Math.min(Math.max(v, lo), hi);

/** By its series, and by the continued fraction of its complement where that is slow. */
function erf(x: number): number {
  const m = Math.abs(x);
  if (!(m < 6)) return Number.isNaN(x) ? NaN : Math.sign(x);
  if (m < 2.5) {
    let term = x, sum = x;
    for (let n = 1; n < 80; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }
  let f = m;
  for (let n = 60; n > 0; n--) f = m + n / 2 / f;
  return Math.sign(x) * (1 - Math.exp(-m * m) / Math.sqrt(Math.PI) / f);
}

export function unaryRef(op: UnaryF32, x: number, a: number, b: number): number {
  switch (op) {
    case "clamp":
      return between(x, a, b);
    case "leakyRelu":
      return x < 0 ? a * x : x;
    case "sigmoid":
      return 1 / (1 + Math.exp(-x));
    case "silu":
      return x / (1 + Math.exp(-x));
    case "hardSigmoid":
      return between(a * x + b, 0, 1);
    case "hardSwish":
      return x * between(a * x + b, 0, 1);
    case "tanh":
      return Math.tanh(x);
    case "exp":
      return Math.exp(x);
    case "elu":
      return x > 0 ? x : a * Math.expm1(x);
    case "neg":
      return -x;
    case "abs":
      return Math.abs(x);
    case "sqrt":
      return Math.sqrt(x);
    case "reciprocal":
      return 1 / x;
    case "floor":
      return Math.floor(x);
    case "ceil":
      return Math.ceil(x);
    case "erf":
      return erf(x);
    case "gelu":
      return b * x * (1 + erf(a * x));
    case "mish":
      return x * Math.tanh(Math.log1p(Math.exp(x)));
  }
}

export function binaryRef(op: BinaryF32, a: number, b: number): number {
  switch (op) {
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "mul":
      return a * b;
    case "div":
      return a / b;
    case "max":
      return Math.max(a, b);
    case "min":
      return Math.min(a, b);
    case "slope":
      return a < 0 ? a * b : a;
  }
}
