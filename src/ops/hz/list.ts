/**
 * Every quantized operator.
 *
 * @module
 */

import type { OpDef } from "../op.ts";
import { hzAdd } from "./hz_add.ts";
import { hzArgMax, hzArgMin } from "./hz_arg_extreme.ts";
import { hzAveragePool, hzAveragePool16 } from "./hz_average_pool.ts";
import { hzCalibration } from "./hz_calibration.ts";
import { hzConv } from "./hz_conv.ts";
import { hzCompare } from "./hz_compare.ts";
import { hzConv3d } from "./hz_conv3d.ts";
import { hzConvTranspose } from "./hz_conv_transpose.ts";
import { hzDepthToSpace16, hzSpaceToDepth16 } from "./hz_depth_to_space.ts";
import { hzDequantize } from "./hz_dequantize.ts";
import { hzDiv } from "./hz_div.ts";
import { hzMax, hzMin } from "./hz_extreme.ts";
import { hzGather, hzGatherElements } from "./hz_gather.ts";
import { hzGridPosition, hzWarpLinear, hzWarpNearest } from "./hz_grid_sample.ts";
import { hzLayerNorm, hzRmsNorm } from "./hz_layer_norm.ts";
import { hzLut, hzLut16 } from "./hz_lut.ts";
import { hzMatmul } from "./hz_matmul.ts";
import { hzMaxPool, hzMaxPool16 } from "./hz_max_pool.ts";
import { hzMul } from "./hz_mul.ts";
import { hzPad16 } from "./hz_pad.ts";
import { hzPRelu } from "./hz_prelu.ts";
import { hzQuantize } from "./hz_quantize.ts";
import {
  hzGlobalAveragePool,
  hzGlobalMaxPool,
  hzReduceMax,
  hzReduceMean,
  hzReduceMin,
  hzReduceSum,
} from "./hz_reduce.ts";
import { hzRequantize } from "./hz_requantize.ts";
import { hzResizeLinear, hzResizeNearest } from "./hz_resize.ts";
import { hzTopK } from "./hz_top_k.ts";
import { hzSoftmax, hzSoftmax16 } from "./hz_softmax.ts";

export const listHz: readonly OpDef[] = [
  ...hzAdd,
  hzArgMax,
  hzArgMin,
  ...hzAveragePool,
  ...hzAveragePool16,
  hzCalibration,
  ...hzCompare,
  ...hzConv,
  ...hzConv3d,
  ...hzConvTranspose,
  hzDepthToSpace16,
  hzDequantize,
  ...hzDiv,
  hzGather,
  hzGatherElements,
  ...hzGlobalAveragePool,
  hzGlobalMaxPool,
  ...hzGridPosition,
  ...hzLayerNorm,
  hzLut,
  hzLut16,
  ...hzMatmul,
  hzMax,
  hzMaxPool,
  hzMaxPool16,
  hzMin,
  ...hzMul,
  hzPad16,
  ...hzPRelu,
  hzQuantize,
  hzReduceMax,
  ...hzReduceMean,
  hzReduceMin,
  ...hzReduceSum,
  ...hzRequantize,
  hzResizeLinear,
  hzResizeNearest,
  ...hzRmsNorm,
  hzSoftmax,
  hzSoftmax16,
  hzSpaceToDepth16,
  hzTopK,
  ...hzWarpLinear,
  ...hzWarpNearest,
];
