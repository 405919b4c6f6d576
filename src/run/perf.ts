/**
 * Latency and frame rate of a model in the bpukit runtime, one or several threads.
 *
 * @module
 */

import type { BinFile } from "../container/pack.ts";
import { BpuError } from "../errors.ts";
import type { Engine, Feeds } from "../ir/engine.ts";
import type { OperatorFile } from "./custom/types.ts";
import type { Profile } from "./profile.ts";
import { loadModelFile } from "./model_exec.ts";

/** When to stop: whichever comes first. */
export interface PerfLimit {
  readonly frames: number;
  /** Milliseconds; Infinity for none. */
  readonly time: number;
}

/** What was measured. Times in milliseconds. */
export interface Perf {
  readonly threads: number;
  readonly frames: number;
  /** Wall time of all frames. */
  readonly runTime: number;
  /** Sum of the frames' latencies. */
  readonly total: number;
  readonly average: number;
  readonly min: number;
  readonly max: number;
  readonly fps: number;
}

/** Figures from latencies and the wall time. */
export function perfOf(latencies: readonly number[], runTime: number, threads: number): Perf {
  let total = 0, min = Infinity, max = 0;
  for (const v of latencies) {
    total += v;
    min = Math.min(min, v);
    max = Math.max(max, v);
  }
  const frames = latencies.length;
  return {
    threads,
    frames,
    runTime,
    total,
    average: total / frames,
    min,
    max,
    fps: frames / runTime * 1000,
  };
}

/** Runs frames one after another on this thread alone; `onFrames` after every 200. */
export async function measure(
  source: BinFile,
  name: string | undefined,
  feeds: Feeds,
  limit: PerfLimit,
  engine: Engine,
  onFrames?: (p: Perf) => void,
  profile?: Profile,
): Promise<Perf> {
  const { session } = await loadModelFile(source, name, engine, undefined, 1, profile);
  try {
    const latencies: number[] = [];
    const start = performance.now();
    while (latencies.length < limit.frames && performance.now() - start < limit.time) {
      profile?.begin();
      const t = performance.now();
      await session.run(feeds);
      latencies.push(performance.now() - t);
      if (latencies.length % 200 === 0) {
        onFrames?.(perfOf(latencies, performance.now() - start, 1));
      }
    }
    return perfOf(latencies, performance.now() - start, 1);
  } finally {
    await session.close();
  }
}

/** What a worker is told. */
export interface PerfJob {
  readonly source: BinFile;
  readonly name: string | undefined;
  readonly feeds: Feeds;
  readonly limit: PerfLimit;
  /** Files of the model's custom operators; every thread has a Worker of its own for them. */
  readonly custom?: readonly OperatorFile[];
}

/** What a worker answers: first that it is ready, then its figures. */
export type PerfAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly perf: Perf }
  | { readonly kind: "failed"; readonly message: string };

/** Module of the Workers. */
export const perfWorker = new URL("./perf_worker.ts", import.meta.url);

/**
 * The same on several Workers, each with the whole model; frames are split evenly.
 *
 * @throws BpuError("runtime") where Workers cannot be started
 */
export async function measureThreads(job: PerfJob, threads: number): Promise<Perf> {
  const workers = Array.from(
    { length: threads },
    () => new Worker(perfWorker.href, { type: "module" }),
  );
  const failure = (message: string) =>
    new BpuError("runtime", `a worker thread stopped: ${message}`, { hint: "Use --thread_num 1." });
  const answer = (w: Worker, kind: PerfAnswer["kind"]) =>
    new Promise<PerfAnswer>((ok, fail) => {
      w.onerror = (e) => {
        e.preventDefault();
        fail(failure(e.message));
      };
      w.onmessage = ({ data }: MessageEvent<PerfAnswer>) => {
        if (data.kind === "failed") fail(failure(data.message));
        else if (data.kind === kind) ok(data);
      };
    });
  try {
    const ready = Promise.all(workers.map((w) => answer(w, "ready")));
    workers.forEach((w, i) => {
      const frames = Math.floor(job.limit.frames / threads) +
        (i < job.limit.frames % threads ? 1 : 0);
      w.postMessage({ ...job, limit: { ...job.limit, frames } });
    });
    await ready;
    const start = performance.now();
    const done = Promise.all(workers.map((w) => answer(w, "done")));
    for (const w of workers) w.postMessage("go");
    const parts = (await done).flatMap((d) =>
      d.kind === "done" && d.perf.frames > 0 ? [d.perf] : []
    );
    const runTime = performance.now() - start;
    const frames = parts.reduce((n, p) => n + p.frames, 0);
    const total = parts.reduce((n, p) => n + p.total, 0);
    return {
      threads,
      frames,
      runTime,
      total,
      average: total / frames,
      min: Math.min(...parts.map((p) => p.min)),
      max: Math.max(...parts.map((p) => p.max)),
      fps: frames / runTime * 1000,
    };
  } finally {
    for (const w of workers) w.terminate();
  }
}
