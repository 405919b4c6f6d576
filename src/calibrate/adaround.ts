/**
 * Rounding of weights by their effect on the output (after Nagel et al., "Up or down? Adaptive rounding",
 * 2020; the error is the quadratic one of Frantar and Alistarh, "Optimal brain compression", 2022).
 * Nothing is learned by gradient: single weights are flipped between the integer below and above as
 * long as that lowers the output error on calibration data, in a fixed order.
 *
 * @module
 */

import { intAttr, intsAttr } from "../ir/graph.ts";
import type { Node } from "../ir/graph.ts";
import { BpuError } from "../errors.ts";
import { f32 } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import { channelMaxima, weightScales } from "./weights.ts";

/** Most products of a pair of weights' inputs that one layer sums per sample. */
const WORK = 2 ** 25;
/** Fewest and most positions of an output that are taken from one sample. */
const POSITIONS = [16, 256] as const;
/** Part of the mean diagonal that is added to it, against chance correlations of few positions. */
const DAMPING = 0.01;
/** Rounds over the weights of a channel. */
const ROUNDS = 8;

/** Second moments of what the weights of one convolution are multiplied by, per group. */
export class PatchMoments {
  /** [group][k][k], the upper triangle only. */
  readonly sums: Float64Array;
  /** Weights per output channel. */
  readonly taps: number;
  readonly groups: number;
  #count = 0;
  readonly #kernel: readonly number[];
  readonly #channels: number;

  /** For a Conv of two dimensions with weights of this shape, [O, I / group, kh, kw]. */
  constructor(readonly node: Node, readonly shape: readonly number[]) {
    if (shape.length !== 4) throw new BpuError("internal", "a convolution with other than 4 axes");
    this.#channels = shape[1]!;
    this.#kernel = shape.slice(2);
    this.taps = shape.slice(1).reduce((a, b) => a * b, 1);
    this.groups = intAttr(node, "group", 1);
    this.sums = new Float64Array(this.groups * this.taps * this.taps);
  }

  /** Adds positions of one input [N, C, H, W], spread evenly; the outputs are `out` [height, width]. */
  add(x: Tensor, out: readonly [number, number]): void {
    const data = x.data;
    if (!(data instanceof Float32Array) || x.shape.length !== 4) {
      throw new BpuError("internal", "moments are of float tensors with 4 axes");
    }
    const [, channels, height, width] = x.shape as [number, number, number, number];
    const [kh, kw] = this.#kernel as [number, number];
    const [sy, sx] = intsAttr(this.node, "strides", [1, 1]) as [number, number];
    const [dy, dx] = intsAttr(this.node, "dilations", [1, 1]) as [number, number];
    const [py, px] = intsAttr(this.node, "pads", [0, 0, 0, 0]) as [number, number];
    const n = this.taps, all = x.shape[0]! * out[0] * out[1];
    const wanted = Math.floor(WORK / (this.groups * n * n));
    const take = Math.min(all, Math.max(POSITIONS[0], Math.min(POSITIONS[1], wanted)));
    const patch = new Float64Array(n);
    for (let p = 0; p < take; p++) {
      const at = Math.floor((p + 0.5) * all / take);
      const ox = at % out[1], oy = Math.floor(at / out[1]) % out[0];
      const batch = Math.floor(at / (out[0] * out[1]));
      for (let g = 0; g < this.groups; g++) {
        let k = 0;
        for (let c = 0; c < this.#channels; c++) {
          const plane = (batch * channels + g * this.#channels + c) * height * width;
          for (let i = 0; i < kh; i++) {
            const y = oy * sy + i * dy - py;
            for (let j = 0; j < kw; j++, k++) {
              const xx = ox * sx + j * dx - px;
              const inside = y >= 0 && y < height && xx >= 0 && xx < width;
              patch[k] = inside ? data[plane + y * width + xx]! : 0;
            }
          }
        }
        this.#accumulate(g * n * n, patch);
      }
    }
    this.#count += take;
  }

  #accumulate(base: number, v: Float64Array): void {
    const n = v.length, sums = this.sums;
    for (let i = 0; i < n; i++) {
      const a = v[i]!;
      if (a === 0) continue;
      const row = base + i * n;
      for (let j = i; j < n; j++) sums[row + j]! += a * v[j]!;
    }
  }

  /** Mean second moments of a group, both triangles, with a damped diagonal. */
  matrix(group: number): Float64Array {
    const n = this.taps, base = group * n * n;
    const h = new Float64Array(n * n);
    const scale = 1 / Math.max(1, this.#count);
    let trace = 0;
    for (let i = 0; i < n; i++) {
      trace += this.sums[base + i * n + i]! * scale;
      for (let j = i; j < n; j++) {
        h[i * n + j] = h[j * n + i] = this.sums[base + i * n + j]! * scale;
      }
    }
    for (let i = 0; i < n; i++) h[i * n + i]! += DAMPING * trace / n;
    return h;
  }
}

/** Result of {@linkcode chooseRounding}. */
export interface Rounded {
  /** Weights as multiples of their steps; quantized with `thresholds` they stay what they are. */
  readonly weights: Tensor;
  readonly thresholds: Float32Array;
  /** Weights that are not rounded to the nearest integer. */
  readonly flipped: number;
  /** Mean error power of the output over all channels with the nearest integers, and with these. */
  readonly before: number;
  readonly after: number;
}

/**
 * Chooses for every weight the integer below or above. The error power of an output channel is
 * e' H e with e the rounding errors and H the moments; flips that lower it are made, weight after
 * weight, until none does or after 8 rounds.
 */
export function chooseRounding(weights: Tensor, moments: PatchMoments): Rounded {
  const thresholds = channelMaxima(weights, 0);
  const scales = weightScales(thresholds);
  const w = weights.data as Float32Array, out = new Float32Array(w.length);
  const n = moments.taps, outputs = weights.shape[0]!, perGroup = outputs / moments.groups;
  const error = new Float64Array(n), gradient = new Float64Array(n), q = new Int32Array(n);
  let flipped = 0, before = 0, after = 0;
  for (let g = 0; g < moments.groups; g++) {
    const h = moments.matrix(g);
    const power = (): number => error.reduce((s, e, i) => s + e * gradient[i]!, 0);
    for (let o = g * perGroup; o < (g + 1) * perGroup; o++) {
      const scale = scales[o]!;
      for (let k = 0; k < n; k++) {
        const v = w[o * n + k]! / scale;
        const nearest = Math.min(127, Math.floor(Math.abs(v) + 0.5)) * Math.sign(v);
        q[k] = nearest;
        error[k] = nearest - v;
      }
      const start = q.slice();
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += h[i * n + j]! * error[j]!;
        gradient[i] = sum;
      }
      before += power() * scale * scale;
      for (let round = 0; round < ROUNDS; round++) {
        let moved = false;
        for (let k = 0; k < n; k++) {
          const step = error[k]! > 0 ? -1 : 1, diagonal = h[k * n + k]!;
          const change = 2 * step * gradient[k]! + diagonal;
          const next = q[k]! + step;
          if (!(change < -1e-9 * diagonal) || error[k] === 0 || next > 127 || next < -127) continue;
          q[k] = next;
          error[k]! += step;
          for (let j = 0; j < n; j++) gradient[j]! += step * h[k * n + j]!;
          moved = true;
        }
        if (!moved) break;
      }
      after += power() * scale * scale;
      for (let k = 0; k < n; k++) {
        if (q[k] !== start[k]) flipped++;
        out[o * n + k] = Math.fround(q[k]! * scale);
      }
    }
  }
  return {
    weights: f32(weights.shape, out),
    thresholds,
    flipped,
    before: before / outputs,
    after: after / outputs,
  };
}
