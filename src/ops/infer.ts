/**
 * Type inference over a whole graph. Values that follow from shapes (Shape, Gather, Concat, Reshape
 * chains) are carried along, so that the shapes that real exporters compute at run time become static.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { Attr, Graph, Node, Port } from "../ir/graph.ts";
import {
  elementCount,
  isStatic,
  sameShape,
  shapeText,
  type Tensor,
  type TensorType,
} from "../ir/tensor.ts";
import { inferContext, type Lookup, type SubgraphInference, UnknownShape } from "./context.ts";
import type { InferContext, OpDef } from "./op.ts";
import { opOf } from "./registry.ts";

/** Options of {@linkcode inferTypes}. */
export interface InferOptions {
  /** Types of the outputs of an operator that is not in the registry; undefined refuses it. */
  readonly unknown?: (n: Node, c: InferContext) => readonly TensorType[] | undefined;
  /**
   * What becomes of types that the graph already has. `check` (default): they fill in what cannot be
   * inferred, and a contradiction is an error. `fallback`: they fill in, contradictions are ignored
   * (the graph's inputs were changed). `ignore`: only graph inputs and constants count.
   */
  readonly declared?: "check" | "fallback" | "ignore";
  /** Values of at most this many elements are computed (4096). */
  readonly maxFold?: number;
}

/** A graph with all types, and the values that were computed on the way. */
export interface Inferred {
  readonly graph: Graph;
  /** Values of tensors that are not initializers but do not depend on the graph's inputs. */
  readonly values: ReadonlyMap<string, Tensor>;
}

interface Scope {
  readonly types: Map<string, TensorType>;
  readonly values: Map<string, Tensor>;
  readonly lookup: Lookup;
}

const MAX_DEPTH = 32;

/**
 * The graph with the type of every tensor filled in, -1 for dimensions that cannot be told.
 *
 * @throws BpuError `unsupported` naming every node whose operator is not known; `shape` or `model`
 * naming the first node whose inputs contradict it or whose inferred type contradicts the declared one.
 */
export function inferTypes(graph: Graph, options: InferOptions = {}): Graph {
  return inferValues(graph, options).graph;
}

/** As {@linkcode inferTypes}, and the computed values besides. */
export function inferValues(graph: Graph, options: InferOptions = {}): Inferred {
  refuseUnknown(graph, options);
  const scope = run(graph, options, graph.inputs, undefined, 0);
  const outputs = graph.outputs.map((o): Port => {
    const t = scope.lookup.type(o.name);
    return t === undefined ? o : { name: o.name, dtype: t.dtype, shape: t.shape };
  });
  return { graph: { ...graph, types: scope.types, outputs }, values: scope.values };
}

/**
 * Values of a node's outputs where its inputs are constants (or where only their shapes matter);
 * undefined when it cannot be folded.
 */
export function foldNode(n: Node, lookup: Lookup, maxElements = 1 << 24): Tensor[] | undefined {
  const def = opOf(n);
  if (def?.fold === undefined) return undefined;
  const c = inferContext(n, lookup);
  let types: readonly (TensorType | undefined)[];
  try {
    types = def.infer(c);
  } catch (e) {
    if (e instanceof UnknownShape) return undefined;
    throw e;
  }
  return foldWith(def, c, types, maxElements);
}

function foldWith(
  def: OpDef,
  c: InferContext,
  types: readonly (TensorType | undefined)[],
  maxElements: number,
): Tensor[] | undefined {
  for (const t of types) {
    if (t === undefined || !isStatic(t.shape) || elementCount(t.shape) > maxElements) {
      return undefined;
    }
  }
  let values: readonly Tensor[] | undefined;
  try {
    values = def.fold?.(c);
  } catch (e) {
    if (e instanceof UnknownShape) return undefined;
    throw e;
  }
  if (values === undefined) return undefined;
  values.forEach((v, i) => {
    const t = types[i];
    if (t !== undefined && (t.dtype !== v.dtype || !sameShape(t.shape, v.shape))) {
      throw new BpuError(
        "internal",
        `folding gave ${typeText(v)} where ${typeText(t)} was inferred`,
        { node: c.node.name, op: c.node.op },
      );
    }
  });
  return [...values];
}

function typeText(t: TensorType): string {
  return `${t.dtype} ${shapeText(t.shape)}`;
}

function refuseUnknown(graph: Graph, options: InferOptions): void {
  if (options.unknown !== undefined) return;
  const bad = graph.nodes.filter((n) => opOf(n) === undefined);
  const one = bad[0];
  if (one === undefined) return;
  const list = bad.slice(0, 20).map((n) =>
    `${n.name} (${n.domain === "" ? "" : `${n.domain}.`}${n.op})`
  ).join(", ");
  throw new BpuError(
    "unsupported",
    `${bad.length === 1 ? "an operator is" : "operators are"} not known: ${list}${
      bad.length > 20 ? ` and ${bad.length - 20} more` : ""
    }`,
    {
      node: one.name,
      op: one.op,
      hint:
        "Replace them by operators of ONNX opset 1 to 21, or register them as custom operators.",
    },
  );
}

/** Infers one graph; `outer` makes the names of the enclosing graph visible. */
function run(
  graph: Graph,
  options: InferOptions,
  inputs: readonly { readonly name: string; readonly dtype?: TensorType["dtype"] }[],
  outer: Lookup | undefined,
  depth: number,
): Scope {
  if (depth > MAX_DEPTH) throw new BpuError("limit", `subgraphs are nested over ${MAX_DEPTH} deep`);
  const types = new Map<string, TensorType>();
  const values = new Map<string, Tensor>();
  const lookup: Lookup = {
    type: (name) => types.get(name) ?? graph.constants.get(name) ?? outer?.type(name),
    value(name) {
      const own = graph.constants.get(name) ?? values.get(name);
      if (own !== undefined) return own;
      return types.has(name) ? undefined : outer?.value(name);
    },
  };
  for (const p of inputs) {
    if (isTyped(p)) types.set(p.name, { dtype: p.dtype, shape: [...p.shape] });
  }
  const declared = declaredTypes(graph, options, depth);
  const subgraph: SubgraphInference = (g, given) => {
    refuseUnknown(g, options);
    const ports = g.inputs.map((p, i) =>
      given[i] === undefined ? p : { ...given[i], name: p.name }
    );
    const inner = run(g, options, ports, lookup, depth + 1);
    return g.outputs.map((o) => inner.lookup.type(o.name));
  };
  const maxFold = options.maxFold ?? 4096;
  for (const n of graph.nodes) {
    const c = inferContext(n, lookup, subgraph);
    const found = inferNode(n, c, options);
    n.outputs.forEach((name, i) => {
      if (name === "") return;
      const t = settle(n, name, found[i], declared.get(name), options);
      if (t !== undefined) types.set(name, t);
    });
    const def = opOf(n);
    if (def?.fold === undefined || !isSmall(c, maxFold)) continue;
    const folded = foldWith(def, c, found, maxFold);
    folded?.forEach((v, i) => {
      const name = n.outputs[i] ?? "";
      if (name !== "") values.set(name, v);
    });
  }
  return { types, values, lookup };
}

function isTyped(p: { readonly name: string; readonly dtype?: unknown }): p is Port {
  return p.dtype !== undefined;
}

/** Whether folding would not touch large constants (weights are not this module's business). */
function isSmall(c: InferContext, maxFold: number): boolean {
  return c.node.inputs.every((_, i) => {
    const v = c.constant(i);
    return v === undefined || v.data.length <= maxFold;
  });
}

/** Types that the file states. Outputs of a subgraph often have none, so theirs do not count. */
function declaredTypes(
  graph: Graph,
  options: InferOptions,
  depth: number,
): ReadonlyMap<string, TensorType> {
  const map = new Map<string, TensorType>();
  if (options.declared === "ignore") return map;
  for (const [name, t] of graph.types) map.set(name, t);
  if (depth > 0) return map;
  // A file may leave the shape of an output open; its port then looks like that of a scalar.
  for (const o of graph.outputs) if (!map.has(o.name) && o.shape.length > 0) map.set(o.name, o);
  return map;
}

function inferNode(
  n: Node,
  c: InferContext,
  options: InferOptions,
): readonly (TensorType | undefined)[] {
  const def = opOf(n);
  try {
    const found = def === undefined ? options.unknown?.(n, c) : def.infer(c);
    if (found !== undefined) return found;
  } catch (e) {
    if (e instanceof UnknownShape) return [];
    throw e;
  }
  throw new BpuError("unsupported", `operator ${n.op} is not known`, { node: n.name, op: n.op });
}

/** What is known of one output: inferred and declared type brought together. */
function settle(
  n: Node,
  name: string,
  inferred: TensorType | undefined,
  declared: TensorType | undefined,
  options: InferOptions,
): TensorType | undefined {
  if (inferred === undefined) return declared;
  if (declared === undefined) return inferred;
  const agrees = inferred.dtype === declared.dtype &&
    inferred.shape.length === declared.shape.length &&
    inferred.shape.every((d, i) => d < 0 || declared.shape[i]! < 0 || d === declared.shape[i]);
  if (!agrees) {
    if (options.declared === "fallback") return inferred;
    throw new BpuError(
      "model",
      `the output is ${typeText(inferred)}, but the model declares ${typeText(declared)}`,
      {
        node: n.name,
        op: n.op,
        tensor: name,
        hint: "The declared shape is wrong, or the model was edited: infer its shapes anew.",
      },
    );
  }
  return {
    dtype: inferred.dtype,
    shape: inferred.shape.map((d, i) => d < 0 ? declared.shape[i]! : d),
  };
}

/** Subgraphs among a node's attributes. */
export function subgraphsOf(n: Node): Graph[] {
  return [...n.attrs.values()].flatMap((a: Attr) =>
    a.type === "graph" ? [a.value] : a.type === "graphs" ? a.value : []
  );
}
