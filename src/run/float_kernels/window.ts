/**
 * Pooling, reductions, softmax and resizing.
 *
 * @module
 */

import { floatAttr, intAttr, intsAttr, type Node, stringAttr } from "../../ir/graph.ts";
import { elementCount } from "../../ir/tensor.ts";
import {
  normalizeF32,
  reduceF32,
  type ReduceF32Args,
  softmaxF32,
} from "../../kernels/reduce_f32.ts";
import { poolF32, resizeLinearF32, resizeNearestF32 } from "../../kernels/window_f32.ts";
import { axesOf, axisOf, listArg } from "../../ops/args.ts";
import { inferContext } from "../../ops/context.ts";
import { linearTaps, nearestIndex } from "../../ops/resize_map.ts";
import { coordinatesOf, nearestModeOf, resizesOf } from "../../ops/resize_shape.ts";
import { extentOf, windowOf } from "../../ops/spatial.ts";
import { convShape } from "./conv.ts";
import { type Layout, NotCovered, orderOf, type Planner } from "./plan.ts";

/** MaxPool and AveragePool. */
export function lowerPool(p: Planner, n: Node): void {
  const shape = p.shapeOf(n.inputs[0]!), out = p.shapeOf(n.outputs[0]!);
  if (shape.length !== 4) throw new NotCovered("pooling that is not over pictures");
  if ((n.outputs[1] ?? "") !== "") throw new NotCovered("indices of a pooling");
  const w = windowOf(n, shape.slice(2));
  const s = convShape(shape, out, w, 1);
  if (w.pads.some((v, i) => v >= w.kernel[i % 2]!)) throw new NotCovered("pads beyond the kernel");
  const includePad = intAttr(n, "count_include_pad", 0) !== 0;
  if (includePad) {
    // Windows that reach behind the end pads are smaller; the kernel does not know.
    const reaches = [0, 1].some((i) =>
      (out[2 + i]! - 1) * w.strides[i]! + extentOf(w.kernel[i]!, w.dilations[i]!) >
        shape[2 + i]! + w.pads[i]! + w.pads[2 + i]!
    );
    if (reaches) throw new NotCovered("ceil_mode with count_include_pad");
  }
  const x = p.as(n.inputs[0]!, "nhwc"), y = p.make(out, "nhwc");
  const kind = n.op === "MaxPool" ? "max" : "average";
  p.moved += elementCount(out) * s.kernelH * s.kernelW;
  p.step(
    [x],
    [y],
    (m) => () =>
      poolF32(m.arena, { kind, x: m.at(x), y: m.at(y), shape: s, countIncludePad: includePad }),
  );
  p.define(n.outputs[0]!, y);
}

const kinds = new Map<string, ReduceF32Args["op"]>([
  ["GlobalAveragePool", "mean"],
  ["GlobalMaxPool", "max"],
  ["ReduceMean", "mean"],
  ["ReduceMax", "max"],
  ["ReduceMin", "min"],
  ["ReduceSum", "sum"],
]);

/** Reductions over axes that are neighbours in memory. */
export function lowerReduce(p: Planner, n: Node): void {
  const shape = p.shapeOf(n.inputs[0]!), out = p.shapeOf(n.outputs[0]!), rank = shape.length;
  const global = n.op.startsWith("Global");
  const given = global
    ? shape.map((_, i) => i).slice(2)
    : listArg(inferContext(n, p.lookup), 1, "axes");
  if (given === "dynamic") throw new NotCovered("axes that are computed");
  const axes = given === "absent" || given.length === 0
    ? shape.map((_, i) => i)
    : axesOf(n, given, rank);
  if (given !== "absent" && given.length === 0 && intAttr(n, "noop_with_empty_axes", 0) !== 0) {
    throw new NotCovered("a reduction that does nothing");
  }
  const keep = out.length === rank;
  const view = (layout: Layout) => {
    const order = orderOf({ shape, layout }).filter((i) => shape[i] !== 1);
    const first = order.findIndex((i) => axes.includes(i));
    const last = order.findLastIndex((i) => axes.includes(i));
    const rest = order.filter((i) => !axes.includes(i));
    const count = (from: number, to: number) =>
      order.slice(from, to).reduce((s, i) => s * shape[i]!, 1);
    // Dimensions that would come out in another order, or axes in between.
    if (!keep && rest.some((i, k) => k > 0 && rest[k - 1]! > i)) return undefined;
    if (first < 0) return { outer: elementCount(shape), reduce: 1, inner: 1 };
    if (order.slice(first, last + 1).some((i) => !axes.includes(i))) return undefined;
    return { outer: count(0, first), reduce: count(first, last + 1), inner: count(last + 1, rank) };
  };
  const own = p.value(n.inputs[0]!).layout;
  const layout = view(own) === undefined ? (own === "nhwc" ? "nchw" : "nhwc") : own;
  if (layout === "nhwc" && rank !== 4) throw new NotCovered("a reduction over these axes");
  const v = view(layout);
  if (v === undefined) throw new NotCovered("a reduction over these axes");
  const x = p.as(n.inputs[0]!, layout), y = p.make(out, keep ? layout : "nchw");
  const op = kinds.get(n.op)!;
  p.moved += elementCount(shape);
  p.step([x], [y], (m) => () => reduceF32(m.arena, { op, x: m.at(x), y: m.at(y), ...v }));
  p.define(n.outputs[0]!, y);
}

/** Softmax along one axis. */
export function lowerSoftmax(p: Planner, n: Node): void {
  const shape = p.shapeOf(n.inputs[0]!), axis = axisOf(n, intAttr(n, "axis", -1), shape.length);
  const x = p.value(n.inputs[0]!), y = p.inPlace(x, n);
  const order = orderOf(x), at = order.indexOf(axis);
  const count = (axes: readonly number[]) => axes.reduce((s, i) => s * shape[i]!, 1);
  const view = {
    outer: count(order.slice(0, at)),
    reduce: shape[axis]!,
    inner: count(order.slice(at + 1)),
  };
  p.moved += 3 * elementCount(shape);
  p.step([x], [y], (m) => () => softmaxF32(m.arena, { x: m.at(x), y: m.at(y), ...view }));
  p.define(n.outputs[0]!, y);
}

/** LayerNormalization or HzRMSNormalization over the last axes. */
export function lowerLayerNormalization(p: Planner, n: Node): void {
  const shape = p.shapeOf(n.inputs[0]!), mean = n.op === "LayerNormalization";
  const first = mean ? intAttr(n, "axis", -1) : intsAttr(n, "axes")[0]!;
  const axis = axisOf(n, first, shape.length);
  if (n.outputs.slice(1).some((o) => o !== "")) throw new NotCovered("means of a normalization");
  const count = elementCount(shape.slice(axis)), rows = elementCount(shape) / count;
  const scale = p.floats(n, 1);
  const shift = (n.inputs[2] ?? "") === "" ? new Float32Array(count) : p.floats(n, 2);
  if (scale.length !== count || shift.length !== count) throw new NotCovered("a broadcast scale");
  const x = p.as(n.inputs[0]!, "nchw"), y = p.inPlace(x, n);
  const epsilon = floatAttr(n, "epsilon", 1e-5);
  p.moved += 3 * elementCount(shape);
  p.step([x], [y], (m) => {
    const [s, b] = [m.arena.put(scale), m.arena.put(shift)];
    return () =>
      normalizeF32(m.arena, {
        ...{ x: m.at(x), y: m.at(y), rows, n: count, scale: s, shift: b, epsilon, mean },
      });
  });
  p.define(n.outputs[0]!, y);
}

/** Resize of height and width, nearest or linear. */
export function lowerResize(p: Planner, n: Node): void {
  const shape = p.shapeOf(n.inputs[0]!), out = p.shapeOf(n.outputs[0]!);
  const mode = stringAttr(n, "mode", "nearest"), coordinates = coordinatesOf(n);
  const odd = intAttr(n, "antialias", 0) !== 0 || intAttr(n, "exclude_outside", 0) !== 0 ||
    floatAttr(n, "extrapolation_value", 0) !== 0 || coordinates === "tf_crop_and_resize";
  if (shape.length !== 4 || odd || mode === "cubic") throw new NotCovered("a resize of this kind");
  const resizes = resizesOf(inferContext(n, p.lookup));
  if (resizes[0]!.scale !== 1 || resizes[1]!.scale !== 1) {
    throw new NotCovered("a resize of channels");
  }
  const axes = [2, 3].map((i) => ({
    ...{ inSize: shape[i]!, outSize: out[i]!, scale: resizes[i]!.scale },
    ...{ coordinates, nearest: nearestModeOf(n) },
  }));
  const x = p.as(n.inputs[0]!, "nhwc"), y = p.make(out, "nhwc");
  const [batch, channels, inH, inW] = shape as readonly [number, number, number, number];
  const size = { batch, channels, inH, inW, outH: out[2]!, outW: out[3]! };
  p.moved += elementCount(out);
  if (mode === "nearest") {
    const [indexH, indexW] = axes.map(nearestIndex) as [Int32Array, Int32Array];
    p.step(
      [x],
      [y],
      (m) => () => resizeNearestF32(m.arena, { ...size, x: m.at(x), y: m.at(y), indexH, indexW }),
    );
  } else {
    const [axisH, axisW] = axes.map((a) => {
      const { i0, i1, fraction } = linearTaps(a);
      return { i0, i1, w: Float32Array.from(fraction) };
    });
    p.step([x], [y], (m) => () =>
      resizeLinearF32(m.arena, {
        ...{ ...size, x: m.at(x), y: m.at(y), axisH: axisH!, axisW: axisW! },
      }));
  }
  p.define(n.outputs[0]!, y);
}
