/**
 * The part of the float engine that runs in a Worker, and on the main thread where there are no
 * Workers. A Worker is started from a Blob that holds the text of these functions: a Blob needs no
 * permission, a file or URL does. So each function here is **self-contained**: it may use its own
 * parameters and Web APIs only, no import and no name of this module except types.
 *
 * @module
 */

import type { OnnxRuntime } from "../deps.ts";
import type { DType, TensorData } from "../ir/tensor.ts";

/** A tensor as it crosses the Worker boundary. */
export interface Packed {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** What a session says about one of its inputs or outputs; a symbolic dimension is -1. */
export interface PortInfo {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** An open session of a host. */
export interface Opened {
  readonly handle: number;
  readonly inputs: readonly PortInfo[];
  readonly outputs: readonly PortInfo[];
}

/** How far onnxruntime may rewrite the graph. */
export type Optimization = "disabled" | "all";

/** Sessions of one realm. Errors are plain `Error`s with onnxruntime's own message. */
export interface Host {
  open(bytes: Uint8Array, optimization: Optimization): Promise<Opened>;
  run(handle: number, feeds: readonly Packed[], fetch: readonly string[]): Promise<Packed[]>;
  close(handle: number): Promise<void>;
  /** Ends the realm, where it is one of its own. */
  end(): void;
}

/** Request to a Worker. */
export type Request =
  | { readonly id: number; readonly kind: "boot"; readonly wasm: WebAssembly.Module }
  | {
    readonly id: number;
    readonly kind: "open";
    readonly bytes: Uint8Array;
    readonly optimization: Optimization;
  }
  | {
    readonly id: number;
    readonly kind: "run";
    readonly handle: number;
    readonly feeds: readonly Packed[];
    readonly fetch: readonly string[];
  }
  | { readonly id: number; readonly kind: "close"; readonly handle: number };

/** Its answer: a value or the message of an error. */
export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };

/**
 * Starts onnxruntime on a compiled module and returns the sessions of this realm.
 *
 * The library takes the bytes of its module only, or fetches them, which needs a permission. It is
 * given four marker bytes instead, and its one call of `WebAssembly.instantiate` for them is answered
 * with the compiled module.
 */
export async function bootHost(ort: OnnxRuntime, wasm: WebAssembly.Module): Promise<Host> {
  const marker = [0xb9, 0x75, 0x6b, 0x74];
  const isMarker = (source: unknown): boolean =>
    source instanceof Uint8Array && source.length === 4 && marker.every((b, i) => source[i] === b);

  ort.env.wasm.wasmBinary = Uint8Array.from(marker);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.proxy = false;
  ort.env.logLevel = "fatal";
  const original = WebAssembly.instantiate;
  const answer = async (source: BufferSource | WebAssembly.Module, imports?: WebAssembly.Imports) =>
    isMarker(source)
      ? { module: wasm, instance: await original(wasm, imports) }
      : await original(source as BufferSource, imports);
  WebAssembly.instantiate = answer as typeof WebAssembly.instantiate;
  try {
    // An empty model is refused, but only after the library has been started.
    await ort.InferenceSession.create(new Uint8Array(4)).catch((e: unknown) => {
      if (!String(e).includes("ERROR_CODE")) throw e;
    });
  } finally {
    WebAssembly.instantiate = original;
    ort.env.wasm.wasmBinary = undefined;
  }

  type Session = Awaited<ReturnType<typeof ort.InferenceSession.create>>;
  const sessions = new Map<number, Session>();
  let count = 0;

  const textOf = (e: unknown): Error =>
    e instanceof Error ? e : new Error(`onnxruntime stopped without a message (${String(e)})`);
  const ports = (list: Session["inputMetadata"]): PortInfo[] =>
    list.map((m) => ({
      name: m.name,
      dtype: m.isTensor ? m.type : "not a tensor",
      shape: m.isTensor ? m.shape.map((d) => typeof d === "number" && d < 2 ** 31 ? d : -1) : [],
    }));
  const sessionOf = (handle: number): Session => {
    const s = sessions.get(handle);
    if (s === undefined) throw new Error("the session is closed");
    return s;
  };

  // onnxruntime keeps arguments on the one stack of its memory while it waits, so that two calls
  // that overlap destroy each other's.
  let last: Promise<unknown> = Promise.resolve();
  const alone = <T>(call: () => Promise<T>): Promise<T> => {
    const turn = last.then(call);
    last = turn.catch(() => {});
    return turn;
  };

  const open: Host["open"] = async (bytes, optimization) => {
    try {
      const session = await ort.InferenceSession.create(bytes, {
        executionProviders: ["wasm"],
        graphOptimizationLevel: optimization,
        logSeverityLevel: 4,
      });
      const handle = count++;
      sessions.set(handle, session);
      return {
        handle,
        inputs: ports(session.inputMetadata),
        outputs: ports(session.outputMetadata),
      };
    } catch (e) {
      throw textOf(e);
    }
  };

  const feed = (f: Packed): InstanceType<typeof ort.Tensor> => {
    const half = globalThis.Float16Array;
    const { data } = f;
    const value = f.dtype === "float16" && half !== undefined && data instanceof Uint16Array
      ? new half(data.buffer as ArrayBuffer, data.byteOffset, data.length)
      : data;
    return new ort.Tensor(f.dtype as "float32", value as unknown as Float32Array, f.shape);
  };
  const result = (name: string, t: InstanceType<typeof ort.Tensor> | undefined): Packed => {
    if (t === undefined) throw new Error(`output '${name}' was not computed`);
    const data: unknown = t.data;
    return {
      name,
      dtype: t.type as DType,
      shape: [...t.dims],
      data: t.type === "float16" && ArrayBuffer.isView(data)
        ? new Uint16Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength / 2)
        : data as TensorData,
    };
  };
  const run: Host["run"] = async (handle, feeds, fetch) => {
    const session = sessionOf(handle);
    const given = new Map(feeds.map((f) => [f.name, f]));
    // The null prototype keeps "__proto__" an ordinary key.
    const inputs: Record<string, InstanceType<typeof ort.Tensor>> = Object.create(null);
    for (const f of feeds) inputs[f.name] = feed(f);
    const wanted = fetch.filter((name) => !given.has(name));
    try {
      const results = wanted.length === 0
        ? {}
        : await session.run(inputs, wanted, { logSeverityLevel: 4 });
      return fetch.map((name) => given.get(name) ?? result(name, results[name]));
    } catch (e) {
      throw textOf(e);
    }
  };

  const close: Host["close"] = async (handle) => {
    const session = sessions.get(handle);
    sessions.delete(handle);
    await session?.release();
  };

  return {
    open: (bytes, optimization) => alone(() => open(bytes, optimization)),
    run: (handle, feeds, fetch) => alone(() => run(handle, feeds, fetch)),
    close: (handle) => alone(() => close(handle)),
    end() {},
  };
}

/** Answers requests in a Worker. `load` gives the library. */
export function serve(
  scope: {
    onmessage: ((event: MessageEvent<Request>) => void) | null;
    postMessage(message: Answer, transfer: Transferable[]): void;
  },
  load: () => Promise<OnnxRuntime>,
  boot: (ort: OnnxRuntime, wasm: WebAssembly.Module) => Promise<Host>,
): void {
  let host: Promise<Host> | undefined;
  const answer = async (m: Request): Promise<[unknown, Transferable[]]> => {
    if (m.kind === "boot") {
      host = load().then((ort) => boot(ort, m.wasm));
      await host;
      return [true, []];
    }
    if (host === undefined) throw new Error("the worker was not started");
    const h = await host;
    if (m.kind === "open") return [await h.open(m.bytes, m.optimization), []];
    if (m.kind === "close") return [await h.close(m.handle), []];
    const outputs = await h.run(m.handle, m.feeds, m.fetch);
    const buffers = new Set<Transferable>();
    for (const o of outputs) {
      if (ArrayBuffer.isView(o.data)) buffers.add(o.data.buffer as ArrayBuffer);
    }
    return [outputs, [...buffers]];
  };
  scope.onmessage = async ({ data }) => {
    try {
      const [value, transfer] = await answer(data);
      scope.postMessage({ id: data.id, value }, transfer);
    } catch (e) {
      scope.postMessage({ id: data.id, error: e instanceof Error ? e.message : String(e) }, []);
    }
  };
}
