/**
 * The streaming pass: runs the float graph over the calibration samples once and gathers statistics
 * of every tensor that is to be quantized. All threshold methods work on what it returns.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { Engine, Feeds } from "../ir/engine.ts";
import { type Graph, typeOf } from "../ir/graph.ts";
import { byteSize, elementCount, isStatic, type Tensor } from "../ir/tensor.ts";
import { extract } from "./extract.ts";
import { type Layout, Observer, type ObserverOptions, type TensorStats } from "./stats.ts";

/** Samples, produced when they are needed. A function starts them again from the first. */
export type Samples = AsyncIterable<Feeds> | Iterable<Feeds>;
export type SampleSource = Samples | (() => Samples);

/** An engine that may be able to run several samples at a time. */
export interface CalibrationEngine extends Engine {
  /**
   * Runs every sample; `onResult` gets the results in sample order, one at a time, and owns them (they
   * share no memory with anything else).
   */
  map?(
    graph: Graph,
    fetch: readonly string[] | undefined,
    samples: Samples,
    onResult: (index: number, outputs: Map<string, Tensor>) => void | Promise<void>,
  ): Promise<void>;
  /**
   * Runs every sample and shows each tensor of `fetch` as soon as it is computed: a view that is valid
   * during the call only. Returns the number of samples, or undefined, having taken none, where the
   * engine cannot do that for this graph.
   */
  visit?(
    graph: Graph,
    fetch: readonly string[],
    samples: Samples,
    visitor: Visitor,
    options: { onSample(index: number): void },
  ): Promise<number | undefined>;
}

/** Looks at a tensor of sample `index`; the elements of `view` lie in the order of `layout`. */
export type Visitor = (
  index: number,
  name: string,
  view: Float32Array,
  shape: readonly number[],
  layout: Layout,
) => void;

/** Options of {@linkcode observe}. */
export interface ObserveOptions extends ObserverOptions {
  /**
   * Most bytes of results per sample that are fetched in one pass; default 1 GiB. More tensors take
   * several passes, where `samples` is a function. One pass is faster: an extra result costs a copy.
   */
  readonly bytesPerPass?: number;
  /** Called after every sample of every pass. */
  readonly onSample?: (done: number, pass: number, passes: number) => void;
}

/** Runs all samples on an engine, in parallel where it can. Returns how many there were. */
export async function runAll(
  engine: CalibrationEngine,
  graph: Graph,
  fetch: readonly string[] | undefined,
  samples: Samples,
  onResult: (index: number, outputs: Map<string, Tensor>) => void | Promise<void>,
): Promise<number> {
  let count = 0;
  const counted = async (index: number, outputs: Map<string, Tensor>) => {
    count++;
    await onResult(index, outputs);
  };
  if (engine.map !== undefined) {
    await engine.map(graph, fetch, samples, counted);
    return count;
  }
  const session = await engine.open(graph, fetch);
  try {
    for await (const feeds of samples) await counted(count, await session.run(feeds));
  } finally {
    await session.close();
  }
  return count;
}

/** Frees the memory of a result that nobody else has. */
function release(t: Tensor): void {
  if (!ArrayBuffer.isView(t.data) || !(t.data.buffer instanceof ArrayBuffer)) return;
  if (t.data.buffer.byteLength === t.data.byteLength) t.data.buffer.transfer(0);
}

/** Splits tensors into groups whose float data per sample stays below a limit. */
function groups(graph: Graph, names: readonly string[], limit: number): string[][] {
  const all: string[][] = [];
  let group: string[] = [], bytes = 0;
  for (const name of names) {
    const t = typeOf(graph, name);
    const size = t === undefined || !isStatic(t.shape)
      ? 0
      : elementCount(t.shape) * byteSize(t.dtype);
    if (group.length > 0 && bytes + size > limit) {
      all.push(group);
      group = [];
      bytes = 0;
    }
    group.push(name);
    bytes += size;
  }
  if (group.length > 0) all.push(group);
  return all;
}

/**
 * Statistics of tensors over all samples, in one pass (see `bytesPerPass`). `tensorNames` may name
 * graph inputs, constants and results of nodes. Memory does not grow with the number of samples and
 * the result does not depend on their order. Throws BpuError("calibration") when there is no sample.
 *
 * @example
 * ```ts
 * import { observe } from "./observe.ts";
 * import { maxThreshold } from "./methods/max.ts";
 * import { klThreshold } from "./methods/kl.ts";
 * import type { Engine, Feeds } from "../ir/engine.ts";
 * import type { Graph } from "../ir/graph.ts";
 *
 * async function thresholds(graph: Graph, engine: Engine, samples: AsyncIterable<Feeds>) {
 *   const stats = await observe(graph, ["conv_1", "relu_1"], samples, engine);
 *   return [...stats.values()].map((s) => [s.name, maxThreshold(s), klThreshold(s).threshold]);
 * }
 * console.log(typeof thresholds);
 * ```
 */
export async function observe(
  graph: Graph,
  tensorNames: readonly string[],
  samples: SampleSource,
  engine: CalibrationEngine,
  options: ObserveOptions = {},
): Promise<Map<string, TensorStats>> {
  const observers = new Map(tensorNames.map((name) => [name, new Observer(name, options)]));
  const inputs = new Set(graph.inputs.map((p) => p.name));
  const computed: string[] = [];
  for (const [name, o] of observers) {
    const constant = graph.constants.get(name);
    if (constant !== undefined) o.add(constant);
    else if (!inputs.has(name)) computed.push(name);
  }
  const fed = [...observers.values()].filter((o) => inputs.has(o.name));
  let pass = 0;
  const start = (): Samples => typeof samples === "function" ? samples() : samples;
  const watch = async function* (source: Samples): AsyncGenerator<Feeds> {
    for await (const feeds of source) {
      if (pass === 0) {
        for (const o of fed) {
          const t = feeds.get(o.name);
          if (t !== undefined) o.add(t);
        }
      }
      yield feeds;
    }
  };
  const refuseNone = (count: number): void => {
    if (count > 0) return;
    throw new BpuError("calibration", "there is no calibration sample");
  };
  /** Shown without copies, where the engine can do that. */
  const visited = async (): Promise<boolean> => {
    if (computed.length === 0 || engine.visit === undefined) return false;
    const count = await engine.visit(
      extract(graph, computed),
      computed,
      watch(start()),
      (_, name, view, shape, layout) => observers.get(name)?.addValues(view, shape, layout),
      { onSample: (index) => options.onSample?.(index + 1, 0, 1) },
    );
    if (count !== undefined) refuseNone(count);
    return count !== undefined;
  };
  const split = groups(graph, computed, options.bytesPerPass ?? 2 ** 30);
  const passes = typeof samples === "function" ? split : computed.length > 0 ? [computed] : [];
  for (const names of await visited() ? [] : passes) {
    const piece = extract(graph, names);
    const count = await runAll(engine, piece, names, watch(start()), (index, outputs) => {
      for (const [name, t] of outputs) {
        observers.get(name)?.add(t);
        // Every sample brings new buffers; without this they live until the next collection.
        if (engine.map !== undefined) release(t);
      }
      options.onSample?.(index + 1, pass, passes.length);
    });
    refuseNone(count);
    pass++;
  }
  if (passes.length === 0 && fed.length > 0) {
    let count = 0;
    for await (const _ of watch(start())) {
      count++;
      options.onSample?.(count, 0, 1);
    }
    refuseNone(count);
  }
  return new Map([...observers].map(([name, o]) => [name, o.stats()]));
}
