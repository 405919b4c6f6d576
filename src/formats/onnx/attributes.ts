/**
 * AttributeProto to {@linkcode Attr} and back.
 *
 * @module
 */

import { create } from "../../deps.ts";
import { BpuError, type ErrorPlace } from "../../errors.ts";
import type { Attr, Graph } from "../../ir/graph.ts";
import {
  type AttributeProto,
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  type GraphProto,
} from "./gen/onnx_pb.ts";
import { decodeText, readTensor, type TensorSource, writeTensor } from "./tensor_proto.ts";

/** Reads the value of an attribute; `graph` reads a subgraph. */
export function readAttr(
  a: AttributeProto,
  source: TensorSource,
  place: ErrorPlace,
  graph: (g: GraphProto) => Graph,
): Attr {
  const missing = () => new BpuError("format", `attribute ${a.name} has no value`, place);
  if (a.refAttrName !== "") {
    throw new BpuError(
      "model",
      `attribute ${a.name} refers to a function's attribute outside of a function`,
      place,
    );
  }
  switch (a.type === Kind.UNDEFINED ? guessKind(a) : a.type) {
    case Kind.FLOAT:
      return { type: "float", value: a.f ?? 0 };
    case Kind.INT:
      return { type: "int", value: integer(a.i ?? 0n) };
    case Kind.STRING:
      return { type: "string", value: decodeText(a.s ?? new Uint8Array(), place) };
    case Kind.TENSOR:
      if (a.t === undefined) throw missing();
      return { type: "tensor", value: readTensor(a.t, source, place) };
    case Kind.GRAPH:
      if (a.g === undefined) throw missing();
      return { type: "graph", value: graph(a.g) };
    case Kind.FLOATS:
      return { type: "floats", value: a.floats };
    case Kind.INTS:
      return { type: "ints", value: a.ints.map(integer) };
    case Kind.STRINGS:
      return { type: "strings", value: a.strings.map((s) => decodeText(s, place)) };
    case Kind.TENSORS:
      return { type: "tensors", value: a.tensors.map((t) => readTensor(t, source, place)) };
    case Kind.GRAPHS:
      return { type: "graphs", value: a.graphs.map(graph) };
    default:
      throw new BpuError(
        "unsupported",
        `attribute ${a.name} is of a kind (sparse tensor or type) that is not supported`,
        place,
      );
  }
}

/** The kind of an attribute whose writer did not state it. */
function guessKind(a: AttributeProto): Kind {
  if (a.f !== undefined) return Kind.FLOAT;
  if (a.i !== undefined) return Kind.INT;
  if (a.s !== undefined) return Kind.STRING;
  if (a.t !== undefined) return Kind.TENSOR;
  if (a.g !== undefined) return Kind.GRAPH;
  if (a.floats.length > 0) return Kind.FLOATS;
  if (a.strings.length > 0) return Kind.STRINGS;
  if (a.tensors.length > 0) return Kind.TENSORS;
  if (a.graphs.length > 0) return Kind.GRAPHS;
  return a.sparseTensor === undefined ? Kind.INTS : Kind.SPARSE_TENSOR;
}

/**
 * An int64 as a number. Values that a number cannot hold exactly are markers such as "to the end"
 * (2^63-1); they become the nearest safe integer, which means the same.
 */
export function integer(v: bigint): number {
  if (v > BigInt(Number.MAX_SAFE_INTEGER)) return Number.MAX_SAFE_INTEGER;
  if (v < BigInt(Number.MIN_SAFE_INTEGER)) return Number.MIN_SAFE_INTEGER;
  return Number(v);
}

/** Writes an attribute; `graph` writes a subgraph. */
export function writeAttr(
  name: string,
  a: Attr,
  graph: (g: Graph) => GraphProto,
): AttributeProto {
  const text = new TextEncoder();
  switch (a.type) {
    case "float":
      return create(AttributeProtoSchema, { name, type: Kind.FLOAT, f: a.value });
    case "int":
      return create(AttributeProtoSchema, { name, type: Kind.INT, i: BigInt(a.value) });
    case "string":
      return create(AttributeProtoSchema, { name, type: Kind.STRING, s: text.encode(a.value) });
    case "tensor":
      return create(AttributeProtoSchema, { name, type: Kind.TENSOR, t: writeTensor(a.value) });
    case "graph":
      return create(AttributeProtoSchema, { name, type: Kind.GRAPH, g: graph(a.value) });
    case "floats":
      return create(AttributeProtoSchema, { name, type: Kind.FLOATS, floats: [...a.value] });
    case "ints":
      return create(AttributeProtoSchema, { name, type: Kind.INTS, ints: a.value.map(BigInt) });
    case "strings":
      return create(AttributeProtoSchema, {
        name,
        type: Kind.STRINGS,
        strings: a.value.map((s) => text.encode(s)),
      });
    case "tensors":
      return create(AttributeProtoSchema, {
        name,
        type: Kind.TENSORS,
        tensors: a.value.map((t) => writeTensor(t)),
      });
    case "graphs":
      return create(AttributeProtoSchema, { name, type: Kind.GRAPHS, graphs: a.value.map(graph) });
  }
}
