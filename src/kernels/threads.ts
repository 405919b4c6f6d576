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
  /** 16 + i: what worker i is doing ({@linkcode life}). */
  lives: 16,
} as const;
const mostWorkers = 63;
const words = word.lives + mostWorkers + 1;

/** Written by the pool (starting) and by the worker (at work, gone). */
const life = { gone: 0, starting: 1, working: 2 } as const;

/** Layers below this many multiply-adds run on the calling thread. */
const worthwhile = 1e6;
const mostChunks = 4000;
/** Milliseconds without work after which a worker ends, so that a forgotten pool does not keep a process alive. */
const idle = 1000;
/** Starting a worker blocks for some 20 ms, the time of so many multiply-adds on one thread. */
const startingWork = 1e9;

/** The web's Worker: some libraries for Node put another one, which takes no blobs, in its place later. */
const WebWorker = globalThis.Worker;

/** Polls (some 100 us) before the caller sleeps until the others are ready: they may need its core. */
const polls = 20000;

/** Options of a pool. */
export interface PoolOptions {
  /** Threads beside the caller's; default: one less than the cores, at most 7. */
  readonly workers?: number;
  /** Starts a module worker from a URL; default: the web's Worker. */
  readonly start?: (url: string) => Worker;
}

/** Workers beside the caller's thread where nothing is said: the cores, but at most 8 threads. */
function defaultWorkers(): number {
  return Math.min(7, (globalThis.navigator?.hardwareConcurrency ?? 1) - 1);
}

/**
 * A pool bound to one arena. Give it to `conv`, `convTranspose` or `matmul` as the last argument.
 *
 * Workers that had nothing to do for a second end and are started again by later work.
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
  readonly #control: number;
  /** Multiply-adds between the starts of two workers. */
  readonly #startingWork: number;
  readonly #workers: (Worker | undefined)[];
  readonly #newWorker: (url: string) => Worker;
  #generation = 0;
  /** Multiply-adds since a worker was started. */
  #worked = 0;

  private constructor(arena: Arena, options: PoolOptions, startingWork: number) {
    const count = Math.max(0, Math.min(options.workers ?? defaultWorkers(), mostWorkers));
    this.#newWorker = options.start ?? ((url) => new WebWorker(url, { type: "module" }));
    this.#arena = arena;
    this.#startingWork = startingWork;
    this.#control = arena.alloc(words * 4, 64);
    arena.i32(this.#control, words).fill(0);
    this.#workers = new Array<undefined>(count).fill(undefined);
  }

  /**
   * Starts `workers` threads beside the caller's (default: one less than the cores, at most 7). Where workers are not
   * permitted or do not start, the pool has one thread and everything still works. The control block is allocated in
   * the arena: create the pool before taking marks.
   */
  static async create(
    arena: Arena,
    options: PoolOptions = {},
  ): Promise<KernelPool> {
    const pool = new KernelPool(arena, options, 0);
    for (let i = 0; i < pool.#workers.length; i++) {
      if (!await pool.#start(i)) break;
    }
    return pool;
  }

  /**
   * A pool that starts its workers one by one while it works: small jobs never pay for them. Nothing waits for a
   * worker; until it is there, the caller's thread does its share.
   *
   * @param options.startingWork multiply-adds before each worker; default 1e9
   */
  static lazy(
    arena: Arena,
    options: PoolOptions & { readonly startingWork?: number } = {},
  ): KernelPool {
    return new KernelPool(arena, options, options.startingWork ?? startingWork);
  }

  /** Threads that work now, the caller's included. */
  get threads(): number {
    const c = this.#arena.i32(this.#control, words);
    let n = 1;
    for (let i = 0; i < this.#workers.length; i++) {
      if (Atomics.load(c, word.lives + i) === life.working) n++;
    }
    return n;
  }

  /** Ends the workers. The pool then runs on the caller's thread. */
  close(): void {
    const c = this.#arena.i32(this.#control, words);
    Atomics.store(c, word.stop, 1);
    Atomics.add(c, word.state, 1 << 12);
    Atomics.notify(c, word.state);
    for (const w of this.#workers.splice(0)) w?.terminate();
  }

  /** Starts worker i; true once it is at work. Nobody has to wait for that. */
  #start(i: number): Promise<boolean> {
    this.#workers[i]?.terminate();
    const c = this.#arena.i32(this.#control, words);
    Atomics.store(c, word.lives + i, life.starting);
    this.#worked = 0;
    // One that fails stays "starting" and is not tried again.
    if (globalThis.Worker === undefined) return Promise.resolve(false);
    try {
      const url = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
      const worker = this.#newWorker(url);
      URL.revokeObjectURL(url);
      this.#workers[i] = worker;
      const ready = new Promise<boolean>((done) => {
        worker.onmessage = () => done(true);
        worker.onerror = (e) => {
          e.preventDefault();
          done(false);
        };
      });
      const { memory } = this.#arena, control = this.#control;
      worker.postMessage({ module: microModule, memory, control, words, index: i, idle });
      return ready;
    } catch {
      return Promise.resolve(false);
    }
  }

  /** Counts a job's work and starts a worker where enough has come together. */
  #grow(work: number): void {
    this.#worked += work;
    if (this.#worked < this.#startingWork) return;
    const c = this.#arena.i32(this.#control, words);
    for (let i = 0; i < this.#workers.length; i++) {
      if (Atomics.load(c, word.lives + i) === life.gone) {
        void this.#start(i);
        if (this.#startingWork > 0) return;
      }
    }
  }

  dense(arena: Arena, job: DenseJob, work: number): void {
    const alone = arena !== this.#arena || this.#workers.length === 0 || work < worthwhile;
    if (alone || job.strips === 0) return inline.dense(arena, job, work);
    this.#grow(work);
    const threads = this.threads;
    if (threads === 1) return inline.dense(arena, job, work);
    // Some eight chunks a thread pair: enough to even out, few enough that a strip is rarely prepared twice.
    const groups = Math.min(job.panels, Math.max(1, Math.ceil(4 * threads / job.strips)));
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
    this.#grow(work);
    const threads = this.threads;
    if (threads === 1) return inline.depthwise(arena, job, work);
    const blocks = Math.ceil(job.planes / 4);
    const groups = Math.min(blocks, Math.max(1, Math.ceil(4 * threads / job.strips)));
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
    const scratch = arena.alloc(stride * (this.#workers.length + 1), 64);
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
    // The others are inside their last chunks: waiting is short, unless they have no core of their own.
    for (let i = 0;; i++) {
      const done = Atomics.load(c, word.finished);
      if (done >= chunks) break;
      if (i > polls && maySleep()) Atomics.wait(c, word.finished, done, 1);
    }
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

let sleeps: boolean | undefined;

/** Whether this thread may sleep: the main thread of a browser may not. */
function maySleep(): boolean {
  if (sleeps === undefined) {
    try {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
      sleeps = true;
    } catch {
      sleeps = false;
    }
  }
  return sleeps;
}
