/**
 * Sliding windows: output sizes of convolutions, transposed convolutions and pooling, with explicit
 * pads or auto_pad, dilations and ceil_mode, as ONNX defines them at opset 17.
 *
 * @module
 */

import { intAttr, intsAttr, type Node, stringAttr } from "../ir/graph.ts";
import { modelError } from "./context.ts";
import { shapeError } from "./op.ts";

/** Kernel, strides, pads and dilations of a node, one entry per spatial axis. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Begins of all axes, then ends. With `auto_pad` SAME these are what the input size asks for. */
  readonly pads: readonly number[];
  readonly autoPad: "NOTSET" | "VALID" | "SAME_UPPER" | "SAME_LOWER";
  readonly ceil: boolean;
}

/** Largest kernel, stride, pad or dilation that is taken seriously. */
const LIMIT = 2 ** 31;

function list(n: Node, key: string, count: number, fill: number, least: number): readonly number[] {
  const v = intsAttr(n, key, new Array<number>(count).fill(fill));
  if (v.length === 0) return new Array<number>(count).fill(fill);
  if (v.length !== count) {
    modelError(n, `${key} has ${v.length} values, its input needs ${count}`);
  }
  const bad = v.find((x) => x < least || x > LIMIT);
  if (bad !== undefined) modelError(n, `${key} has a value of ${bad}, which is not possible`);
  return v;
}

/** Extent of a dilated kernel. */
export function extentOf(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1;
}

/** The window attributes of a node whose input has the spatial dimensions `size`. */
export function windowOf(
  n: Node,
  size: readonly number[],
  kernelShape?: readonly number[],
): Window {
  const rank = size.length;
  const given = n.attrs.has("kernel_shape") ? list(n, "kernel_shape", rank, 1, 1) : undefined;
  const kernel = given ?? kernelShape ?? modelError(n, "attribute kernel_shape is missing");
  if (given !== undefined && kernelShape !== undefined) {
    if (given.some((k, i) => kernelShape[i]! >= 0 && k !== kernelShape[i])) {
      modelError(n, `kernel_shape ${given.join("x")} is not that of its weights`);
    }
  }
  const strides = list(n, "strides", rank, 1, 1);
  const dilations = list(n, "dilations", rank, 1, 1);
  const auto = stringAttr(n, "auto_pad", "NOTSET");
  const autoPad = auto === "" ? "NOTSET" : auto;
  if (
    autoPad !== "NOTSET" && autoPad !== "VALID" && autoPad !== "SAME_UPPER" &&
    autoPad !== "SAME_LOWER"
  ) {
    return modelError(n, `auto_pad ${auto} is not NOTSET, VALID, SAME_UPPER or SAME_LOWER`);
  }
  const pads = autoPad === "NOTSET"
    ? list(n, "pads", 2 * rank, 0, -LIMIT)
    : autoPad === "VALID"
    ? new Array<number>(2 * rank).fill(0)
    : samePads(size, kernel, strides, dilations, autoPad === "SAME_LOWER");
  return { kernel, strides, dilations, pads, autoPad, ceil: intAttr(n, "ceil_mode", 0) !== 0 };
}

function samePads(
  size: readonly number[],
  kernel: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
  lower: boolean,
): number[] {
  const begins: number[] = [];
  const ends: number[] = [];
  size.forEach((d, i) => {
    const out = Math.ceil(d / strides[i]!);
    const total = d < 0
      ? 0
      : Math.max(0, (out - 1) * strides[i]! + extentOf(kernel[i]!, dilations[i]!) - d);
    const small = Math.floor(total / 2);
    begins.push(lower ? total - small : small);
    ends.push(lower ? small : total - small);
  });
  return [...begins, ...ends];
}

/** Spatial output dimensions of a convolution or pooling; -1 where the input's is unknown. */
export function windowShape(n: Node, size: readonly number[], w: Window): number[] {
  const rank = size.length;
  return size.map((d, i) => {
    const [kernel, stride] = [w.kernel[i]!, w.strides[i]!];
    if (d < 0 || kernel < 0) return -1;
    if (w.autoPad === "SAME_UPPER" || w.autoPad === "SAME_LOWER") return Math.ceil(d / stride);
    const begin = w.pads[i]!;
    const room = d + begin + w.pads[i + rank]! - extentOf(kernel, w.dilations[i]!);
    const out = (w.ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
    if (out < 1) {
      return shapeError(
        n,
        `the kernel (${extentOf(kernel, w.dilations[i]!)} along axis ${
          i + 2
        }) is larger than its padded input (${d + begin + w.pads[i + rank]!})`,
      );
    }
    // A window that starts behind the input and its begin pads would see nothing.
    return w.ceil && (out - 1) * stride >= d + begin ? out - 1 : out;
  });
}

/** Spatial output dimensions of a transposed convolution. */
export function transposedShape(n: Node, size: readonly number[], w: Window): number[] {
  const rank = size.length;
  const extra = list(n, "output_padding", rank, 0, 0);
  const fixed = n.attrs.has("output_shape") ? intsAttr(n, "output_shape") : [];
  if (fixed.length > 0) {
    if (fixed.length !== rank && fixed.length !== rank + 2) {
      modelError(n, `output_shape has ${fixed.length} values, its input needs ${rank}`);
    }
    const bad = fixed.find((d) => d < 1);
    if (bad !== undefined) modelError(n, `output_shape has a value of ${bad}`);
    return fixed.slice(-rank);
  }
  return size.map((d, i) => {
    const stride = w.strides[i]!;
    if (d < 0 || w.kernel[i]! < 0) return -1;
    const whole = stride * (d - 1) + extra[i]! + extentOf(w.kernel[i]!, w.dilations[i]!);
    // Pads only take away: onnxruntime does not enlarge what is smaller than d * stride.
    if (w.autoPad.startsWith("SAME")) return Math.min(whole, d * stride);
    const out = whole - w.pads[i]! - w.pads[i + rank]!;
    return out > 0 ? out : shapeError(n, `its output would have ${out} rows along axis ${i + 2}`);
  });
}
