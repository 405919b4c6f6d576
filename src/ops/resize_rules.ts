/**
 * The table's rows of Resize, which Upsample shares.
 *
 * @module
 */

import { floatAttr, stringAttr } from "../ir/graph.ts";
import type { MarchRules, Rule, RuleContext } from "./op.ts";
import { coordinatesOf, resizesOf } from "./resize_shape.ts";
import { toDoubles } from "./convert.ts";
import { filledInput } from "./rules_b.ts";
import { attrOneOf, dimOf, first, inputRank, note, onBpu, only, rule } from "./rules.ts";

const modeOf = (c: RuleContext): string => stringAttr(c.node, "mode", "nearest");
const old = (c: RuleContext): boolean => c.node.op === "Upsample" || c.node.inputs.length === 2;
const recent = (c: RuleContext): boolean => !old(c);

/** Scales of H and W of a rank 4 input. */
function factors(c: RuleContext): { name: string; scale: number }[] {
  const r = resizesOf(c);
  if (r.length !== 4) return [];
  return [2, 3].map((i) => ({ name: "NCHW"[i]!, scale: r[i]!.scale }));
}

const hwOnly = rule("resize over H,W only", (c) => {
  const r = resizesOf(c);
  const a = r.findIndex(({ scale }, i) => i < r.length - 2 && scale !== 1);
  return a < 0 ? undefined : `dimension ${r.length === 4 ? "NC"[a] : a} is resized`;
});

const powerOfTwo = rule(
  "mode nearest: upscale factor a power of 2 (2,4,8,16,32,...)",
  (c) => {
    if (modeOf(c) !== "nearest") return undefined;
    const bad = factors(c).find(({ scale }) => scale > 1 && !Number.isInteger(Math.log2(scale)));
    return bad && `scales ${bad.name} ${bad.scale} is not a power of two`;
  },
);

const heightFirst = rule(
  "mode nearest: H and W upscale factors may differ, H factor <= W factor",
  (c) => {
    if (modeOf(c) !== "nearest") return undefined;
    const [h, w] = factors(c);
    return h !== undefined && w !== undefined && (h.scale > 1 || w.scale > 1) && h.scale > w.scale
      ? `scales H ${h.scale} is more than W ${w.scale}`
      : undefined;
  },
);

const anyCoordinates = [
  "half_pixel",
  "pytorch_half_pixel",
  "asymmetric",
  "align_corners",
  "tf_crop_and_resize",
];

/** roi as starts and ends per axis; undefined when not given, not constant or of another length. */
function roiOf(c: RuleContext): Float64Array | undefined {
  if (old(c) || !filledInput(c, 1)) return undefined;
  const t = c.constant(1);
  const values = t && toDoubles(t);
  return values?.length === 2 * c.need(0).shape.length ? values : undefined;
}

const crops = (c: RuleContext): boolean => coordinatesOf(c.node) === "tf_crop_and_resize";

const roiAllowed = rule("roi input allowed, constant only, H,W only", (c) => {
  if (!filledInput(c, 1)) return undefined;
  if (c.constant(1) === undefined) return "roi is not a constant";
  const roi = roiOf(c);
  if (!crops(c) || roi === undefined) return undefined;
  const rank = roi.length / 2;
  for (let a = 0; a < rank - 2; a++) {
    if (roi[a] !== 0 || roi[rank + a] !== 1) return `roi crops dimension ${a}`;
  }
  return undefined;
});

const roiIntegers = rule(
  "tf_crop_and_resize: box coordinates derived from roi must be integers",
  (c) => {
    const roi = roiOf(c);
    if (!crops(c) || roi === undefined) return undefined;
    const rank = roi.length / 2;
    return first(
      ...Array.from(roi, (v, i) => {
        const a = i % rank;
        if (a < rank - 2) return undefined;
        const box = v * (dimOf(c.need(0), a) - 1);
        // roi is stored in binary32: a pixel position is exact to about 1e-7 of the axis.
        return Math.abs(box - Math.round(box)) <= 1e-3
          ? undefined
          : `roi gives the box coordinate ${box} on dimension ${a}, which is not an integer`;
      }),
    );
  },
);

/** What the BPU states, on all marches. */
export const resizeBpu: readonly Rule[] = [
  inputRank(4, "input rank 4 NCHW"),
  hwOnly,
  attrOneOf("mode", ["nearest", "linear"], "nearest"),
  note("upscale and downscale allowed"),
  powerOfTwo,
  heightFirst,
  only(
    "opset 11",
    recent,
    attrOneOf("coordinate_transformation_mode", anyCoordinates, "half_pixel"),
  ),
  only("opset 11", recent, roiAllowed),
  note("roi has effect only with tf_crop_and_resize"),
  note("PyTorch-exported model: roi input must be added by hand"),
  roiIntegers,
];

const cpuCoordinates = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"];
const coordinates = (values: readonly string[]): Rule =>
  attrOneOf("coordinate_transformation_mode", values, "half_pixel");

/** What the original's CPU kernels state. */
export const resizeCpu: readonly Rule[] = [
  only("opset 10 kernel (2 inputs)", old, inputRank(4)),
  only("opset 11 kernel (> 2 inputs)", recent, inputRank(4)),
  only(
    "opset 11 kernel, mode nearest or linear",
    (c) => recent(c) && modeOf(c) !== "cubic",
    coordinates(cpuCoordinates),
  ),
  only(
    "opset 11 kernel, mode cubic",
    (c) => recent(c) && modeOf(c) === "cubic",
    coordinates(["half_pixel"]),
  ),
  only(
    "opset 11 kernel",
    recent,
    rule(
      "extrapolation_value unsupported",
      (c) =>
        floatAttr(c.node, "extrapolation_value", 0) === 0
          ? undefined
          : "extrapolation_value is not supported",
    ),
  ),
];

/** The row of Resize on every march. */
export const resizeRow: MarchRules = onBpu("unstated", resizeBpu, resizeCpu, "sizes");

/** The same for a march without int16. */
export const resizeRow8: MarchRules = onBpu("no", resizeBpu, resizeCpu);
