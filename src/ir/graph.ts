/**
 * The graph: ONNX-shaped nodes in topological order, constants, and the type of every tensor. Names
 * survive all stages, so that one node can be followed from the input model to the last report.
 *
 * Graphs are values: a pass builds a new one (see `edit.ts`), nothing changes one in place.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { DType, Tensor, TensorType } from "./tensor.ts";

/** A typed attribute. ONNX keeps int and float apart, so do we. */
export type Attr =
  | { readonly type: "int"; readonly value: number }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "tensor"; readonly value: Tensor }
  | { readonly type: "graph"; readonly value: Graph }
  | { readonly type: "ints"; readonly value: readonly number[] }
  | { readonly type: "floats"; readonly value: readonly number[] }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "tensors"; readonly value: readonly Tensor[] }
  | { readonly type: "graphs"; readonly value: readonly Graph[] };

/** Attributes by name. A Map, never an object: names come from untrusted files. */
export type Attrs = ReadonlyMap<string, Attr>;

/** One operator call. An empty input or output name means "not given". */
export interface Node {
  /** Unique in the graph. */
  readonly name: string;
  readonly op: string;
  /** `""` is ONNX's own domain, `"horizon"` is ours. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attrs: Attrs;
}

/** A graph input or output: its name and type. */
export interface Port extends TensorType {
  readonly name: string;
}

/** A whole model. */
export interface Graph {
  readonly name: string;
  /** Opset of the default domain that `nodes` are written in. */
  readonly opset: number;
  /** Versions of the other domains in use. */
  readonly domains: ReadonlyMap<string, number>;
  /** In topological order: a tensor is produced before it is consumed. */
  readonly nodes: readonly Node[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Initializers. A constant is never a graph input. */
  readonly constants: ReadonlyMap<string, Tensor>;
  /** Type of every non-constant tensor that has been inferred. */
  readonly types: ReadonlyMap<string, TensorType>;
  /** Free text that travels with the model (ONNX metadata_props). */
  readonly metadata: ReadonlyMap<string, string>;
}

/** The internal opset that loading brings every model to. */
export const OPSET = 17;

/** Our operator domain. */
export const HORIZON = "horizon";

/** Shorthand attribute constructors. */
export const attr = {
  int: (value: number): Attr => ({ type: "int", value }),
  float: (value: number): Attr => ({ type: "float", value }),
  string: (value: string): Attr => ({ type: "string", value }),
  tensor: (value: Tensor): Attr => ({ type: "tensor", value }),
  ints: (value: readonly number[]): Attr => ({ type: "ints", value }),
  floats: (value: readonly number[]): Attr => ({ type: "floats", value }),
  strings: (value: readonly string[]): Attr => ({ type: "strings", value }),
} as const;

/** Builds a node; `attrs` as a plain record for convenience. */
export function node(
  op: string,
  name: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attrs: Readonly<Record<string, Attr>> | Attrs = {},
  domain = "",
): Node {
  const map = attrs instanceof Map ? attrs : new Map(Object.entries(attrs));
  return { name, op, domain, inputs, outputs, attrs: map as Attrs };
}

function wrongAttr(n: Node, key: string, want: string): BpuError {
  return new BpuError("model", `attribute ${key} must be ${want}`, { node: n.name, op: n.op });
}

/** Integer attribute, or `fallback` when absent (an error when there is no fallback). */
export function intAttr(n: Node, key: string, fallback?: number): number {
  const a = n.attrs.get(key);
  if (a === undefined) {
    if (fallback === undefined) throw wrongAttr(n, key, "given (an integer)");
    return fallback;
  }
  if (a.type !== "int") throw wrongAttr(n, key, "an integer");
  return a.value;
}

/** Float attribute, or `fallback`. */
export function floatAttr(n: Node, key: string, fallback?: number): number {
  const a = n.attrs.get(key);
  if (a === undefined) {
    if (fallback === undefined) throw wrongAttr(n, key, "given (a float)");
    return fallback;
  }
  if (a.type !== "float") throw wrongAttr(n, key, "a float");
  return a.value;
}

/** String attribute, or `fallback`. */
export function stringAttr(n: Node, key: string, fallback?: string): string {
  const a = n.attrs.get(key);
  if (a === undefined) {
    if (fallback === undefined) throw wrongAttr(n, key, "given (a string)");
    return fallback;
  }
  if (a.type !== "string") throw wrongAttr(n, key, "a string");
  return a.value;
}

/** Integer list attribute, or `fallback`. */
export function intsAttr(n: Node, key: string, fallback?: readonly number[]): readonly number[] {
  const a = n.attrs.get(key);
  if (a === undefined) {
    if (fallback === undefined) throw wrongAttr(n, key, "given (a list of integers)");
    return fallback;
  }
  if (a.type !== "ints") throw wrongAttr(n, key, "a list of integers");
  return a.value;
}

/** Type of a tensor, constant or not; undefined when it has not been inferred. */
export function typeOf(g: Graph, name: string): TensorType | undefined {
  return g.constants.get(name) ?? g.types.get(name);
}

/** Type of a tensor; throws when it is unknown. */
export function mustType(g: Graph, name: string, n?: Node): TensorType {
  const t = typeOf(g, name);
  if (t === undefined) {
    throw new BpuError("shape", "the shape could not be inferred", {
      tensor: name,
      node: n?.name,
      op: n?.op,
    });
  }
  return t;
}

/** Node that produces each tensor. */
export function producers(g: Graph): Map<string, Node> {
  const map = new Map<string, Node>();
  for (const n of g.nodes) for (const o of n.outputs) if (o !== "") map.set(o, n);
  return map;
}

/** Nodes that consume each tensor (a node appears once for each use). */
export function consumers(g: Graph): Map<string, Node[]> {
  const map = new Map<string, Node[]>();
  for (const n of g.nodes) {
    for (const i of n.inputs) {
      if (i === "") continue;
      const list = map.get(i);
      if (list === undefined) map.set(i, [n]);
      else list.push(n);
    }
  }
  return map;
}

/** Element type of a named tensor or undefined. */
export function dtypeOf(g: Graph, name: string): DType | undefined {
  return typeOf(g, name)?.dtype;
}
