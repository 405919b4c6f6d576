/**
 * The float engine: onnxruntime-web, one single-threaded session per Worker, samples spread over the
 * Workers. Needs no permission. Where Workers cannot be started it uses the calling thread; results
 * are the same bits for any number of Workers.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { Engine, Feeds, Session } from "../ir/engine.ts";
import type { FunctionDef } from "../ir/function.ts";
import type { Graph } from "../ir/graph.ts";
import { shapeText, type Tensor, type TensorData } from "../ir/tensor.ts";
import { saveOnnx } from "../formats/onnx/save.ts";
import { modelNames, nodeOfType, withOutputs } from "./extra_outputs.ts";
import type { Host, Opened, Optimization, Packed } from "./float_worker.ts";
import { readable } from "./ort_errors.ts";
import { localHost, workerHost } from "./ort_loader.ts";

/** Options of {@linkcode createFloatEngine}. */
export interface FloatOptions {
  /** Workers for `map`; 0: the calling thread only. Default: one per core, at most 8. */
  readonly workers?: number;
  /**
   * `disabled` (default): nodes run as they are written, bits are comparable. `all`: onnxruntime may
   * fuse and reorder; last bits of floats may differ.
   */
  readonly optimization?: Optimization;
  /** Definitions of the graph's own operators (the `horizon` domain), written into the model. */
  readonly functions?: (graph: Graph) => readonly FunctionDef[];
}

/** Receives the tensors of sample `index`; called in sample order, one at a time. */
export type OnResult = (index: number, outputs: Map<string, Tensor>) => void | Promise<void>;

/** Samples, as many as there are, produced when they are needed. */
export type Samples = AsyncIterable<Feeds> | Iterable<Feeds>;

/** An {@linkcode Engine} that also runs many samples. */
export interface FloatEngine extends Engine {
  /** Like `open`, for the bytes of an ONNX file. */
  openBytes(bytes: Uint8Array, fetch?: readonly string[]): Promise<Session>;
  /**
   * Runs every sample and hands the tensors of `fetch` to `onResult`, in sample order. Only a few
   * samples are in memory at a time. Throws what a sample, a session or `onResult` throws.
   */
  map(
    graph: Graph,
    fetch: readonly string[] | undefined,
    samples: Samples,
    onResult: OnResult,
  ): Promise<void>;
  /** Like `map`, for the bytes of an ONNX file. */
  mapBytes(
    bytes: Uint8Array,
    fetch: readonly string[] | undefined,
    samples: Samples,
    onResult: OnResult,
  ): Promise<void>;
  /** Closes all sessions and ends the Workers. A process does not end while Workers live. */
  close(): Promise<void>;
}

/** A model ready for any session. */
interface Model {
  readonly bytes: Uint8Array;
  readonly fetch: readonly string[];
}

function prepare(bytes: Uint8Array, fetch: readonly string[] | undefined): Model {
  return fetch === undefined
    ? { bytes, fetch: modelNames(bytes).outputs }
    : { bytes: withOutputs(bytes, fetch), fetch: [...new Set(fetch)] };
}

/** A view that owns its buffer, so that sending it copies nothing else. */
function compact(data: TensorData): TensorData {
  if (Array.isArray(data)) return data;
  const own = data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength;
  return own ? data : data.slice();
}

/** Feeds as a session takes them; refuses what does not fit the model's inputs. */
function pack(feeds: Feeds, opened: Opened): Packed[] {
  return opened.inputs.map((port) => {
    const t = feeds.get(port.name);
    if (t === undefined) {
      throw new BpuError("runtime", "no value was given for this input of the model", {
        tensor: port.name,
        hint: `Given: ${[...feeds.keys()].join(", ") || "nothing"}.`,
      });
    }
    if (t.dtype !== port.dtype) {
      throw new BpuError("runtime", `this input takes ${port.dtype}, not ${t.dtype}`, {
        tensor: port.name,
      });
    }
    const fits = t.shape.length === port.shape.length &&
      port.shape.every((d, i) => d < 0 || d === t.shape[i]);
    if (!fits) {
      throw new BpuError(
        "runtime",
        `this input takes the shape ${shapeText(port.shape)}, not ${shapeText(t.shape)}`,
        { tensor: port.name },
      );
    }
    return { name: port.name, dtype: t.dtype, shape: t.shape, data: compact(t.data) };
  });
}

function unpack(list: readonly Packed[]): Map<string, Tensor> {
  return new Map(list.map((p) => [p.name, { dtype: p.dtype, shape: p.shape, data: p.data }]));
}

async function run(
  host: Host,
  opened: Opened,
  model: Model,
  feeds: Feeds,
): Promise<Map<string, Tensor>> {
  const packed = pack(feeds, opened);
  try {
    return unpack(await host.run(opened.handle, packed, model.fetch));
  } catch (e) {
    throw readable(e);
  }
}

/** One session of a `map`: a Worker's or the calling thread's. */
interface Lane {
  readonly host: Host;
  readonly opened: Promise<Opened>;
  /** Samples given to it that have not come back. */
  load: number;
}

function defaultWorkers(): number {
  return Math.min(8, globalThis.navigator?.hardwareConcurrency ?? 1);
}

/**
 * Makes a float engine. Nothing is loaded until it is used.
 *
 * @example
 * ```ts
 * import { createFloatEngine } from "./float.ts";
 * const engine = createFloatEngine({ workers: 0 });
 * // const session = await engine.openBytes(await (await fetch("model.onnx")).bytes());
 * await engine.close();
 * ```
 */
export function createFloatEngine(options: FloatOptions = {}): FloatEngine {
  const workers = options.workers ?? defaultWorkers();
  if (!Number.isInteger(workers) || workers < 0) {
    throw new BpuError("usage", `the number of workers must be 0 or more, not ${workers}`);
  }
  const optimization = options.optimization ?? "disabled";
  const sessions = new Set<Session>();
  /** Workers that live, and those of them that no `map` uses. */
  const started = new Set<Host>();
  const idle: Host[] = [];
  let workersRefused = workers === 0;

  const bytesOf = (graph: Graph): Uint8Array =>
    saveOnnx(graph, { functions: options.functions?.(graph) ?? [] });

  const openOn = async (host: Host, model: Model): Promise<Opened> => {
    try {
      return await host.open(model.bytes, optimization);
    } catch (e) {
      const error = readable(e);
      const { node, op } = error.place;
      if (node !== undefined || op === undefined) throw error;
      throw readable(e, { node: nodeOfType(model.bytes, op) });
    }
  };

  const openModel = async (model: Model): Promise<Session> => {
    const host = await localHost();
    const opened = await openOn(host, model);
    const session: Session = {
      run: (feeds) => run(host, opened, model, feeds),
      async close() {
        if (sessions.delete(session)) await host.close(opened.handle);
      },
    };
    sessions.add(session);
    return session;
  };

  const takeHost = async (): Promise<Host | undefined> => {
    const free = idle.pop();
    if (free !== undefined || workersRefused) return free;
    const host = await workerHost();
    if (host === undefined) workersRefused = true;
    else started.add(host);
    return host;
  };

  const mapModel = async (model: Model, samples: Samples, onResult: OnResult): Promise<void> => {
    const lanes: Lane[] = [];
    const onThread = async (): Promise<Lane> => {
      const host = await localHost();
      return { host, opened: openOn(host, model), load: 0 };
    };
    /** The lane with the least work; a new one while there may be more and all are busy. */
    const lane = async (): Promise<Lane> => {
      const best = lanes.reduce<Lane | undefined>(
        (a, b) => a === undefined || b.load < a.load ? b : a,
        undefined,
      );
      if (best !== undefined && (best.load === 0 || lanes.length >= Math.max(1, workers))) {
        return best;
      }
      const host = await takeHost();
      if (host === undefined && best !== undefined) return best;
      const made = host === undefined
        ? await onThread()
        : { host, opened: openOn(host, model), load: 0 };
      made.opened.catch(() => {}); // reported by the samples that wait for it
      lanes.push(made);
      return made;
    };

    const flight: Promise<Map<string, Tensor>>[] = [];
    let index = 0;
    const deliver = async (): Promise<void> => {
      const first = flight.shift();
      if (first !== undefined) await onResult(index++, await first);
    };
    try {
      for await (const feeds of samples) {
        // One sample more than there are Workers keeps them busy while a result is looked at.
        while (flight.length > (workersRefused ? 0 : workers)) await deliver();
        const l = await lane();
        l.load++;
        const result = l.opened.then((opened) => run(l.host, opened, model, feeds))
          .finally(() => l.load--);
        result.catch(() => {}); // awaited in order, later
        flight.push(result);
      }
      while (flight.length > 0) await deliver();
    } finally {
      await Promise.allSettled(flight);
      for (const l of lanes) {
        await l.opened.then((o) => l.host.close(o.handle)).catch(() => {});
        if (started.has(l.host)) idle.push(l.host);
      }
    }
  };

  return {
    name: "onnxruntime-web",
    open: async (graph, fetch) => await openModel(prepare(bytesOf(graph), fetch)),
    openBytes: async (bytes, fetch) => await openModel(prepare(bytes, fetch)),
    map: async (graph, fetch, samples, onResult) =>
      await mapModel(prepare(bytesOf(graph), fetch), samples, onResult),
    mapBytes: async (bytes, fetch, samples, onResult) =>
      await mapModel(prepare(bytes, fetch), samples, onResult),
    async close() {
      for (const s of [...sessions]) await s.close();
      for (const host of started) host.end();
      started.clear();
      idle.length = 0;
    },
  };
}
