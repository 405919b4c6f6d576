/**
 * Starts onnxruntime-web without any permission: on this thread and in Workers. How, and why, is in
 * `float_worker.ts` and the two shims `ort_wasm.js` and `ort_text.js`.
 *
 * @module
 */

import { loadOnnxRuntime } from "../deps.ts";
import {
  type Answer,
  bootHost,
  type Host,
  type Opened,
  type Packed,
  type Request,
  serve,
} from "./float_worker.ts";

/** A request before it gets its number. */
type Draft<T = Request> = T extends Request ? Omit<T, "id"> : never;

let local: Promise<Host> | undefined;

/** The sessions of this thread. onnxruntime is started once. */
export function localHost(): Promise<Host> {
  local ??= (async () => {
    const [ort, wasm] = await Promise.all([loadOnnxRuntime(), import("./ort_wasm.js")]);
    return await bootHost(ort, wasm.default);
  })();
  return local;
}

/** Source of a Worker module that imports the library from `library` (a Blob URL). */
function workerSource(library: string): string {
  // A Worker of a Blob has an opaque location, on which the library fails to build its own address.
  return `Object.defineProperty(globalThis, "location", { value: undefined, configurable: true });
(${serve})(globalThis, () => import(${JSON.stringify(library)}), ${bootHost});
`;
}

let sources: Promise<{ worker: string; wasm: WebAssembly.Module } | undefined> | undefined;

/** Blob URLs of the Worker; undefined where text or source-phase imports do not exist. */
function workerSources(): Promise<{ worker: string; wasm: WebAssembly.Module } | undefined> {
  const blob = (text: string) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  sources ??= Promise.all([import("./ort_text.js"), import("./ort_wasm.js")]).then(
    ([text, wasm]) => ({ worker: blob(workerSource(blob(text.default))), wasm: wasm.default }),
    () => undefined,
  );
  return sources;
}

/** Sessions in a Worker of their own; undefined where Workers cannot be started. */
export async function workerHost(): Promise<Host | undefined> {
  if (typeof Worker === "undefined") return undefined;
  const source = await workerSources();
  if (source === undefined) return undefined;
  let worker: Worker;
  try {
    worker = new Worker(source.worker, { type: "module" });
  } catch {
    return undefined;
  }
  const waiting = new Map<number, { ok(value: unknown): void; fail(error: Error): void }>();
  let count = 0;
  let ended: Error | undefined;
  const end = (why: string) => {
    ended ??= new Error(why);
    worker.terminate();
    for (const w of waiting.values()) w.fail(ended);
    waiting.clear();
  };
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    const w = waiting.get(data.id);
    waiting.delete(data.id);
    if ("error" in data) w?.fail(new Error(data.error));
    else w?.ok(data.value);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    end(event.message);
  };
  worker.onmessageerror = () => end("a message to or from a worker could not be copied");
  const ask = (draft: Draft): Promise<unknown> =>
    new Promise((ok, fail) => {
      if (ended !== undefined) return fail(ended);
      const request: Request = { ...draft, id: count++ };
      waiting.set(request.id, { ok, fail });
      try {
        worker.postMessage(request);
      } catch (e) {
        waiting.delete(request.id);
        fail(e instanceof Error ? e : new Error(String(e)));
      }
    });
  try {
    await ask({ kind: "boot", wasm: source.wasm });
  } catch {
    end("the worker did not start");
    return undefined;
  }
  return {
    open: (bytes, optimization) => ask({ kind: "open", bytes, optimization }) as Promise<Opened>,
    run: (handle, feeds, fetch) => ask({ kind: "run", handle, feeds, fetch }) as Promise<Packed[]>,
    close: (handle) => ask({ kind: "close", handle }) as Promise<void>,
    end: () => end("the engine was closed"),
  };
}
