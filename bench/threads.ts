/**
 * Two threads against one; the quickest rounds, as another process on one of the cores would hide the second thread.
 *
 * @module
 */

import { Arena } from "../src/kernels/arena.ts";
import { conv, packConv } from "../src/kernels/conv.ts";
import { KernelPool } from "../src/kernels/threads.ts";
import { interleave, type Results } from "./measure.ts";
import { dense, operations } from "./shapes.ts";

export async function benchThreads(results: Results): Promise<void> {
  const arena = Arena.create({ initialBytes: 2 ** 25 });
  const pool = await KernelPool.create(arena, { workers: 1 });
  // Every layer of 3 ms or more, batches where one picture is shorter.
  for (const layer of dense.filter((l) => operations(l.shape) >= 1e8)) {
    const mark = arena.mark();
    const batch = operations(layer.shape) < 2.2e8 ? 3 : 1, shape = { ...layer.shape, batch };
    const n = shape.outC * shape.inC * shape.kernelH * shape.kernelW;
    const packed = packConv(arena, new Int8Array(n).map((_, i) => i * 7 % 255 - 127), shape, {
      nonNegative: false,
    });
    const x = arena.put(
      new Int8Array(batch * shape.inC * shape.inH * shape.inW).map((_, i) => i * 31 % 256),
    );
    const y = arena.alloc(batch * shape.outC * shape.outH * shape.outW);
    const multiplier = arena.put(new Int16Array(shape.outC).fill(20000));
    const shift = arena.put(new Int8Array(shape.outC).fill(26));
    // deno-fmt-ignore
    const args = {
      x, y, packed, bias: 0, multiplier, shift, shape, xType: "int8", yType: "int8", xZero: 0, yZero: 0,
      qmin: -128, qmax: 127,
    } as const;
    const t = await interleave([
      { name: "one", run: () => conv(arena, args) },
      { name: "two", run: () => conv(arena, args, pool) },
    ], { budgetMs: 1500, least: 15, best: true });
    const one = t.get("one")!, two = t.get("two")!;
    results.add({
      kernel: one >= 3 ? "twoWorkers" : "twoWorkersShort",
      shape: `${layer.name} x${batch}`,
      value: operations(shape) / two / 1e6,
      unit: "GOPS",
      ratios: { "one worker": one / two },
    });
    arena.release(mark);
  }
  pool.close();
}
