/**
 * The definition of the KL curve, for the tests and the bench of threshold.ts.
 *
 * @module
 */

/** Divergence for every number of bins from `levels` up, by building both distributions. */
export function klCurveRef(c: Float64Array, levels: number, empty = 0): number[] {
  const N = c.length, curve: number[] = [];
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
    let kl = Q > 0 ? 0 : Infinity;
    for (let j = 0; j < i; j++) {
      if (p[j]! > 0) kl += p[j]! / P * Math.log(p[j]! / P / (q[j]! > 0 ? q[j]! / Q : empty));
    }
    curve.push(kl);
  }
  return curve;
}
