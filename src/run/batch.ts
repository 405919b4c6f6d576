/**
 * Runs a batch as single samples, one after another.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { Feeds } from "../ir/engine.ts";
import type { Port } from "../ir/graph.ts";
import { allocate, bytesOfTensor, sameShape, shapeText } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";

/** Shape of a port for `batch` samples. */
export function batched(shape: readonly number[], batch: number): readonly number[] {
  return batch === 1 || shape.length === 0 ? shape : [shape[0]! * batch, ...shape.slice(1)];
}

/** Sample `i` of `n` of a tensor that holds them along its first dimension (no copy of the data). */
function part(t: Tensor, i: number, n: number): Tensor {
  const size = t.data.length / n;
  const data = Array.isArray(t.data)
    ? t.data.slice(i * size, (i + 1) * size)
    : t.data.subarray(i * size, (i + 1) * size);
  return { dtype: t.dtype, shape: [t.shape[0]! / n, ...t.shape.slice(1)], data };
}

function joined(parts: readonly Tensor[]): Tensor {
  const first = parts[0]!;
  if (first.shape.length === 0) return first;
  const data = allocate(first.dtype, first.data.length * parts.length);
  const all = { dtype: first.dtype, shape: batched(first.shape, parts.length), data };
  const bytes = bytesOfTensor(all);
  parts.forEach((p, i) => bytes.set(bytesOfTensor(p), i * bytes.length / parts.length));
  return all;
}

/**
 * Calls `run` once a sample and joins what it gives.
 *
 * @param batch samples that the program was compiled for; feeds hold that many, or a single one
 * @throws BpuError("usage") for a value that is missing or of another type or shape
 */
export async function runBatch(
  ports: readonly Port[],
  batch: number,
  feeds: Feeds,
  run: (feeds: Feeds) => Promise<Map<string, Tensor>>,
): Promise<Map<string, Tensor>> {
  let count: number | undefined;
  for (const p of ports) {
    const t = feeds.get(p.name);
    if (t === undefined) {
      throw new BpuError("usage", `no value for input ${p.name}`, { tensor: p.name });
    }
    // A dimension that the program leaves open takes what comes.
    const stated = p.shape.length === t.shape.length
      ? p.shape.map((d, i) => d < 0 ? t.shape[i]! / (i === 0 ? batch : 1) : d)
      : p.shape;
    const whole = batched(stated, batch);
    const n = sameShape(t.shape, whole) ? batch : 1;
    const fits = n === batch || sameShape(t.shape, stated);
    if (t.dtype !== p.dtype || !fits || (count !== undefined && count !== n)) {
      throw new BpuError(
        "usage",
        `input ${p.name} takes ${p.dtype} ${shapeText(whole)}, got ${t.dtype} ${
          shapeText(t.shape)
        }`,
        { tensor: p.name },
      );
    }
    if (p.shape.length > 0) count = n;
  }
  const n = count ?? 1;
  if (n === 1) return await run(feeds);
  const results: Map<string, Tensor>[] = [];
  for (let i = 0; i < n; i++) {
    const single = ports.map((p): [string, Tensor] => {
      const t = feeds.get(p.name)!;
      return [p.name, p.shape.length === 0 ? t : part(t, i, n)];
    });
    results.push(await run(new Map(single)));
  }
  return new Map(
    [...results[0]!.keys()].map((name) => [name, joined(results.map((r) => r.get(name)!))]),
  );
}
