/**
 * Draws lines of digits, as calibration pictures of the demo.
 *
 * @module
 */

import { picture } from "../src/formats/image/mod.ts";
import type { Picture } from "../src/formats/image/mod.ts";

/** Seven-segment strokes of the digits 0..9: top, upper left, upper right, middle, ... */
const segments = [0x77, 0x24, 0x5d, 0x6d, 0x2e, 0x6b, 0x7b, 0x25, 0x7f, 0x6f];

/** Strokes in a 1 x 2 cell: x, y, width, height, in the order of the bits above. */
const strokes = [
  [0, 0, 1, 0.16],
  [0, 0, 0.2, 1],
  [0.8, 0, 0.2, 1],
  [0, 0.92, 1, 0.16],
  [0, 1, 0.2, 1],
  [0.8, 1, 0.2, 1],
  [0, 1.84, 1, 0.16],
] as const;

/** A line of digits on a noisy background, upright or upside down; the same seed gives the same bytes. */
export function drawText(width: number, height: number, seed: number, upsideDown: boolean): Picture {
  let state = seed * 2654435761 >>> 0;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  const data = new Uint8Array(width * height * 3);
  const paper = [0, 1, 2].map(() => 170 + 80 * random());
  const ink = [0, 1, 2].map(() => 100 * random());
  for (let i = 0; i < width * height; i++) {
    const noise = 12 * (random() - 0.5);
    for (let c = 0; c < 3; c++) data[3 * i + c] = Math.max(0, Math.min(255, paper[c]! + noise));
  }
  const size = height * (0.28 + 0.1 * random());
  const top = (height - 2 * size) / 2;
  for (let x = size * 0.5; x + size < width; x += size * 1.4) {
    const bits = segments[Math.floor(random() * 10)]!;
    for (const [k, [sx, sy, w, h]] of strokes.entries()) {
      if ((bits >> k & 1) === 0) continue;
      for (let v = Math.floor(top + sy * size); v < top + (sy + h) * size; v++) {
        for (let u = Math.floor(x + sx * size); u < x + (sx + w) * size; u++) {
          const at = upsideDown ? (height - 1 - v) * width + width - 1 - u : v * width + u;
          for (let c = 0; c < 3; c++) data[3 * at + c] = ink[c]!;
        }
      }
    }
  }
  return picture(width, height, 3, data);
}
