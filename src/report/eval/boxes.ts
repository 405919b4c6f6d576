/**
 * Boxes: overlap, suppression, matching, mean average precision.
 *
 * @module
 */

/** A detection. Corners in pixels of the original picture. */
export interface Detection {
  readonly box: Box;
  readonly score: number;
  readonly label: number;
}

/** Left, top, right, bottom. */
export type Box = readonly [number, number, number, number];

/** A labelled object. */
export interface Truth {
  readonly box: Box;
  readonly label: number;
}

/** Intersection over union; 0 for empty boxes. */
export function iou(a: Box, b: Box): number {
  const w = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (!(w > 0 && h > 0)) return 0;
  const area = (x: Box) => (x[2] - x[0]) * (x[3] - x[1]);
  return w * h / (area(a) + area(b) - w * h);
}

/** Sorts by falling score; ties keep their order. */
export function byScore(all: readonly Detection[]): Detection[] {
  return all.map((d, i) => ({ d, i })).sort((a, b) => b.d.score - a.d.score || a.i - b.i)
    .map((x) => x.d);
}

/** Greedy non-maximum suppression per class. */
export function suppress(all: readonly Detection[], overlap: number, keep = 300): Detection[] {
  const kept: Detection[] = [];
  const perClass = new Map<number, Detection[]>();
  for (const d of byScore(all)) {
    const same = perClass.get(d.label) ?? [];
    if (same.some((k) => iou(k.box, d.box) > overlap)) continue;
    perClass.set(d.label, [...same, d]);
    kept.push(d);
    if (kept.length >= keep) break;
  }
  return kept;
}

/** How detections agree with those of a reference. */
export interface Agreement {
  readonly matched: number;
  readonly missed: number;
  readonly extra: number;
  /** 2 matched / (2 matched + missed + extra); 1 when there is nothing on either side. */
  readonly f1: number;
  /** Mean over the matched pairs. */
  readonly iou: number;
}

/** Pairs detections of score >= `least` with the reference's: same class, IoU >= 0.5, best score first. */
export function agreement(
  reference: readonly (readonly Detection[])[],
  found: readonly (readonly Detection[])[],
  least = 0.3,
): Agreement {
  let matched = 0, missed = 0, extra = 0, sum = 0;
  for (const [i, all] of reference.entries()) {
    const want = byScore(all.filter((d) => d.score >= least));
    const free = new Set(want.keys());
    for (const d of byScore((found[i] ?? []).filter((x) => x.score >= least))) {
      let best = -1, overlap = 0.5;
      for (const k of free) {
        const o = want[k]!.label === d.label ? iou(want[k]!.box, d.box) : 0;
        if (o >= overlap && (best < 0 || o > overlap)) [best, overlap] = [k, o];
      }
      if (best < 0) extra++;
      else {
        free.delete(best);
        matched++;
        sum += overlap;
      }
    }
    missed += free.size;
  }
  const all = 2 * matched + missed + extra;
  return {
    matched,
    missed,
    extra,
    f1: all === 0 ? 1 : 2 * matched / all,
    iou: matched === 0 ? 0 : sum / matched,
  };
}

/** Mean average precision, COCO's way: 101 recall points, the best 100 detections of a picture. */
export interface MeanPrecision {
  readonly map50: number;
  /** Mean over the IoU thresholds 0.50, 0.55, ..., 0.95. */
  readonly map: number;
  /** Classes that have objects. */
  readonly classes: number;
}

function averagePrecision(hits: readonly boolean[], objects: number): number {
  const precision: number[] = [], recall: number[] = [];
  let right = 0;
  for (const [i, hit] of hits.entries()) {
    if (hit) right++;
    precision.push(right / (i + 1));
    recall.push(right / objects);
  }
  for (let i = precision.length - 2; i >= 0; i--) {
    precision[i] = Math.max(precision[i]!, precision[i + 1]!);
  }
  let sum = 0, at = 0;
  for (let k = 0; k <= 100; k++) {
    while (at < recall.length && recall[at]! < k / 100 - 1e-12) at++;
    if (at === recall.length) break;
    sum += precision[at]!;
  }
  return sum / 101;
}

/** Mean average precision over pictures. */
export function meanPrecision(
  truth: readonly (readonly Truth[])[],
  found: readonly (readonly Detection[])[],
): MeanPrecision {
  const labels = [...new Set(truth.flatMap((t) => t.map((o) => o.label)))].sort((a, b) => a - b);
  const best = found.map((d) => byScore(d).slice(0, 100));
  const thresholds = Array.from({ length: 10 }, (_, i) => 0.5 + 0.05 * i);
  const sums = thresholds.map(() => 0);
  for (const label of labels) {
    const objects = truth.reduce((n, t) => n + t.filter((o) => o.label === label).length, 0);
    const all = best.flatMap((list, picture) =>
      list.filter((d) => d.label === label).map((d) => ({ d, picture }))
    ).map((x, i) => ({ ...x, i })).sort((a, b) => b.d.score - a.d.score || a.i - b.i);
    for (const [k, threshold] of thresholds.entries()) {
      const taken = new Set<Truth>();
      const hits = all.map(({ d, picture }) => {
        let match: Truth | undefined, overlap = threshold;
        for (const t of truth[picture] ?? []) {
          if (t.label !== label || taken.has(t)) continue;
          const o = iou(t.box, d.box);
          if (o >= overlap) [match, overlap] = [t, o];
        }
        if (match !== undefined) taken.add(match);
        return match !== undefined;
      });
      sums[k]! += averagePrecision(hits, objects);
    }
  }
  const n = Math.max(1, labels.length);
  return {
    map50: sums[0]! / n,
    map: sums.reduce((a, b) => a + b, 0) / (n * thresholds.length),
    classes: labels.length,
  };
}
