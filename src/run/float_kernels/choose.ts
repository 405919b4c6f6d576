/**
 * Which engine runs a float graph: the kernels, where they cover every node and convolutions make up
 * the work, else the one that is given. The choice depends on the graph only.
 *
 * @module
 */

import type { CalibrationEngine, Samples } from "../../calibrate/observe.ts";
import type { Engine, Session } from "../../ir/engine.ts";
import type { Graph } from "../../ir/graph.ts";
import { createKernelEngine, type KernelEngineOptions, load, type Visitor } from "./engine.ts";
import { planGraph } from "./lower.ts";
import type { Plan } from "./plan.ts";

/** Graphs with fewer multiply-adds are too small for the choice to matter. */
const smallest = 5e5;

/** Half of the kernel memory: the rest is for weights and scratch. */
const mostBytes = 2 ** 31;

/** Whether the kernels are the faster engine for a plan (see the README). */
function worthwhile({ work, moved, bytes }: Plan): boolean {
  const convolved = work.dense + work.depthwise;
  return bytes <= mostBytes && convolved >= smallest && convolved >= work.matrix &&
    convolved >= 2 * moved;
}

/** Why the kernels do not run a graph; undefined when they do. */
export function whyNotKernels(graph: Graph, fetch?: readonly string[]): string | undefined {
  const planned = planGraph(graph, fetch);
  if ("reason" in planned) return planned.reason;
  return worthwhile(planned.plan)
    ? undefined
    : "convolutions are not most of its work, or it is too large";
}

/** How {@linkcode withKernels} and {@linkcode chooseFloatEngine} choose. */
export interface ChooseOptions extends KernelEngineOptions {
  /**
   * Takes the kernels wherever they cover a graph: for many small graphs that run a few times each,
   * which are opened in a fraction of the time that onnxruntime-web needs, and where every tensor is
   * looked at, which it has to copy.
   */
  readonly whereverCovered?: boolean;
}

/** The plan of a graph that the kernels are to run. */
function chosenPlan(
  graph: Graph,
  fetch: readonly string[] | undefined,
  o: ChooseOptions,
): Plan | undefined {
  const planned = planGraph(graph, fetch);
  if ("reason" in planned) return undefined;
  const { plan } = planned;
  return worthwhile(plan) || (o.whereverCovered === true && plan.bytes <= mostBytes)
    ? plan
    : undefined;
}

/**
 * The faster engine for a graph: the float32 kernels or `other` (onnxruntime-web). Results of the two
 * agree within float rounding.
 *
 * @example
 * ```ts
 * import { chooseFloatEngine } from "./choose.ts";
 * import type { Engine } from "../../ir/engine.ts";
 * import type { Graph } from "../../ir/graph.ts";
 *
 * const sessionOf = (graph: Graph, ort: Engine) => chooseFloatEngine(graph, ort).open(graph);
 * console.log(typeof sessionOf);
 * ```
 */
export function chooseFloatEngine(
  graph: Graph,
  other: Engine,
  options: ChooseOptions & { readonly fetch?: readonly string[] } = {},
): Engine {
  return chosenPlan(graph, options.fetch, options) === undefined
    ? other
    : createKernelEngine(options);
}

/** Looks at a tensor of sample `index`. */
type SampleVisitor = (index: number, ...tensor: Parameters<Visitor>) => void;

/** What {@linkcode withKernels} adds to an engine. */
export interface Visiting {
  /** See {@linkcode visitAll}. */
  visit(
    graph: Graph,
    fetch: readonly string[],
    samples: Samples,
    visitor: SampleVisitor,
    options?: { onSample?(index: number): void },
  ): Promise<number | undefined>;
}

/**
 * An engine whose `open` and `map` choose anew for every graph, and whose `visit` (which calibration
 * asks for) shows tensors without copying them. Everything else is the given engine's.
 *
 * @example
 * ```ts
 * import { withKernels } from "./choose.ts";
 * import { createFloatEngine } from "../float.ts";
 * const engine = withKernels(createFloatEngine({ workers: 0 }));
 * console.log(engine.name); // kernels or onnxruntime-web
 * await engine.close();
 * ```
 */
export function withKernels<E extends CalibrationEngine>(
  other: E,
  options: ChooseOptions = {},
): E & Visiting {
  const opened = async (graph: Graph, fetch?: readonly string[]): Promise<Session | undefined> => {
    const plan = chosenPlan(graph, fetch, options);
    return plan === undefined ? undefined : await load(plan, options.workers);
  };
  const { map } = other;
  const mapping: Pick<CalibrationEngine, "map"> = map === undefined ? {} : {
    async map(graph, fetch, samples, onResult) {
      const session = await opened(graph, fetch);
      if (session === undefined) return await map(graph, fetch, samples, onResult);
      let index = 0;
      try {
        for await (const feeds of samples) await onResult(index++, await session.run(feeds));
      } finally {
        await session.close();
      }
    },
  };
  return {
    ...other,
    ...mapping,
    name: `kernels or ${other.name}`,
    open: async (graph: Graph, fetch?: readonly string[]) =>
      await opened(graph, fetch) ?? await other.open(graph, fetch),
    visit: (graph, fetch, samples, visitor, o) =>
      visitAll(graph, fetch, samples, visitor, { ...options, ...o }),
  };
}

/**
 * Runs every sample and shows each tensor of `fetch` as soon as it is computed, without copying it.
 * Returns the number of samples, or undefined, having run nothing, when the kernels do not cover the
 * graph. A tensor that is a constant is shown with every sample.
 */
export async function visitAll(
  graph: Graph,
  fetch: readonly string[],
  samples: Samples,
  visitor: SampleVisitor,
  options: ChooseOptions & { onSample?(index: number): void } = {},
): Promise<number | undefined> {
  const plan = chosenPlan(graph, fetch, options);
  if (plan === undefined) return undefined;
  const session = await load(plan, options.workers);
  let index = 0;
  try {
    for await (const feeds of samples) {
      session.visit(feeds, (...tensor) => visitor(index, ...tensor));
      options.onSample?.(index);
      index++;
    }
  } finally {
    await session.close();
  }
  return index;
}
