/**
 * Every quantized operator.
 *
 * @module
 */

import type { OpDef } from "../op.ts";
import { hzAdd } from "./hz_add.ts";
import { hzAveragePool } from "./hz_average_pool.ts";
import { hzCalibration } from "./hz_calibration.ts";
import { hzConv, hzConvAcc, hzConvAccInt, hzConvInt, hzPreprocess } from "./hz_conv.ts";
import { hzDequantize } from "./hz_dequantize.ts";
import { hzLut } from "./hz_lut.ts";
import { hzMaxPool } from "./hz_max_pool.ts";
import { hzMul } from "./hz_mul.ts";
import { hzPRelu } from "./hz_prelu.ts";
import { hzQuantize } from "./hz_quantize.ts";
import { hzGlobalAveragePool, hzReduceMean, hzReduceSum } from "./hz_reduce_sum.ts";
import { hzRequantize } from "./hz_requantize.ts";
import { hzResizeLinear, hzResizeNearest } from "./hz_resize.ts";

export const listHz: readonly OpDef[] = [
  hzAdd,
  hzAveragePool,
  hzCalibration,
  hzConv,
  hzConvAcc,
  hzConvAccInt,
  hzConvInt,
  hzDequantize,
  hzGlobalAveragePool,
  hzLut,
  hzMaxPool,
  hzMul,
  hzPRelu,
  hzPreprocess,
  hzQuantize,
  hzReduceMean,
  hzReduceSum,
  hzRequantize,
  hzResizeLinear,
  hzResizeNearest,
];
