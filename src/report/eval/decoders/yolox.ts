/**
 * YOLOX as its exporter writes it: one output [1, cells, 5 + classes] of strides 8, 16, 32 with the
 * sigmoids applied and the boxes relative to their cells.
 *
 * @module
 */

import { type Detection, suppress } from "../boxes.ts";
import { cells, type Decoder, refuse, toPicture } from "./decoder.ts";

/** Decodes YOLOX. */
export const yolox: Decoder = (outputs, c) => {
  const t = [...outputs.values()][0];
  const grid = cells(c.input, [8, 16, 32]);
  if (outputs.size !== 1 || t === undefined || t.shape.length !== 3 || t.shape[2]! < 6) {
    return refuse("yolox", "one output [1, cells, 5 + classes] is expected");
  }
  if (t.shape[1] !== grid.length) {
    return refuse("yolox", `${t.shape[1]} cells, ${grid.length} belong to the input's size`);
  }
  const v = t.data as Float32Array, width = t.shape[2]!;
  const found: Detection[] = [];
  for (const [i, { x, y, stride }] of grid.entries()) {
    const at = i * width, object = v[at + 4]!;
    if (object < c.score) continue;
    const cx = (v[at]! + x) * stride, cy = (v[at + 1]! + y) * stride;
    const w = Math.exp(Math.min(v[at + 2]!, 20)) * stride / 2;
    const h = Math.exp(Math.min(v[at + 3]!, 20)) * stride / 2;
    for (let k = 5; k < width; k++) {
      const score = object * v[at + k]!;
      if (score < c.score) continue;
      found.push({
        box: toPicture(cx - w, cy - h, cx + w, cy + h, c.placement),
        score,
        label: k - 5,
      });
    }
  }
  return suppress(found, 0.65);
};
