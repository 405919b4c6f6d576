import assert from "node:assert/strict";
import { Arena } from "./arena.ts";
import { firstDifference, Random } from "./cases.ts";
import { conv, type ConvShape, packConv } from "./conv.ts";
import type { Executor } from "./executor.ts";
import { KernelPool } from "./threads.ts";
import { kernelRow } from "./registry.ts";

/** A pool that also takes the smallest layers. */
function eager(pool: KernelPool): Executor {
  return {
    dense: (arena, job) => pool.dense(arena, job, Infinity),
    depthwise: (arena, job) => pool.depthwise(arena, job, Infinity),
  };
}

Deno.test("every number of workers gives the reference's result", async () => {
  for (const workers of [0, 1, 2, 3]) {
    const arena = Arena.create();
    const pool = await KernelPool.create(arena, { workers });
    assert.equal(pool.threads, workers + 1);
    const used = arena.used;
    for (const name of ["conv", "depthwise", "groupConv", "convTranspose"]) {
      for (let seed = 5000; seed < 5060; seed++) {
        const c = kernelRow(name).make(new Random(seed));
        const at = firstDifference(c.kernel(arena, eager(pool)), c.reference());
        assert.equal(at, -1, `${name} ${seed} on ${workers} workers, element ${at}`);
      }
    }
    assert.equal(arena.used, used);
    pool.close();
    assert.equal(pool.threads, 1);
  }
});

Deno.test("a large layer equals the single thread's, many times, also after the workers slept", async () => {
  const arena = Arena.create();
  const pool = await KernelPool.create(arena, { workers: 2 });
  // deno-fmt-ignore
  const shape: ConvShape = {
    batch: 2, inH: 40, inW: 41, inC: 48, outC: 56, outH: 40, outW: 41, kernelH: 3, kernelW: 3, strideH: 1, strideW: 1,
    padTop: 1, padLeft: 1, padBottom: 1, padRight: 1, dilationH: 1, dilationW: 1, group: 1,
  };
  const r = new Random(1), n = 2 * 40 * 41 * 56;
  const packed = packConv(arena, r.int8(48 * 56 * 9, -127), shape);
  const x = arena.put(r.int8(2 * 40 * 41 * 48));
  const multiplier = arena.put(new Int16Array(56).fill(20000));
  const shift = arena.put(new Int8Array(56).fill(26));
  const y = arena.alloc(n);
  // deno-fmt-ignore
  const args = {
    x, y, packed, bias: 0, multiplier, shift, shape, xType: "int8", yType: "int8", xZero: 3, yZero: -5,
    qmin: -128, qmax: 127,
  } as const;
  conv(arena, args);
  const want = arena.i8(y, n).slice();
  assert.ok(new Set(want).size > 100, "the layer is not saturated");
  for (let i = 0; i < 30; i++) {
    arena.i8(y, n).fill(0x55);
    conv(arena, args, pool);
    assert.equal(firstDifference(arena.i8(y, n), want), -1, `run ${i}`);
    if (i % 10 === 0) await new Promise((done) => setTimeout(done, 0));
  }
  pool.close();
  conv(arena, args, pool);
  assert.equal(firstDifference(arena.i8(y, n), want), -1, "after close");
});

Deno.test("without Worker the pool has one thread", async () => {
  const start = () => {
    throw new DOMException("not permitted");
  };
  const pool = await KernelPool.create(Arena.create(), { workers: 2, start });
  assert.equal(pool.threads, 1);
  const lazy = KernelPool.lazy(Arena.create(), { workers: 2, start, startingWork: 0 });
  assert.equal(lazy.threads, 1);
});

Deno.test("a lazy pool starts workers one by one for work that is worth them; refused ones are no error", () => {
  const arena = Arena.create();
  let started = 0;
  const pool = KernelPool.lazy(arena, {
    workers: 3,
    startingWork: 1e7,
    start() {
      started++;
      throw new DOMException("not permitted");
    },
  });
  // 4.2 million multiply-adds, and 0.9.
  const make = (channels: number) => {
    // deno-fmt-ignore
    const shape: ConvShape = {
      batch: 1, inH: 16, inW: 16, inC: channels, outC: channels, outH: 16, outW: 16, kernelH: 1, kernelW: 1,
      strideH: 1, strideW: 1, padTop: 0, padLeft: 0, padBottom: 0, padRight: 0, dilationH: 1, dilationW: 1, group: 1,
    };
    const n = 256 * channels;
    // deno-fmt-ignore
    return {
      x: arena.put(new Random(1).int8(n)), y: arena.alloc(n), shape,
      packed: packConv(arena, new Random(2).int8(channels ** 2, -127), shape), bias: 0,
      multiplier: arena.put(new Int16Array(channels).fill(20000)),
      shift: arena.put(new Int8Array(channels).fill(26)), xType: "int8", yType: "int8", xZero: 0, yZero: 0,
      qmin: -128, qmax: 127,
    } as const;
  };
  const large = make(128), small = make(60);
  for (let i = 0; i < 50; i++) conv(arena, small, pool);
  assert.equal(started, 0);
  const counts = Array.from({ length: 14 }, () => {
    conv(arena, large, pool);
    return started;
  });
  assert.deepEqual(counts, [0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3]);
  const got = arena.i8(large.y, 256 * 128).slice();
  conv(arena, large);
  assert.equal(firstDifference(got, arena.i8(large.y, 256 * 128)), -1);
});
