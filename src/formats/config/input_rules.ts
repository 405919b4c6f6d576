/**
 * Rules that tie the keys of one input together: allowed pairs of types, ranges, layouts, sources.
 *
 * @module
 */

import type { Layout, March, RuntimeType, SpaceAndRange, TrainType } from "./types.ts";

/** Which `input_type_rt` each `input_type_train` can have. */
export const typePairs: ReadonlyMap<TrainType, readonly RuntimeType[]> = new Map<
  TrainType,
  readonly RuntimeType[]
>([
  ["yuv444", ["nv12", "yuv444"]],
  ["rgb", ["nv12", "yuv444", "rgb", "bgr"]],
  ["bgr", ["nv12", "yuv444", "rgb", "bgr"]],
  ["gray", ["gray"]],
  ["featuremap", ["featuremap"]],
]);

/** What each march limits in a config. */
export interface MarchLimits {
  readonly cores: number;
  readonly int16: boolean;
  readonly yuv444Nchw: boolean;
}

/** Limits by march. */
export const marchLimits: Readonly<Record<March, MarchLimits>> = {
  bayes: { cores: 1, int16: true, yuv444Nchw: true },
  bernoulli2: { cores: 2, int16: false, yuv444Nchw: false },
  "bayes-e": { cores: 1, int16: true, yuv444Nchw: true },
};

/** Why a pair of types is refused, or undefined. */
export function refuseTypes(train: TrainType, rt: RuntimeType): string | undefined {
  const allowed = typePairs.get(train)!;
  if (allowed.includes(rt)) return undefined;
  const hint = train === "gray" && rt === "nv12"
    ? "; for gray from an nv12 camera set both to gray and feed the Y plane"
    : "";
  return `input_type_rt ${rt} does not go with input_type_train ${train}${hint}`;
}

/** Why a range is refused (`error`) or has no effect (`warning`). */
export function checkSpace(
  space: SpaceAndRange,
  train: TrainType,
  rt: RuntimeType,
): { severity: "error" | "warning"; message: string } | undefined {
  if (space === "regular") return undefined;
  if (rt !== "nv12") {
    return {
      severity: "warning",
      message: `${space} has no effect with input_type_rt ${rt}, only with nv12`,
    };
  }
  if (train === "rgb" || train === "bgr") return undefined;
  return {
    severity: "error",
    message: `${space} works with input_type_train rgb or bgr only, here it is ${train}`,
  };
}

/** Why a shape does not fit an input, or undefined. Unknown dimensions (-1) pass. */
export function refuseShape(
  shape: readonly number[],
  layout: Layout,
  train: TrainType,
  rt: RuntimeType,
): string | undefined {
  if (rt === "featuremap") return undefined;
  const text = shape.map((d) => d < 0 ? "?" : d).join("x");
  if (shape.length !== 4) {
    return `input_type_rt ${rt} needs a 4-D input, the shape is ${text}; use featuremap`;
  }
  const [c, h, w] = imageAxes(shape, layout);
  const channels = train === "gray" ? 1 : 3;
  if (c >= 0 && c !== channels) {
    return `input_type_train ${train} has ${channels} channel${
      channels > 1 ? "s" : ""
    }, the shape ${text} in ${layout} has ${c}`;
  }
  if (rt === "nv12" && (h > 0 && h % 2 !== 0 || w > 0 && w % 2 !== 0)) {
    return `input_type_rt nv12 needs even height and width, the shape ${text} in ${layout} is ${h}x${w}`;
  }
  return undefined;
}

/** Channels, height and width of a 4-D shape. */
export function imageAxes(shape: readonly number[], layout: Layout): [number, number, number] {
  const at = (i: number) => shape[i] ?? -1;
  return layout === "NCHW" ? [at(1), at(2), at(3)] : [at(3), at(1), at(2)];
}
