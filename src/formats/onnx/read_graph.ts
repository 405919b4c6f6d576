/**
 * GraphProto to {@linkcode Graph}, still in the opset of the file: names made unique, Constant nodes
 * turned into constants, dead nodes dropped, the rest sorted.
 *
 * @module
 */

import { BpuError, type ErrorPlace } from "../../errors.ts";
import type { Attr, Graph, Node, Port } from "../../ir/graph.ts";
import { liveNodes, sortNodes, usesOf } from "../../ir/order.ts";
import type { Tensor, TensorType } from "../../ir/tensor.ts";
import { readAttr } from "./attributes.ts";
import { type DimBinding, portType } from "./dims.ts";
import type { AttributeProto, GraphProto, NodeProto } from "./gen/onnx_pb.ts";
import { isNarrow } from "./narrow.ts";
import { readTensor, type TensorSource } from "./tensor_proto.ts";

/** What reading a graph needs to know about the model around it. */
export interface GraphSource extends TensorSource {
  readonly file: string | undefined;
  readonly opset: number;
  readonly domains: ReadonlyMap<string, number>;
  /** Sizes of named dimensions. */
  readonly dims: DimBinding;
  /** Nodes read so far. */
  nodes: number;
  /** ONNX element type of the tensors that are held in a wider one. */
  readonly narrow: Map<string, number>;
}

/** Reads the main graph. */
export function readGraph(g: GraphProto, source: GraphSource): Graph {
  const graph = readAny(g, source, 0);
  checkKnown(graph, source);
  return graph;
}

function readAny(g: GraphProto, source: GraphSource, depth: number): Graph {
  if (depth > source.limits.depth) {
    throw new BpuError("limit", `subgraphs are nested deeper than ${source.limits.depth}`, {
      file: source.file,
    });
  }
  source.nodes += g.node.length;
  if (source.nodes > source.limits.nodes) {
    throw new BpuError("limit", `the model has more than ${source.limits.nodes} nodes`, {
      file: source.file,
    });
  }
  if (g.sparseInitializer.length > 0) {
    throw new BpuError("unsupported", "sparse initializers are not supported", {
      file: source.file,
      tensor: g.sparseInitializer[0]?.values?.name,
      hint: "Export the weights as dense tensors.",
    });
  }
  const constants = new Map<string, Tensor>();
  for (const t of g.initializer) {
    if (t.name === "") throw new BpuError("model", "an initializer has no name", at(source));
    if (constants.has(t.name)) {
      throw new BpuError("model", "two initializers have the same name", {
        ...at(source),
        tensor: t.name,
      });
    }
    constants.set(t.name, readTensor(t, source, at(source)));
    if (isNarrow(t.dataType)) source.narrow.set(t.name, t.dataType);
  }
  for (const v of [...g.input, ...g.valueInfo, ...g.output]) {
    const code = v.type?.value.case === "tensorType" ? v.type.value.value.elemType : 0;
    if (isNarrow(code)) source.narrow.set(v.name, code);
  }
  const types = new Map<string, TensorType>();
  const inputs: Port[] = [];
  for (const v of g.input) {
    if (constants.has(v.name)) continue; // IR 3 lists every initializer among the inputs.
    const port = portType(v, source, depth === 0 ? "input" : "inner");
    inputs.push({ name: v.name, dtype: port.dtype, shape: port.shape });
    if (port.known) types.set(v.name, { dtype: port.dtype, shape: port.shape });
  }
  for (const v of g.valueInfo) {
    if (v.type?.value.case !== "tensorType") continue;
    if (v.type.value.value.shape === undefined || v.type.value.value.elemType === 0) continue;
    const port = portType(v, source, "inner");
    if (!types.has(v.name) && !constants.has(v.name)) {
      types.set(v.name, { dtype: port.dtype, shape: port.shape });
    }
  }
  const all = readNodes(g.node, constants, source, depth);
  checkProducers(all, inputs, constants, source);
  const outputs: Port[] = [];
  for (const v of g.output) {
    const port = portType(v, source, depth === 0 ? "output" : "inner");
    const constant = constants.get(v.name);
    outputs.push({ name: v.name, ...typeOnly(constant ?? port) });
    if (port.known && constant === undefined && !types.has(v.name)) {
      types.set(v.name, { dtype: port.dtype, shape: port.shape });
    }
  }
  if (outputs.length === 0) throw new BpuError("model", "the graph has no outputs", at(source));
  const nodes = sortNodes(liveNodes(all, outputs.map((p) => p.name)));
  return {
    name: g.name === "" ? "graph" : g.name,
    opset: source.opset,
    domains: source.domains,
    nodes,
    inputs,
    outputs,
    ...used(nodes, inputs, outputs, constants, types),
    metadata: new Map(),
  };
}

/** Strips a tensor to its type. */
function typeOnly(t: TensorType): TensorType {
  return { dtype: t.dtype, shape: t.shape };
}

function at(source: GraphSource): ErrorPlace {
  return { file: source.file };
}

/** Constants and types that something still refers to. */
function used(
  nodes: readonly Node[],
  inputs: readonly Port[],
  outputs: readonly Port[],
  constants: ReadonlyMap<string, Tensor>,
  types: ReadonlyMap<string, TensorType>,
) {
  const names = new Set<string>(outputs.map((p) => p.name));
  for (const n of nodes) {
    for (const u of usesOf(n)) names.add(u);
    for (const o of n.outputs) names.add(o);
  }
  const typed = new Set(names);
  for (const p of inputs) typed.add(p.name);
  return {
    constants: new Map([...constants].filter(([name]) => names.has(name))),
    types: new Map([...types].filter(([name]) => typed.has(name) && !constants.has(name))),
  };
}

/** Reads all nodes; those that are constants go to `constants` instead. */
function readNodes(
  protos: readonly NodeProto[],
  constants: Map<string, Tensor>,
  source: GraphSource,
  depth: number,
): Node[] {
  const taken = new Set<string>();
  for (const p of protos) if (p.name !== "") taken.add(p.name);
  const seen = new Set<string>();
  const unique = (name: string): string => {
    let result = name;
    for (let i = 1; seen.has(result) || (result !== name && taken.has(result)); i++) {
      result = `${name}_${i}`;
    }
    seen.add(result);
    return result;
  };
  const nodes: Node[] = [];
  protos.forEach((p, index) => {
    const domain = p.domain === "ai.onnx" ? "" : p.domain;
    let name = p.name;
    if (name === "") {
      name = `${p.opType}_${index}`;
      while (taken.has(name)) name += "_";
    }
    name = unique(name);
    const place: ErrorPlace = { file: source.file, node: name, op: p.opType };
    if (p.opType === "") throw new BpuError("model", "the node has no operator", place);
    if (domain === "" && p.opType === "Constant") {
      const output = p.output[0];
      if (output === undefined || output === "" || p.output.length > 1) {
        throw new BpuError("model", "a Constant has one output", place);
      }
      if (constants.has(output)) throw twice(output, source);
      constants.set(output, constantValue(p.attribute, source, place));
      const code = p.attribute[0]?.t?.dataType ?? 0;
      if (isNarrow(code)) source.narrow.set(output, code);
      return;
    }
    const attrs = new Map<string, Attr>();
    for (const a of p.attribute) {
      if (attrs.has(a.name)) {
        throw new BpuError("model", `attribute ${a.name} is given twice`, place);
      }
      attrs.set(a.name, readAttr(a, source, place, (g) => readAny(g, source, depth + 1)));
    }
    nodes.push({ name, op: p.opType, domain, inputs: p.input, outputs: p.output, attrs });
  });
  return nodes;
}

/** The value of a Constant node, whichever of its attributes holds it. */
function constantValue(
  attributes: readonly AttributeProto[],
  source: GraphSource,
  place: ErrorPlace,
): Tensor {
  if (attributes.length !== 1) {
    throw new BpuError("model", "a Constant has exactly one value", place);
  }
  const a = attributes[0]!;
  // int64 values are taken from the file itself: an attribute of ours holds safe integers only.
  if (a.name === "value_int" && a.i !== undefined) {
    return { dtype: "int64", shape: [], data: BigInt64Array.of(a.i) };
  }
  if (a.name === "value_ints") {
    return { dtype: "int64", shape: [a.ints.length], data: BigInt64Array.from(a.ints) };
  }
  const v = readAttr(a, source, place, () => {
    throw new BpuError("model", "a Constant cannot hold a graph", place);
  });
  if (a.name === "value" && v.type === "tensor") return v.value;
  if (a.name === "value_float" && v.type === "float") {
    return { dtype: "float32", shape: [], data: Float32Array.of(v.value) };
  }
  if (a.name === "value_floats" && v.type === "floats") {
    return { dtype: "float32", shape: [v.value.length], data: Float32Array.from(v.value) };
  }
  if (a.name === "value_string" && v.type === "string") {
    return { dtype: "string", shape: [], data: [v.value] };
  }
  if (a.name === "value_strings" && v.type === "strings") {
    return { dtype: "string", shape: [v.value.length], data: [...v.value] };
  }
  throw new BpuError("unsupported", `a Constant with ${a.name} is not supported`, place);
}

function twice(tensor: string, source: GraphSource): BpuError {
  return new BpuError("model", "the tensor is produced twice", { ...at(source), tensor });
}

function checkProducers(
  nodes: readonly Node[],
  inputs: readonly Port[],
  constants: ReadonlyMap<string, Tensor>,
  source: GraphSource,
): void {
  const made = new Set<string>();
  for (const p of inputs) {
    if (p.name === "" || made.has(p.name)) {
      throw new BpuError("model", "two graph inputs have the same name, or one has none", {
        ...at(source),
        tensor: p.name,
      });
    }
    made.add(p.name);
  }
  for (const n of nodes) {
    for (const o of n.outputs) {
      if (o === "") continue;
      if (made.has(o) || constants.has(o)) throw twice(o, source);
      made.add(o);
    }
  }
}

function dangling(tensor: string, n: Node | undefined, source: GraphSource): BpuError {
  return new BpuError("model", "nothing produces the tensor", {
    file: source.file,
    node: n?.name,
    op: n?.op,
    tensor,
    hint: "The model was cut or edited wrongly: the tensor is no input, initializer or output.",
  });
}

/** Every tensor that a node or one of its subgraphs reads exists. */
function checkKnown(g: Graph, source: GraphSource): void {
  const known = new Set<string>(g.constants.keys());
  for (const p of g.inputs) known.add(p.name);
  for (const n of g.nodes) for (const o of n.outputs) known.add(o);
  for (const n of g.nodes) {
    for (const u of usesOf(n)) if (!known.has(u)) throw dangling(u, n, source);
  }
  for (const p of g.outputs) if (!known.has(p.name)) throw dangling(p.name, undefined, source);
}
