/**
 * Which operators change between opset 7 and 22 (`legacy.ts` brings older ones to 7). An operator that is not listed is the same in all of
 * them, or does not exist in opset 17; the latter stay as they are and are reported as unsupported where
 * operators are placed.
 *
 * @module
 */

import { gelu, mish } from "./activations.ts";
import { affineGrid } from "./affine_grid.ts";
import { axesToAttribute, axesToInput } from "./axes.ts";
import { batchNormalization } from "./batch_normalization.ts";
import { bitwise, bitwiseNot } from "./bitwise.ts";
import { centerCropPad } from "./center_crop_pad.ts";
import { clip } from "./clip.ts";
import { col2im } from "./col2im.ts";
import type { Upgrade } from "./context.ts";
import { dropout } from "./dropout.ts";
import { groupNormalization } from "./group_normalization.ts";
import { cast } from "./narrow.ts";
import { pad } from "./pad.ts";
import { pool } from "./pool.ts";
import { quantizeLinear } from "./quantize_linear.ts";
import { recurrent } from "./recurrent.ts";
import { upsample } from "./resize.ts";
import {
  dft,
  gridSample,
  legacyBroadcast,
  optionalGetElement,
  roiAlign,
  scatter,
} from "./simple.ts";
import { scatterReduction } from "./scatter.ts";
import { scan } from "./scan.ts";
import { slice } from "./slice.ts";
import { softmax } from "./softmax.ts";
import { split } from "./split.ts";
import { topK } from "./top_k.ts";

/** Upgrades by operator of the default domain. */
export const upgrades: ReadonlyMap<string, Upgrade> = new Map<string, Upgrade>([
  ["AffineGrid", affineGrid],
  ["BatchNormalization", batchNormalization],
  ["Cast", cast],
  ["CastLike", cast],
  ["BitwiseAnd", bitwise],
  ["BitwiseOr", bitwise],
  ["BitwiseXor", bitwise],
  ["BitwiseNot", bitwiseNot],
  ["CenterCropPad", centerCropPad],
  ["Clip", clip],
  ["Col2Im", col2im],
  ["DFT", dft],
  ["Dropout", dropout],
  ["Gelu", gelu],
  ["GridSample", gridSample],
  ["GroupNormalization", groupNormalization],
  ["Mish", mish],
  ["Pad", pad],
  ["OptionalGetElement", optionalGetElement],
  ["RoiAlign", roiAlign],
  ["Scan", scan],
  ["Scatter", scatter],
  ["Slice", slice],
  ["Split", split],
  ["TopK", topK],
  ["Upsample", upsample],
  ["Resize", upsample],
  ...["RNN", "GRU", "LSTM"].map((op) => [op, recurrent] as const),
  ...["AveragePool", "LpPool"].map((op) => [op, pool] as const),
  ...["QuantizeLinear", "DequantizeLinear"].map((op) => [op, quantizeLinear] as const),
  ...["ScatterElements", "ScatterND"].map((op) => [op, scatterReduction] as const),
  ...["Softmax", "LogSoftmax", "Hardmax"].map((op) => [op, softmax] as const),
  ...["Squeeze", "Unsqueeze", "ReduceSum"].map((op) => [op, axesToInput] as const),
  ...[
    "ReduceMean",
    "ReduceMax",
    "ReduceMin",
    "ReduceProd",
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceSumSquare",
  ].map((op) => [op, axesToAttribute] as const),
  ...[
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Pow",
    "And",
    "Or",
    "Xor",
    "Greater",
    "Less",
    "Gemm",
    "PRelu",
    "Equal",
  ]
    .map((op) => [op, legacyBroadcast] as const),
]);
