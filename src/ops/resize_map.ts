/**
 * Output positions of one resized axis to input positions, step by step in binary32 as onnxruntime
 * computes them, so that the integer tables of the quantized graph pick the pixels that float picks.
 *
 * @module
 */

import { BpuError } from "../errors.ts";

/** One axis of a Resize. */
export interface ResizeAxis {
  readonly inSize: number;
  readonly outSize: number;
  /** Output size over input size, as given (or out / in where sizes are given). */
  readonly scale: number;
  /** ONNX `coordinate_transformation_mode`. */
  readonly coordinates: string;
  /** ONNX `nearest_mode`; `round_prefer_floor` when absent. */
  readonly nearest?: string;
}

/** Two taps per output position: `x[i0] * (1 - fraction) + x[i1] * fraction`. */
export interface LinearTaps {
  readonly i0: Int32Array;
  readonly i1: Int32Array;
  /** binary32 values, 0..1. */
  readonly fraction: Float64Array;
}

const f = Math.fround;

/**
 * Position in the input (binary32, not clamped) of each output position. Throws
 * `BpuError("unsupported")` for `tf_crop_and_resize` and for modes that ONNX does not have.
 */
export function sourcePositions(a: ResizeAxis): Float64Array {
  const scale = f(a.scale);
  const out = new Float64Array(a.outSize);
  // onnxruntime leaves an unscaled axis alone, whatever the mode.
  if (scale === 1) return out.map((_, i) => i);
  const halfPixel = (x: number): number => f(f(f(x + 0.5) / scale) - 0.5);
  switch (a.coordinates) {
    case "half_pixel":
      return out.map((_, x) => halfPixel(x));
    case "pytorch_half_pixel":
      return out.map((_, x) => a.outSize > 1 ? halfPixel(x) : 0);
    case "tf_half_pixel_for_nn":
      return out.map((_, x) => f(f(x + 0.5) / scale));
    case "asymmetric":
      return out.map((_, x) => f(x / scale));
    case "align_corners":
      return out.map((_, x) => a.outSize === 1 ? 0 : f(f(x * f(a.inSize - 1)) / f(a.outSize - 1)));
    case "tf_crop_and_resize":
      throw new BpuError(
        "unsupported",
        "coordinate_transformation_mode tf_crop_and_resize crops by its roi, which has no integer form",
      );
    default:
      throw new BpuError(
        "unsupported",
        `coordinate_transformation_mode ${a.coordinates} is not known`,
      );
  }
}

function nearestOf(x: number, mode: string, down: boolean): number {
  switch (mode) {
    case "round_prefer_floor":
      return x === Math.trunc(x) + 0.5 ? Math.floor(x) : roundHalfAway(x);
    case "round_prefer_ceil":
      return roundHalfAway(x);
    case "floor":
      return Math.floor(x);
    case "ceil":
      return Math.ceil(x);
    case "simple":
      return down ? Math.ceil(x) : Math.trunc(x);
    default:
      throw new BpuError("unsupported", `nearest_mode ${mode} is not known`);
  }
}

function roundHalfAway(x: number): number {
  return Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
}

/**
 * Input index of each output position in mode `nearest`.
 *
 * ```ts
 * import { nearestIndex } from "./resize_map.ts";
 *
 * const axis = { inSize: 2, outSize: 4, scale: 2, coordinates: "asymmetric", nearest: "floor" };
 * console.assert(nearestIndex(axis).join() === "0,0,1,1");
 * ```
 */
export function nearestIndex(a: ResizeAxis): Int32Array {
  const mode = a.nearest ?? "round_prefer_floor";
  const top = a.inSize - 1;
  return Int32Array.from(
    sourcePositions(a),
    (x) => Math.min(Math.max(nearestOf(x, mode, f(a.scale) < 1), 0), top),
  );
}

/** Taps of each output position in mode `linear`. */
export function linearTaps(a: ResizeAxis): LinearTaps {
  const top = a.inSize - 1;
  const i0 = new Int32Array(a.outSize);
  const i1 = new Int32Array(a.outSize);
  const fraction = new Float64Array(a.outSize);
  sourcePositions(a).forEach((raw, i) => {
    const x = Math.min(Math.max(raw, 0), top);
    i0[i] = Math.min(Math.trunc(x), top);
    i1[i] = Math.min(i0[i]! + 1, top);
    // At the last pixel both taps are the same and the fraction does not matter.
    fraction[i] = i0[i] === i1[i] ? 0 : f(x - i0[i]!);
  });
  return { i0, i1, fraction };
}
