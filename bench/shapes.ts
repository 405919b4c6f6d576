/**
 * The 13 dense and 5 depthwise layers of ResNet-50, MobileNetV1 and MobileNetV2 that targets are stated on.
 *
 * @module
 */

import type { ConvShape } from "../src/kernels/conv.ts";

/** A layer by name. */
export interface Layer {
  readonly name: string;
  readonly shape: ConvShape;
}

/** A layer with ONNX SAME padding. */
export function layer(
  name: string,
  size: number,
  inC: number,
  outC: number,
  k: number,
  s: number,
  group = 1,
): Layer {
  const out = Math.ceil(size / s), pad = Math.max(0, (out - 1) * s + k - size), before = pad >> 1;
  return {
    name,
    // deno-fmt-ignore
    shape: {
      batch: 1, inH: size, inW: size, inC, outC, outH: out, outW: out, kernelH: k, kernelW: k, strideH: s, strideW: s,
      padTop: before, padLeft: before, padBottom: pad - before, padRight: pad - before, dilationH: 1, dilationW: 1, group,
    },
  };
}

export const dense: readonly Layer[] = [
  layer("r50_1x1_56_64_256", 56, 64, 256, 1, 1),
  layer("r50_1x1_14_1024_256", 14, 1024, 256, 1, 1),
  layer("r50_1x1_7_512_2048", 7, 512, 2048, 1, 1),
  layer("mb2_1x1_112_32_16", 112, 32, 16, 1, 1),
  layer("mb2_1x1_56_24_144", 56, 24, 144, 1, 1),
  layer("mb2_1x1_14_96_576", 14, 96, 576, 1, 1),
  layer("mb2_1x1_7_320_1280", 7, 320, 1280, 1, 1),
  layer("mb1_1x1_14_512_512", 14, 512, 512, 1, 1),
  layer("r50_3x3_56_64_64", 56, 64, 64, 3, 1),
  layer("r50_3x3_28_128_128", 28, 128, 128, 3, 1),
  layer("r50_3x3_14_256_256", 14, 256, 256, 3, 1),
  layer("r50_3x3_7_512_512", 7, 512, 512, 3, 1),
  layer("stem_3x3s2_224_3_32", 224, 3, 32, 3, 2),
];

export const depthwise: readonly Layer[] = [
  layer("dw_112_32_s1", 112, 32, 32, 3, 1, 32),
  layer("dw_56_144_s1", 56, 144, 144, 3, 1, 144),
  layer("dw_56_144_s2", 56, 144, 144, 3, 2, 144),
  layer("dw_14_576_s1", 14, 576, 576, 3, 1, 576),
  layer("dw_7_960_s1", 7, 960, 960, 3, 1, 960),
];

/** Multiplications and additions. */
export function operations(s: ConvShape): number {
  return 2 * s.batch * s.outH * s.outW * s.outC * s.inC / s.group * s.kernelH * s.kernelW;
}
