/**
 * Contexts: what an operator's `infer`, `fold` and placement rules see of a graph. They are made here
 * from two look-ups (type by name, value by name), so that inference, folding passes, placement and
 * tests all ask an operator in the same way.
 *
 * @module
 */

import { BpuError, type ErrorPlace } from "../errors.ts";
import { consumers, type Graph, type Node, producers, typeOf } from "../ir/graph.ts";
import type { Tensor, TensorType } from "../ir/tensor.ts";
import type { March } from "../march/march.ts";
import type { InferContext, RuleContext } from "./op.ts";

/** Types and values of tensors by name. */
export interface Lookup {
  type(name: string): TensorType | undefined;
  value(name: string): Tensor | undefined;
}

/**
 * A type cannot be told from what is known (a shape that depends on data). Not a contradiction:
 * `inferTypes` falls back to the declared type, or leaves the tensor without one.
 */
export class UnknownShape extends BpuError {
  constructor(message: string, place: ErrorPlace = {}) {
    super("shape", message, place);
  }
}

/** Throws {@linkcode UnknownShape} for a node. */
export function unknownShape(n: Node, message: string): never {
  throw new UnknownShape(message, { node: n.name, op: n.op });
}

/** Throws `BpuError("model")` for a node: its attributes or inputs are not what ONNX allows. */
export function modelError(n: Node, message: string): never {
  throw new BpuError("model", message, { node: n.name, op: n.op });
}

/** Infers the body of a control flow operator: its input types in, its output types out. */
export type SubgraphInference = (
  g: Graph,
  inputs: readonly (TensorType | undefined)[],
) => readonly (TensorType | undefined)[];

/** A context that can also look into subgraph attributes. */
interface ScopedContext extends InferContext {
  readonly subgraph: SubgraphInference;
}

/** A look-up on a graph's own constants and types. */
export function graphLookup(g: Graph): Lookup {
  return { type: (name) => typeOf(g, name), value: (name) => g.constants.get(name) };
}

/**
 * The context of one node.
 *
 * ```ts
 * import { inferContext } from "./context.ts";
 * import { node } from "../ir/graph.ts";
 *
 * const n = node("Relu", "relu1", ["x"], ["y"]);
 * const c = inferContext(n, {
 *   type: () => ({ dtype: "float32", shape: [1, 3] }),
 *   value: () => undefined,
 * });
 * console.assert(c.need(0).shape[1] === 3);
 * ```
 */
export function inferContext(
  node: Node,
  lookup: Lookup,
  subgraph?: SubgraphInference,
): InferContext {
  const nameOf = (i: number): string => node.inputs[i] ?? "";
  const context: InferContext = {
    node,
    input(i) {
      const name = nameOf(i);
      return name === "" ? undefined : lookup.type(name) ?? lookup.value(name);
    },
    need(i) {
      const name = nameOf(i);
      if (name === "") return modelError(node, `input ${i} is missing`);
      const t = lookup.type(name) ?? lookup.value(name);
      if (t === undefined) {
        throw new UnknownShape("the shape of an input is not known", {
          node: node.name,
          op: node.op,
          tensor: name,
        });
      }
      return t;
    },
    constant(i) {
      const name = nameOf(i);
      return name === "" ? undefined : lookup.value(name);
    },
  };
  return subgraph === undefined ? context : { ...context, subgraph } as ScopedContext;
}

/**
 * Output types of a subgraph attribute given the types of its inputs; outer names are visible inside.
 * An entry is undefined when it cannot be told.
 */
export function subgraphTypes(
  c: InferContext,
  g: Graph,
  inputs: readonly (TensorType | undefined)[],
): readonly (TensorType | undefined)[] {
  const infer = (c as Partial<ScopedContext>).subgraph;
  return infer === undefined ? g.outputs.map(() => undefined) : infer(g, inputs);
}

/** Whether input i is given (an empty name means that it is not). */
export function given(c: InferContext, i: number): boolean {
  return (c.node.inputs[i] ?? "") !== "";
}

/** Value of constant input i; {@linkcode UnknownShape} when it is given but not constant. */
export function needConstant(c: InferContext, i: number, what: string): Tensor {
  const t = c.constant(i);
  if (t !== undefined) return t;
  if (!given(c, i)) return modelError(c.node, `input ${i} (${what}) is missing`);
  return unknownShape(c.node, `the output shape depends on ${what}, which is not a constant`);
}

/** What {@linkcode ruleContext} can be told besides the graph. */
export interface RuleContextOptions {
  /** Whether a node may run on the BPU; decides "last operator of the quantized subgraph". */
  readonly mayRunOnBpu?: (n: Node) => boolean;
}

/** What rules ask of the surroundings of a node, which may not be part of the graph (yet). */
export interface Surroundings extends Lookup {
  producer(tensor: string): Node | undefined;
  readers(tensor: string): readonly Node[];
}

/** A rule context that knows its surroundings. */
interface PlacedContext extends RuleContext {
  readonly last: boolean;
  readonly around: Surroundings;
}

/** Graphs are values, so what is derived from one can be kept for as long as the graph is. */
const edges = new WeakMap<Graph, {
  readonly readers: ReadonlyMap<string, readonly Node[]>;
  readonly makers: ReadonlyMap<string, Node>;
}>();

function edgesOf(g: Graph) {
  let e = edges.get(g);
  if (e === undefined) edges.set(g, e = { readers: consumers(g), makers: producers(g) });
  return e;
}

/** The context of one node for placement rules. The graph's types must be filled (`inferTypes`). */
export function ruleContext(
  graph: Graph,
  node: Node,
  march: March,
  options: RuleContextOptions = {},
): RuleContext {
  const around: Surroundings = {
    ...graphLookup(graph),
    producer: (t) => edgesOf(graph).makers.get(t),
    readers: (t) => edgesOf(graph).readers.get(t) ?? [],
  };
  return ruleContextIn(around, node, march, options);
}

/** The context of a node in any surroundings for placement rules. */
export function ruleContextIn(
  around: Surroundings,
  node: Node,
  march: March,
  options: RuleContextOptions = {},
): RuleContext {
  const readers = around.readers(node.outputs[0] ?? "");
  const may = options.mayRunOnBpu;
  const context: PlacedContext = {
    ...inferContext(node, around),
    march,
    around,
    consumers: readers,
    last: may === undefined ? readers.length === 0 : !readers.some(may),
    output(i) {
      const name = node.outputs[i] ?? "";
      if (name === "") return modelError(node, `output ${i} is missing`);
      const type = around.type(name);
      return type ?? unknownShape(node, `the type of ${name} is not known`);
    },
  };
  return context;
}

/** Whether no BPU operator reads output 0: the node ends its quantized subgraph. */
export function endsSubgraph(c: RuleContext): boolean {
  return (c as Partial<PlacedContext>).last ?? c.consumers.length === 0;
}

/** Node that produces input i of a node (or of the rule's own node); undefined for graph inputs. */
export function producerOf(c: RuleContext, i: number, node: Node = c.node): Node | undefined {
  return (c as Partial<PlacedContext>).around?.producer(node.inputs[i] ?? "");
}

/** Type of any tensor of the graph that the rule's node is in. */
export function typeNear(c: RuleContext, name: string): TensorType | undefined {
  return (c as Partial<PlacedContext>).around?.type(name);
}
