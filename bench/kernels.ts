/**
 * Every integer kernel of the registry against its scalar reference, on tensors of a picture's size. The convolutions
 * have sections of their own on real layers; here are small ones of each form.
 *
 * @module
 */

import { Arena } from "../src/kernels/arena.ts";
import { kernelRows } from "../src/kernels/registry.ts";
import { interleave, type Results } from "./measure.ts";
import { elementwise, normalisation, pooling, reductions, tables } from "./kernels_compute.ts";
import { conversion, movement, products } from "./kernels_data.ts";

/** Rows of every kernel of the registry; a kernel without a row is an error. */
export async function benchKernels(results: Results): Promise<void> {
  const seen = new Set<string>();
  for (
    const make of [
      elementwise,
      tables,
      pooling,
      reductions,
      normalisation,
      movement,
      conversion,
      products,
    ]
  ) {
    const arena = Arena.create({ initialBytes: 2 ** 25 });
    for (const l of make(arena)) {
      if (l.row !== null) seen.add(l.row);
      const t = await interleave([
        { name: "kernel", run: l.kernel },
        { name: "reference", run: l.reference },
      ], { budgetMs: 120, least: 5 });
      results.add({
        kernel: l.group,
        shape: l.row === null ? l.form : `${l.row} ${l.form}`,
        value: t.get("kernel")! / l.elements * 1e6,
        unit: "ns per element",
        ratios: { "scalar reference": t.get("reference")! / t.get("kernel")! },
      });
    }
  }
  const missing = kernelRows.filter((k) => !seen.has(k.name)).map((k) => k.name);
  if (missing.length > 0) throw new Error(`no bench of ${missing.join(", ")}`);
}
