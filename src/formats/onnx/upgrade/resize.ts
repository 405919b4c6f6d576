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
import { type AxisScale, resizeByMatrix } from "./resize_matrix.ts";
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
  const full = { ...n, inputs };
  const policy = stringAttr(n, "keep_aspect_ratio_policy", "stretch");
  const kept = policy === "stretch" ? undefined : keptAspect(full, c);
  const axes = kept ?? axesOf(full, c);
  const antialias = intAttr(n, "antialias", 0) !== 0;
  const symmetric = coordinates === "half_pixel_symmetric";
  if ((antialias || symmetric) && axes === undefined) {
    throw refuse(
      n,
      `the input size of ${antialias ? "antialiasing" : coordinates} is not known`,
      "Fix the input shape.",
    );
  }
  // What these ask for does nothing where no axis shrinks, or sizes are what the scales say.
  const exact = (a: AxisScale) => Math.abs(a.size * a.scale - a.out) < 1e-9;
  const needed = antialias && axes?.some((a) => a.scale < 1) ||
    symmetric && !axes?.every(exact) || kept !== undefined && !kept.every(exact);
  if (needed && axes !== undefined) return resizeByMatrix(full, c, axes);
  if (kept !== undefined) {
    inputs = [
      n.inputs[0] ?? "",
      inputs[1] ?? "",
      "",
      addInts(n, c, "sizes", kept.map((a) => a.out)),
    ];
  }
  if (symmetric) {
    attrs = new Map([...attrs, ["coordinate_transformation_mode", attr.string("half_pixel")]]);
  }
  return [rewired(n, inputs, without(attrs, "axes", "antialias", "keep_aspect_ratio_policy"))];
}

/** Sizes and scale of every axis where they are known: stated, or output size over input size. */
function axesOf(n: Node, c: Context): AxisScale[] | undefined {
  const { shape } = c.fact(n.inputs[0] ?? "");
  const stated = n.inputs[2] ?? "";
  if (stated !== "" && c.constant(stated)?.data.length !== 0) {
    const scales = c.constant(stated) && constantInput(n, c, 2, "the list of scales");
    if (scales === undefined || shape === undefined) return undefined;
    if (shape.some((d, i) => d < 0 && scales[i] !== 1)) return undefined;
    return shape.map((size, i) => ({
      size,
      scale: scales[i]!,
      out: Math.floor(size * scales[i]!),
    }));
  }
  const list = c.constant(n.inputs[3] ?? "");
  if (shape === undefined || list === undefined || shape.includes(-1)) return undefined;
  const sizes = constantInput(n, c, 3, "the list of sizes")!;
  return shape.map((size, i) => ({ size, out: sizes[i]!, scale: sizes[i]! / size }));
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
 * Axes under `keep_aspect_ratio_policy`: one scale for all resized axes, sizes rounded half up. Undefined
 * where scales are given, which it does not affect.
 */
function keptAspect(n: Node, c: Context): AxisScale[] | undefined {
  const sizes = constantInput(n, c, 3, "the list of sizes");
  if (sizes === undefined || sizes.length === 0) return undefined;
  const { shape } = c.fact(n.inputs[0] ?? "");
  if (shape === undefined || shape.includes(-1)) {
    throw refuse(n, "the input size is not known", "Fix the input shape.");
  }
  const given = n.attrs.has("axes")
    ? intsAttr(n, "axes").map((a) => a < 0 ? a + shape.length : a)
    : shape.map((_, i) => i);
  const ratios = given.map((a) => sizes[a]! / shape[a]!);
  const policy = stringAttr(n, "keep_aspect_ratio_policy");
  const common = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  return shape.map((size, i) => {
    const scale = given.includes(i) ? common : 1;
    return { size, scale, out: Math.floor(scale * size + 0.5) };
  });
}
