/**
 * Output sizes and modes of a Resize as its attributes and inputs give them.
 *
 * @module
 */

import { intsAttr, type Node, stringAttr } from "../ir/graph.ts";
import { elementCount, type Tensor } from "../ir/tensor.ts";
import { axesOf, checkedShape, integersOf } from "./args.ts";
import { given, modelError } from "./context.ts";
import { toDoubles } from "./convert.ts";
import { type InferContext, shapeError } from "./op.ts";

/** How one axis is resized. -1: not known. */
export interface AxisResize {
  readonly outSize: number;
  /** binary32; NaN when not known. */
  readonly scale: number;
}

/** Where the scales stand: the two-input form of opset 10 (and Upsample 9) has them second. */
export function scalesInput(n: Node): number {
  return n.inputs.length === 2 ? 1 : 2;
}

/** A constant input that is there and not empty; undefined when absent, "dynamic" without a value. */
function filled(c: InferContext, i: number): Tensor | "dynamic" | undefined {
  if (!given(c, i)) return undefined;
  const t = c.constant(i);
  if (t !== undefined) return elementCount(t.shape) === 0 ? undefined : t;
  return c.input(i)?.shape[0] === 0 ? undefined : "dynamic";
}

function fromScales(c: InferContext, values: ArrayLike<number>, axes: readonly number[]) {
  const { shape } = c.need(0);
  if (values.length !== axes.length) {
    shapeError(c.node, `scales has ${values.length} values for ${axes.length} axes`);
  }
  const out = shape.map((d): AxisResize => ({ outSize: d, scale: 1 }));
  axes.forEach((a, i) => {
    const scale = Math.fround(values[i]!);
    if (!(scale > 0) || scale === Infinity) modelError(c.node, `scale ${scale} is not positive`);
    const d = shape[a]!;
    // The product is a binary32 one in onnxruntime.
    out[a] = { outSize: d < 0 ? -1 : Math.floor(Math.fround(scale * d)), scale };
  });
  return out;
}

function fromSizes(c: InferContext, sizes: readonly number[], axes: readonly number[]) {
  const { shape } = c.need(0);
  if (sizes.length !== axes.length) {
    shapeError(c.node, `sizes has ${sizes.length} values for ${axes.length} axes`);
  }
  checkedShape(c.node, sizes, "sizes");
  const out = shape.map((d): AxisResize => ({ outSize: d, scale: 1 }));
  const policy = stringAttr(c.node, "keep_aspect_ratio_policy", "stretch");
  if (policy === "stretch") {
    axes.forEach((a, i) => {
      const d = shape[a]!;
      out[a] = { outSize: sizes[i]!, scale: d < 0 ? NaN : Math.fround(sizes[i]! / d) };
    });
    return out;
  }
  const ratios = axes.map((a, i) => shape[a]! < 0 ? NaN : Math.fround(sizes[i]! / shape[a]!));
  const scale = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  for (const a of axes) {
    const d = shape[a]!;
    out[a] = {
      outSize: Number.isNaN(scale) ? -1 : Math.floor(Math.fround(scale * d) + 0.5),
      scale,
    };
  }
  return out;
}

/** Output size and scale per axis. */
export function resizesOf(c: InferContext): AxisResize[] {
  const { shape } = c.need(0);
  const all = shape.map((_, i) => i);
  const axes = c.node.attrs.has("axes")
    ? axesOf(c.node, intsAttr(c.node, "axes"), shape.length)
    : all;
  const attrScales = c.node.attrs.get("scales");
  if (attrScales?.type === "floats") return fromScales(c, attrScales.value, axes);
  const scales = filled(c, scalesInput(c.node));
  const sizes = c.node.inputs.length > 3 ? filled(c, 3) : undefined;
  if (scales === "dynamic" || sizes === "dynamic") {
    return shape.map((d, i) =>
      axes.includes(i) ? { outSize: -1, scale: NaN } : { outSize: d, scale: 1 }
    );
  }
  if (sizes !== undefined) return fromSizes(c, integersOf(c.node, sizes, "sizes"), axes);
  if (scales !== undefined) return fromScales(c, toDoubles(scales), axes);
  return modelError(c.node, "neither scales nor sizes are given");
}

/** The coordinate mode; the two-input form of opset 10 has none and is asymmetric. */
export function coordinatesOf(n: Node): string {
  const old = n.op === "Upsample" || n.inputs.length === 2;
  return stringAttr(n, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
}

/** The rounding of mode nearest; the two-input form of opset 10 has its own. */
export function nearestModeOf(n: Node): string {
  const old = n.op === "Upsample" || n.inputs.length === 2;
  return stringAttr(n, "nearest_mode", old ? "simple" : "round_prefer_floor");
}
