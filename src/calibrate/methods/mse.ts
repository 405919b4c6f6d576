/**
 * Threshold of the smallest mean squared quantization error, of the tensor itself or of a function of
 * it.
 *
 * @module
 */

import { type Range, zeroOf } from "../../ops/arithmetic.ts";
import { mustHaveHistogram } from "../magnitudes.ts";
import { mustHaveSamples, type TensorStats } from "../stats.ts";

/** Options of the searches. */
export interface MseOptions {
  /** Largest quantized value: 127 for int8 (default), 32767 for int16. The smallest is -qmax - 1. */
  readonly qmax?: number;
  /** Logarithmic steps before the golden section; default 100, or 25 where clipping is all there is (int16). */
  readonly steps?: number;
  /** Smallest threshold tried, as a fraction of the maximum. */
  readonly floor?: number;
  /** int8 with a zero point: the steps are those of the observed range, cut at the threshold. */
  readonly zeros?: boolean;
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

/** What a scale makes of x. */
function fake(x: number, scale: number, qmax: number): number {
  return Math.max(-qmax - 1, Math.min(qmax, roundAway(x / scale))) * scale;
}

/** One sign of a histogram with prefix sums over its bins. */
interface Side {
  readonly sign: 1 | -1;
  /** Up to the last bin that is not empty. */
  readonly used: number;
  /**
   * At 3 * i, over the bins below i: sums of count, count * f(x) and count * f(x)^2, x the centre of a
   * bin, at most the exact extreme.
   */
  readonly sums: Float64Array;
}

function sideOf(
  h: Float64Array,
  width: number,
  sign: 1 | -1,
  end: number,
  f: (x: number) => number,
): Side {
  let used = h.length;
  while (used > 0 && h[used - 1] === 0) used--;
  const sums = new Float64Array(3 * (used + 1));
  for (let i = 0, k = 0; i < used; i++, k += 3) {
    const n = h[i]!, y = n === 0 ? 0 : f(sign * Math.min((i + 0.5) * width, end));
    sums[k + 3] = sums[k]! + n;
    sums[k + 4] = sums[k + 1]! + n * y;
    sums[k + 5] = sums[k + 2]! + n * y * y;
  }
  return { sign, used, sums };
}

/**
 * Sum over the elements of a side of (f(x) - y)^2, y being what the quantized x becomes. The bins that
 * share a quantized value share y, so their prefix sums suffice: a scale costs `last` steps, whatever
 * the number of bins.
 */
function sideError(
  s: Side,
  width: number,
  scale: number,
  last: number,
  result: (x: number) => number,
): number {
  const { sums, used } = s, step = scale / width, unit = s.sign * scale;
  let sum = 0, n0 = 0, a0 = 0, b0 = 0;
  // With several quantized values per bin (step < 1) the next bin decides, else the next value.
  for (let q = 0, from = 0; from < used;) {
    if (step < 1) q = Math.min(last, Math.floor((from + 0.5) / step + 0.5));
    const next = step < 1 ? from + 1 : Math.ceil((q + 0.5) * step - 0.5);
    const to = q === last || next > used ? used : next, k = 3 * to;
    const n1 = sums[k]!;
    if (n1 !== n0) {
      const a1 = sums[k + 1]!, b1 = sums[k + 2]!, y = result(q * unit);
      sum += (b1 - b0) - 2 * y * (a1 - a0) + y * y * (n1 - n0);
      n0 = n1;
      a0 = a1;
      b0 = b1;
    }
    from = to;
    q++;
  }
  return sum;
}

/** Quantized values that a threshold gives: their distance, and how many lie on either side of 0. */
interface Grid {
  readonly scale: number;
  readonly above: number;
  readonly below: number;
}

/** Symmetric values have one more below 0 than above. */
const symmetric = (t: number, qmax: number): Grid => ({
  scale: t / qmax,
  above: qmax,
  below: qmax + 1,
});

/** With a zero point the two sides share the 255 steps of a range. */
function asymmetric(range: Range): Grid {
  const zero = zeroOf(range);
  return { scale: (range.max - range.min) / 255, above: 127 - zero, below: zero + 128 };
}

function errorOf(
  sides: readonly Side[],
  width: number,
  { scale, above, below }: Grid,
  result: (x: number) => number,
): number {
  let sum = 0;
  for (const s of sides) sum += sideError(s, width, scale, s.sign > 0 ? above : below, result);
  return sum;
}

const itself = (x: number) => x;

function sidesOf(s: TensorStats, f: (x: number) => number): Side[] {
  return [
    sideOf(s.positive, s.width, 1, s.max, f),
    sideOf(s.negative, s.width, -1, -s.min, f),
  ];
}

/** Mean squared error of quantizing the non-zero elements with threshold `t`, over all elements. */
export function quantizationError(s: TensorStats, t: number, qmax = 127): number {
  if (s.count === 0 || s.width === 0) return 0;
  return errorOf(sidesOf(s, itself), s.width, symmetric(t, qmax), itself) / s.count;
}

/**
 * Smallest `error(t)` for t in floor * top .. top: logarithmic steps from the top down (the larger
 * threshold wins a tie), then a golden section between the neighbours of the best.
 */
function search(top: number, error: (t: number) => number, o: MseOptions): MseResult {
  const steps = o.steps ?? ((o.qmax ?? 127) < 4096 ? 100 : 25), floor = o.floor ?? 0.01;
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
  return mseThroughFunction(s, itself, options);
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
  mustHaveHistogram(s);
  if (s.absmax === 0) return { threshold: 0, error: 0 };
  const qmax = options.qmax ?? 127, out = options.output;
  const sides = sidesOf(s, f);
  const result = out === undefined ? f : (x: number) => fake(f(x), out.scale, out.qmax ?? 127);
  const found = search(
    s.absmax,
    (t) => {
      const cut = { min: Math.max(Math.min(0, s.min), -t), max: Math.min(Math.max(0, s.max), t) };
      const grid = options.zeros === true ? asymmetric(cut) : symmetric(t, qmax);
      return errorOf(sides, s.width, grid, result);
    },
    options,
  );
  return { threshold: found.threshold, error: Math.max(0, found.error) / s.count };
}

/** A range and its mean squared error. */
export interface RangeResult {
  readonly range: Range;
  readonly error: number;
}

/** The ends in the order in which they are searched, the other one fixed, and the steps of each search. */
const ENDS = ["min", "max", "min"] as const, END_STEPS = 40;

/**
 * The range of an int8 tensor with a zero point, by the mean squared error of f(x): each end is searched
 * on its own, so that a function that flattens one side (SiLU below -5) spends no steps there.
 */
export function mseRange(s: TensorStats, f: (x: number) => number = itself): RangeResult {
  mustHaveSamples(s);
  mustHaveHistogram(s);
  if (s.absmax === 0) return { range: { min: 0, max: 0 }, error: 0 };
  const sides = sidesOf(s, f);
  let range: Range = { min: Math.min(0, s.min), max: Math.max(0, s.max) };
  const error = (r: Range) => errorOf(sides, s.width, asymmetric(r), f);
  let least = error(range);
  for (const end of ENDS) {
    const top = Math.abs(range[end]), sign = end === "min" ? -1 : 1;
    if (top === 0) continue;
    const cut = (t: number): Range => ({ ...range, [end]: sign * t });
    const found = search(top, (t) => error(cut(t)), { steps: END_STEPS });
    if (found.error < least) {
      least = found.error;
      range = cut(found.threshold);
    }
  }
  return { range, error: Math.max(0, least) / s.count };
}
