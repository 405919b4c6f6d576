/**
 * Matrix products in binary64 for constant folding.
 *
 * @module
 */

/** A [m,k] times B [k,n], either stored transposed; offsets select a matrix of a batch. */
export function matrixProduct(
  a: Float64Array,
  b: Float64Array,
  m: number,
  n: number,
  k: number,
  transA = false,
  transB = false,
  atA = 0,
  atB = 0,
  y: Float64Array = new Float64Array(m * n),
  atY = 0,
): Float64Array {
  const [ai, ak] = transA ? [1, m] : [k, 1];
  const [bk, bj] = transB ? [1, k] : [n, 1];
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      const v = a[atA + i * ai + p * ak]!;
      if (v === 0) continue;
      for (let j = 0; j < n; j++) y[atY + i * n + j]! += v * b[atB + p * bk + j * bj]!;
    }
  }
  return y;
}
