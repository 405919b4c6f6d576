/**
 * Upsample (7, 9) and Resize (10, 11, 13, 18, 19) to Resize of opset 17.
 *
 * @module
 */

import {
  type Attr,
  attr,
  intAttr,
  intsAttr,
  type Node,
  node,
  stringAttr,
} from "../../../ir/graph.ts";
import { f32 } from "../../../ir/tensor.ts";
import {
  addInts,
  constantInput,
  type Context,
  helper,
  refuse,
  rewired,
  without,
} from "./context.ts";

/** Scales as a constant: an attribute (opset 7) or the second input (9 and 10). */
function oldScales(n: Node, c: Context): { name: string; values: readonly number[] } {
  const a = n.attrs.get("scales");
  if (a?.type === "floats") {
    return {
      name: c.addConstant(`${n.name}_scales`, f32([a.value.length], a.value)),
      values: a.value,
    };
  }
  const values = constantInput(n, c, 1, "the list of scales");
  if (values === undefined) throw refuse(n, "the node has no scales");
  return { name: n.inputs[1]!, values };
}

/**
 * Upsample and Resize-10: positions are `output / scale`; nearest takes the floor where an axis grows and
 * the ceiling where it shrinks (opset 10 leaves it open; this is what onnxruntime does).
 */
export function upsample(n: Node, c: Context): readonly Node[] | undefined {
  if (n.op === "Resize" && c.opset >= 11) return resize(n, c);
  const { name, values } = oldScales(n, c);
  const mode = stringAttr(n, "mode", "nearest");
  const x = n.inputs[0] ?? "";
  const attrs = (kind: string, nearest: string): Record<string, Attr> => ({
    mode: attr.string(kind),
    coordinate_transformation_mode: attr.string("asymmetric"),
    ...(kind === "nearest" ? { nearest_mode: attr.string(nearest) } : {}),
  });
  if (mode !== "nearest") {
    if (mode !== "linear" && mode !== "bilinear") throw refuse(n, `mode ${mode} is not supported`);
    return [node("Resize", n.name, [x, "", name], n.outputs, attrs("linear", ""))];
  }
  const grows = values.some((s) => s > 1);
  const shrinks = values.some((s) => s < 1);
  if (!grows || !shrinks) {
    const nearest = shrinks ? "ceil" : "floor";
    return [node("Resize", n.name, [x, "", name], n.outputs, attrs(mode, nearest))];
  }
  const scales = (what: string, list: readonly number[]) =>
    c.addConstant(`${n.name}_${what}`, f32([list.length], list));
  const up = scales("up", values.map((s) => Math.max(s, 1)));
  const down = scales("down", values.map((s) => Math.min(s, 1)));
  const first = helper(n, c, "Resize", "grow", [x, "", up], attrs(mode, "floor"));
  return [
    first,
    node("Resize", n.name, [first.outputs[0]!, "", down], n.outputs, attrs(mode, "ceil")),
  ];
}

/** Resize of 11 and later. */
function resize(n: Node, c: Context): readonly Node[] | undefined {
  let attrs: ReadonlyMap<string, Attr> = n.attrs;
  let inputs = n.inputs;
  const coordinates = stringAttr(n, "coordinate_transformation_mode", "half_pixel");
  if (coordinates === "tf_half_pixel_for_nn" && c.opset < 13) {
    // floor((i + 0.5) / s) is (i + 0.5) / s - 0.5 rounded with halves up.
    if (
      stringAttr(n, "mode", "nearest") !== "nearest" ||
      stringAttr(n, "nearest_mode", "round_prefer_floor") !== "floor"
    ) throw refuse(n, "tf_half_pixel_for_nn is supported with nearest and floor only");
    attrs = new Map([
      ...attrs,
      ["coordinate_transformation_mode", attr.string("half_pixel")],
      ["nearest_mode", attr.string("round_prefer_ceil")],
    ]);
  }
  if (c.opset < 18) return attrs === n.attrs ? undefined : [rewired(n, inputs, attrs)];

  if (n.attrs.has("axes")) inputs = allAxes(n, c);
  if (intAttr(n, "antialias", 0) !== 0) {
    // It does nothing where no axis shrinks.
    const scales = scalesOf({ ...n, inputs }, c);
    if (scales?.every((s) => s >= 1) !== true) {
      throw refuse(n, "antialiasing is not supported", "Export with antialias=False.");
    }
  }
  if (stringAttr(n, "keep_aspect_ratio_policy", "stretch") !== "stretch") {
    inputs = keptAspect({ ...n, inputs }, c);
  }
  if (coordinates === "half_pixel_symmetric") {
    // It differs from half_pixel only where the output size is not the scaled input size.
    const { shape } = c.fact(n.inputs[0] ?? "");
    const bySize = (inputs[3] ?? "") !== "";
    const scales = bySize ? undefined : scalesOf({ ...n, inputs }, c);
    const exact = bySize ||
      (shape !== undefined && scales !== undefined &&
        shape.every((d, i) => d >= 0 && Number.isInteger(d * scales[i]!)));
    if (!exact) throw refuse(n, "half_pixel_symmetric is not supported", "Use half_pixel.");
    attrs = new Map([...attrs, ["coordinate_transformation_mode", attr.string("half_pixel")]]);
  }
  return [rewired(n, inputs, without(attrs, "axes", "antialias", "keep_aspect_ratio_policy"))];
}

/** Scale of every axis where it is known: stated, or output size over input size. */
function scalesOf(n: Node, c: Context): number[] | undefined {
  const stated = n.inputs[2] ?? "";
  if (stated !== "" && c.constant(stated)?.data.length !== 0) {
    return constantInput(n, c, 2, "the list of scales");
  }
  const { shape } = c.fact(n.inputs[0] ?? "");
  const sizes = constantInput(n, c, 3, "the list of sizes");
  if (shape === undefined || sizes === undefined || shape.includes(-1)) return undefined;
  return sizes.map((s, i) => s / shape[i]!);
}

/** Scales, sizes and roi for all axes instead of those of the attribute `axes`. */
function allAxes(n: Node, c: Context): string[] {
  const x = n.inputs[0] ?? "";
  const { rank, shape } = c.fact(x);
  if (rank === undefined) {
    throw refuse(n, "the rank of the input is not known", "Export with opset 17.");
  }
  const axes = intsAttr(n, "axes").map((a) => a < 0 ? a + rank : a);
  const inputs = [x, "", "", ""];
  const roi = constantInput(n, c, 1, "the region");
  if (roi !== undefined && roi.length > 0) {
    const all = [...new Array<number>(rank).fill(0), ...new Array<number>(rank).fill(1)];
    axes.forEach((a, i) => {
      all[a] = roi[i]!;
      all[a + rank] = roi[i + axes.length]!;
    });
    inputs[1] = c.addConstant(`${n.name}_roi`, f32([2 * rank], all));
  }
  const scales = constantInput(n, c, 2, "the list of scales");
  if (scales !== undefined && scales.length > 0) {
    const all = new Array<number>(rank).fill(1);
    axes.forEach((a, i) => all[a] = scales[i]!);
    inputs[2] = c.addConstant(`${n.name}_scales`, f32([rank], all));
    return inputs.slice(0, 3);
  }
  const sizes = constantInput(n, c, 3, "the list of sizes");
  if (sizes === undefined) throw refuse(n, "the node has neither scales nor sizes");
  const all: number[] = [...shape ?? new Array<number>(rank).fill(-1)];
  axes.forEach((a, i) => all[a] = sizes[i]!);
  if (all.includes(-1)) {
    throw refuse(n, "the input size is not known", "Export with opset 17 or fix the input shape.");
  }
  inputs[3] = addInts(n, c, "sizes", all);
  return inputs;
}

/**
 * Inputs after `keep_aspect_ratio_policy`: one scale for all resized axes, sizes rounded half up. Opset 17
 * derives the scale from the sizes or the sizes (rounded down) from the scale, so a size that has to be
 * rounded up while the scale stays has no form there.
 */
function keptAspect(n: Node, c: Context): string[] {
  const sizes = constantInput(n, c, 3, "the list of sizes");
  if (sizes === undefined || sizes.length === 0) return [...n.inputs]; // Scales are not affected.
  const x = n.inputs[0] ?? "";
  const { shape } = c.fact(x);
  if (shape === undefined || shape.includes(-1)) {
    throw refuse(n, "the input size is not known", "Fix the input shape.");
  }
  const policy = stringAttr(n, "keep_aspect_ratio_policy");
  const given = n.attrs.has("axes")
    ? intsAttr(n, "axes").map((a) => a < 0 ? a + shape.length : a)
    : shape.map((_, i) => i);
  const ratios = given.map((a) => sizes[a]! / shape[a]!);
  const scale = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  const scales = shape.map((_, i) => given.includes(i) ? scale : 1);
  const wanted = shape.map((d, i) => Math.floor(scales[i]! * d + 0.5));
  if (shape.every((d, i) => Math.abs(scales[i]! * d - wanted[i]!) < 1e-9)) {
    return [x, n.inputs[1] ?? "", "", addInts(n, c, "sizes", wanted)];
  }
  const single = scales.map(Math.fround);
  if (shape.some((d, i) => Math.floor(Math.fround(single[i]! * d)) !== wanted[i])) {
    throw refuse(
      n,
      `keep_aspect_ratio_policy=${policy} gives a size that has to be rounded up`,
      "Export the model with the sizes written out (policy stretch).",
    );
  }
  return [x, n.inputs[1] ?? "", c.addConstant(`${n.name}_scales`, f32([single.length], single))];
}
