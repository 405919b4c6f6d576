/**
 * Decides for every node of the optimized graph whether it runs on the BPU, and keeps the sentence
 * that says why not.
 *
 * @module
 */

import type { Graph, Node } from "../ir/graph.ts";
import { HORIZON, mustType, producers } from "../ir/graph.ts";
import { readersOf } from "../ir/order.ts";
import { elementCount, isStatic, shapeText } from "../ir/tensor.ts";
import type { March } from "../march/march.ts";
import { ruleContext } from "../ops/context.ts";
import type { OpDef, RuleContext } from "../ops/op.ts";
import { opOf } from "../ops/registry.ts";
import { brokenLimit } from "../ops/row.ts";
import type { Placement } from "./plan.ts";

/** What the user asked for. */
export interface PlaceOptions {
  /** Nodes forced to the CPU (`run_on_cpu`, `node_info: {ON: CPU}`). */
  readonly cpu?: ReadonlySet<string>;
  /** Nodes asked onto the BPU (`run_on_bpu`, `node_info: {ON: BPU}`). */
  readonly bpu?: ReadonlySet<string>;
  /** Puts what follows the last convolution on the BPU too (fast-perf, `set_model_output_int8`). */
  readonly quantizeTail?: boolean;
  /** Nodes that a lowering refused, with its sentence. */
  readonly refused?: ReadonlyMap<string, string>;
}

/** Tail tensors with more elements than this stay on the BPU: the CPU would take too long. */
const TAIL_ELEMENTS = 2 ** 20;

const onBpuAdvice = (n: Node) => `set node_info {"${n.name}": {'ON': 'BPU'}}`;

type Candidate = { def: OpDef } | Placement;

function candidate(c: RuleContext, march: March, o: PlaceOptions): Candidate {
  const n = c.node;
  if (o.cpu?.has(n.name)) return { on: "CPU", reason: "the configuration puts it on the CPU" };
  const refused = o.refused?.get(n.name);
  if (refused !== undefined) return { on: "CPU", reason: refused };
  const def = opOf(n);
  const rules = def?.place?.[march.name];
  if (def === undefined || (rules === undefined && n.domain !== HORIZON)) {
    return { on: "CPU", reason: `${n.op} is not in the operator table of ${march.name}` };
  }
  if (rules?.on === "none") {
    return { on: "CPU", reason: `${n.op} is not integrated on ${march.name}; it runs in float` };
  }
  if (rules?.on === "CPU" && !o.bpu?.has(n.name)) {
    // What could not run there on request either says why.
    const never = rules.bpu.map((r) => r.check(c)).find((wrong) => wrong !== undefined);
    return {
      on: "CPU",
      reason: never ?? `${n.op} is a CPU operator on ${march.name}`,
      ...(def.quant === undefined || never !== undefined ? {} : { advice: onBpuAdvice(n) }),
    };
  }
  const x = c.input(0);
  if (x === undefined || x.dtype !== "float32") {
    return {
      on: "CPU",
      reason: `its input is ${x?.dtype ?? "missing"}, the BPU takes feature maps`,
    };
  }
  if (n.inputs.every((t, i) => t === "" || c.constant(i) !== undefined)) {
    return { on: "CPU", reason: "all its inputs are constants" };
  }
  if (x.shape.includes(0)) return { on: "CPU", reason: "its input has no elements" };
  const types = [...n.inputs.keys()].map((i) => c.input(i));
  const open = types.find((t) => t !== undefined && !isStatic(t.shape));
  if (open !== undefined) {
    return { on: "CPU", reason: `an input has the dynamic shape ${shapeText(open.shape)}` };
  }
  const broken = brokenLimit(def, c);
  if (broken !== undefined) return { on: "CPU", reason: broken };
  if (def.quant?.kind === "manual" && !o.bpu?.has(n.name)) {
    return {
      on: "CPU",
      reason: `${n.op} runs in float unless it is asked for`,
      advice: onBpuAdvice(n),
    };
  }
  return { def };
}

/**
 * Placement of every node, by name.
 *
 * A passive operator (data movement, max) is on the BPU only next to an active one. What follows the
 * last convolution on every path runs in float, so that a network's outputs keep the precision of the
 * accumulators; large tensors, graphs without convolutions and the user's wishes are exceptions.
 */
export function place(
  graph: Graph,
  march: March,
  options: PlaceOptions = {},
): Map<string, Placement> {
  const readers = readersOf(graph), makers = producers(graph);
  const result = new Map<string, Placement>();
  const mayRunOnBpu = (n: Node) =>
    opOf(n)?.place?.[march.name].on === "BPU" && !options.cpu?.has(n.name);
  const defs = new Map<string, OpDef>();
  for (const n of graph.nodes) {
    const found = candidate(ruleContext(graph, n, march, { mayRunOnBpu }), march, options);
    if ("def" in found) defs.set(n.name, found.def);
    else result.set(n.name, found);
  }
  const next = (tensors: readonly string[]) => tensors.flatMap((t) => readers.get(t) ?? []);
  const previous = (tensors: readonly string[]) =>
    tensors.map((t) => makers.get(t)).filter((m): m is Node => m !== undefined);

  // Nodes from which a convolution on the BPU can be reached.
  const feedsHeavy = new Set<string>();
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const n = graph.nodes[i]!;
    if (defs.get(n.name)?.quant?.heavy || next(n.outputs).some((m) => feedsHeavy.has(m.name))) {
      feedsHeavy.add(n.name);
    }
  }
  if (feedsHeavy.size > 0 && !options.quantizeTail) {
    for (const n of graph.nodes) {
      if (!defs.has(n.name) || feedsHeavy.has(n.name) || options.bpu?.has(n.name)) continue;
      const size = Math.max(
        ...[...n.inputs, ...n.outputs].filter((t) => t !== "" && !graph.constants.has(t))
          .map((t) => elementCount(mustType(graph, t, n).shape)),
      );
      if (size > TAIL_ELEMENTS) continue;
      defs.delete(n.name);
      result.set(n.name, {
        on: "CPU",
        reason: "it follows the last convolution and runs in float to keep the output's precision",
        advice: onBpuAdvice(n),
      });
    }
  }

  // Passive nodes need an active neighbour, directly or through passive ones.
  // Indices carry no quantized values from one to the other.
  const features = (list: readonly string[]) =>
    list.filter((t) => graph.types.get(t)?.dtype === "float32");
  const reached = new Set<string>();
  const queue = graph.nodes.filter((n) => defs.get(n.name)?.quant?.kind === "active");
  for (const n of queue) reached.add(n.name);
  while (queue.length > 0) {
    const n = queue.pop()!;
    for (const m of [...next(features(n.outputs)), ...previous(features(n.inputs))]) {
      if (!defs.has(m.name) || reached.has(m.name)) continue;
      reached.add(m.name);
      queue.push(m);
    }
  }
  for (const n of graph.nodes) {
    if (!defs.has(n.name)) continue;
    result.set(
      n.name,
      reached.has(n.name) || options.bpu?.has(n.name) || defs.get(n.name)!.quant!.kind === "manual"
        ? { on: "BPU" }
        : {
          on: "CPU",
          reason: "no neighbour on the BPU gives it quantized tensors",
          advice: onBpuAdvice(n),
        },
    );
  }
  return new Map(graph.nodes.map((n) => [n.name, result.get(n.name)!]));
}
