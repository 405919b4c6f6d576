/**
 * Draws lines of letters, as calibration pictures of the demo.
 *
 * @module
 */

import { picture } from "../src/formats/image/mod.ts";
import type { Picture } from "../src/formats/image/mod.ts";

/** 5 x 7 letters that look different upside down; a row per number, the left pixel in bit 4. */
const letters: readonly (readonly number[])[] = [
  [0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11], // A
  [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10], // F
  [0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0c], // J
  [0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f], // L
  [0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10], // P
  [0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11], // R
  [0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04], // T
  [0x11, 0x11, 0x11, 0x0a, 0x0a, 0x04, 0x04], // V
  [0x11, 0x0a, 0x04, 0x04, 0x04, 0x04, 0x04], // Y
  [0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02], // 4
  [0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08], // 7
  [0x0e, 0x10, 0x10, 0x17, 0x11, 0x11, 0x0e], // G
];

/**
 * A line of letters on a noisy background, upright or upside down; the same seed gives the same bytes.
 */
export function drawText(
  width: number,
  height: number,
  seed: number,
  upsideDown: boolean,
): Picture {
  let state = Math.imul(seed + 1, 2654435761) >>> 0;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  const data = new Uint8Array(width * height * 3);
  const paper = [0, 1, 2].map(() => 170 + 80 * random());
  const ink = [0, 1, 2].map(() => 90 * random());
  for (let i = 0; i < width * height; i++) {
    const noise = 12 * (random() - 0.5);
    for (let c = 0; c < 3; c++) data[3 * i + c] = Math.max(0, Math.min(255, paper[c]! + noise));
  }
  const dot = height * (0.08 + 0.03 * random());
  const top = (height - 7 * dot) * (0.4 + 0.2 * random());
  for (let x = dot; x + 5 * dot < width; x += 6 * dot) {
    const letter = letters[Math.floor(random() * letters.length)]!;
    for (let v = 0; v < 7 * dot; v++) {
      for (let u = 0; u < 5 * dot; u++) {
        if ((letter[Math.floor(v / dot)]! >> (4 - Math.floor(u / dot)) & 1) === 0) continue;
        const [px, py] = [Math.floor(x + u), Math.floor(top + v)];
        if (px >= width || py >= height) continue;
        const at = upsideDown ? (height - 1 - py) * width + width - 1 - px : py * width + px;
        for (let c = 0; c < 3; c++) data[3 * at + c] = ink[c]!;
      }
    }
  }
  return picture(width, height, 3, data);
}
