/**
 * Data movement: everything is a strided copy, or no copy at all.
 *
 * @module
 */

import { intAttr, intsAttr, type Node, stringAttr } from "../../ir/graph.ts";
import { elementCount, sameShape } from "../../ir/tensor.ts";
import { fill } from "../../kernels/copy.ts";
import { axisOf } from "../../ops/args.ts";
import { inferContext } from "../../ops/context.ts";
import { padsOf } from "../../ops/pad.ts";
import { slicesOf } from "../../ops/slice.ts";
import { type Layout, NotCovered, orderOf, type Planner, stridesIn, type Value } from "./plan.ts";

/** Reshape, Flatten, Squeeze, Unsqueeze: the same bytes under another shape. */
export function lowerReshape(p: Planner, n: Node): void {
  p.shapeOf(n.inputs[0]!);
  const out = p.shapeOf(n.outputs[0]!), own = p.value(n.inputs[0]!);
  const x = sameShape(out, own.shape) ? own : p.convert(own, "nchw");
  p.define(n.outputs[0]!, { ...x, shape: out });
}

/** Identity and Dropout. */
export function lowerIdentity(p: Planner, n: Node): void {
  p.shapeOf(n.inputs[0]!);
  if ((n.outputs[1] ?? "") !== "") throw new NotCovered("a mask of a Dropout");
  p.define(n.outputs[0]!, p.value(n.inputs[0]!));
}

/** Transpose; free where it only renames the axes of what already lies in that order. */
export function lowerTranspose(p: Planner, n: Node): void {
  const shape = p.shapeOf(n.inputs[0]!), out = p.shapeOf(n.outputs[0]!), rank = shape.length;
  const perm = intsAttr(n, "perm", shape.map((_, i) => rank - 1 - i));
  const x = p.value(n.inputs[0]!);
  const physical = (axes: readonly number[]) => axes.filter((i) => shape[i] !== 1).join();
  const layouts: Layout[] = rank === 4 ? ["nhwc", "nchw"] : ["nchw"];
  const free = layouts.find((layout) =>
    physical(orderOf({ shape: out, layout }).map((i) => perm[i]!)) === physical(orderOf(x))
  );
  if (free !== undefined) return p.define(n.outputs[0]!, { ...x, shape: out, layout: free });
  const layout = p.preferred(n.outputs[0]!), y = p.make(out, layout);
  const from = stridesIn(shape, x.layout);
  p.move(x, y, out, perm.map((i) => from[i]!), stridesIn(out, layout));
  p.define(n.outputs[0]!, y);
}

/** Concat along an axis. */
export function lowerConcat(p: Planner, n: Node): void {
  const out = p.shapeOf(n.outputs[0]!), axis = axisOf(n, intAttr(n, "axis"), out.length);
  for (const t of n.inputs) p.shapeOf(t);
  const parts = n.inputs.map((t) => p.value(t));
  const layout: Layout = out.length === 4 && parts.some((v) => v.layout === "nhwc")
    ? "nhwc"
    : p.preferred(n.outputs[0]!);
  const y = p.make(out, layout), strides = stridesIn(out, layout);
  let at = 0;
  for (const v of parts) {
    p.move(v, y, v.shape, stridesIn(v.shape, v.layout), strides, 0, at * strides[axis]!);
    at += v.shape[axis]!;
  }
  p.define(n.outputs[0]!, y);
}

/** Slice with constant limits. */
export function lowerSlice(p: Planner, n: Node): void {
  p.shapeOf(n.inputs[0]!);
  const out = p.shapeOf(n.outputs[0]!), slices = slicesOf(inferContext(n, p.lookup));
  cut(p, n.inputs[0]!, n.outputs[0]!, out, slices);
}

/** Split along an axis. */
export function lowerSplit(p: Planner, n: Node): void {
  const shape = p.shapeOf(n.inputs[0]!), axis = axisOf(n, intAttr(n, "axis", 0), shape.length);
  let start = 0;
  for (const name of n.outputs) {
    if (name === "") throw new NotCovered("a part of a Split that has no name");
    const out = p.shapeOf(name);
    const part = shape.map((_, i) => ({ start: i === axis ? start : 0, step: 1 }));
    cut(p, n.inputs[0]!, name, out, part);
    start += out[axis]!;
  }
}

function cut(
  p: Planner,
  from: string,
  to: string,
  out: readonly number[],
  slices: readonly { readonly start: number; readonly step: number }[],
): void {
  const x = p.value(from), y = p.make(out, x.layout), s = stridesIn(x.shape, x.layout);
  const offset = slices.reduce((sum, c, i) => sum + c.start * s[i]!, 0);
  p.move(x, y, out, s.map((v, i) => v * slices[i]!.step), stridesIn(out, y.layout), offset);
  p.define(to, y);
}

/** Pad with a constant. */
export function lowerPad(p: Planner, n: Node): void {
  const shape = p.shapeOf(n.inputs[0]!), out = p.shapeOf(n.outputs[0]!);
  const pads = padsOf(inferContext(n, p.lookup));
  if (stringAttr(n, "mode", "constant") !== "constant") throw new NotCovered("a mode of Pad");
  if (pads === undefined || [...pads.begin, ...pads.end].some((v) => v < 0)) {
    throw new NotCovered("pads that are computed or negative");
  }
  const value = (n.inputs[2] ?? "") === "" ? 0 : p.floats(n, 2)[0]!;
  const bits = new Int32Array(Float32Array.of(value).buffer)[0]!;
  const x = p.value(n.inputs[0]!), y = p.make(out, x.layout), strides = stridesIn(out, y.layout);
  const count = elementCount(out);
  p.step(
    [],
    [y],
    (m) => () => fill(m.arena, { dst: m.at(y), n: count, elementBytes: 4, value: bits }),
  );
  const offset = pads.begin.reduce((s, b, i) => s + b * strides[i]!, 0);
  p.move(x, y, shape, stridesIn(shape, x.layout), strides, 0, offset);
  p.define(n.outputs[0]!, y);
}

/** Expand to a larger shape. */
export function lowerExpand(p: Planner, n: Node): void {
  const shape = p.shapeOf(n.inputs[0]!), out = p.shapeOf(n.outputs[0]!);
  const x = p.as(n.inputs[0]!, "nchw"), y = p.make(out, "nchw"), s = stridesIn(shape, "nchw");
  const lead = out.length - shape.length;
  const from = out.map((d, i) => i < lead || shape[i - lead] !== d ? 0 : s[i - lead]!);
  p.move(x, y, out, from, stridesIn(out, "nchw"));
  p.define(n.outputs[0]!, y);
}

/** DepthToSpace and SpaceToDepth. */
export function lowerBlocks(p: Planner, n: Node): void {
  const toSpace = n.op === "DepthToSpace", b = intAttr(n, "blocksize");
  const shape = p.shapeOf(n.inputs[0]!), out = p.shapeOf(n.outputs[0]!);
  const [deep, wide] = toSpace ? [shape, out] : [out, shape];
  const x = p.value(n.inputs[0]!), y = p.make(out, p.preferred(n.outputs[0]!));
  const crd = toSpace && stringAttr(n, "mode", "DCR") === "CRD";
  const C = wide[1]!, [H, W] = [deep[2]!, deep[3]!];
  const deepStrides = stridesIn(deep, (toSpace ? x : y).layout);
  const wideStrides = stridesIn(wide, (toSpace ? y : x).layout);
  const [dn, dc, dh, dw] = deepStrides as [number, number, number, number];
  const [wn, wc, wh, ww] = wideStrides as [number, number, number, number];
  // Axes: batch, row in block, column in block, channel, row, column.
  const dims = [wide[0]!, b, b, C, H, W];
  const inDeep = crd ? [dn, b * dc, dc, b * b * dc, dh, dw] : [dn, b * C * dc, C * dc, dc, dh, dw];
  const inWide = [wn, wh, ww, wc, b * wh, b * ww];
  p.move(x, y, dims, toSpace ? inDeep : inWide, toSpace ? inWide : inDeep);
  p.define(n.outputs[0]!, y);
}

/** Gather along one axis by constant positions, a short copy each. */
export function lowerGather(p: Planner, n: Node): void {
  const shape = p.shapeOf(n.inputs[0]!), out = p.shapeOf(n.outputs[0]!);
  const axis = axisOf(n, intAttr(n, "axis", 0), shape.length), indices = p.constant(n, 1);
  if (indices === undefined || indices.data.length > 1024 || Array.isArray(indices.data)) {
    throw new NotCovered("positions that are computed");
  }
  const x: Value = p.as(n.inputs[0]!, "nchw"), y = p.make(out, "nchw");
  const s = stridesIn(shape, "nchw"), inner = s[axis]!, outer = elementCount(shape.slice(0, axis));
  const count = indices.data.length;
  Array.from(indices.data as ArrayLike<number | bigint>, Number).forEach((v, k) => {
    const from = v < 0 ? v + shape[axis]! : v;
    if (!(from >= 0 && from < shape[axis]!)) throw new NotCovered("a position outside");
    p.move(
      x,
      y,
      [outer, inner],
      [inner * shape[axis]!, 1],
      [inner * count, 1],
      from * inner,
      k * inner,
    );
  });
  p.define(n.outputs[0]!, y);
}
