/**
 * Special functions that JavaScript lacks, in binary64.
 *
 * @module
 */

const TWO_OVER_SQRT_PI = 1.1283791670955126;

/**
 * Error function, within a few units in the last place.
 *
 * Small arguments: erf(x) = 2/sqrt(pi) exp(-x^2) sum 2^n x^(2n+1) / (2n+1)!!, whose terms are all
 * positive. Large ones: the continued fraction of erfc, evaluated from its tail.
 * (Abramowitz and Stegun, 7.1.6 and 7.1.14.)
 */
export function erfOf(x: number): number {
  const a = Math.abs(x);
  if (Number.isNaN(x) || a === 0) return x;
  if (a >= 6) return Math.sign(x);
  if (a < 2.5) {
    let term = a;
    let sum = a;
    for (let n = 1; term > sum * 1e-18; n++) {
      term *= 2 * a * a / (2 * n + 1);
      sum += term;
    }
    return Math.sign(x) * TWO_OVER_SQRT_PI * Math.exp(-a * a) * sum;
  }
  return Math.sign(x) * (1 - erfcTail(a));
}

function erfcTail(a: number): number {
  let f = 0;
  for (let n = 80; n >= 1; n--) f = (n / 2) / (a + f);
  return Math.exp(-a * a) * TWO_OVER_SQRT_PI / 2 / (a + f);
}

/** 1 / (1 + exp(-x)) without overflow. */
export function logistic(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** log(1 + exp(x)) without overflow. */
export function softplusOf(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** Rounds halves to the even neighbour. */
export function roundEven(x: number): number {
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 52) return x;
  const r = Math.round(x);
  const even = Math.abs(x - Math.trunc(x)) === 0.5 && r % 2 !== 0 ? r - 1 : r;
  return even === 0 ? 0 * Math.sign(x) : even;
}

/** Gaussian error linear unit, exact form. */
export function geluOf(x: number): number {
  if (x === -Infinity) return -0;
  return 0.5 * x * (1 + erfOf(x * Math.SQRT1_2));
}

/** Gaussian error linear unit, tanh form. */
export function geluTanh(x: number): number {
  if (x === -Infinity) return -0;
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}
