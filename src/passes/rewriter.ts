/**
 * A graph under rewriting: what the passes ask (who produces a tensor, who reads it, is it a
 * constant) stays true after every change, so that one sweep can apply many rewrites.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { type Attr, type Attrs, type Graph, type Node, node, typeOf } from "../ir/graph.ts";
import { freeNames, sortNodes, subgraphsOf } from "../ir/order.ts";
import { elementCount, isStatic, type Tensor, type TensorType } from "../ir/tensor.ts";
import type { March } from "../march/march.ts";

/** Names a node reads: inputs, then what its subgraphs capture. */
function captured(n: Node): string[] {
  const names: string[] = [];
  for (const a of n.attrs.values()) {
    for (const g of subgraphsOf(a)) names.push(...freeNames(g));
  }
  return names;
}

/**
 * A live view of a graph with changes. Removed nodes disappear from every answer; new nodes take the
 * place of those they replace; `build` drops constants and types that nothing refers to any more.
 *
 * ```ts
 * import { Rewriter } from "./rewriter.ts";
 * import type { Graph } from "../ir/graph.ts";
 *
 * function withoutIdentities(g: Graph): Graph {
 *   const w = new Rewriter(g);
 *   for (const n of w.nodes()) if (n.op === "Identity") w.bypass(n, n.inputs[0]!);
 *   return w.build();
 * }
 * ```
 */
export class Rewriter {
  readonly graph: Graph;
  /** The march that the graph is for, where that is known. */
  readonly march: March | undefined;
  /** One bucket per node of the source graph; replacements go into the bucket of the last one. */
  readonly #buckets: Node[][] = [];
  readonly #place = new Map<Node, number>();
  readonly #byName = new Map<string, Node>();
  readonly #producer = new Map<string, Node>();
  readonly #users = new Map<string, Set<Node>>();
  readonly #constants: Map<string, Tensor>;
  readonly #types: Map<string, TensorType>;
  readonly #outputs: Set<string>;
  readonly #inputs: Set<string>;
  /** Names that subgraphs read: they can neither be renamed nor change their value. */
  readonly #captured = new Set<string>();
  readonly #nodeNames = new Set<string>();
  readonly #tensorNames = new Set<string>();

  constructor(graph: Graph, march?: March) {
    this.graph = graph;
    this.march = march;
    this.#constants = new Map(graph.constants);
    this.#types = new Map(graph.types);
    this.#outputs = new Set(graph.outputs.map((p) => p.name));
    this.#inputs = new Set(graph.inputs.map((p) => p.name));
    for (const p of graph.inputs) {
      if (!this.#types.has(p.name)) this.#types.set(p.name, { dtype: p.dtype, shape: p.shape });
      this.#tensorNames.add(p.name);
    }
    for (const name of graph.constants.keys()) this.#tensorNames.add(name);
    for (const n of graph.nodes) {
      this.#buckets.push([n]);
      this.#enter(n, this.#buckets.length - 1);
    }
  }

  #enter(n: Node, bucket: number): void {
    this.#place.set(n, bucket);
    this.#nodeNames.add(n.name);
    this.#byName.set(n.name, n);
    for (const o of n.outputs) {
      if (o === "") continue;
      this.#producer.set(o, n);
      this.#tensorNames.add(o);
    }
    for (const i of n.inputs) if (i !== "") this.#use(i, n);
    for (const name of captured(n)) {
      this.#captured.add(name);
      this.#tensorNames.add(name);
    }
  }

  #use(name: string, n: Node): void {
    const set = this.#users.get(name);
    if (set === undefined) this.#users.set(name, new Set([n]));
    else set.add(n);
  }

  #leave(n: Node): void {
    const at = this.#place.get(n);
    if (at === undefined) {
      throw new BpuError("internal", "the node is not part of the graph", { node: n.name });
    }
    this.#place.delete(n);
    if (this.#byName.get(n.name) === n) this.#byName.delete(n.name);
    this.#buckets[at] = this.#buckets[at]!.filter((m) => m !== n);
    for (const o of n.outputs) if (this.#producer.get(o) === n) this.#producer.delete(o);
    for (const i of n.inputs) this.#users.get(i)?.delete(n);
  }

  /** The nodes of now, in topological order as far as rewrites have kept it. */
  nodes(): Node[] {
    return this.#buckets.flat();
  }

  /** Whether a node is still part of the graph. */
  has(n: Node): boolean {
    return this.#place.has(n);
  }

  /** What a node has become: the node of that name, after its inputs were renamed or it was fused. */
  current(n: Node): Node | undefined {
    return this.#byName.get(n.name);
  }

  producer(name: string): Node | undefined {
    return this.#producer.get(name);
  }

  /** The producer when it is an ONNX operator of this type. */
  producerOf(name: string, ...ops: readonly string[]): Node | undefined {
    const n = this.#producer.get(name);
    return n !== undefined && n.domain === "" && ops.includes(n.op) ? n : undefined;
  }

  /** The nodes that read a tensor, each once. */
  users(name: string): Node[] {
    return [...this.#users.get(name) ?? []];
  }

  isOutput(name: string): boolean {
    return this.#outputs.has(name);
  }

  isInput(name: string): boolean {
    return this.#inputs.has(name);
  }

  /** Whether the tensor must keep its name and value: a graph output, or read by a subgraph. */
  pinned(name: string): boolean {
    return this.#outputs.has(name) || this.#captured.has(name);
  }

  /** The one node that reads a tensor that may vanish; undefined when there are more or it is pinned. */
  onlyUser(name: string): Node | undefined {
    if (this.pinned(name)) return undefined;
    const set = this.#users.get(name);
    return set?.size === 1 ? set.values().next().value : undefined;
  }

  /** Why `onlyUser` is undefined, for reasons. */
  whyShared(name: string): string {
    if (this.#outputs.has(name)) return `${name} is an output of the model`;
    if (this.#captured.has(name)) return `${name} is read by a subgraph`;
    return `${name} is read by ${this.#users.get(name)?.size ?? 0} nodes`;
  }

  constant(name: string): Tensor | undefined {
    return name === "" ? undefined : this.#constants.get(name);
  }

  type(name: string): TensorType | undefined {
    return name === "" ? undefined : this.#constants.get(name) ?? this.#types.get(name);
  }

  /** Shape where every dimension is known. */
  shape(name: string): readonly number[] | undefined {
    const t = this.type(name);
    return t !== undefined && isStatic(t.shape) ? t.shape : undefined;
  }

  /** Elements of a tensor of known shape. */
  count(name: string): number | undefined {
    const s = this.shape(name);
    return s === undefined ? undefined : elementCount(s);
  }

  isFloat(name: string): boolean {
    return this.type(name)?.dtype === "float32";
  }

  /** A node name that is not taken: `base`, else `base_1`, ... */
  nodeName(base: string): string {
    return unique(base, this.#nodeNames);
  }

  /** A tensor name that is not taken. */
  tensorName(base: string): string {
    return unique(base, this.#tensorNames);
  }

  /** Declares a new tensor. */
  temp(base: string, type: TensorType): string {
    const name = this.tensorName(base);
    this.#types.set(name, { dtype: type.dtype, shape: [...type.shape] });
    return name;
  }

  setType(name: string, type: TensorType): void {
    this.#types.set(name, { dtype: type.dtype, shape: [...type.shape] });
  }

  /** Stores a constant under a free name that starts with `base`. */
  store(base: string, t: Tensor): string {
    const name = this.tensorName(base);
    this.#constants.set(name, t);
    return name;
  }

  /**
   * The changed value of a constant for `user`: under its old name when nobody else reads the old
   * value, so that weights keep their names; else under a new one.
   */
  revise(name: string, user: Node, t: Tensor): string {
    const set = this.#users.get(name);
    if (!this.pinned(name) && set?.size === 1 && set.has(user)) {
      this.#constants.set(name, t);
      return name;
    }
    return this.store(name, t);
  }

  /** Builds a node whose name is free, derived from `name`; it enters the graph by `replace`. */
  make(
    op: string,
    name: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attrs: Readonly<Record<string, Attr>> | Attrs = {},
    domain = "",
  ): Node {
    return node(op, this.nodeName(name), inputs, outputs, attrs, domain);
  }

  /** Puts `news` into the place of the last of `olds`, which leave the graph. */
  replace(olds: readonly Node[], news: readonly Node[]): void {
    let last = 0;
    for (const n of olds) last = Math.max(last, this.#place.get(n) ?? 0);
    for (const n of olds) this.#leave(n);
    for (const n of news) {
      this.#buckets[last]!.push(n);
      this.#enter(n, last);
    }
  }

  /** Puts `news` right before `n`. */
  insertBefore(n: Node, news: readonly Node[]): void {
    const at = this.#place.get(n);
    if (at === undefined) throw new BpuError("internal", "no such node", { node: n.name });
    this.#buckets[at]!.unshift(...news);
    for (const m of news) this.#enter(m, at);
  }

  /** Replaces all nodes, which must be given in topological order. */
  rebuild(nodes: readonly Node[]): void {
    for (const n of this.nodes()) this.#leave(n);
    if (this.#buckets.length === 0) this.#buckets.push([]);
    for (const n of nodes) {
      this.#buckets[0]!.push(n);
      this.#enter(n, 0);
    }
  }

  remove(n: Node): void {
    this.#leave(n);
  }

  /** Takes out a node whose outputs have these values: they become constants of the same names. */
  becomes(n: Node, values: readonly Tensor[]): void {
    this.#leave(n);
    n.outputs.forEach((name, i) => {
      const t = values[i];
      if (name === "" || t === undefined) return;
      this.#constants.set(name, t);
      this.#types.delete(name);
    });
  }

  /** The node with other inputs, outputs or attributes, under the same name. Returns the new one. */
  alter(
    n: Node,
    change: {
      readonly inputs?: readonly string[];
      readonly outputs?: readonly string[];
      readonly attrs?: Readonly<Record<string, Attr | undefined>>;
    },
  ): Node {
    const next: Node = {
      ...n,
      inputs: change.inputs ?? n.inputs,
      outputs: change.outputs ?? n.outputs,
      attrs: withAttrs(n.attrs, change.attrs ?? {}),
    };
    this.#swap(n, next);
    return next;
  }

  #swap(old: Node, next: Node): void {
    const at = this.#place.get(old)!;
    const bucket = this.#buckets[at]!;
    const i = bucket.indexOf(old);
    this.#leave(old);
    this.#buckets[at]!.splice(i, 0, next);
    this.#enter(next, at);
  }

  /** Makes every reader of `from` read `to`. Graph outputs and subgraphs keep what they have. */
  redirect(from: string, to: string): void {
    for (const n of this.users(from)) {
      this.alter(n, { inputs: n.inputs.map((i) => i === from ? to : i) });
    }
  }

  /**
   * Takes out a node whose output 0 equals `source`: its readers read `source`. When the output is an
   * output of the model, the producer of `source` takes over that name. Returns false, and changes
   * nothing, when neither is possible.
   */
  bypass(n: Node, source: string): boolean {
    const out = n.outputs[0]!;
    if (!this.pinned(out)) {
      this.#leave(n);
      this.redirect(out, source);
      return true;
    }
    const from = this.#producer.get(source);
    if (from === undefined || this.pinned(source)) return false;
    const type = this.type(out) ?? this.type(source);
    this.#leave(n);
    this.alter(from, { outputs: from.outputs.map((o) => o === source ? out : o) });
    if (type !== undefined) this.setType(out, type);
    this.redirect(source, out);
    return true;
  }

  /** The graph of now. */
  build(): Graph {
    const nodes = sortNodes(this.nodes());
    const used = new Set<string>(this.#captured);
    for (const n of nodes) {
      for (const i of n.inputs) used.add(i);
      for (const o of n.outputs) used.add(o);
    }
    for (const p of [...this.graph.inputs, ...this.graph.outputs]) used.add(p.name);
    const keep = <T>(m: ReadonlyMap<string, T>) => new Map([...m].filter(([k]) => used.has(k)));
    return {
      ...this.graph,
      nodes,
      constants: keep(this.#constants),
      types: keep(this.#types),
      domains: domainsOf(this.graph, nodes),
    };
  }
}

/** Attributes with others in their places; undefined takes one away. */
export function withAttrs(
  attrs: Attrs,
  change: Readonly<Record<string, Attr | undefined>>,
): Attrs {
  const changed = new Map(attrs);
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined) changed.delete(key);
    else changed.set(key, value);
  }
  return changed;
}

function domainsOf(g: Graph, nodes: readonly Node[]): ReadonlyMap<string, number> {
  const domains = new Map(g.domains);
  for (const n of nodes) {
    if (n.domain !== "" && !domains.has(n.domain)) domains.set(n.domain, 1);
  }
  return domains;
}

function unique(base: string, taken: Set<string>): string {
  let name = base;
  for (let i = 1; taken.has(name); i++) name = `${base}_${i}`;
  taken.add(name);
  return name;
}

/** Type of a tensor of a graph where every dimension is known. */
export function staticType(g: Graph, name: string): TensorType | undefined {
  const t = typeOf(g, name);
  return t !== undefined && isStatic(t.shape) ? t : undefined;
}
