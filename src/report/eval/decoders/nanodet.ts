/**
 * NanoDet: class scores and box distributions (8 bins a side) per cell, as one output [1, cells,
 * classes + 32] of all strides, or as pairs [1, cells, classes] and [1, cells, 32] per stride.
 *
 * @module
 */

import type { Tensor } from "../../../ir/tensor.ts";
import { type Detection, suppress } from "../boxes.ts";
import { cells, type Decoder, refuse, toPicture } from "./decoder.ts";

const SIDES = 32, BINS = 8;

interface Level {
  readonly strides: readonly number[];
  readonly classes: number;
  score(cell: number, k: number): number;
  side(cell: number, i: number): number;
}

const values = (t: Tensor) => t.data as Float32Array;

function levels(outputs: readonly Tensor[], input: readonly [number, number]): Level[] {
  const count = (strides: readonly number[]) => cells(input, strides).length;
  if (outputs.length === 1) {
    const t = outputs[0]!, width = t.shape[2] ?? 0, v = values(t);
    const strides = [[8, 16, 32], [8, 16, 32, 64]].find((s) => count(s) === t.shape[1]);
    if (strides === undefined || width <= SIDES) return refuse("nanodet", "the number of cells");
    return [{
      strides,
      classes: width - SIDES,
      score: (i, k) => v[i * width + k]!,
      side: (i, k) => v[i * width + width - SIDES + k]!,
    }];
  }
  return [8, 16, 32, 64].flatMap((stride): Level[] => {
    const own = outputs.filter((t) => t.shape[1] === count([stride]));
    const sides = own.find((t) => t.shape[2] === SIDES), scores = own.find((t) => t !== sides);
    if (sides === undefined || scores === undefined) return [];
    const s = values(scores), d = values(sides), classes = scores.shape[2]!;
    return [{
      strides: [stride],
      classes,
      score: (i, k) => s[i * classes + k]!,
      side: (i, k) => d[i * SIDES + k]!,
    }];
  });
}

/** Decodes NanoDet. */
export const nanodet: Decoder = (outputs, c) => {
  const all = levels([...outputs.values()], c.input);
  if (all.length === 0) return refuse("nanodet", "no pair of scores and distributions was found");
  const found: Detection[] = [];
  for (const level of all) {
    for (const [i, { x, y, stride }] of cells(c.input, level.strides).entries()) {
      let box: Detection["box"] | undefined;
      for (let label = 0; label < level.classes; label++) {
        const score = level.score(i, label);
        if (score < c.score) continue;
        if (box === undefined) {
          const [l, t, r, b] = [0, 1, 2, 3].map((side) => {
            const e = Array.from({ length: BINS }, (_, k) => level.side(i, side * BINS + k));
            const top = Math.max(...e), w = e.map((v) => Math.exp(v - top));
            return stride * w.reduce((a, v, k) => a + v * k, 0) / w.reduce((a, v) => a + v, 0);
          });
          const cx = (x + 0.5) * stride, cy = (y + 0.5) * stride;
          box = toPicture(cx - l!, cy - t!, cx + r!, cy + b!, c.placement);
        }
        found.push({ box, score, label });
      }
    }
  }
  return suppress(found, 0.6);
};
