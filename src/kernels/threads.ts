/**
 * Threads for convolutions: parked workers on the arena's shared memory take chunks of a layer from an atomic
 * counter. Results do not depend on the number of threads: every chunk is computed the same way by whoever
 * takes it.
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import type { DenseJob } from "./conv_dense.ts";
import type { DepthwiseJob } from "./conv_depthwise.ts";
import { inline } from "./executor.ts";
import type { Executor } from "./executor.ts";
import microModule from "./micro_mod.js";
import { workerSource } from "./threads_worker.ts";

/** Words of the control block. */
const word = {
  /** Generation of the job in the high 20 bits, next chunk in the low 12. */
  state: 0,
  finished: 1,
  chunks: 2,
  /** 0 dense, 1 depthwise. */
  kind: 3,
  block: 4,
  /** Chunks per strip, and panels or planes per chunk and in all. */
  perStrip: 5,
  size: 6,
  all: 7,
  scratch: 8,
  scratchBytes: 9,
  stop: 10,
} as const;
const words = 16;

/** Layers below this many multiply-adds run on the calling thread. */
const worthwhile = 1e6;
const mostChunks = 4000;

/**
 * A pool bound to one arena. Give it to `conv`, `convTranspose` or `matmul` as the last argument.
 *
 * @example
 * ```ts
 * import { Arena } from "./arena.ts";
 * import { KernelPool } from "./threads.ts";
 * const arena = Arena.create();
 * const pool = await KernelPool.create(arena, { workers: 1 });
 * console.log(pool.threads >= 1); // true
 * pool.close();
 * ```
 */
export class KernelPool implements Executor {
  readonly #arena: Arena;
  readonly #workers: Worker[];
  readonly #control: number;
  #generation = 0;

  private constructor(arena: Arena, control: number, workers: Worker[]) {
    this.#arena = arena;
    this.#control = control;
    this.#workers = workers;
  }

  /**
   * Starts `workers` threads beside the caller's (default: one less than the cores, at most 7). Where workers are not
   * permitted or do not start, the pool has one thread and everything still works. The control block is allocated in
   * the arena: create the pool before taking marks.
   */
  static async create(
    arena: Arena,
    options: { readonly workers?: number } = {},
  ): Promise<KernelPool> {
    const cores = globalThis.navigator?.hardwareConcurrency ?? 1;
    const count = Math.max(0, options.workers ?? Math.min(7, cores - 1));
    const control = arena.alloc(words * 4, 64);
    arena.i32(control, words).fill(0);
    const workers: Worker[] = [];
    for (let i = 0; i < count; i++) {
      const worker = await start(arena, control, i + 1);
      if (worker === null) break;
      workers.push(worker);
    }
    return new KernelPool(arena, control, workers);
  }

  /** Threads that work, the caller's included. */
  get threads(): number {
    return this.#workers.length + 1;
  }

  /** Ends the workers. The pool then runs on the caller's thread. */
  close(): void {
    const c = this.#arena.i32(this.#control, words);
    Atomics.store(c, word.stop, 1);
    Atomics.add(c, word.state, 1 << 12);
    Atomics.notify(c, word.state);
    for (const w of this.#workers.splice(0)) w.terminate();
  }

  dense(arena: Arena, job: DenseJob, work: number): void {
    const alone = arena !== this.#arena || this.#workers.length === 0 || work < worthwhile;
    if (alone || job.strips === 0) return inline.dense(arena, job, work);
    // Some eight chunks a thread pair: enough to even out, few enough that a strip is rarely prepared twice.
    const groups = Math.min(job.panels, Math.max(1, Math.ceil(4 * this.threads / job.strips)));
    const size = Math.ceil(job.panels / groups);
    this.#run(
      0,
      job.block,
      job.strips,
      Math.ceil(job.panels / size),
      size,
      job.panels,
      job.scratchBytes,
    );
  }

  depthwise(arena: Arena, job: DepthwiseJob, work: number): void {
    const alone = arena !== this.#arena || this.#workers.length === 0 || work < worthwhile / 4;
    if (alone || job.strips === 0) return inline.depthwise(arena, job, work);
    const blocks = Math.ceil(job.planes / 4);
    const groups = Math.min(blocks, Math.max(1, Math.ceil(4 * this.threads / job.strips)));
    const size = Math.ceil(blocks / groups) * 4;
    this.#run(
      1,
      job.block,
      job.strips,
      Math.ceil(job.planes / size),
      size,
      job.planes,
      job.scratchBytes,
    );
  }

  #run(
    kind: number,
    block: number,
    strips: number,
    perStrip: number,
    size: number,
    all: number,
    scratchBytes: number,
  ): void {
    const arena = this.#arena, stride = Math.ceil(scratchBytes / 64) * 64 + 64;
    const scratch = arena.alloc(stride * this.threads, 64);
    const c = arena.i32(this.#control, words);
    const chunks = strips * perStrip;
    if (chunks > mostChunks) {
      // Too many for the counter: this thread alone.
      for (let k = 0; k < chunks; k++) {
        this.#chunk(kind, block, perStrip, size, all, scratch, k, -1);
      }
      return;
    }
    this.#generation = (this.#generation + 1) & 0xfffff;
    // Closed: nobody takes a chunk while the fields change.
    Atomics.store(c, word.state, (this.#generation << 12) | 4095);
    c[word.chunks] = chunks;
    c[word.kind] = kind;
    c[word.block] = block;
    c[word.perStrip] = perStrip;
    c[word.size] = size;
    c[word.all] = all;
    c[word.scratch] = scratch;
    c[word.scratchBytes] = stride;
    Atomics.store(c, word.finished, 0);
    Atomics.store(c, word.state, this.#generation << 12);
    Atomics.notify(c, word.state);
    let last = -1;
    for (;;) {
      const now = Atomics.load(c, word.state), k = now & 4095;
      if (k >= chunks) break;
      if (Atomics.compareExchange(c, word.state, now, now + 1) !== now) continue;
      this.#chunk(kind, block, perStrip, size, all, scratch, k, last);
      last = Math.floor(k / perStrip);
      Atomics.add(c, word.finished, 1);
    }
    // The others are inside their last chunks: waiting is short.
    while (Atomics.load(c, word.finished) < chunks);
  }

  #chunk(
    kind: number,
    block: number,
    perStrip: number,
    size: number,
    all: number,
    scratch: number,
    k: number,
    last: number,
  ): void {
    const micro = this.#arena.micro, strip = Math.floor(k / perStrip), from = k % perStrip * size;
    const to = Math.min(all, from + size);
    if (kind === 0) {
      if (strip !== last) micro.denseStrip(block, strip, scratch);
      micro.densePanels(block, strip, scratch, from, to);
    } else {
      for (let p = from; p < to; p += 4) micro.depthwise(block, strip, p, scratch);
    }
  }
}

/** One worker, ready; null where that is not possible. */
async function start(arena: Arena, control: number, index: number): Promise<Worker | null> {
  let worker: Worker;
  try {
    const url = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
    worker = new Worker(url, { type: "module" });
    URL.revokeObjectURL(url);
  } catch {
    return null;
  }
  const ready = await new Promise<boolean>((done) => {
    worker.onmessage = () => done(true);
    worker.onerror = (e) => {
      e.preventDefault();
      done(false);
    };
    try {
      worker.postMessage({ module: microModule, memory: arena.memory, control, index });
    } catch {
      done(false);
    }
  });
  if (ready) return worker;
  worker.terminate();
  return null;
}
