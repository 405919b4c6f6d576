/**
 * Graphs to ONNX files.
 *
 * @module
 */

import { create, toBinary } from "../../deps.ts";
import { BpuError } from "../../errors.ts";
import { type AttrRef, callsOf, type FunctionDef, type FunctionNode } from "../../ir/function.ts";
import { type Attr, type Graph, HORIZON, type Node } from "../../ir/graph.ts";
import { subgraphsOf, usedDomains } from "../../ir/order.ts";
import type { TensorType } from "../../ir/tensor.ts";
import { writeAttr } from "./attributes.ts";
import { dimNames } from "./dims.ts";
import { dtypeToOnnx } from "./dtypes.ts";
import {
  type AttributeProto,
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  type FunctionProto,
  FunctionProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type OperatorSetIdProto,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./gen/onnx_pb.ts";
import { writeTensor } from "./tensor_proto.ts";

/** Options of {@linkcode saveOnnx}. */
export interface SaveOptions {
  /** Functions that the graph may call; those that it reaches are written into the file. */
  readonly functions?: readonly FunctionDef[];
  readonly irVersion?: 8;
  readonly producer?: string;
}

/**
 * Writes a graph as an ONNX model: IR 8, the graph's opset, every known type as value_info. The same
 * graph gives the same bytes. Nodes and initializers keep the graph's order; functions, domains and
 * metadata are sorted by name.
 *
 * Throws `internal` when `functions` is given and the graph calls one of our operators that it does
 * not define.
 */
export function saveOnnx(graph: Graph, options: SaveOptions = {}): Uint8Array {
  const domains = new Map<string, number>();
  for (const d of usedDomains(graph)) domains.set(d, graph.domains.get(d) ?? 1);
  domains.set("", graph.opset);
  const functions = options.functions === undefined ? [] : reachable(graph, options.functions);
  if (functions.length > 0) domains.set(HORIZON, 1);
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(options.irVersion ?? 8),
    producerName: options.producer ?? "bpukit",
    opsetImport: opsetImports(domains),
    graph: graphProto(graph, true),
    metadataProps: [...graph.metadata].filter(([key]) => !key.startsWith("bpukit.dims:"))
      .sort(byKey).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
    functions: functions.map((f) => functionProto(f, graph.opset)),
  });
  return toBinary(ModelProtoSchema, model);
}

/** Orders entries by key, by code unit: the same on every machine. */
function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}

function opsetImports(domains: ReadonlyMap<string, number>): OperatorSetIdProto[] {
  return [...domains].sort(byKey).map(([domain, version]) =>
    create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) })
  );
}

/** The functions that the graph calls, directly or through others, sorted by name. */
function reachable(graph: Graph, functions: readonly FunctionDef[]): FunctionDef[] {
  const by = new Map(functions.map((f) => [f.name, f]));
  const found = new Map<string, FunctionDef>();
  const todo: { op: string; caller: string }[] = [];
  const scan = (g: Graph) => {
    for (const n of g.nodes) {
      if (n.domain === HORIZON) todo.push({ op: n.op, caller: n.name });
      for (const a of n.attrs.values()) subgraphsOf(a).forEach(scan);
    }
  };
  scan(graph);
  for (let call = todo.pop(); call !== undefined; call = todo.pop()) {
    if (found.has(call.op)) continue;
    const f = by.get(call.op);
    if (f === undefined) {
      throw new BpuError("internal", "no function body is known for the operator", {
        node: call.caller,
        op: call.op,
      });
    }
    found.set(f.name, f);
    for (const op of callsOf(f)) todo.push({ op, caller: f.name });
  }
  return [...found].sort(byKey).map(([, f]) => f);
}

function graphProto(g: Graph, top: boolean): GraphProto {
  const ports = new Set([...g.inputs, ...g.outputs].map((p) => p.name));
  const inner = [...g.types].filter(([name]) => !ports.has(name)).sort(byKey);
  return create(GraphProtoSchema, {
    name: g.name,
    node: g.nodes.map(nodeProto),
    initializer: [...g.constants].map(([name, t]) => writeTensor(t, name)),
    input: g.inputs.map((p) => valueInfo(p.name, p, top || g.types.has(p.name), g)),
    output: g.outputs.map((p) => {
      const known = g.types.has(p.name) || g.constants.has(p.name);
      return known || !top ? valueInfo(p.name, p, known, g) : elemOnly(p.name, p);
    }),
    valueInfo: inner.map(([name, t]) => valueInfo(name, t, true, g)),
  });
}

/** A typed value; without `known` only its name. */
function valueInfo(name: string, t: TensorType, known: boolean, g: Graph): ValueInfoProto {
  if (!known) return create(ValueInfoProtoSchema, { name });
  const names = dimNames(g, name);
  const dim = t.shape.map((d, i) => {
    if (d >= 0) return { value: { case: "dimValue" as const, value: BigInt(d) } };
    const param = names?.[i] ?? "";
    return param === "" ? {} : { value: { case: "dimParam" as const, value: param } };
  });
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: { case: "tensorType", value: { elemType: dtypeToOnnx(t.dtype), shape: { dim } } },
    },
  });
}

/** A graph output whose shape is not known. */
function elemOnly(name: string, t: TensorType): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: dtypeToOnnx(t.dtype) } } },
  });
}

function nodeProto(n: Node): NodeProto {
  return create(NodeProtoSchema, {
    name: n.name,
    opType: n.op,
    domain: n.domain,
    input: [...n.inputs],
    output: [...n.outputs],
    attribute: [...n.attrs].sort(byKey).map(([name, a]) => attrProto(name, a)),
  });
}

const refKinds = {
  int: Kind.INT,
  ints: Kind.INTS,
  float: Kind.FLOAT,
  floats: Kind.FLOATS,
  string: Kind.STRING,
  tensor: Kind.TENSOR,
} as const;

function attrProto(name: string, a: Attr | AttrRef): AttributeProto {
  if (a.type === "ref") {
    return create(AttributeProtoSchema, { name, type: refKinds[a.of], refAttrName: a.attr });
  }
  return writeAttr(name, a, (g) => graphProto(g, false));
}

/** A function, importing the model's opset: runtimes resolve its nodes with that anyway. */
function functionProto(f: FunctionDef, opset: number): FunctionProto {
  const domains = new Map([["", opset]]);
  if (callsOf(f).length > 0) domains.set(HORIZON, 1);
  return create(FunctionProtoSchema, {
    name: f.name,
    domain: f.domain,
    input: [...f.inputs],
    output: [...f.outputs],
    attribute: [...f.attributes],
    attributeProto: [...(f.defaults ?? [])].sort(byKey).map(([name, a]) => attrProto(name, a)),
    node: f.nodes.map(functionNodeProto),
    opsetImport: opsetImports(domains),
  });
}

function functionNodeProto(n: FunctionNode): NodeProto {
  return create(NodeProtoSchema, {
    name: n.name,
    opType: n.op,
    domain: n.domain,
    input: [...n.inputs],
    output: [...n.outputs],
    attribute: [...n.attrs].sort(byKey).map(([name, a]) => attrProto(name, a)),
  });
}
