/**
 * The named models and their chains. A chain takes what the reader gives (HWC, 0..255: RGB from skimage
 * and PIL, BGR from OpenCV) and ends in NV12, the input of these models on the board.
 *
 * @module
 */

import { centerCrop, paddedCenterCrop, pilCenterCrop } from "./crop.ts";
import { bgr2nv12, rgb2nv12 } from "./nv12.ts";
import { pad, padResize } from "./pad.ts";
import {
  pilResize,
  resize,
  type ResizeOptions,
  shortLongResize,
  shortSideResize,
} from "./resize.ts";
import type { Transformer } from "./transformer.ts";
import { warpAffine } from "./warp.ts";

/** Library that the original reads pictures with. */
export type ReaderName = "skimage" | "PIL" | "opencv";

/** How a named model's pictures are prepared. */
export interface ModelChain {
  readonly reader: ReaderName;
  /** `[height, width]` of the result. */
  readonly size: readonly [number, number];
  readonly chain: readonly Transformer[];
}

const cv: ResizeOptions = { mode: "opencv" };
const fromRgb = rgb2nv12({ data_format: "HWC" });
const fromBgr = bgr2nv12({ data_format: "HWC" });

/** Shorter side to 256, middle 224x224. */
function classic(reader: ReaderName): ModelChain {
  const chain = reader === "PIL"
    ? [pilResize(256), pilCenterCrop(224), fromRgb]
    : reader === "opencv"
    ? [shortSideResize(256, cv), centerCrop(224), fromBgr]
    : [shortSideResize(256), centerCrop(224), fromRgb];
  return { reader, size: [224, 224], chain };
}

/** The middle of 7/8, bicubic to the size of the network. */
function efficient(reader: "skimage" | "opencv", side: number): ModelChain {
  const crop = paddedCenterCrop({ image_size: side, crop_pad: 32 });
  const chain = reader === "opencv"
    ? [crop, resize([side, side], { mode: "opencv", interpolation: "cubic" }), fromBgr]
    : [crop, resize([side, side], { method: 3 }), fromRgb];
  return { reader, size: [side, side], chain };
}

/** Proportions kept, grey borders. */
function letterboxed(
  side: number,
  pad_position: "boundary" | "bottom_right" = "boundary",
  pad_value = 127,
): ModelChain {
  const fit = padResize([side, side], { pad_position, pad_value });
  return { reader: "opencv", size: [side, side], chain: [fit, fromBgr] };
}

/** Stretched to a size. */
function stretched(height: number, width: number): ModelChain {
  const size = [height, width] as const;
  return { reader: "opencv", size, chain: [resize(size, cv), fromBgr] };
}

function shortLong(short: number, long: number, side: number): ModelChain {
  const fit = [shortLongResize(short, long), pad({ size_divisor: 128, target_size: side })];
  return { reader: "opencv", size: [side, side], chain: [...fit, fromBgr] };
}

function centred(side: number): ModelChain {
  return { reader: "opencv", size: [side, side], chain: [warpAffine([side, side]), fromBgr] };
}

/** Every name that `hb_eval_preprocess -m` takes. */
export const modelChains: ReadonlyMap<string, ModelChain> = new Map([
  ["mobilenetv1", classic("skimage")],
  ["mobilenetv2", classic("skimage")],
  ["efficientnet_lite0", efficient("skimage", 224)],
  ["efficientnet_lite1", efficient("skimage", 240)],
  ["efficientnet_lite2", efficient("skimage", 260)],
  ["efficientnet_lite3", efficient("skimage", 280)],
  ["efficientnet_lite4", efficient("skimage", 300)],
  ["resnet18", classic("PIL")],
  ["resnet50", classic("PIL")],
  ["googlenet", classic("opencv")],
  ["vargconvnet", classic("opencv")],
  ["efficientnasnet_m", efficient("opencv", 300)],
  ["efficientnasnet_s", efficient("opencv", 280)],
  ["yolov2_darknet19", letterboxed(608)],
  ["yolov3_darknet53", letterboxed(416)],
  ["yolov3_vargdarknet", letterboxed(416)],
  ["yolov4", letterboxed(512)],
  ["yolov5x", letterboxed(672)],
  ["ssd_mobilenetv1", stretched(300, 300)],
  ["centernet_resnet101", centred(512)],
  ["efficientdetd0", letterboxed(512, "bottom_right", 0)],
  ["fcos_efficientnetb0", letterboxed(512, "bottom_right", 0)],
  ["fcos_resnet50", shortLong(800, 1024, 1024)],
  ["fcos_resnext101", shortLong(800, 1024, 1024)],
  ["unet_mobilenet", stretched(1024, 2048)],
  ["deeplabv3plus_efficientnetb0", stretched(1024, 2048)],
  ["deeplabv3plus_efficientnetm1", stretched(1024, 2048)],
  ["deeplabv3plus_efficientnetm2", stretched(1024, 2048)],
  ["deeplabv3plus_dilation1248", stretched(1024, 2048)],
  ["fastscnn_efficientnetb0", stretched(1024, 2048)],
  // Names of the X3 generation.
  ["efficient_det", letterboxed(512, "bottom_right", 0)],
  ["centernet", centred(512)],
  ["fcos", letterboxed(512, "bottom_right", 0)],
  ["mobilenet_unet", stretched(1024, 2048)],
]);
