/** Distances between a float tensor and its quantized form. */
export interface Metrics {
  readonly cosine: number;
  readonly l1: number;
  readonly l2: number;
  readonly chebyshev: number;
}

/** cosine; l1 = mean |d|; l2 = ||d||2 / N; chebyshev = max |d|. Two zero vectors have cosine 1. */
export function compare(a: Float32Array, b: Float32Array): Metrics {
  let ab = 0, aa = 0, bb = 0, l1 = 0, l2 = 0, chebyshev = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!, y = b[i]!, d = Math.abs(x - y);
    ab += x * y;
    aa += x * x;
    bb += y * y;
    l1 += d;
    l2 += d * d;
    chebyshev = Math.max(chebyshev, d);
  }
  const n = Math.max(a.length, 1);
  const cosine = aa === 0 && bb === 0 ? 1 : aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
  return { cosine, l1: l1 / n, l2: Math.sqrt(l2) / n, chebyshev };
}
