/**
 * Prepares pictures on several threads. The Workers get bytes and give bytes: they read no file and need
 * no permission. Results are the same for any number of them.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import type { ErrorCode, ErrorPlace } from "../../errors.ts";
import core from "../../kernels/core_mod.js";
import micro from "../../kernels/micro_mod.js";
import { blobModules } from "./blob_modules.ts";
import type { BlobModules } from "./blob_modules.ts";
import type { ImageArray } from "./image.ts";
import { chainOf, preparePicture } from "./prepare.ts";

/** Threads that prepare pictures. */
export interface PicturePool {
  /** Workers that are running; 0: the calling thread does the work. */
  readonly workers: number;
  /**
   * Prepares one picture for a named model. At most `workers` are under way, others wait.
   *
   * @throws BpuError of `preparePicture`
   */
  prepare(bytes: Uint8Array, file: string, model: string): Promise<ImageArray>;
  /** Ends the Workers. A process does not end while they live. */
  close(): void;
}

interface Job {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly file: string;
  readonly model: string;
}

type Answer =
  | { readonly id: number; readonly image: ImageArray }
  | {
    readonly id: number;
    readonly code: ErrorCode;
    readonly message: string;
    readonly place: ErrorPlace;
  };

/** What the modules cannot import in a Worker: compiled WebAssembly. */
interface Boot {
  readonly canvaskit: WebAssembly.Module;
  readonly core: WebAssembly.Module;
  readonly micro: WebAssembly.Module;
}

/** The Worker's program; it imports the linked modules after the WebAssembly has arrived. */
const program = (prepare: string, errors: string) =>
  `onmessage = async ({ data: boot }) => {
  globalThis.bpukitModules = boot;
  const { chainOf, preparePicture } = await import(${JSON.stringify(prepare)});
  const { BpuError } = await import(${JSON.stringify(errors)});
  onmessage = async ({ data: { id, bytes, file, model } }) => {
    try {
      const { shape, data } = await preparePicture(bytes, file, chainOf(model));
      const own = data.byteLength === data.buffer.byteLength ? data : data.slice();
      postMessage({ id, image: { shape, data: own } }, [own.buffer]);
    } catch (e) {
      const known = e instanceof BpuError;
      const { cause: _, ...place } = known ? e.place : { file };
      postMessage({ id, code: known ? e.code : "internal", message: e?.message ?? String(e), place });
    }
  };
  postMessage("ready");
};
`;

/**
 * The Worker's modules as Blobs.
 *
 * @throws BpuError("internal") when a module imports one that `worker_texts.ts` does not have
 */
export async function pictureModules(): Promise<BlobModules> {
  const [{ workerTexts }, loader] = await Promise.all([
    import("./worker_texts.ts"),
    import("../image/canvaskit_text.js"),
  ]);
  const given = (name: keyof Boot) => `export default globalThis.bpukitModules.${name};`;
  const linked = blobModules(
    new Map([
      ...workerTexts,
      ["deps.ts", 'export const loadCanvasKit = () => import("./canvaskit_loader.js");'],
      [
        "canvaskit_loader.js",
        `const module = { exports: {} }, exports = module.exports;\n${loader.default}\n` +
        "export default module.exports;",
      ],
      ["formats/image/canvaskit_mod.js", given("canvaskit")],
      ["kernels/core_mod.js", given("core")],
      ["kernels/micro_mod.js", given("micro")],
    ]),
  );
  linked.url("formats/preprocess/prepare.ts");
  return linked;
}

let sources: Promise<{ url: string; boot: Boot } | undefined> | undefined;

/** The Worker's Blob and what it needs; undefined where that cannot be made (the calling thread can). */
function workerSource(): Promise<{ url: string; boot: Boot } | undefined> {
  sources ??= (async () => {
    const [linked, canvaskit] = await Promise.all([
      pictureModules(),
      import("../image/canvaskit_mod.js"),
    ]);
    const text = program(linked.url("formats/preprocess/prepare.ts"), linked.url("errors.ts"));
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    return { url, boot: { canvaskit: canvaskit.default, core, micro } };
  })().catch(() => undefined);
  return sources;
}

/** One Worker with the picture that it works on. */
interface Lane {
  readonly worker: Worker;
  settle?: { ok(image: ImageArray): void; fail(error: BpuError): void };
}

async function startLane(source: { url: string; boot: Boot }): Promise<Lane | undefined> {
  let worker: Worker;
  try {
    worker = new Worker(source.url, { type: "module" });
  } catch {
    return undefined;
  }
  const ready = await new Promise<boolean>((done) => {
    worker.onmessage = () => done(true);
    worker.onerror = (e) => {
      e.preventDefault();
      done(false);
    };
    worker.postMessage(source.boot);
  });
  if (ready) return { worker };
  worker.terminate();
  return undefined;
}

/**
 * Starts threads for pictures.
 *
 * @param jobs Workers to start; below 2, and where Workers are not to be had, the calling thread does it
 *
 * @example
 * ```ts
 * import { openPicturePool } from "./pool.ts";
 * const pool = await openPicturePool(1);
 * console.log(pool.workers); // 0
 * pool.close();
 * ```
 */
export async function openPicturePool(jobs: number): Promise<PicturePool> {
  const source = jobs >= 2 && typeof Worker !== "undefined" ? await workerSource() : undefined;
  const started = source === undefined
    ? []
    : await Promise.all(Array.from({ length: jobs }, () => startLane(source)));
  const lanes = new Set(started.filter((l) => l !== undefined));
  const idle = [...lanes];
  const queue: ((lane: Lane | undefined) => void)[] = [];
  let count = 0;

  const free = (lane: Lane) => {
    const next = queue.shift();
    if (next === undefined) idle.push(lane);
    else next(lane);
  };
  const drop = (lane: Lane) => {
    lane.worker.terminate();
    lanes.delete(lane);
    const at = idle.indexOf(lane);
    if (at >= 0) idle.splice(at, 1);
    // The last one is gone: whoever waits does it on the calling thread.
    if (lanes.size === 0) { for (const next of queue.splice(0)) next(undefined); }
  };
  for (const lane of lanes) {
    lane.worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const { settle } = lane;
      lane.settle = undefined;
      if ("image" in data) settle?.ok(data.image);
      else settle?.fail(new BpuError(data.code, data.message, data.place));
      free(lane);
    };
    lane.worker.onerror = (e) => {
      e.preventDefault();
      lane.settle?.fail(new BpuError("runtime", `a worker thread stopped: ${e.message}`));
      drop(lane);
    };
  }
  return {
    get workers() {
      return lanes.size;
    },
    async prepare(bytes, file, model) {
      chainOf(model); // An unknown name is refused here as there.
      const lane = lanes.size === 0
        ? undefined
        : idle.pop() ?? await new Promise<Lane | undefined>((ok) => queue.push(ok));
      if (lane === undefined) return await preparePicture(bytes, file, chainOf(model));
      return await new Promise<ImageArray>((ok, fail) => {
        lane.settle = { ok, fail };
        lane.worker.postMessage({ id: count++, bytes, file, model } satisfies Job);
      });
    },
    close() {
      for (const lane of [...lanes]) {
        lane.settle?.fail(new BpuError("runtime", "the pool was closed"));
        drop(lane);
      }
    },
  };
}
