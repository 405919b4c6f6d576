/**
 * Threshold of the smallest mean squared quantization error, of the tensor itself or of a function of
 * it.
 *
 * @module
 */

import { type Points, points } from "../histogram.ts";
import { mustHaveSamples, type TensorStats } from "../stats.ts";

/** Options of the searches. */
export interface MseOptions {
  /** Largest quantized value: 127 for int8 (default), 32767 for int16. The smallest is -qmax - 1. */
  readonly qmax?: number;
  /** Logarithmic steps before the golden section. */
  readonly steps?: number;
  /** Smallest threshold tried, as a fraction of the maximum. */
  readonly floor?: number;
}

/** A threshold and its mean squared error. */
export interface MseResult {
  readonly threshold: number;
  readonly error: number;
}

/** Half away from zero, as docs/arithmetic.md. */
function roundAway(v: number): number {
  return v < 0 ? -Math.floor(-v + 0.5) : Math.floor(v + 0.5);
}

/** What threshold T makes of x. */
function fake(x: number, scale: number, qmax: number): number {
  return Math.max(-qmax - 1, Math.min(qmax, roundAway(x / scale))) * scale;
}

/** Mean squared error of quantizing the non-zero elements with threshold `t`, over all elements. */
export function quantizationError(s: TensorStats, t: number, qmax = 127): number {
  return s.count === 0 ? 0 : errorOf(points(s), t / qmax, qmax) / s.count;
}

function errorOf(p: Points, scale: number, qmax: number): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const x = p.value[i]!;
    const d = x - fake(x, scale, qmax);
    sum += p.count[i]! * d * d;
  }
  return sum;
}

/**
 * Smallest `error(t)` for t in floor * top .. top: logarithmic steps from the top down (the larger
 * threshold wins a tie), then a golden section between the neighbours of the best.
 */
function search(top: number, error: (t: number) => number, o: MseOptions): MseResult {
  const steps = o.steps ?? 100, floor = o.floor ?? 0.01;
  const at = (k: number) => k === 0 ? top : top * floor ** (k / (steps - 1));
  let best = 0, least = Infinity;
  for (let k = 0; k < steps; k++) {
    const e = error(at(k));
    if (e < least) {
      least = e;
      best = k;
    }
  }
  let threshold = at(best);
  const ratio = (Math.sqrt(5) - 1) / 2;
  let a = at(Math.min(best + 1, steps - 1)), b = at(Math.max(best - 1, 0));
  let c = b - ratio * (b - a), d = a + ratio * (b - a);
  let ec = error(c), ed = error(d);
  for (let i = 0; i < 16; i++) {
    const [t, e] = ed <= ec ? [d, ed] : [c, ec];
    if (e < least) {
      least = e;
      threshold = t;
    }
    if (ec < ed) {
      [b, d, ed] = [d, c, ec];
      c = b - ratio * (b - a);
      ec = error(c);
    } else {
      [a, c, ec] = [c, d, ed];
      d = a + ratio * (b - a);
      ed = error(d);
    }
  }
  return { threshold, error: least };
}

/** The threshold of the smallest mean squared error of the tensor itself. */
export function mseThreshold(s: TensorStats, options: MseOptions = {}): MseResult {
  mustHaveSamples(s);
  if (s.absmax === 0) return { threshold: 0, error: 0 };
  const p = points(s), qmax = options.qmax ?? 127;
  const found = search(s.absmax, (t) => errorOf(p, t / qmax, qmax), options);
  return { threshold: found.threshold, error: found.error / s.count };
}

/** Options of {@linkcode mseThroughFunction}. */
export interface ThroughOptions extends MseOptions {
  /** Quantization of the function's own result, where it is known. */
  readonly output?: { readonly scale: number; readonly qmax?: number };
}

/**
 * The threshold of a tensor that only `f` reads (a look-up table: SiLU, sigmoid, ...), by the mean
 * squared error of f(x): what f flattens needs no range. With `output` the result is quantized too,
 * as the table does it.
 */
export function mseThroughFunction(
  s: TensorStats,
  f: (x: number) => number,
  options: ThroughOptions = {},
): MseResult {
  mustHaveSamples(s);
  if (s.absmax === 0) return { threshold: 0, error: 0 };
  const p = points(s), qmax = options.qmax ?? 127, out = options.output;
  const exact = Float64Array.from(p.value, f);
  const table = new Float64Array(2 * qmax + 2);
  const error = (t: number): number => {
    const scale = t / qmax;
    const small = table.length <= p.length;
    const entry = (q: number) => {
      const y = f(q * scale);
      return out === undefined ? y : fake(y, out.scale, out.qmax ?? 127);
    };
    if (small) { for (let q = -qmax - 1; q <= qmax; q++) table[q + qmax + 1] = entry(q); }
    let sum = 0;
    for (let i = 0; i < p.length; i++) {
      const q = Math.max(-qmax - 1, Math.min(qmax, roundAway(p.value[i]! / scale)));
      const d = exact[i]! - (small ? table[q + qmax + 1]! : entry(q));
      sum += p.count[i]! * d * d;
    }
    return sum;
  };
  const found = search(s.absmax, error, options);
  return { threshold: found.threshold, error: found.error / s.count };
}
