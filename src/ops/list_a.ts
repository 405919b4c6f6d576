/**
 * Convolution, pooling, normalisation, elementwise and recurrent operators.
 *
 * @module
 */

import { abs } from "./abs.ts";
import { acos } from "./acos.ts";
import { acosh } from "./acosh.ts";
import { add } from "./add.ts";
import { and } from "./and.ts";
import { asin } from "./asin.ts";
import { asinh } from "./asinh.ts";
import { atan } from "./atan.ts";
import { atanh } from "./atanh.ts";
import { averagePool } from "./average_pool.ts";
import { batchNormalization } from "./batch_normalization.ts";
import { bitShift } from "./bit_shift.ts";
import { bitwiseAnd } from "./bitwise_and.ts";
import { bitwiseNot } from "./bitwise_not.ts";
import { bitwiseOr } from "./bitwise_or.ts";
import { bitwiseXor } from "./bitwise_xor.ts";
import { ceil } from "./ceil.ts";
import { celu } from "./celu.ts";
import { clip } from "./clip.ts";
import { conv } from "./conv.ts";
import { convInteger } from "./conv_integer.ts";
import { convTranspose } from "./conv_transpose.ts";
import { cos } from "./cos.ts";
import { cosh } from "./cosh.ts";
import { dequantizeLinear } from "./dequantize_linear.ts";
import { div } from "./div.ts";
import { dropout } from "./dropout.ts";
import { dynamicQuantizeLinear } from "./dynamic_quantize_linear.ts";
import { elu } from "./elu.ts";
import { equal } from "./equal.ts";
import { erf } from "./erf.ts";
import { exp } from "./exp.ts";
import { floor } from "./floor.ts";
import { gelu } from "./gelu.ts";
import { gemm } from "./gemm.ts";
import { globalAveragePool } from "./global_average_pool.ts";
import { globalLpPool } from "./global_lp_pool.ts";
import { globalMaxPool } from "./global_max_pool.ts";
import { greater } from "./greater.ts";
import { greaterOrEqual } from "./greater_or_equal.ts";
import { gru } from "./gru.ts";
import { hardSigmoid } from "./hard_sigmoid.ts";
import { hardSwish } from "./hard_swish.ts";
import { hardmax } from "./hardmax.ts";
import { hzGelu } from "./hz_gelu.ts";
import { hzGeluTanh } from "./hz_gelu_tanh.ts";
import { hzMish } from "./hz_mish.ts";
import { hzRmsNormalization } from "./hz_rms_norm.ts";
import { hzSwish } from "./hz_swish.ts";
import { identity } from "./identity.ts";
import { instanceNormalization } from "./instance_normalization.ts";
import { isInf } from "./is_inf.ts";
import { isNan } from "./is_nan.ts";
import { layerNormalization } from "./layer_normalization.ts";
import { leakyRelu } from "./leaky_relu.ts";
import { less } from "./less.ts";
import { lessOrEqual } from "./less_or_equal.ts";
import { log } from "./log.ts";
import { logSoftmax } from "./log_softmax.ts";
import { lpNormalization } from "./lp_normalization.ts";
import { lpPool } from "./lp_pool.ts";
import { lrn } from "./lrn.ts";
import { lstm } from "./lstm.ts";
import { matmul } from "./matmul.ts";
import { matmulInteger } from "./matmul_integer.ts";
import { max } from "./max.ts";
import { maxPool } from "./max_pool.ts";
import { maxRoiPool } from "./max_roi_pool.ts";
import { maxUnpool } from "./max_unpool.ts";
import { mean } from "./mean.ts";
import { meanVarianceNormalization } from "./mean_variance_normalization.ts";
import { microsoftQlinear } from "./microsoft_qlinear.ts";
import { min } from "./min.ts";
import { mish } from "./mish.ts";
import { mod } from "./mod.ts";
import { mul } from "./mul.ts";
import { neg } from "./neg.ts";
import { not } from "./not.ts";
import { or } from "./or.ts";
import { pow } from "./pow.ts";
import { prelu } from "./prelu.ts";
import { qlinearConv } from "./qlinear_conv.ts";
import { qlinearMatmul } from "./qlinear_matmul.ts";
import { quantizeLinear } from "./quantize_linear.ts";
import { reciprocal } from "./reciprocal.ts";
import { relu } from "./relu.ts";
import { rnn } from "./rnn.ts";
import { roiAlign } from "./roi_align.ts";
import { round } from "./round.ts";
import { selu } from "./selu.ts";
import { shrink } from "./shrink.ts";
import { sigmoid } from "./sigmoid.ts";
import { sign } from "./sign.ts";
import { sin } from "./sin.ts";
import { sinh } from "./sinh.ts";
import { softmax } from "./softmax.ts";
import { softplus } from "./softplus.ts";
import { softsign } from "./softsign.ts";
import { sqrt } from "./sqrt.ts";
import { sub } from "./sub.ts";
import { sum } from "./sum.ts";
import { tan } from "./tan.ts";
import { tanh } from "./tanh.ts";
import { thresholdedRelu } from "./thresholded_relu.ts";
import { where } from "./where.ts";
import { xor } from "./xor.ts";
import type { OpDef } from "./op.ts";

/** The operators of this part. */
export const listA: readonly OpDef[] = [
  abs,
  acos,
  acosh,
  add,
  and,
  asin,
  asinh,
  atan,
  atanh,
  averagePool,
  batchNormalization,
  bitShift,
  bitwiseAnd,
  bitwiseNot,
  bitwiseOr,
  bitwiseXor,
  ceil,
  celu,
  clip,
  conv,
  convInteger,
  convTranspose,
  cos,
  cosh,
  dequantizeLinear,
  div,
  dropout,
  dynamicQuantizeLinear,
  elu,
  equal,
  erf,
  exp,
  floor,
  gelu,
  gemm,
  globalAveragePool,
  globalLpPool,
  globalMaxPool,
  greater,
  greaterOrEqual,
  gru,
  hardSigmoid,
  hardSwish,
  hardmax,
  hzGelu,
  hzGeluTanh,
  hzMish,
  hzRmsNormalization,
  hzSwish,
  identity,
  instanceNormalization,
  isInf,
  isNan,
  layerNormalization,
  leakyRelu,
  less,
  lessOrEqual,
  log,
  logSoftmax,
  lpNormalization,
  lpPool,
  lrn,
  lstm,
  matmul,
  matmulInteger,
  max,
  maxPool,
  maxRoiPool,
  maxUnpool,
  mean,
  meanVarianceNormalization,
  ...microsoftQlinear,
  min,
  mish,
  mod,
  mul,
  neg,
  not,
  or,
  pow,
  prelu,
  qlinearConv,
  qlinearMatmul,
  quantizeLinear,
  reciprocal,
  relu,
  rnn,
  roiAlign,
  round,
  selu,
  shrink,
  sigmoid,
  sign,
  sin,
  sinh,
  softmax,
  softplus,
  softsign,
  sqrt,
  sub,
  sum,
  tan,
  tanh,
  thresholdedRelu,
  where,
  xor,
];
