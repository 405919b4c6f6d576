/**
 * What a detection decoder is.
 *
 * @module
 */

import { BpuError } from "../../../errors.ts";
import type { Tensor } from "../../../ir/tensor.ts";
import type { Box, Detection } from "../boxes.ts";
import type { Placement } from "../preprocess.ts";

/** What a decoder works with. */
export interface DecodeContext {
  /** Height and width of the model's input. */
  readonly input: readonly [number, number];
  readonly placement: Placement;
  /** Smallest score that is kept. */
  readonly score: number;
}

/** Turns a model's outputs into detections in the original picture. */
export type Decoder = (outputs: ReadonlyMap<string, Tensor>, c: DecodeContext) => Detection[];

/** A box from input pixels to the original picture, cut at its edges. */
export function toPicture(x1: number, y1: number, x2: number, y2: number, p: Placement): Box {
  const clip = (v: number, most: number) => Math.min(Math.max(v, 0), most);
  return [
    clip((x1 - p.left) / p.scaleX, p.width),
    clip((y1 - p.top) / p.scaleY, p.height),
    clip((x2 - p.left) / p.scaleX, p.width),
    clip((y2 - p.top) / p.scaleY, p.height),
  ];
}

/** Cells of a feature pyramid: the strides in order, each row by row. */
export function cells(
  input: readonly [number, number],
  strides: readonly number[],
): { x: number; y: number; stride: number }[] {
  return strides.flatMap((stride) => {
    const h = Math.ceil(input[0] / stride), w = Math.ceil(input[1] / stride);
    return Array.from({ length: h * w }, (_, i) => ({ x: i % w, y: Math.floor(i / w), stride }));
  });
}

/** The outputs do not look like this decoder's. */
export function refuse(name: string, why: string): never {
  throw new BpuError("shape", `the outputs do not fit the decoder ${name}: ${why}`, {
    hint: "Choose another --decoder.",
  });
}
