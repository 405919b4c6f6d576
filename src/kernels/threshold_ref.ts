/**
 * The definition of the KL curve, for the tests and the bench of threshold.ts.
 *
 * @module
 */

import type { Histogram } from "./histogram.ts";

/** Divergence for every number of bins from `levels` up, by building both distributions. */
export function klCurveRef(h: Histogram, levels: number): number[] {
  const N = h.used, c = h.counts, curve: number[] = [];
  for (let i = levels; i <= N; i++) {
    const p = Array.from(c.subarray(0, i));
    let out = 0;
    for (let j = i; j < N; j++) out += c[j]!;
    p[i - 1]! += out;
    const q = new Array<number>(i).fill(0);
    for (let g = 0; g < levels; g++) {
      const a = Math.floor(g * i / levels), b = Math.floor((g + 1) * i / levels);
      let sum = 0, some = 0;
      for (let j = a; j < b; j++) {
        sum += c[j]!;
        if (c[j]! > 0) some++;
      }
      for (let j = a; j < b; j++) if (c[j]! > 0) q[j] = sum / some;
    }
    const P = p.reduce((a, b) => a + b), Q = q.reduce((a, b) => a + b);
    let kl = 0;
    for (let j = 0; j < i; j++) {
      if (p[j]! > 0) kl += q[j]! > 0 ? p[j]! / P * Math.log(p[j]! / P / (q[j]! / Q)) : Infinity;
    }
    curve.push(kl);
  }
  return curve;
}
