/**
 * The modules that a Worker needs to prepare pictures, as text: it is started from Blobs, because reading
 * them from where bpukit lies would take a permission. `pool.ts` says what is missing when a module
 * begins to import another one.
 *
 * @module
 */

import errors from "../../errors.ts" with { type: "text" };
import arena from "../../kernels/arena.ts" with { type: "text" };
import check from "../../kernels/check.ts" with { type: "text" };
import colourKernels from "../../kernels/colour.ts" with { type: "text" };
import colourRef from "../../kernels/colour_ref.ts" with { type: "text" };
import pictureKernels from "../../kernels/picture.ts" with { type: "text" };
import pictureRef from "../../kernels/picture_ref.ts" with { type: "text" };
import splineKernel from "../../kernels/spline.ts" with { type: "text" };
import splineRef from "../../kernels/spline_ref.ts" with { type: "text" };
import canvaskit from "../image/canvaskit.ts" with { type: "text" };
import imageColour from "../image/colour.ts" with { type: "text" };
import decode from "../image/decode.ts" with { type: "text" };
import exif from "../image/exif.ts" with { type: "text" };
import geometry from "../image/geometry.ts" with { type: "text" };
import jpeg from "../image/jpeg.ts" with { type: "text" };
import imageKernels from "../image/kernels.ts" with { type: "text" };
import imageMod from "../image/mod.ts" with { type: "text" };
import picture from "../image/picture.ts" with { type: "text" };
import png from "../image/png.ts" with { type: "text" };
import pngEncode from "../image/png_encode.ts" with { type: "text" };
import imageResize from "../image/resize.ts" with { type: "text" };
import webp from "../image/webp.ts" with { type: "text" };
import zlib from "../image/zlib.ts" with { type: "text" };
import chains from "./chains.ts" with { type: "text" };
import crop from "./crop.ts" with { type: "text" };
import image from "./image.ts" with { type: "text" };
import nv12 from "./nv12.ts" with { type: "text" };
import opencvLinear from "./opencv_linear.ts" with { type: "text" };
import pad from "./pad.ts" with { type: "text" };
import pilResize from "./pil_resize.ts" with { type: "text" };
import prepare from "./prepare.ts" with { type: "text" };
import resize from "./resize.ts" with { type: "text" };
import spline from "./spline.ts" with { type: "text" };
import transformer from "./transformer.ts" with { type: "text" };
import warp from "./warp.ts" with { type: "text" };

/** Texts by path below `src/`. */
export const workerTexts: ReadonlyMap<string, string> = new Map([
  ["errors.ts", errors],
  ["formats/image/canvaskit.ts", canvaskit],
  ["formats/image/colour.ts", imageColour],
  ["formats/image/decode.ts", decode],
  ["formats/image/exif.ts", exif],
  ["formats/image/geometry.ts", geometry],
  ["formats/image/jpeg.ts", jpeg],
  ["formats/image/kernels.ts", imageKernels],
  ["formats/image/mod.ts", imageMod],
  ["formats/image/picture.ts", picture],
  ["formats/image/png.ts", png],
  ["formats/image/png_encode.ts", pngEncode],
  ["formats/image/resize.ts", imageResize],
  ["formats/image/webp.ts", webp],
  ["formats/image/zlib.ts", zlib],
  ["formats/preprocess/chains.ts", chains],
  ["formats/preprocess/crop.ts", crop],
  ["formats/preprocess/image.ts", image],
  ["formats/preprocess/nv12.ts", nv12],
  ["formats/preprocess/opencv_linear.ts", opencvLinear],
  ["formats/preprocess/pad.ts", pad],
  ["formats/preprocess/pil_resize.ts", pilResize],
  ["formats/preprocess/prepare.ts", prepare],
  ["formats/preprocess/resize.ts", resize],
  ["formats/preprocess/spline.ts", spline],
  ["formats/preprocess/transformer.ts", transformer],
  ["formats/preprocess/warp.ts", warp],
  ["kernels/arena.ts", arena],
  ["kernels/check.ts", check],
  ["kernels/colour.ts", colourKernels],
  ["kernels/colour_ref.ts", colourRef],
  ["kernels/picture.ts", pictureKernels],
  ["kernels/picture_ref.ts", pictureRef],
  ["kernels/spline.ts", splineKernel],
  ["kernels/spline_ref.ts", splineRef],
]);
