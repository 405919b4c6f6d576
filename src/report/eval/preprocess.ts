/**
 * From a picture file to the input of a model, by a chain of steps that is data: a named set, or JSON.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import {
  centerCrop,
  letterbox,
  type Picture,
  resize,
  rgbToGray,
  swapRedBlue,
} from "../../formats/image/mod.ts";
import { hwcToChw, toFloats } from "../../formats/image/mod.ts";
import type { ResizeMethod } from "../../formats/image/mod.ts";
import type { Tensor } from "../../ir/tensor.ts";

/** Order of the channels. */
export type ColourOrder = "rgb" | "bgr" | "gray";

/** One step. Sizes that are not given are those of the model's input. */
export type Step =
  | {
    readonly step: "resize";
    readonly width?: number;
    readonly height?: number;
    readonly method?: ResizeMethod;
  }
  /** The shorter side becomes `size`, or the input's shorter side divided by `ratio`. */
  | {
    readonly step: "short_side";
    readonly size?: number;
    readonly ratio?: number;
    readonly method?: ResizeMethod;
  }
  | { readonly step: "center_crop"; readonly width?: number; readonly height?: number }
  | {
    readonly step: "letterbox";
    readonly width?: number;
    readonly height?: number;
    readonly value?: number;
    readonly anchor?: "center" | "top-left";
    readonly method?: ResizeMethod;
  }
  | { readonly step: "color"; readonly order: ColourOrder }
  /** y = (x - mean) * scale, one value or one a channel. */
  | {
    readonly step: "normalize";
    readonly mean: readonly number[];
    readonly scale: readonly number[];
  }
  | { readonly step: "layout"; readonly order: "NCHW" | "NHWC" };

const torch: Step = {
  step: "normalize",
  mean: [123.675, 116.28, 103.53],
  scale: [1 / 58.395, 1 / 57.12, 1 / 57.375],
};
const crop: readonly Step[] = [
  { step: "short_side", ratio: 0.875, method: "bilinear" },
  { step: "center_crop" },
];

/** Named chains. */
export const chains: ReadonlyMap<string, readonly Step[]> = new Map<string, readonly Step[]>([
  ["none", [{ step: "resize" }]],
  ["imagenet", [...crop, torch]],
  ["mobilenet", [...crop, { step: "normalize", mean: [127.5], scale: [1 / 127.5] }]],
  ["yolox", [
    { step: "letterbox", value: 114, anchor: "top-left" },
    { step: "color", order: "bgr" },
  ]],
  ["nanodet", [
    { step: "resize" },
    { step: "color", order: "bgr" },
    {
      step: "normalize",
      mean: [103.53, 116.28, 123.675],
      scale: [1 / 57.375, 1 / 57.12, 1 / 58.395],
    },
  ]],
  ["ultraface", [{ step: "resize" }, { step: "normalize", mean: [127], scale: [1 / 128] }]],
  ["mnist", [{ step: "resize" }, { step: "color", order: "gray" }]],
  ["lenet", [
    { step: "resize" },
    { step: "color", order: "gray" },
    { step: "normalize", mean: [0], scale: [1 / 256] },
  ]],
  ["ppocr", [
    { step: "letterbox", value: 127, anchor: "top-left" },
    { step: "color", order: "bgr" },
    { step: "normalize", mean: [127.5], scale: [1 / 127.5] },
  ]],
  ["cifar10", [{ step: "resize" }, {
    step: "normalize",
    mean: [125.307, 122.961, 113.8575],
    scale: [1 / 51.5865, 1 / 50.847, 1 / 51.255],
  }]],
]);

const fields: ReadonlyMap<string, readonly string[]> = new Map([
  ["resize", ["width", "height", "method"]],
  ["short_side", ["size", "ratio", "method"]],
  ["center_crop", ["width", "height"]],
  ["letterbox", ["width", "height", "value", "anchor", "method"]],
  ["color", ["order"]],
  ["normalize", ["mean", "scale"]],
  ["layout", ["order"]],
]);
const words: ReadonlyMap<string, readonly string[]> = new Map([
  ["method", ["nearest", "bilinear", "bicubic", "area", "antialias"]],
  ["anchor", ["center", "top-left"]],
  ["color.order", ["rgb", "bgr", "gray"]],
  ["layout.order", ["NCHW", "NHWC"]],
]);

/**
 * Reads a chain: a JSON list of steps like `{"step": "resize", "width": 320, "height": 240}`.
 *
 * @throws {BpuError} `config` with the step that is wrong and what is allowed.
 */
export function parseChain(text: string, file: string): readonly Step[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (cause) {
    throw new BpuError("format", "the preprocessing chain is not JSON", { file, cause });
  }
  const wrong = (i: number, why: string): never => {
    throw new BpuError("config", `step ${i} of the preprocessing chain: ${why}`, {
      file,
      hint: `Steps are ${[...fields.keys()].join(", ")}.`,
    });
  };
  if (!Array.isArray(list)) {
    throw new BpuError("config", "the preprocessing chain must be a list of steps", { file });
  }
  return list.map((item: unknown, i): Step => {
    if (typeof item !== "object" || item === null || !("step" in item)) {
      return wrong(i, "it has no field step");
    }
    const kind = String(item.step);
    const known = fields.get(kind) ?? wrong(i, `${JSON.stringify(kind)} is not known`);
    for (const [key, value] of Object.entries(item)) {
      if (key === "step") continue;
      if (!known.includes(key)) {
        wrong(i, `${kind} has no field ${JSON.stringify(key)}, only ${known.join(", ")}`);
      }
      const allowed = words.get(key) ?? words.get(`${kind}.${key}`);
      if (allowed !== undefined) {
        if (!allowed.includes(String(value))) {
          wrong(i, `${key} must be one of ${allowed.join(", ")}`);
        }
      } else if (kind === "normalize") {
        const ok = Array.isArray(value) && value.length > 0 &&
          value.every((v) => typeof v === "number" && Number.isFinite(v));
        if (!ok) wrong(i, `${key} must be a list of numbers`);
      } else if (typeof value !== "number" || !(value >= 0) || !Number.isFinite(value)) {
        wrong(i, `${key} must be a number`);
      }
    }
    for (
      const key of kind === "normalize" ? ["mean", "scale"] : kind === "color" ? ["order"] : []
    ) {
      if (!(key in item)) wrong(i, `${kind} needs ${key}`);
    }
    return item as Step;
  });
}

/** Where the picture stands in the input: original = (input - offset) / scale. */
export interface Placement {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly left: number;
  readonly top: number;
  /** Size of the original picture. */
  readonly width: number;
  readonly height: number;
}

/** What a chain gives. */
export interface Prepared {
  readonly tensor: Tensor;
  readonly placement: Placement;
}

/** How a chain is applied. */
export interface ChainOptions {
  /** The model takes bytes or normalises itself: normalize steps are left out. */
  readonly raw?: boolean;
  /** Channel order that the model was made for; overrides the chain's. */
  readonly order?: ColourOrder;
  /** Layout of the input; overrides the chain's. */
  readonly layout?: "NCHW" | "NHWC";
}

/**
 * Applies a chain to an RGB picture.
 *
 * @param shape of the model's input, rank 4 with batch 1
 * @throws {BpuError} `shape` when the result does not have that shape
 */
export function applyChain(
  source: Picture,
  chain: readonly Step[],
  shape: readonly number[],
  options: ChainOptions = {},
): Prepared {
  const layout = options.layout ??
    chain.reduce<"NCHW" | "NHWC">((l, s) => s.step === "layout" ? s.order : l, "NCHW");
  if (shape.length !== 4) {
    throw new BpuError("shape", `a picture needs an input of rank 4, not ${shape.join("x")}`);
  }
  const [h, w, c] = layout === "NCHW"
    ? [shape[2]!, shape[3]!, shape[1]!]
    : [shape[1]!, shape[2]!, shape[3]!];
  let p = source;
  let at: Placement = {
    scaleX: 1,
    scaleY: 1,
    left: 0,
    top: 0,
    width: source.width,
    height: source.height,
  };
  const scaled = (sx: number, sy: number, left: number, top: number) => {
    at = {
      ...at,
      scaleX: at.scaleX * sx,
      scaleY: at.scaleY * sy,
      left: at.left * sx + left,
      top: at.top * sy + top,
    };
  };
  let order: ColourOrder = "rgb";
  const normals: Extract<Step, { step: "normalize" }>[] = [];
  const steps = options.order === undefined ? chain : [
    ...chain.filter((s) => s.step !== "color"),
    { step: "color" as const, order: options.order },
  ];
  for (const s of steps) {
    switch (s.step) {
      case "resize": {
        const width = s.width ?? w, height = s.height ?? h;
        scaled(width / p.width, height / p.height, 0, 0);
        p = resize(p, width, height, s.method ?? "bilinear");
        break;
      }
      case "short_side": {
        const size = s.size ?? Math.round(Math.min(w, h) / (s.ratio ?? 1));
        const f = size / Math.min(p.width, p.height);
        const width = Math.round(p.width * f), height = Math.round(p.height * f);
        scaled(width / p.width, height / p.height, 0, 0);
        p = resize(p, width, height, s.method ?? "bilinear");
        break;
      }
      case "center_crop": {
        const width = s.width ?? w, height = s.height ?? h;
        scaled(1, 1, -Math.floor((p.width - width) / 2), -Math.floor((p.height - height) / 2));
        p = centerCrop(p, width, height);
        break;
      }
      case "letterbox": {
        const box = letterbox(p, s.width ?? w, s.height ?? h, {
          value: s.value ?? 114,
          anchor: s.anchor ?? "center",
          ...(s.method === undefined ? {} : { method: s.method }),
        });
        scaled(box.scale, box.scale, box.left, box.top);
        p = box.picture;
        break;
      }
      case "color":
        if (s.order === order) break;
        if (s.order === "gray") p = rgbToGray(order === "bgr" ? swapRedBlue(p) : p);
        else p = swapRedBlue(p);
        order = s.order;
        break;
      case "normalize":
        if (!options.raw) normals.push(s);
        break;
      case "layout":
        break;
    }
  }
  if (p.width !== w || p.height !== h || p.channels !== c) {
    throw new BpuError(
      "shape",
      `the preprocessing gives ${p.channels} channels of ${p.width}x${p.height}, the model takes ${c} of ${w}x${h}`,
      { hint: "Choose another --preprocess, or add a resize step." },
    );
  }
  const values = Float32Array.from(toFloats(p).data);
  for (const s of normals) {
    const one = (v: readonly number[], i: number) => v[v.length === 1 ? 0 : i % c] ?? 0;
    for (let i = 0; i < values.length; i++) {
      values[i] = (values[i]! - one(s.mean, i)) * one(s.scale, i);
    }
  }
  const data = layout === "NHWC" ? values : hwcToChw(values, h, w, c);
  return { tensor: { dtype: "float32", shape: [1, ...shape.slice(1)], data }, placement: at };
}
