/**
 * The resizer of the camera pipeline: a region of a picture, scaled to the size of the model's input.
 *
 * @module
 */

import type { ModelTensor } from "../container/tensors.ts";
import { BpuError } from "../errors.ts";
import { axesOf } from "../formats/data/axes.ts";
import { crop, decodePicture, resize, rgbToNv12, yuvRanges } from "../formats/image/mod.ts";
import type { Tensor } from "../ir/tensor.ts";
import { fromRuntimeBytes } from "./runtime_input.ts";

/** A region in pixels of the picture; all four edges belong to it. */
export interface Roi {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * Reads `--roi`: `left,top,right,bottom`, several separated by `;`.
 *
 * @throws BpuError("usage") for anything else; NV12 wants even left and top, odd right and bottom
 */
export function parseRois(text: string): Roi[] {
  return text.split(";").map((part) => {
    const v = part.split(",").map((n) => n.trim() === "" ? NaN : Number(n));
    const [left, top, right, bottom] = v as [number, number, number, number];
    if (v.length !== 4 || !v.every((n) => Number.isSafeInteger(n) && n >= 0)) {
      throw new BpuError("usage", `'${part}' is not a region`, {
        hint: 'Write --roi "left,top,right,bottom", several separated by ;.',
      });
    }
    if (right <= left || bottom <= top) {
      throw new BpuError("usage", `the region ${part} is empty`, {
        hint: "right and bottom are the last column and row that belong to it.",
      });
    }
    if (left % 2 !== 0 || top % 2 !== 0 || right % 2 !== 1 || bottom % 2 !== 1) {
      throw new BpuError("usage", `the region ${part} cuts colour pairs of NV12 in halves`, {
        hint: "left and top must be even, right and bottom odd.",
      });
    }
    return { left, top, right, bottom };
  });
}

/**
 * A picture's region as the port's tensor: the picture becomes NV12 (or grey), the region of each plane is
 * scaled bilinearly.
 *
 * @throws BpuError `format` for what is no picture, `usage` for a region outside of it
 */
export async function resizerInput(
  bytes: Uint8Array,
  t: ModelTensor,
  file: string,
  roi: Roi,
): Promise<Tensor> {
  const c = t.input;
  if (c === undefined || (c.typeRt !== "nv12" && c.typeRt !== "gray")) {
    throw new BpuError("unsupported", "the resizer delivers nv12 and gray only", {
      tensor: t.name,
    });
  }
  const { picture } = await decodePicture(bytes, { file });
  // NV12 has no odd last column and row.
  const width = picture.width & ~1, height = picture.height & ~1;
  if (roi.right >= width || roi.bottom >= height) {
    throw new BpuError(
      "usage",
      `the region ${roi.left},${roi.top},${roi.right},${roi.bottom} is not inside of the picture of ${width}x${height}`,
      { file, hint: `right is at most ${width - 1}, bottom at most ${height - 1}.` },
    );
  }
  const nv12 = rgbToNv12(crop(picture, 0, 0, width, height), yuvRanges[c.spaceAndRange]);
  const { h, w, n } = axesOf(c.shape, c.layoutTrain);
  const plane = (data: Uint8Array, channels: number, step: number): Uint8Array => {
    const whole = { width: width / step, height: height / step, channels, data };
    const part = crop(
      whole,
      roi.left / step,
      roi.top / step,
      (roi.right - roi.left + 1) / step,
      (roi.bottom - roi.top + 1) / step,
    );
    return resize(part, w / step, h / step, "bilinear").data as Uint8Array;
  };
  const planes = [plane(nv12.subarray(0, width * height), 1, 1)];
  if (c.typeRt === "nv12") planes.push(plane(nv12.subarray(width * height), 2, 2));
  const one = planes.reduce((sum, p) => sum + p.length, 0);
  const out = new Uint8Array(one * n);
  for (let i = 0, at = 0; i < n; i++) {
    for (const p of planes) {
      out.set(p, at);
      at += p.length;
    }
  }
  return fromRuntimeBytes(out, t, file);
}
