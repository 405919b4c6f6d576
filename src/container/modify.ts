/**
 * Takes nodes off the edges of a compiled model, and puts them back.
 *
 * Removing `Quantize` at an input makes the input int8, removing `Dequantize` at an output makes the
 * output the integers before it; the names of inputs and outputs stay. What was removed is recorded in
 * the model's `info` with everything that is needed to undo it.
 *
 * @module
 */

import { compile } from "../compile/compile.ts";
import { BpuError } from "../errors.ts";
import type { Graph, Node, Port } from "../ir/graph.ts";
import { consumers, HORIZON, producers } from "../ir/graph.ts";
import type { Tensor, TensorType } from "../ir/tensor.ts";
import type { Bin } from "./bin.ts";
import type { Json } from "./codec.ts";
import { decompile } from "./decompile.ts";
import { recordJson, recordsOf } from "./deleted.ts";
import type { Deleted } from "./deleted.ts";
import { performanceOf } from "./performance.ts";
import { configInputs } from "./tensors.ts";

/** Names of the original tool for the operators that can be removed, by side. */
export const deletableTypes: Readonly<Record<"input" | "output", readonly string[]>> = {
  input: ["Quantize", "Transpose", "Cast", "Reshape"],
  output: ["Transpose", "Dequantize", "DequantizeFilter", "Cast", "Reshape", "Softmax"],
};

/** A node at an edge of the model. */
export interface Deletable {
  readonly name: string;
  /** Type in the words of the original tool (`Quantize`). */
  readonly type: string;
  readonly side: "input" | "output";
  /** The input or output that it stands at. */
  readonly port: string;
}

/** Type of a node as the original tool names it. */
export function typeName(n: Node): string {
  return n.domain === HORIZON ? n.op.replace(/^Hz/, "") : n.op;
}

/** The one tensor that a node computes from; undefined when there are none or several. */
function data(g: Graph, n: Node): string | undefined {
  const inputs = n.inputs.filter((t) => t !== "" && !g.constants.has(t));
  return inputs.length === 1 && n.outputs.length === 1 ? inputs[0] : undefined;
}

/** Nodes that can be removed now, inputs first. */
export function deletableNodes(bin: Bin): Deletable[] {
  return edges(decompile(bin.program), cameraInputs(bin));
}

/** nv12 inputs: what stands behind them belongs to the form in which the camera delivers pictures. */
function cameraInputs(bin: Bin): ReadonlySet<string> {
  if (bin.info["config"] === undefined) return new Set();
  const inputs = configInputs(bin.info, bin.program.name);
  return new Set(inputs.filter((i) => i.typeRt === "nv12").map((i) => i.name));
}

function edges(g: Graph, camera: ReadonlySet<string>): Deletable[] {
  const readers = consumers(g);
  const outputs = new Set(g.outputs.map((p) => p.name));
  const inputs = new Set(g.inputs.map((p) => p.name));
  const makers = producers(g);
  const found: Deletable[] = [];
  if (g.nodes.length < 2) return found;
  for (const p of g.inputs) {
    const [n, ...more] = readers.get(p.name) ?? [];
    if (n === undefined || more.length > 0 || outputs.has(p.name) || camera.has(p.name)) continue;
    const type = typeName(n);
    // A result that is an output itself leaves nothing between input and output.
    if (data(g, n) === undefined || outputs.has(n.outputs[0]!)) continue;
    if (deletableTypes.input.includes(type)) {
      found.push({ name: n.name, type, side: "input", port: p.name });
    }
  }
  for (const p of g.outputs) {
    const n = makers.get(p.name);
    if (n === undefined || (readers.get(p.name) ?? []).length > 0) continue;
    const from = data(g, n);
    if (from === undefined || inputs.has(from) || outputs.has(from)) continue;
    const type = typeName(n);
    if (deletableTypes.output.includes(type)) {
      found.push({ name: n.name, type, side: "output", port: p.name });
    }
  }
  return found;
}

function refuse(g: Graph, name: string, camera: ReadonlySet<string>): BpuError {
  const n = g.nodes.find((x) => x.name === name);
  const now = edges(g, camera).map((e) => `'${e.name}'`).join(", ");
  const hint = now === "" ? "No node can be removed." : `Nodes that can be deleted: [${now}]`;
  if (n === undefined) {
    return new BpuError("usage", `node '${name}' is not in the model`, { hint });
  }
  const type = typeName(n);
  const place = { node: n.name, op: type, hint };
  const readers = consumers(g);
  const many = g.inputs.find((p) =>
    n.inputs.includes(p.name) && (readers.get(p.name)?.length ?? 0) > 1
  );
  if (many !== undefined) {
    return new BpuError(
      "unsupported",
      `input ${many.name} is read by ${readers.get(many.name)!.length} nodes; only a single ` +
        "path behind an input can be shortened",
      place,
    );
  }
  const picture = n.inputs.find((t) => camera.has(t));
  if (picture !== undefined) {
    return new BpuError(
      "unsupported",
      `input ${picture} is nv12; the node belongs to the form of the picture and stays`,
      place,
    );
  }
  const known = [...deletableTypes.input, ...deletableTypes.output];
  if (!known.includes(type)) {
    return new BpuError("unsupported", `nodes of type ${type} cannot be removed`, place);
  }
  return new BpuError(
    "unsupported",
    "only a node next to an input or output can be removed",
    place,
  );
}

function renamed(nodes: readonly Node[], from: string, to: string): Node[] {
  const swap = (t: string) => t === from ? to : t;
  return nodes.map((n) =>
    n.inputs.includes(from) || n.outputs.includes(from)
      ? { ...n, inputs: n.inputs.map(swap), outputs: n.outputs.map(swap) }
      : n
  );
}

function withType(
  ports: readonly Port[],
  name: string,
  type: TensorType,
): readonly Port[] {
  return ports.map((p) => p.name === name ? { name, dtype: type.dtype, shape: type.shape } : p);
}

/** Compiles the edited graph and brings the lists of the info section up to date. */
function rebuilt(bin: Bin, g: Graph, deleted: readonly Deleted[], rows: Json): Bin {
  const { batch } = bin.program;
  const program = { ...compile(g, bin.program.march), ...(batch === undefined ? {} : { batch }) };
  const { deleted: _, ...rest } = bin.info;
  const list = (name: "inputs" | "outputs"): Json => {
    const old = bin.info[name];
    return program[name].map((p, i): Json => {
      const before = Array.isArray(old) ? old[i] as Json : null;
      const own = typeof before === "object" && before !== null && !Array.isArray(before);
      // Ports in the info section show the whole batch.
      const shape = p.shape.map((d, axis) => axis === 0 ? d * (batch ?? 1) : d);
      return { ...(own ? before : {}), name: p.name, dtype: p.dtype, shape };
    });
  };
  const performance = performanceOf(program, bin.info);
  const info: { readonly [k: string]: Json } = {
    ...rest,
    ...(performance === undefined ? {} : { performance }),
    inputs: list("inputs"),
    outputs: list("outputs"),
    nodes: rows,
  };
  return {
    program,
    info: deleted.length === 0 ? info : { ...info, deleted: deleted.map(recordJson) },
  };
}

/** The bin with a tensor renamed in the list of dumped layers (`layer_out_dump`). */
function layersRenamed(bin: Bin, from: string, to: string): Bin {
  const layers = bin.info["layers"];
  if (!Array.isArray(layers)) return bin;
  const renamed = layers.map((v: Json): Json =>
    typeof v === "object" && v !== null && "tensor" in v && v.tensor === from
      ? { ...v, tensor: to }
      : v
  );
  return { ...bin, info: { ...bin.info, layers: renamed } };
}

function rowsOf(bin: Bin): readonly Json[] {
  const rows = bin.info["nodes"];
  return Array.isArray(rows) ? rows as readonly Json[] : [];
}

const rowName = (row: Json): unknown =>
  typeof row === "object" && row !== null && !Array.isArray(row)
    ? (row as { readonly [k: string]: Json })["name"]
    : undefined;

/**
 * Removes one node at an edge.
 *
 * @throws BpuError("usage") for an unknown node, BpuError("unsupported") for one that is not at an edge,
 * of another type, or behind an input that several nodes read.
 */
export function removeNode(bin: Bin, name: string): { bin: Bin; deleted: Deleted } {
  const g = decompile(bin.program);
  const camera = cameraInputs(bin);
  const edge = edges(g, camera).find((e) => e.name === name);
  if (edge === undefined) throw refuse(g, name, camera);
  const index = g.nodes.findIndex((n) => n.name === name);
  const n = g.nodes[index]!;
  const inner = edge.side === "input" ? n.outputs[0]! : data(g, n)!;
  const port = edge.port;
  const innerType = g.types.get(inner)!, portType = g.types.get(port)!;
  const rest = renamed(g.nodes.filter((x) => x !== n), inner, port);
  const types = new Map(g.types);
  types.delete(inner);
  types.set(port, { dtype: innerType.dtype, shape: innerType.shape });
  const side = edge.side === "input" ? "inputs" : "outputs";
  const read = new Set(rest.flatMap((x) => x.inputs));
  const constants = new Map([...g.constants].filter(([t]) => read.has(t)));
  const rows = rowsOf(bin);
  const row = rows.findIndex((r) => rowName(r) === name);
  const deleted: Deleted = {
    type: edge.type,
    side: edge.side,
    port,
    inner,
    innerType: { dtype: innerType.dtype, shape: innerType.shape },
    portType: { dtype: portType.dtype, shape: portType.shape },
    node: n,
    index,
    constants: new Map(
      n.inputs.filter((t) => g.constants.has(t)).map((t): [string, Tensor] => [
        t,
        g.constants.get(t)!,
      ]),
    ),
    row: row < 0 ? undefined : { index: row, json: rows[row]! },
  };
  const edited: Graph = {
    ...g,
    nodes: rest,
    types,
    constants,
    [side]: withType(g[side], port, innerType),
  };
  const left = rows.filter((_, i) => i !== row);
  const base = layersRenamed(bin, inner, port);
  return { bin: rebuilt(base, edited, [...recordsOf(bin.info), deleted], left), deleted };
}

/**
 * Removes every node of a type that is at an edge, until none is left there.
 *
 * @returns the nodes in the order of removal; none is no error
 */
export function removeType(bin: Bin, type: string): { bin: Bin; deleted: readonly Deleted[] } {
  const known = new Set([...deletableTypes.input, ...deletableTypes.output]);
  if (!known.has(type)) {
    throw new BpuError("usage", `nodes of type '${type}' cannot be removed`, {
      hint: `Types: ${[...known].join(", ")}.`,
    });
  }
  const deleted: Deleted[] = [];
  let at = bin;
  for (;;) {
    const next = deletableNodes(at).find((d) => d.type === type);
    if (next === undefined) return { bin: at, deleted };
    const step = removeNode(at, next.name);
    deleted.push(step.deleted);
    at = step.bin;
  }
}

/**
 * Puts the node that was removed last back.
 *
 * @throws BpuError("usage") when nothing was removed
 */
export function restoreLast(bin: Bin): { bin: Bin; restored: Deleted } {
  const all = recordsOf(bin.info);
  const d = all.at(-1);
  if (d === undefined) {
    throw new BpuError("usage", "no node was removed from this model", {
      hint: "There is nothing to restore.",
    });
  }
  const g = decompile(bin.program);
  const nodes = renamed(g.nodes, d.port, d.inner);
  nodes.splice(Math.min(d.index, nodes.length), 0, d.node);
  const types = new Map(g.types);
  types.set(d.inner, d.innerType);
  types.set(d.port, d.portType);
  const side = d.side === "input" ? "inputs" : "outputs";
  const rows = [...rowsOf(bin)];
  if (d.row !== undefined) rows.splice(Math.min(d.row.index, rows.length), 0, d.row.json);
  const edited: Graph = {
    ...g,
    nodes,
    types,
    constants: new Map([...g.constants, ...d.constants]),
    [side]: withType(g[side], d.port, d.portType),
  };
  const base = layersRenamed(bin, d.port, d.inner);
  return { bin: rebuilt(base, edited, all.slice(0, -1), rows), restored: d };
}
