/** Pearson correlation; 1 for two constant tensors that are equal, 0 when only one is constant. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const n = a.length;
  let ma = 0, mb = 0;
  for (let i = 0; i < n; i++) {
    ma += a[i]!;
    mb += b[i]!;
  }
  ma /= n;
  mb /= n;
  let ab = 0, aa = 0, bb = 0, distance = 0;
  for (let i = 0; i < n; i++) {
    const x = a[i]! - ma, y = b[i]! - mb;
    ab += x * y;
    aa += x * x;
    bb += y * y;
    distance += (a[i]! - b[i]!) ** 2;
  }
  if (aa === 0 || bb === 0) return distance <= 1e-12 * n * (ma * ma + mb * mb) ? 1 : 0;
  return ab / Math.sqrt(aa * bb);
}
