/**
 * The float engine on the float32 kernels. Tensors go in and come out row-major; inside, pictures lie
 * channels last. One arena per session holds all tensors; buffers are used again.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import type { Engine, Feeds, Session } from "../../ir/engine.ts";
import type { Graph } from "../../ir/graph.ts";
import { elementCount, sameShape, shapeText, type Tensor } from "../../ir/tensor.ts";
import { Arena } from "../../kernels/arena.ts";
import { copyStrided } from "../../kernels/copy.ts";
import { type Executor, inline } from "../../kernels/executor.ts";
import { KernelPool } from "../../kernels/threads.ts";
import { planGraph } from "./lower.ts";
import { isConstant, type Layout, type Memory, type Plan, stridesIn, type Value } from "./plan.ts";

/**
 * Receives a tensor that was just computed. `view` is a view of the engine's memory (shared, valid
 * during the call only) with the elements in the order of `layout`; `shape` is the tensor's own
 * (N, C, H, W) in either case.
 */
export type Visitor = (
  name: string,
  view: Float32Array,
  shape: readonly number[],
  layout: Layout,
) => void;

/** A session that also shows its tensors without copying them. */
export interface KernelSession extends Session {
  /** Runs one sample; shows every fetched tensor as soon as it is computed. */
  visit(feeds: Feeds, visitor: Visitor): void;
}

/** Opens graphs on the float32 kernels. */
export interface KernelEngine extends Engine {
  open(graph: Graph, fetch?: readonly string[]): Promise<KernelSession>;
}

/** Options of {@linkcode createKernelEngine}. */
export interface KernelEngineOptions {
  /** Threads beside the caller's that take parts of large convolutions; default 0. */
  readonly workers?: number;
}

/**
 * The engine. `open` throws `BpuError("unsupported")` for a graph that it does not cover (see
 * `chooseFloatEngine`).
 *
 * @example
 * ```ts
 * import { createKernelEngine } from "./engine.ts";
 * import { attr, node, OPSET } from "../../ir/graph.ts";
 * import { f32 } from "../../ir/tensor.ts";
 *
 * const port = { name: "x", dtype: "float32", shape: [1, 2, 1, 2] } as const;
 * const session = await createKernelEngine().open({
 *   name: "tiny",
 *   opset: OPSET,
 *   domains: new Map(),
 *   nodes: [node("LeakyRelu", "a", ["x"], ["y"], { alpha: attr.float(0.5) })],
 *   inputs: [port],
 *   outputs: [{ ...port, name: "y" }],
 *   constants: new Map(),
 *   types: new Map(),
 *   metadata: new Map(),
 * });
 * const y = await session.run(new Map([["x", f32([1, 2, 1, 2], [1, -2, 3, -4])]]));
 * console.log(y.get("y")?.data); // 1, -1, 3, -2
 * ```
 */
export function createKernelEngine(options: KernelEngineOptions = {}): KernelEngine {
  return {
    name: "kernels",
    async open(graph, fetch) {
      const planned = planGraph(graph, fetch);
      if ("reason" in planned) {
        throw new BpuError("unsupported", `the float kernels do not cover it: ${planned.reason}`);
      }
      return await load(planned.plan, options.workers ?? 0);
    },
  };
}

/** Loads a plan. Throws `BpuError("limit")` when the memory is not to be had. */
export async function load(plan: Plan, workers = 0): Promise<KernelSession> {
  const arena = Arena.create({ maximumBytes: 2 ** 32 });
  const pool = workers > 0 ? await KernelPool.create(arena, { workers }) : undefined;
  const executor: Executor = pool ?? inline;
  const base = arena.alloc(plan.bytes, 64);
  const constants = new Map<Tensor, number>();
  const memory: Memory = {
    arena,
    executor,
    at(v) {
      if (!isConstant(v)) return base + plan.offsets.get(v.buffer)!;
      let at = constants.get(v.buffer);
      if (at === undefined) {
        at = arena.put(v.buffer.data as Float32Array);
        constants.set(v.buffer, at);
      }
      return at;
    },
  };
  // Now, so that no constant is put into memory that a step gives back.
  for (const v of [...plan.results.values(), ...plan.steps.flatMap((s) => s.reads)]) {
    if (isConstant(v)) memory.at(v);
  }
  const steps = plan.steps.map((s) => ({ run: s.load(memory), done: s.done }));

  const run = (feeds: Feeds, show: (name: string, v: Value) => void): void => {
    for (const [name, v] of plan.inputs) write(memory, v, checked(name, v.shape, feeds.get(name)));
    const seen = new Set<string>();
    for (const step of steps) {
      step.run();
      for (const name of step.done) {
        seen.add(name);
        show(name, plan.results.get(name)!);
      }
    }
    for (const [name, v] of plan.results) if (!seen.has(name)) show(name, v);
  };
  return {
    // deno-lint-ignore require-await
    async run(feeds) {
      const out = new Map<string, Tensor>();
      run(feeds, (name, v) => out.set(name, read(memory, v)));
      return new Map([...plan.results.keys()].map((name) => [name, out.get(name)!]));
    },
    visit(feeds, visitor) {
      run(feeds, (name, v) => {
        visitor(name, arena.f32(memory.at(v), elementCount(v.shape)), v.shape, v.layout);
      });
    },
    // deno-lint-ignore require-await
    async close() {
      pool?.close();
    },
  };
}

function checked(name: string, shape: readonly number[], t: Tensor | undefined): Float32Array {
  const wrong = (what: string) => new BpuError("runtime", what, { tensor: name });
  if (t === undefined) throw wrong("no value was given for this input of the model");
  if (!(t.data instanceof Float32Array)) throw wrong(`this input takes float32, not ${t.dtype}`);
  if (!sameShape(t.shape, shape)) {
    throw wrong(`this input takes the shape ${shapeText(shape)}, not ${shapeText(t.shape)}`);
  }
  return t.data;
}

function write(m: Memory, v: Value, data: Float32Array): void {
  if (v.layout === "nchw") {
    m.arena.f32(m.at(v), data.length).set(data);
    return;
  }
  const mark = m.arena.mark();
  relayout(m, m.arena.put(data), "nchw", m.at(v), "nhwc", v.shape);
  m.arena.release(mark);
}

/** A row-major copy. */
function read(m: Memory, v: Value): Tensor {
  const count = elementCount(v.shape), data = new Float32Array(count), mark = m.arena.mark();
  let at = m.at(v);
  if (v.layout === "nhwc") {
    const from = at;
    at = m.arena.alloc(count * 4);
    relayout(m, from, "nhwc", at, "nchw", v.shape);
  }
  data.set(m.arena.f32(at, count));
  m.arena.release(mark);
  return { dtype: "float32", shape: [...v.shape], data };
}

function relayout(
  m: Memory,
  src: number,
  from: Layout,
  dst: number,
  to: Layout,
  shape: readonly number[],
): void {
  copyStrided(m.arena, {
    ...{ src, dst, elementBytes: 4, dims: shape },
    srcStrides: stridesIn(shape, from),
    dstStrides: stridesIn(shape, to),
  });
}
