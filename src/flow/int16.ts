/**
 * Which tensors a configuration wants at int16.
 *
 * @module
 */

import type { CompleteConfig, Config, NodeInfo } from "../formats/config/mod.ts";
import type { Graph, Node } from "../ir/graph.ts";
import { HORIZON } from "../ir/graph.ts";
import type { March } from "../march/march.ts";
import { opOf } from "../ops/registry.ts";
import type { QuantLayout } from "../quantize/layout.ts";

/** What is asked for one node. */
interface Wish {
  readonly node: Node;
  /** Indices of inputs. */
  readonly inputs: ReadonlySet<number>;
  readonly output: boolean;
  /** The key that asked, for messages. */
  readonly by: string;
}

const patterns = /^set_([A-Z][A-Za-z0-9]*)_(input|output)_int16$/;

const every = (n: Node) => new Set(n.inputs.keys());

function ofNode(node: Node, info: NodeInfo): Wish {
  const inputs = new Set(info.inputType === "int16" ? node.inputs.keys() : []);
  for (const [i, type] of info.inputTypes) {
    if (type === "int16") inputs.add(i);
    else inputs.delete(i);
  }
  return { node, inputs, output: info.outputType === "int16", by: "node_info" };
}

/** Whether any option or node_info asks for int16. */
export function asksInt16(config: Config): boolean {
  return config.calibration.optimization.some((o) => o.endsWith("_int16")) ||
    config.model.nodeInfo.some((n) =>
      n.inputType === "int16" || n.outputType === "int16" ||
      [...n.inputTypes.values()].includes("int16")
    );
}

function wishes(graph: Graph, config: Config, log: (line: string) => void): Wish[] {
  const byName = new Map(graph.nodes.map((n) => [n.name, n]));
  const out: Wish[] = [];
  for (const info of config.model.nodeInfo) {
    const node = byName.get(info.name);
    const wanted = info.inputType === "int16" || info.outputType === "int16" ||
      info.inputTypes.size > 0;
    if (!wanted) continue;
    if (node === undefined) {
      log(`node_info: ${info.name} is not a node of the optimized model; it is ignored`);
      continue;
    }
    const beyond = [...info.inputTypes.keys()].find((i) => i >= node.inputs.length);
    if (beyond !== undefined) {
      log(`node_info: ${info.name} has no input ${beyond}, only ${node.inputs.length}`);
    }
    out.push(ofNode(node, info));
  }
  for (const option of config.calibration.optimization) {
    const all = option === "set_all_nodes_int16";
    const match = patterns.exec(option);
    if (all || match !== null) {
      let found = 0;
      for (const node of graph.nodes) {
        const kind = opOf(node)?.table ?? node.op;
        if (!all && node.op !== match?.[1] && kind !== match?.[1]) continue;
        found++;
        out.push({
          node,
          inputs: all || match?.[2] === "input" ? every(node) : new Set(),
          output: all || match?.[2] === "output",
          by: option,
        });
      }
      if (found === 0) log(`optimization ${option}: the model has no ${match?.[1]} node`);
    }
    if (option === "set_model_output_int16") {
      const ends = new Set(graph.outputs.map((p) => p.name));
      for (const node of graph.nodes) {
        if (node.outputs.some((t) => ends.has(t))) {
          out.push({ node, inputs: new Set(), output: true, by: option });
        }
      }
    }
  }
  return out;
}

/**
 * Tensors (roots of the layout) that are to be int16. What the march's table does not allow, and nodes
 * that run on the CPU, are logged and stay as they are.
 *
 * A passive operator (pooling, data movement, Concat) shares the scale of its input or output, so that
 * naming it widens what it shares; conversions are inserted where int8 and int16 meet.
 */
export function int16Tensors(
  graph: Graph,
  layout: QuantLayout,
  march: March,
  config: CompleteConfig,
  log: (line: string) => void = () => {},
): Set<string> {
  const out = new Set<string>();
  if (!march.int16) {
    if (asksInt16(config)) log(`${march.name} has no int16; everything runs in int8`);
    return out;
  }
  const told = new Set<string>();
  const tell = (line: string) => {
    if (!told.has(line)) log(line);
    told.add(line);
  };
  const fixed = new Set(
    config.inputs.filter((i) => i.typeRt !== "featuremap").map((i) => i.name),
  );
  for (const wish of wishes(graph, config, log)) {
    const n = wish.node;
    const owner = layout.absorbed.get(n.name) ?? n.name;
    const group = layout.groups.get(owner);
    if (group === undefined) {
      if (wish.by === "node_info") {
        tell(`int16 is not set for ${n.name}: it runs on the CPU in float`);
      }
      continue;
    }
    // Nodes that the converter made have no row in the table.
    const allowed = n.domain === HORIZON ? "in+out" : opOf(n)?.place?.[march.name].int16 ?? "no";
    const refuse = (side: string) => {
      tell(`${n.op} ${n.name} has no int16 ${side} on ${march.name}; it runs in int8`);
    };
    const passive = group.def.quant!.scale === "input";
    for (const i of wish.inputs) {
      const t = n.inputs[i];
      if (t === undefined || t === "" || graph.constants.has(t) || fixed.has(t)) continue;
      if (graph.types.get(t)?.dtype !== "float32") continue;
      if (allowed === "no" || allowed === "out") refuse("input");
      else if (group.activation !== n) out.add(layout.root(t));
      else for (const o of group.outputs) out.add(layout.root(o));
    }
    if (!wish.output) continue;
    if (allowed === "no" || (allowed === "in" && !passive)) refuse("output");
    else if (layout.accumulators.has(n.outputs[0]!)) {
      tell(`${n.op} ${n.name} hands out int32 accumulators, which are finer than int16`);
    } else for (const o of group.outputs) if (!fixed.has(layout.root(o))) out.add(layout.root(o));
  }
  for (const name of fixed) out.delete(name);
  return out;
}
