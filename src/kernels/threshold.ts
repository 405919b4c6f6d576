/**
 * The Kullback-Leibler divergence of every clip of a histogram of magnitudes.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { scratch } from "./scratch.ts";

/** Address of the kernel's logarithms. */
let logarithms: number | undefined;

/**
 * For every number of bins i from `levels` up: P is the first i bins with everything beyond added to the
 * last of them; Q is the first i bins merged into `levels` groups [floor(g i / levels),
 * floor((g + 1) i / levels)), the sum of a group spread evenly over its non-empty bins. Element
 * i - `levels` is KL(P || Q) in nats.
 *
 * Where Q is empty and P is not (the last bin, when something lies beyond it) Q is taken as `empty`; with
 * 0 such a divergence is Infinity. Infinity also where nothing is left. Prefix sums of h, of its
 * non-empty bins and of h ln h make this exact and O(bins * levels).
 *
 * @param counts up to the last bin that is not empty; more than `levels`
 */
export function klCurve(counts: Float64Array, levels: number, empty = 0): Float64Array {
  const n = counts.length;
  if (!(levels >= 1 && n >= levels && n <= 2 ** 16)) {
    throw new BpuError("internal", `a KL search over ${n} bins with ${levels} levels`);
  }
  const { arena } = scratch();
  if (logarithms === undefined) {
    logarithms = arena.alloc(128 * 16);
    arena.core.lnTable(logarithms);
  }
  const mark = arena.mark();
  const h = arena.put(counts), work = arena.alloc(4 * 8 * (n + 1));
  const candidates = n - levels + 1, out = arena.alloc(8 * candidates);
  arena.core.klCurve(h, n, levels, Math.log(empty), logarithms, work, out);
  const curve = arena.f64(out, candidates).slice();
  arena.release(mark);
  return curve;
}
