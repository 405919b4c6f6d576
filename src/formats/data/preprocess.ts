/**
 * The arithmetic of the HzPreprocess node: colour matrix, the +128 of the intermediate type, mean and
 * scale, folded into one 1x1 convolution.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import type { CompleteInput, InputNorm } from "../config/types.ts";
import { imageAxes } from "../config/input_rules.ts";
import { YUV_TO_RGB, yuvRanges } from "../image/colour.ts";

/** y[o] = sum over i of weight[o * inC + i] * x[i] + bias[o], per pixel. */
export interface PreprocessMatrix {
  readonly outC: number;
  readonly inC: number;
  /** `[outC][inC]`, row-major. */
  readonly weight: Float64Array;
  /** `[outC]`. */
  readonly bias: Float64Array;
}

/**
 * The 1x1 convolution from the intermediate type (see `toModelInput`) to what the float model was trained
 * on, mean and scale included; undefined where it would change nothing (a featuremap with no_preprocess).
 *
 * @example
 * ```ts
 * import { preprocessMatrix } from "./preprocess.ts";
 * import type { CompleteInput } from "../config/types.ts";
 * const input = {
 *   name: "data", shape: [1, 1, 4, 4], typeTrain: "gray", typeRt: "gray", layoutTrain: "NCHW",
 *   layoutRt: undefined, spaceAndRange: "regular", calDataDir: undefined, calDataType: "uint8",
 *   calDataTypeGiven: false, inputSource: "pyramid", inputSourceGiven: false,
 *   norm: { type: "data_scale", mean: [], scale: [0.5] },
 * } satisfies CompleteInput;
 * console.log(preprocessMatrix(input)?.bias); // Float64Array [ 64 ]
 * ```
 */
export function preprocessMatrix(input: CompleteInput): PreprocessMatrix | undefined {
  const { typeTrain, typeRt, norm } = input;
  if (typeRt === "featuremap") {
    if (norm.type === "no_preprocess" || input.shape.length !== 4) return undefined;
    const c = imageAxes(input.shape, input.layoutTrain)[0];
    return normalised(identity(c), new Float64Array(c), norm, input.name);
  }
  const c = typeTrain === "gray" ? 1 : 3;
  const colour = typeTrain === "rgb" || typeTrain === "bgr";
  if (colour && (typeRt === "nv12" || typeRt === "yuv444")) {
    const range = yuvRanges[typeRt === "nv12" ? input.spaceAndRange : "regular"];
    const rows = typeTrain === "rgb" ? [0, 1, 2] : [2, 1, 0];
    const weight = new Float64Array(9);
    const bias = new Float64Array(3);
    rows.forEach((row, o) => {
      const [y, u, v] = YUV_TO_RGB[row]!;
      weight[3 * o] = y * 255 / range.luma;
      weight[3 * o + 1] = u * 255 / range.chroma;
      weight[3 * o + 2] = v * 255 / range.chroma;
      // Chroma is centred on 128 already; luma is not.
      bias[o] = weight[3 * o]! * (128 - range.offset);
    });
    return normalised(weight, bias, norm, input.name);
  }
  const swapped = colour && typeTrain !== typeRt;
  const weight = swapped ? Float64Array.of(0, 0, 1, 0, 1, 0, 1, 0, 0) : identity(c);
  return normalised(weight, new Float64Array(c).fill(128), norm, input.name);
}

function identity(c: number): Float64Array {
  const m = new Float64Array(c * c);
  for (let i = 0; i < c; i++) m[i * c + i] = 1;
  return m;
}

/** Applies (y - mean) * scale to the rows. */
function normalised(
  weight: Float64Array,
  bias: Float64Array,
  norm: InputNorm,
  name: string,
): PreprocessMatrix {
  const c = bias.length;
  const at = (values: readonly number[], o: number, none: number) => {
    if (values.length > 1 && values.length !== c) {
      throw new BpuError("config", `input ${name}: ${values.length} values for ${c} channels`);
    }
    return values.length === 0 ? none : values[values.length === 1 ? 0 : o]!;
  };
  for (let o = 0; o < c; o++) {
    const scale = at(norm.scale, o, 1);
    bias[o] = (bias[o]! - at(norm.mean, o, 0)) * scale;
    for (let i = 0; i < c; i++) weight[o * c + i]! *= scale;
  }
  return { outC: c, inC: c, weight, bias };
}
