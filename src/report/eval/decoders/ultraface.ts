/**
 * UltraFace: scores [1, n, 2] (background, face) and boxes [1, n, 4], corners as fractions of the input.
 *
 * @module
 */

import { type Detection, suppress } from "../boxes.ts";
import { type Decoder, refuse, toPicture } from "./decoder.ts";

/** Decodes UltraFace. */
export const ultraface: Decoder = (outputs, c) => {
  const all = [...outputs.values()];
  const scores = all.find((t) => t.shape.at(-1) === 2),
    boxes = all.find((t) => t.shape.at(-1) === 4);
  if (scores === undefined || boxes === undefined || boxes.data.length !== scores.data.length * 2) {
    return refuse("ultraface", "scores [1, n, 2] and boxes [1, n, 4] are expected");
  }
  const s = scores.data as Float32Array, b = boxes.data as Float32Array;
  const [h, w] = c.input;
  const found: Detection[] = [];
  for (let i = 0; i * 2 < s.length; i++) {
    const score = s[2 * i + 1]!;
    if (score < c.score) continue;
    const [x1, y1, x2, y2] = [b[4 * i]!, b[4 * i + 1]!, b[4 * i + 2]!, b[4 * i + 3]!];
    found.push({ box: toPicture(x1 * w, y1 * h, x2 * w, y2 * h, c.placement), score, label: 0 });
  }
  return suppress(found, 0.3);
};
