/**
 * Scalar reference of spline.ts.
 *
 * @module
 */

import { kernelSum, mirrors, type SplineLine } from "./spline.ts";

function coefficients(line: Float64Array, poles: readonly number[]): void {
  const n = line.length;
  if (n < 2) return;
  for (const z of poles) {
    const gain = (1 - z) * (1 - 1 / z);
    for (let i = 0; i < n; i++) line[i]! *= gain;
    let zn = z, z2n = z ** (n - 1);
    let sum = line[0]! + z2n * line[n - 1]!;
    z2n *= z2n / z;
    for (let i = 1; i < n - 1; i++) {
      sum += (zn + z2n) * line[i]!;
      zn *= z;
      z2n /= z;
    }
    line[0] = sum / (1 - zn * zn);
    for (let i = 1; i < n; i++) line[i]! += z * line[i - 1]!;
    line[n - 1] = z / (z * z - 1) * (z * line[n - 2]! + line[n - 1]!);
    for (let i = n - 2; i >= 0; i--) line[i] = z * (line[i + 1]! - line[i]!);
  }
}

/** Smooths lines of one length; `into` may not be `line`. */
function smoother(n: number, kernel: Float64Array): (l: Float64Array, into: Float64Array) => void {
  const taps = kernel.length, radius = (taps - 1) / 2, total = kernelSum(kernel);
  const wide = new Float64Array(n + 2 * radius), around = mirrors(n, radius);
  return (line, into) => {
    wide.set(line, radius);
    for (let i = 0; i < radius; i++) {
      wide[i] = line[around[i]!]!;
      wide[radius + n + i] = line[around[radius + i]!]!;
    }
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let k = 0; k < taps; k++) sum += kernel[k]! * wide[i + k]!;
      into[i] = sum / total;
    }
  };
}

export function splineAlongRef(
  x: Float64Array,
  y: Float64Array,
  blocks: number,
  step: number,
  l: SplineLine,
): void {
  const { taps, index, weight } = l.table, from = l.from, to = index.length / taps;
  const line = new Float64Array(from), smooth = new Float64Array(from);
  const blur = l.blur === undefined ? undefined : smoother(from, l.blur);
  for (let b = 0; b < blocks; b++) {
    for (let s = 0; s < step; s++) {
      const at = b * from * step + s;
      let source = line;
      for (let i = 0; i < from; i++) line[i] = x[at + i * step]!;
      if (blur !== undefined) blur(line, source = smooth);
      coefficients(source, l.poles);
      for (let i = 0; i < to; i++) {
        let sum = 0;
        for (let t = i * taps; t < (i + 1) * taps; t++) sum += weight[t]! * source[index[t]!]!;
        y[b * to * step + i * step + s] = sum;
      }
    }
  }
}
