/**
 * Which tensors of a placed graph become integers, which share a scale, which activations disappear
 * into the operator before them.
 *
 * @module
 */

import type { Graph, Node } from "../ir/graph.ts";
import { readersOf } from "../ir/order.ts";
import { ruleContext } from "../ops/context.ts";
import type { OpDef } from "../ops/op.ts";
import { opOf } from "../ops/registry.ts";
import type { March } from "../march/march.ts";
import type { Placement } from "./plan.ts";

/** A BPU node with the activation that it absorbs. */
export interface Group {
  readonly node: Node;
  readonly def: OpDef;
  /** Relu or Clip that became the output range. */
  readonly activation?: Node;
  readonly clamp?: { readonly lo: number; readonly hi: number };
  /** Float tensors that the group produces. */
  readonly outputs: readonly string[];
  /** Float activations that it reads (constants and indices left out). */
  readonly inputs: readonly string[];
}

/** Integer structure of a graph. */
export interface QuantLayout {
  /** In topological order, by main node name. */
  readonly groups: ReadonlyMap<string, Group>;
  /** Absorbed activation node -> main node. */
  readonly absorbed: ReadonlyMap<string, string>;
  /** Tensors handed out as int32 accumulators. */
  readonly accumulators: ReadonlySet<string>;
  /** Tensors that need a threshold of their own. */
  readonly needed: ReadonlySet<string>;
  /** The tensor whose threshold a tensor uses. */
  root(tensor: string): string;
}

/**
 * Works out the integer structure of a placed graph.
 *
 * @param int16 tensors (roots) that are to be int16
 */
export function layoutOf(
  graph: Graph,
  placement: ReadonlyMap<string, Placement>,
  march: March,
  int16: ReadonlySet<string> = new Set(),
): QuantLayout {
  const readers = readersOf(graph);
  const graphOutputs = new Set(graph.outputs.map((o) => o.name));
  const onBpu = (n: Node) => placement.get(n.name)?.on === "BPU";
  const groups = new Map<string, Group>();
  const absorbed = new Map<string, string>();
  const shares = new Map<string, string>();

  for (const n of graph.nodes) {
    if (!onBpu(n) || absorbed.has(n.name)) continue;
    const def = opOf(n)!;
    // Indices and truth values keep the types and names of the float graph.
    let outputs = n.outputs.filter((t) => t !== "" && graph.types.get(t)?.dtype === "float32");
    let activation: Node | undefined, clamp: Group["clamp"];
    const only = readers.get(n.outputs[0]!) ?? [];
    if (def.quant!.fusesActivation && only.length === 1 && !graphOutputs.has(n.outputs[0]!)) {
      const next = only[0]!;
      if (onBpu(next)) {
        clamp = opOf(next)?.quant?.clamp?.(ruleContext(graph, next, march));
        if (clamp !== undefined) {
          activation = next;
          outputs = [...next.outputs];
          absorbed.set(next.name, n.name);
        }
      }
    }
    const inputs = [
      ...new Set(
        n.inputs.filter((t) => !graph.constants.has(t) && graph.types.get(t)?.dtype === "float32"),
      ),
    ];
    groups.set(n.name, { node: n, def, activation, clamp, outputs, inputs });
    // What is looked up in a constant table has a scale of its own, which the table takes.
    if (def.quant!.scale === "input" && !graph.constants.has(n.inputs[0]!)) {
      for (const t of outputs) shares.set(t, n.inputs[0]!);
    }
  }

  const groupOf = new Map<string, Group>();
  for (const g of groups.values()) for (const t of g.outputs) groupOf.set(t, g);
  const soleReader = (t: string, reader: Node) =>
    !graphOutputs.has(t) && (readers.get(t) ?? []).every((r) => r === reader);

  // A producer whose only reader is a Concat takes the scale of the Concat, through data movement.
  const follow = (t: string, reader: Node, target: string) => {
    const g = groupOf.get(t);
    if (g === undefined || !soleReader(t, reader) || g.outputs.length !== 1) return;
    if (g.def.quant!.scale === "own") shares.set(t, target);
    else follow(g.node.inputs[0]!, g.node, target);
  };
  for (const g of [...groups.values()].reverse()) {
    if (!g.def.quant!.alignsInputs) continue;
    for (const t of g.inputs) follow(t, g.node, g.outputs[0]!);
  }
  const root = (t: string) => {
    let r = t;
    for (let next = shares.get(r); next !== undefined; next = shares.get(r)) r = next;
    return r;
  };

  const accumulators = new Set<string>();
  const needed = new Set<string>();
  for (const g of groups.values()) {
    for (const t of g.inputs) needed.add(root(t));
    for (const t of g.outputs) {
      const floatOnly = !(readers.get(t) ?? []).some((r) => groups.has(r.name));
      // An accumulator over int16 activations does not fit int32.
      const narrow = !int16.has(root(g.node.inputs[0]!));
      if (g.def.quant!.int32Output && g.activation === undefined && floatOnly && narrow) {
        accumulators.add(t);
      } else needed.add(root(t));
    }
  }
  for (const t of accumulators) needed.delete(t);
  return { groups, absorbed, accumulators, needed, root };
}
