import { argMax } from "./arg_max.ts";
import { argMin } from "./arg_min.ts";
import { bernoulli } from "./bernoulli.ts";
import { blackmanWindow } from "./blackman_window.ts";
import { cast } from "./cast.ts";
import { castLike } from "./cast_like.ts";
import { centerCropPad } from "./center_crop_pad.ts";
import { col2im } from "./col2im.ts";
import { compress } from "./compress.ts";
import { concat } from "./concat.ts";
import { concatFromSequence } from "./concat_from_sequence.ts";
import { constant } from "./constant.ts";
import { constantOfShape } from "./constant_of_shape.ts";
import { cumSum } from "./cum_sum.ts";
import { depthToSpace } from "./depth_to_space.ts";
import { det } from "./det.ts";
import { dft } from "./dft.ts";
import { einsum } from "./einsum.ts";
import { expand } from "./expand.ts";
import { eyeLike } from "./eye_like.ts";
import { flatten } from "./flatten.ts";
import { functionCall } from "./function.ts";
import { gather } from "./gather.ts";
import { gatherElements } from "./gather_elements.ts";
import { gatherND } from "./gather_nd.ts";
import { gridSample } from "./grid_sample.ts";
import { hammingWindow } from "./hamming_window.ts";
import { hannWindow } from "./hann_window.ts";
import { ifOp } from "./if.ts";
import { loop } from "./loop.ts";
import { melWeightMatrix } from "./mel_weight_matrix.ts";
import { multinomial } from "./multinomial.ts";
import { negativeLogLikelihoodLoss } from "./negative_log_likelihood_loss.ts";
import { nonMaxSuppression } from "./non_max_suppression.ts";
import { nonZero } from "./non_zero.ts";
import { oneHot } from "./one_hot.ts";
import { optional } from "./optional.ts";
import { optionalGetElement } from "./optional_get_element.ts";
import { optionalHasElement } from "./optional_has_element.ts";
import { pad } from "./pad.ts";
import { randomNormal } from "./random_normal.ts";
import { randomNormalLike } from "./random_normal_like.ts";
import { randomUniform } from "./random_uniform.ts";
import { randomUniformLike } from "./random_uniform_like.ts";
import { range } from "./range.ts";
import { reduceL1 } from "./reduce_l1.ts";
import { reduceL2 } from "./reduce_l2.ts";
import { reduceLogSum } from "./reduce_log_sum.ts";
import { reduceLogSumExp } from "./reduce_log_sum_exp.ts";
import { reduceMax } from "./reduce_max.ts";
import { reduceMean } from "./reduce_mean.ts";
import { reduceMin } from "./reduce_min.ts";
import { reduceProd } from "./reduce_prod.ts";
import { reduceSum } from "./reduce_sum.ts";
import { reduceSumSquare } from "./reduce_sum_square.ts";
import { reshape } from "./reshape.ts";
import { resize } from "./resize.ts";
import { reverseSequence } from "./reverse_sequence.ts";
import { scan } from "./scan.ts";
import { scatter } from "./scatter.ts";
import { scatterElements } from "./scatter_elements.ts";
import { scatterND } from "./scatter_nd.ts";
import { sequenceAt } from "./sequence_at.ts";
import { sequenceConstruct } from "./sequence_construct.ts";
import { sequenceEmpty } from "./sequence_empty.ts";
import { sequenceErase } from "./sequence_erase.ts";
import { sequenceInsert } from "./sequence_insert.ts";
import { sequenceLength } from "./sequence_length.ts";
import { sequenceMap } from "./sequence_map.ts";
import { shape } from "./shape.ts";
import { size } from "./size.ts";
import { slice } from "./slice.ts";
import { softmaxCrossEntropyLoss } from "./softmax_cross_entropy_loss.ts";
import { spaceToDepth } from "./space_to_depth.ts";
import { split } from "./split.ts";
import { splitToSequence } from "./split_to_sequence.ts";
import { squeeze } from "./squeeze.ts";
import { stft } from "./stft.ts";
import { stringNormalizer } from "./string_normalizer.ts";
import { tfIdfVectorizer } from "./tf_idf_vectorizer.ts";
import { tile } from "./tile.ts";
import { topK } from "./top_k.ts";
import { transpose } from "./transpose.ts";
import { trilu } from "./trilu.ts";
import { unique } from "./unique.ts";
import { unsqueeze } from "./unsqueeze.ts";
import { upsample } from "./upsample.ts";
import type { OpDef } from "./op.ts";

/** Shape, data movement, reduction, index and control flow operators. */
export const listB: readonly OpDef[] = [
  argMax,
  argMin,
  bernoulli,
  blackmanWindow,
  cast,
  castLike,
  centerCropPad,
  col2im,
  compress,
  concat,
  concatFromSequence,
  constant,
  constantOfShape,
  cumSum,
  depthToSpace,
  det,
  dft,
  einsum,
  expand,
  eyeLike,
  flatten,
  functionCall,
  gather,
  gatherElements,
  gatherND,
  gridSample,
  hammingWindow,
  hannWindow,
  ifOp,
  loop,
  melWeightMatrix,
  multinomial,
  negativeLogLikelihoodLoss,
  nonMaxSuppression,
  nonZero,
  oneHot,
  optional,
  optionalGetElement,
  optionalHasElement,
  pad,
  randomNormal,
  randomNormalLike,
  randomUniform,
  randomUniformLike,
  range,
  reduceL1,
  reduceL2,
  reduceLogSum,
  reduceLogSumExp,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceSum,
  reduceSumSquare,
  reshape,
  resize,
  reverseSequence,
  scan,
  scatter,
  scatterElements,
  scatterND,
  sequenceAt,
  sequenceConstruct,
  sequenceEmpty,
  sequenceErase,
  sequenceInsert,
  sequenceLength,
  sequenceMap,
  shape,
  size,
  slice,
  softmaxCrossEntropyLoss,
  spaceToDepth,
  split,
  splitToSequence,
  squeeze,
  stft,
  stringNormalizer,
  tfIdfVectorizer,
  tile,
  topK,
  transpose,
  trilu,
  unique,
  unsqueeze,
  upsample,
];
