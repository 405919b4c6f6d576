/**
 * Every layer type that can be converted. Adding one is a file (or a function in the file of its
 * family) and a row here.
 *
 * @module
 */

import type { Converter } from "../context.ts";
import * as activation from "./activation.ts";
import { convolution, deconvolution, depthwise } from "./convolution.ts";
import { custom } from "./custom.ts";
import { detectionOutput } from "./detection_output.ts";
import { eltwise, matMul } from "./eltwise.ts";
import { embed } from "./embed.ts";
import { innerProduct } from "./inner_product.ts";
import { batchNorm, lrn, mvn, normalize } from "./normalization.ts";
import { pooling, spp, unpooling } from "./pooling.ts";
import { priorBox } from "./prior_box.ts";
import { passThrough, reorg, shuffleChannel } from "./rearrange.ts";
import { continuationIndicator, lstm, rnn } from "./recurrent.ts";
import { argMax, reduction } from "./reduce.ts";
import { interp, upsample } from "./resize.ts";
import { psroiPooling, roiPooling } from "./roi.ts";
import { axpy, bias, scale } from "./scale.ts";
import * as shape from "./shape.ts";

/** Converters by layer type; data layers are not among them, they become graph inputs. */
export const converters: ReadonlyMap<string, Converter> = new Map<string, Converter>([
  ["AbsVal", activation.abs],
  ["ArgMax", argMax],
  ["Axpy", axpy],
  ["BNLL", activation.bnll],
  ["BatchNorm", batchNorm],
  ["Bias", bias],
  ["CReLU", activation.crelu],
  ["Clip", activation.clip],
  ["Concat", shape.concat],
  ["ContinuationIndicator", continuationIndicator],
  ["Convolution", convolution],
  ["ConvolutionDepthwise", depthwise],
  ["Crop", shape.crop],
  ["Custom", custom],
  ["Deconvolution", deconvolution],
  ["DepthwiseConvolution", depthwise],
  ["DetectionOutput", detectionOutput],
  ["Dropout", activation.dropout],
  ["ELU", activation.elu],
  ["Eltwise", eltwise],
  ["Embed", embed],
  ["Exp", activation.exp],
  ["Flatten", shape.flatten],
  ["InnerProduct", innerProduct],
  ["Interp", interp],
  ["LRN", lrn],
  ["LSTM", lstm],
  ["Log", activation.log],
  ["MVN", mvn],
  ["MatMul", matMul],
  ["MaxUnpool", unpooling],
  ["Normalize", normalize],
  ["PReLU", activation.prelu],
  ["PSROIPooling", psroiPooling],
  ["PassThrough", passThrough],
  ["Permute", shape.permute],
  ["Pooling", pooling],
  ["Power", activation.power],
  ["PriorBox", priorBox],
  ["ROIPooling", roiPooling],
  ["RNN", rnn],
  ["RReLU", activation.rrelu],
  ["ReLU", activation.relu],
  ["ReLU6", activation.relu6],
  ["Reduction", reduction],
  ["Reorg", reorg],
  ["Reshape", shape.reshape],
  ["SPP", spp],
  ["Scale", scale],
  ["ShuffleChannel", shuffleChannel],
  ["Sigmoid", activation.sigmoid],
  ["Silence", shape.silence],
  ["Slice", shape.slice],
  ["Softmax", activation.softmax],
  ["Split", shape.split],
  ["Swish", activation.swish],
  ["TanH", activation.tanh],
  ["Threshold", activation.threshold],
  ["Tile", shape.tile],
  ["Upsample", upsample],
]);
