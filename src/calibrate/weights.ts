/**
 * Scales of weights, one per output channel, and the guards that keep the integer arithmetic in range
 * (docs/arithmetic.md, sections 1 and 4).
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { numbersOf, shapeText, type Tensor } from "../ir/tensor.ts";

/** Smallest scale of a weight channel. */
export const SMALLEST_SCALE = 1e-8;
/** A channel whose weights are all below this part of the tensor's largest is dead. */
const DEAD = 1e-6;
/** Largest magnitude of a quantized bias. */
const LARGEST_BIAS = 2 ** 30;

/** Thresholds per channel. */
export interface WeightThresholds {
  readonly thresholds: Float32Array;
  /** Channels that carry nothing next to the others (all zero, or 1e-6 of the largest). */
  readonly dead: readonly number[];
}

/** Largest magnitude of every channel along `axis`. Throws BpuError("numeric") for NaN or infinity. */
export function channelMaxima(w: Tensor, axis: number): Float32Array {
  const channels = w.shape[axis];
  if (channels === undefined) {
    throw new BpuError("internal", `weights of shape ${shapeText(w.shape)} have no axis ${axis}`);
  }
  const data = numbersOf(w);
  const inner = w.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const maxima = new Float32Array(channels);
  for (let i = 0; i < data.length; i++) {
    const v = Math.abs(data[i]!);
    if (!(v < Infinity)) {
      throw new BpuError("numeric", "a weight is NaN or infinite", {
        hint: "The float model is damaged; export it again.",
      });
    }
    const c = Math.floor(i / inner) % channels;
    if (v > maxima[c]!) maxima[c] = v;
  }
  return maxima;
}

/**
 * Largest magnitude per output channel (along `axis`), at least 127 times the smallest scale. A dead
 * channel gets the limit below which it counts as one: its own range would give a multiplier that
 * cannot be represented next to the others.
 */
export function weightThresholds(w: Tensor, axis: number): WeightThresholds {
  const maxima = channelMaxima(w, axis);
  const top = maxima.reduce((a, b) => Math.max(a, b), 0);
  const floor = Math.max(127 * SMALLEST_SCALE, DEAD * top);
  const dead: number[] = [];
  const thresholds = maxima.map((m, c) => {
    if (m >= floor) return m;
    dead.push(c);
    return floor;
  });
  return { thresholds, dead };
}

/** Scales (threshold / 127, as float32, at least the smallest). */
export function weightScales(thresholds: ArrayLike<number>, qmax = 127): Float32Array {
  return Float32Array.from(thresholds, (t) => {
    const scale = Math.fround(t / qmax);
    return scale < SMALLEST_SCALE ? Math.fround(SMALLEST_SCALE) : scale;
  });
}

/** Weights as the integers -127..127 and the scale per channel along `axis` represent them. */
export function fakeQuantizeWeights(
  w: Tensor,
  axis: number,
  thresholds: ArrayLike<number> = weightThresholds(w, axis).thresholds,
): Tensor {
  const scales = weightScales(thresholds);
  const inner = w.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const data = Float32Array.from(numbersOf(w), (v, i) => {
    const scale = scales[Math.floor(i / inner) % scales.length]!;
    const q = Math.min(127, Math.floor(Math.abs(v) / scale + 0.5));
    return Math.fround((v < 0 ? -q : q) * scale);
  });
  return { dtype: "float32", shape: w.shape, data };
}

/**
 * Enlarges the scale of every channel whose bias would exceed 2^30 in units of scaleX * scale[c], until
 * it does not. Returns the scales and the channels that were changed.
 */
export function guardBias(
  scales: Float32Array,
  bias: ArrayLike<number>,
  scaleX: number,
): { scales: Float32Array; enlarged: number[] } {
  const enlarged: number[] = [];
  const guarded = scales.map((scale, c) => {
    const b = Math.abs(bias[c] ?? 0);
    if (!(b < Infinity)) {
      throw new BpuError("numeric", `the bias of channel ${c} is NaN or infinite`, {
        hint: "The float model is damaged; export it again.",
      });
    }
    if (b <= LARGEST_BIAS * scaleX * scale) return scale;
    enlarged.push(c);
    let wide = Math.fround(b / (LARGEST_BIAS * scaleX));
    // rounding to float32 may have gone down
    while (b > LARGEST_BIAS * scaleX * wide) wide = Math.fround(wide * (1 + 2 ** -23));
    return wide;
  });
  return { scales: guarded, enlarged };
}
