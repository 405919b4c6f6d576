/**
 * The KL search against its definition.
 *
 * @module
 */

import { Random } from "../src/kernels/cases.ts";
import { Histogram } from "../src/kernels/histogram.ts";
import { klCurve } from "../src/kernels/threshold.ts";
import { klCurveRef } from "../src/kernels/threshold_ref.ts";
import type { Results } from "./measure.ts";

export function benchSearch(results: Results): void {
  for (let seed = 1; seed <= 20; seed++) {
    const r = new Random(seed), h = new Histogram(2048), x = new Float32Array(50000);
    for (let i = 0; i < x.length; i++) {
      const g = r.next() / 2 ** 32 + r.next() / 2 ** 32 + r.next() / 2 ** 32 - 1.5;
      x[i] = seed % 3 === 0
        ? Math.max(0, g)
        : g * (seed % 3 === 1 ? 1 : Math.exp(4 * r.next() / 2 ** 32));
    }
    h.add(x);
    const timed = <T>(f: () => T): [number, T] => {
      let best = Infinity, value = f();
      for (let i = 0; i < 3; i++) {
        const from = performance.now();
        value = f();
        best = Math.min(best, performance.now() - from);
      }
      return [best, value];
    };
    const negative = h.side("negative");
    const counts = h.side("positive").map((n, i) => n + negative[i]!)
      .subarray(0, Math.floor(Math.max(h.max, -h.min) / h.width) + 1);
    const [fast, got] = timed(() => klCurve(counts, 128));
    const [slow, want] = timed(() => klCurveRef(counts, 128));
    const bins = (curve: Iterable<number>) => {
      let at = 0, best = 0, least = Infinity;
      for (const v of curve) {
        if (v <= least + 1e-13) {
          least = Math.min(least, v);
          best = at;
        }
        at++;
      }
      return best + 128;
    };
    if (bins(got) !== bins(want)) {
      throw new Error(`histogram ${seed}: ${bins(got)} bins, the definition says ${bins(want)}`);
    }
    results.add({
      kernel: "klThreshold",
      shape: `histogram ${seed}`,
      value: fast,
      unit: "ms",
      ratios: { naive: slow / fast },
    });
  }
}
