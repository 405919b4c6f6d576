/**
 * From a quantized model to the program of the `.bin`: execution order and memory, nodes removed at the
 * edges, batch, estimates.
 *
 * @module
 */

import { compile } from "../compile/compile.ts";
import { estimate, latencyLine } from "../compile/estimate.ts";
import type { Estimate, NodeCost } from "../compile/estimate.ts";
import type { Program } from "../compile/program.ts";
import { searchSchedule } from "../compile/schedule.ts";
import type { Bin } from "../container/bin.ts";
import type { Json } from "../container/codec.ts";
import { scaleInfo } from "../container/deleted.ts";
import { functionCalls, performanceJson } from "../container/performance.ts";
import type { Deleted } from "../container/deleted.ts";
import { deletableNodes, removeNode, removeType } from "../container/modify.ts";
import { BpuError, sentenceOf } from "../errors.ts";
import type { CompleteConfig } from "../formats/config/mod.ts";
import type { Graph } from "../ir/graph.ts";
import { elementCount, shapeText } from "../ir/tensor.ts";
import { marchOf } from "../march/mod.ts";
import { batched } from "../run/batch.ts";
import { scheduleWithCache } from "./compile_cache.ts";

/** What {@linkcode finish} needs besides the model. */
export interface FinishOptions {
  /** Removes everything removable at the edges (`--fast-perf`). */
  readonly removeEdges?: boolean;
  log(line: string): void;
  warn(line: string): void;
}

/** What {@linkcode finish} makes. */
export interface Finished {
  readonly bin: Bin;
  readonly deleted: readonly Deleted[];
  readonly estimate: Estimate;
}

/** A program in the order that `optimize_level` found. */
export interface Scheduled {
  readonly program: Program;
  /** New text of `cache.json`; undefined: leave the file as it is. */
  readonly cache: string | undefined;
}

/**
 * Compiles a quantized graph at the level of the configuration. On bayes at O3 the search is skipped
 * where the cache has its result; the program is the same.
 *
 * @param cache text of `cache.json`, where there is one
 */
export async function compileScheduled(
  graph: Graph,
  config: CompleteConfig,
  cache: string | undefined,
  o: Pick<FinishOptions, "log" | "warn">,
): Promise<Scheduled> {
  const march = marchOf(config.model.march).name;
  const level = config.compiler.optimizeLevel;
  if (level !== "O3" || march !== "bayes") {
    return { program: compile(graph, march, searchSchedule(graph, level)), cache: undefined };
  }
  const cached = await scheduleWithCache(graph, march, level, cache);
  if (cached.warning !== undefined) o.warn(cached.warning);
  if (cached.hit) o.log("The compilation is taken from cache.json");
  return { program: compile(graph, march, cached.schedule), cache: cached.text };
}

/** Types that fast-perf removes. Softmax stays: without it the outputs mean something else. */
const EDGE_TYPES = new Set(["Quantize", "Dequantize", "Transpose", "Cast", "Reshape"]);

const number = (v: number) => Number.isInteger(v) ? v.toFixed(1) : String(v);

/** A removed node as `hb_model_info` and the log name it. */
function deletedLine(d: Deleted): string {
  const s = scaleInfo(d);
  const scale = s === undefined
    ? ""
    : `, scale ${Array.from(s.scale.slice(0, 4), number).join(" ")}${
      s.scale.length > 4 ? " ..." : ""
    }, zero point ${s.zero}`;
  return `Node '${d.node.name}' (${d.type}) removed at ${d.side} ${d.port}${scale}`;
}

function withoutEdges(
  bin: Bin,
  config: CompleteConfig,
  o: FinishOptions,
): { bin: Bin; deleted: readonly Deleted[] } {
  const deleted: Deleted[] = [];
  let at = bin;
  const remove = (name: string) => {
    const step = removeNode(at, name);
    at = step.bin;
    deleted.push(step.deleted);
    o.log(deletedLine(step.deleted));
  };
  for (const type of config.model.removeNodeType) {
    const step = removeType(at, type);
    at = step.bin;
    deleted.push(...step.deleted);
    for (const d of step.deleted) o.log(deletedLine(d));
    if (step.deleted.length === 0) {
      o.warn(`remove_node_type ${type}: no node of this type is at an input or output`);
    }
  }
  for (const name of config.model.removeNodeName) {
    try {
      remove(name);
    } catch (error) {
      if (!(error instanceof BpuError)) throw error;
      o.warn(`remove_node_name ${name}: not removed: ${sentenceOf(error)}`);
    }
  }
  if (o.removeEdges === true) {
    for (;;) {
      const next = deletableNodes(at).find((d) => EDGE_TYPES.has(d.type));
      if (next === undefined) break;
      remove(next.name);
    }
  }
  return { bin: at, deleted };
}

/** Nodes that cost more than in theory by more than `advice` microseconds, as log lines. */
export function adviceLines(nodes: readonly NodeCost[], advice: number): string[] {
  if (advice <= 0) return [];
  return nodes.filter((n) => n.us - n.idealUs > advice).map((n) => {
    const ratio = elementCount(n.aligned) / Math.max(elementCount(n.shape), 1) - 1;
    return `${n.name} (${n.op}): ${n.us.toFixed(1)} us instead of ${n.idealUs.toFixed(1)} us; ` +
      `shape ${shapeText(n.shape)} is computed as ${shapeText(n.aligned)}, ` +
      `${(100 * ratio).toFixed(1)} % padding`;
  });
}

/** Ports in the info section show the whole batch. */
function batchedInfo(info: Bin["info"], program: Program): Bin["info"] {
  const batch = program.batch ?? 1;
  if (batch === 1) return info;
  const list = (side: "inputs" | "outputs"): Json => {
    const all = info[side];
    return !Array.isArray(all) ? [] : all.map((v: Json, i) => ({
      ...(v as { readonly [k: string]: Json }),
      shape: [...batched(program[side][i]!.shape, batch)],
    }));
  };
  return { ...info, inputs: list("inputs"), outputs: list("outputs") };
}

/** Finishes a compiled model. */
export function finish(made: Bin, config: CompleteConfig, o: FinishOptions): Finished {
  const march = marchOf(config.model.march);
  const { bin, deleted } = withoutEdges(made, config, o);
  const program: Program = config.inputBatch === 1
    ? bin.program
    : { ...bin.program, batch: config.inputBatch };
  const cost = estimate(program, march);
  const limit = config.compiler.maxTimePerFc;
  const calls = functionCalls(cost.nodes, limit);
  o.log(latencyLine(cost, march));
  if (limit > 0) {
    o.log(`max_time_per_fc ${limit} us: ${calls} function calls`);
    for (const n of cost.nodes.filter((n) => n.us > limit)) {
      o.warn(`max_time_per_fc: ${n.name} alone takes ${n.us.toFixed(1)} us, more than ${limit} us`);
    }
  }
  const advice = adviceLines(cost.nodes, config.compiler.advice);
  if (advice.length > 0) o.log(`advice: ${advice.length} nodes take longer than in theory`);
  for (const line of advice) o.log(`  ${line}`);
  return {
    bin: {
      program,
      info: {
        ...batchedInfo(bin.info, program),
        performance: performanceJson(cost, calls, config.compiler.debug),
      },
    },
    deleted,
    estimate: cost,
  };
}
