/**
 * Kernels bound by memory, as a share of memory.copy's traffic on the same size.
 *
 * @module
 */

import { Arena } from "../src/kernels/arena.ts";
import { copyStrided } from "../src/kernels/copy.ts";
import { dequantize, fakeQuantize, quantize } from "../src/kernels/quantize.ts";
import { type Contender, interleave, type Results } from "./measure.ts";

/** A kernel with its traffic in bytes per element. */
interface Streaming extends Contender {
  readonly bytes: number;
}

async function size(results: Results, kernel: string, label: string, n: number): Promise<void> {
  const arena = Arena.create({ initialBytes: n * 8 + 2 ** 22 });
  const x = arena.alloc(n * 4), y = arena.alloc(n * 4), out = arena.alloc(64);
  const f = arena.f32(x, n);
  for (let i = 0; i < n; i++) f[i] = ((i * 2654435761 >>> 8) % 20011 - 10005) / 3000;
  arena.f32(y, n).set(f);
  const scale = Math.fround(3.3 / 127), range = { zero: 0, qmin: -128, qmax: 127 };
  const line = { elementBytes: 4, dims: [n], srcStrides: [1], dstStrides: [1] } as const;
  const all: Streaming[] = [
    { name: "memory.copy", bytes: 8, run: () => copyStrided(arena, { ...line, src: x, dst: y }) },
    { name: "absmax", bytes: 4, run: () => arena.core.absmaxF32(x, n) },
    { name: "minmax", bytes: 4, run: () => arena.core.minmaxF32(x, n, out) },
    {
      name: "quantize",
      bytes: 5,
      run: () => quantize(arena, { x, y, n, yType: "int8", scale, ...range }),
    },
    {
      name: "dequantize",
      bytes: 5,
      run: () => dequantize(arena, { x: y, y: x, n, xType: "int8", scale, zero: 0 }),
    },
    {
      name: "fakeQuantize",
      bytes: 8,
      run: () => fakeQuantize(arena, { x, y, n, scale, ...range }),
    },
    {
      name: "compare",
      bytes: 8,
      run: () => {
        arena.f64(out, 7).fill(0);
        arena.core.compareF32(x, y, n, out);
      },
    },
  ];
  // Dequantize overwrites x with what quantize made of it: values stay in range.
  const t = await interleave(all, { budgetMs: 2500, least: 5 });
  const rate = (c: Streaming) => c.bytes * n / t.get(c.name)! / 1e6;
  const copy = rate(all[0]!);
  for (const c of all) {
    results.add({
      kernel: c.name === "memory.copy" ? "memoryCopy" : kernel,
      shape: c.name === "memory.copy" ? label : `${c.name} ${label}`,
      value: rate(c),
      unit: "GB/s",
      ratios: c.name === "memory.copy" ? {} : { "memory.copy traffic": rate(c) / copy },
    });
  }
}

export async function benchMemory(results: Results): Promise<void> {
  await size(results, "memory64MB", "64 MB", 2 ** 24);
  await size(results, "memory4MB", "4 MB", 2 ** 20);
}
