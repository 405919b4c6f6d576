/**
 * Patches: a pass describes what changes and gets a new graph; the old one is untouched.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { Attr, Graph, Node, Port } from "./graph.ts";
import { liveNodes, sortNodes, subgraphsOf, usedDomains, usesOf } from "./order.ts";
import type { Tensor, TensorType } from "./tensor.ts";

/**
 * A set of changes to one graph.
 *
 * Changes take effect at once on the nodes that are there: `replaceUses(x, y)` followed by
 * `addNodes(Q: x -> y)` puts Q behind x, in front of all its readers. `build()` sorts, drops what
 * no output needs and keeps the names of graph outputs, whatever happened to their producers.
 *
 * @example
 * ```ts
 * import { Edit } from "./edit.ts";
 * import { node, OPSET } from "./graph.ts";
 *
 * const x = { name: "x", dtype: "float32", shape: [4] } as const;
 * const drop = node("Identity", "id", ["x"], ["t"]);
 * const g = {
 *   name: "g",
 *   opset: OPSET,
 *   domains: new Map(),
 *   nodes: [drop, node("Relu", "relu", ["t"], ["y"])],
 *   inputs: [x],
 *   outputs: [{ ...x, name: "y" }],
 *   constants: new Map(),
 *   types: new Map(),
 *   metadata: new Map(),
 * };
 * const edit = new Edit(g);
 * edit.removeNode(drop);
 * edit.replaceUses("t", "x");
 * console.log(edit.build().nodes[0]?.inputs[0]); // x
 * ```
 */
export class Edit {
  /** The graph as it was. */
  readonly graph: Graph;
  private readonly slots: Node[][];
  private readonly slotOf = new Map<string, number>();
  private readonly nodes = new Map<string, Node>();
  private readonly readers = new Map<string, Set<string>>();
  private readonly makers = new Map<string, string>();
  private readonly constants: Map<string, Tensor>;
  private readonly types: Map<string, TensorType>;
  private readonly metadata: Map<string, string>;
  private inputs: readonly Port[];
  private outputs: readonly Port[];
  /** What each graph output now shows. */
  private readonly sources = new Map<string, string>();
  /** Where uses of a tensor went that may no longer exist. */
  private readonly aliases = new Map<string, string>();
  private readonly taken = new Set<string>();
  private readonly counters = new Map<string, number>();
  private touched = false;

  constructor(graph: Graph) {
    this.graph = graph;
    this.slots = graph.nodes.map((n) => [n]);
    this.constants = new Map(graph.constants);
    this.types = new Map(graph.types);
    this.metadata = new Map(graph.metadata);
    this.inputs = graph.inputs;
    this.outputs = graph.outputs;
    for (const p of graph.outputs) this.sources.set(p.name, p.name);
    collectNames(graph, this.taken);
    graph.nodes.forEach((n, i) => this.link(n, i));
  }

  /** Whether anything was changed so far. */
  get changed(): boolean {
    return this.touched;
  }

  /** The node of that name as it is now (`replaceUses` may have rewired it). */
  current(n: Node): Node | undefined {
    return this.nodes.get(n.name);
  }

  /** The node that produces a tensor now. */
  producer(tensor: string): Node | undefined {
    const name = this.makers.get(tensor);
    return name === undefined ? undefined : this.nodes.get(name);
  }

  /** The nodes that read a tensor now, subgraphs included; each once. */
  consumers(tensor: string): Node[] {
    return [...this.readers.get(tensor) ?? []].map((name) => this.nodes.get(name)!);
  }

  /** Whether a tensor is what a graph output shows now. */
  isOutput(tensor: string): boolean {
    for (const source of this.sources.values()) if (source === tensor) return true;
    return false;
  }

  /** Type of a tensor now, constant or not. */
  typeOf(tensor: string): TensorType | undefined {
    return this.constants.get(tensor) ?? this.types.get(tensor);
  }

  /** The value of a constant now. */
  constant(tensor: string): Tensor | undefined {
    return this.constants.get(tensor);
  }

  /** A name that no node and no tensor has, `hint` itself when it is free. It is taken from then. */
  uniqueName(hint: string): string {
    let name = hint;
    for (let i = this.counters.get(hint) ?? 1; this.taken.has(name); i++) {
      name = `${hint}_${i}`;
      this.counters.set(hint, i + 1);
    }
    this.taken.add(name);
    return name;
  }

  /** Adds a constant under a new name. */
  addConstant(hint: string, value: Tensor): string {
    const name = this.uniqueName(hint);
    this.constants.set(name, value);
    this.touched = true;
    return name;
  }

  /** Gives a constant another value; every reader sees it. */
  setConstant(name: string, value: Tensor): void {
    if (!this.constants.has(name)) throw misuse(`${name} is no constant`);
    this.constants.set(name, value);
    this.touched = true;
  }

  /** States the type of a tensor; graph inputs and outputs of that name follow. */
  setType(name: string, type: TensorType): void {
    const t = { dtype: type.dtype, shape: [...type.shape] };
    this.types.set(name, t);
    this.inputs = this.inputs.map((p) => p.name === name ? { name, ...t } : p);
    this.touched = true;
  }

  /** Adds nodes; `build()` finds their place. */
  addNodes(...nodes: readonly Node[]): void {
    this.slots.push([]);
    for (const n of nodes) this.put(n, this.slots.length - 1);
  }

  /** Puts nodes in the place of one. Outputs of `old` that nobody makes any more need `replaceUses`. */
  replaceNode(old: Node, news: readonly Node[]): void {
    const at = this.unlink(old);
    for (const n of news) this.put(n, at);
  }

  /** Takes a node out. */
  removeNode(n: Node): void {
    this.unlink(n);
  }

  /** Makes every node that reads `from` now, and every graph output that shows it, use `to`. */
  replaceUses(from: string, to: string): void {
    if (from === to) return;
    for (const name of [...this.readers.get(from) ?? []]) {
      const n = this.nodes.get(name)!;
      const at = this.unlink(n);
      this.put(renameUses(n, new Map([[from, to]])), at);
    }
    for (const [port, source] of this.sources) if (source === from) this.sources.set(port, to);
    this.aliases.set(from, to);
    this.touched = true;
  }

  /** Sets one input of a node (by position). */
  setInput(n: Node, index: number, tensor: string): void {
    const now = this.nodes.get(n.name);
    if (now === undefined) throw misuse(`node ${n.name} is not in the graph`);
    const inputs = [...now.inputs];
    while (inputs.length <= index) inputs.push("");
    inputs[index] = tensor;
    this.replaceNode(now, [{ ...now, inputs }]);
  }

  /** Gives the graph other inputs. */
  setInputs(ports: readonly Port[]): void {
    this.inputs = ports;
    for (const p of ports) {
      this.taken.add(p.name);
      this.types.set(p.name, { dtype: p.dtype, shape: p.shape });
    }
    this.touched = true;
  }

  /** Gives the graph other outputs: each shows the tensor of its name. */
  setOutputs(ports: readonly Port[]): void {
    this.outputs = ports;
    this.sources.clear();
    for (const p of ports) this.sources.set(p.name, p.name);
    this.touched = true;
  }

  /** Adds or replaces a metadata entry; undefined removes it. */
  setMetadata(key: string, value: string | undefined): void {
    if (value === undefined) this.metadata.delete(key);
    else this.metadata.set(key, value);
    this.touched = true;
  }

  /** The new graph; the old one when nothing was changed. */
  build(): Graph {
    if (!this.touched) return this.graph;
    const { nodes, types } = this.settleOutputs(this.settleAliases());
    const inputs = new Set(this.inputs.map((p) => p.name));
    const outputs = this.outputs.map((p) => {
      const t = this.constants.get(p.name) ?? types.get(p.name) ?? p;
      return { name: p.name, dtype: t.dtype, shape: t.shape };
    });
    const sorted = sortNodes(liveNodes(nodes, outputs.map((p) => p.name)));
    const used = new Set<string>([...inputs, ...outputs.map((p) => p.name)]);
    for (const n of sorted) for (const name of [...usesOf(n), ...n.outputs]) used.add(name);
    const g: Graph = {
      name: this.graph.name,
      opset: this.graph.opset,
      domains: new Map(),
      nodes: sorted,
      inputs: this.inputs,
      outputs,
      constants: new Map([...this.constants].filter(([name]) => used.has(name))),
      types: new Map([...types].filter(([n]) => used.has(n) && !this.constants.has(n))),
      metadata: this.metadata,
    };
    const domains = [...usedDomains(g)].sort();
    return { ...g, domains: new Map(domains.map((d) => [d, this.graph.domains.get(d) ?? 1])) };
  }

  private link(n: Node, slot: number): void {
    if (this.nodes.has(n.name)) throw misuse(`there are two nodes named ${n.name}`);
    this.nodes.set(n.name, n);
    this.slotOf.set(n.name, slot);
    for (const u of usesOf(n)) {
      const set = this.readers.get(u);
      if (set === undefined) this.readers.set(u, new Set([n.name]));
      else set.add(n.name);
    }
    for (const o of n.outputs) if (o !== "") this.makers.set(o, n.name);
  }

  private put(n: Node, slot: number): void {
    this.link(n, slot);
    this.slots[slot]!.push(n);
    this.taken.add(n.name);
    for (const o of n.outputs) this.taken.add(o);
    this.touched = true;
  }

  /** Takes a node out and says where it was. */
  private unlink(n: Node): number {
    const now = this.nodes.get(n.name);
    const at = this.slotOf.get(n.name);
    if (now === undefined || at === undefined) throw misuse(`node ${n.name} is not in the graph`);
    this.nodes.delete(n.name);
    this.slotOf.delete(n.name);
    this.slots[at] = this.slots[at]!.filter((other) => other !== now);
    for (const u of usesOf(now)) this.readers.get(u)?.delete(n.name);
    for (const o of now.outputs) if (this.makers.get(o) === n.name) this.makers.delete(o);
    this.touched = true;
    return at;
  }

  private exists(tensor: string): boolean {
    return this.makers.has(tensor) || this.constants.has(tensor) ||
      this.inputs.some((p) => p.name === tensor);
  }

  /** Nodes whose reads of tensors that are gone follow the replacements. */
  private settleAliases(): Node[] {
    const nodes = this.slots.flat();
    const gone = new Map<string, string>();
    for (const from of this.aliases.keys()) {
      if (this.exists(from)) continue;
      const seen = new Set<string>();
      let to = from;
      while (!this.exists(to) && !seen.has(to)) {
        seen.add(to);
        to = this.aliases.get(to) ?? to;
      }
      gone.set(from, to);
    }
    for (const [port, source] of this.sources) {
      const to = gone.get(source);
      if (to !== undefined) this.sources.set(port, to);
    }
    return gone.size === 0 ? nodes : nodes.map((n) => renameUses(n, gone));
  }

  /** Renames tensors so that each graph output has its own name again. */
  private settleOutputs(nodes: readonly Node[]): { nodes: Node[]; types: Map<string, TensorType> } {
    const types = new Map(this.types);
    const rename = new Map<string, string>();
    const extra: Node[] = [];
    const made = new Set<string>();
    for (const n of nodes) for (const o of n.outputs) made.add(o);
    for (const p of this.outputs) {
      const source = this.sources.get(p.name)!;
      if (source === p.name) continue;
      // The tensor that had the name keeps existing for others, under another one.
      if (made.has(p.name) && !rename.has(p.name)) {
        rename.set(p.name, this.uniqueName(`${p.name}_inner`));
      }
    }
    for (const p of this.outputs) {
      const source = this.sources.get(p.name)!;
      if (source === p.name) continue;
      if (made.has(source) && !rename.has(source) && !this.outputs.some((o) => o.name === source)) {
        rename.set(source, p.name);
      } else {
        const input = rename.get(source) ?? source;
        extra.push({
          name: this.uniqueName(`${p.name}_copy`),
          op: "Identity",
          domain: "",
          inputs: [input],
          outputs: [p.name],
          attrs: new Map(),
        });
        const t = this.constants.get(source) ?? this.types.get(source);
        if (t !== undefined) types.set(p.name, { dtype: t.dtype, shape: t.shape });
      }
    }
    const moved = [...rename].map(([from, to]) => [to, this.types.get(from)] as const);
    for (const [from] of rename) if (!extra.some((n) => n.outputs[0] === from)) types.delete(from);
    for (const [to, t] of moved) if (t !== undefined) types.set(to, t);
    const renamed = nodes.map((n) => {
      const m = renameUses(n, rename);
      const outputs = m.outputs.map((o) => rename.get(o) ?? o);
      return { ...m, outputs };
    });
    return { nodes: [...renamed, ...extra], types };
  }
}

function misuse(message: string): BpuError {
  return new BpuError("internal", message);
}

/** A node that reads other tensors, also from inside its subgraphs. */
export function renameUses(n: Node, names: ReadonlyMap<string, string>): Node {
  if (!usesOf(n).some((u) => names.has(u))) return n;
  const attrs = new Map<string, Attr>();
  for (const [key, a] of n.attrs) {
    attrs.set(
      key,
      a.type === "graph"
        ? { type: "graph", value: renameFree(a.value, names) }
        : a.type === "graphs"
        ? { type: "graphs", value: a.value.map((g) => renameFree(g, names)) }
        : a,
    );
  }
  return { ...n, inputs: n.inputs.map((i) => i === "" ? "" : names.get(i) ?? i), attrs };
}

/** A subgraph that captures other tensors. Outputs that show a captured tensor get a copy. */
function renameFree(g: Graph, names: ReadonlyMap<string, string>): Graph {
  const own = new Set<string>(g.constants.keys());
  for (const p of g.inputs) own.add(p.name);
  for (const n of g.nodes) for (const o of n.outputs) own.add(o);
  const outer = new Map([...names].filter(([from]) => !own.has(from)));
  if (outer.size === 0) return g;
  return {
    ...g,
    nodes: g.nodes.map((n) => renameUses(n, outer)),
    outputs: g.outputs.map((p) => ({ ...p, name: outer.get(p.name) ?? p.name })),
  };
}

/** Every node and tensor name of a graph and its subgraphs. */
export function collectNames(g: Graph, into: Set<string>): void {
  for (const p of [...g.inputs, ...g.outputs]) into.add(p.name);
  for (const name of g.constants.keys()) into.add(name);
  for (const n of g.nodes) {
    into.add(n.name);
    for (const o of n.outputs) into.add(o);
    for (const a of n.attrs.values()) for (const s of subgraphsOf(a)) collectNames(s, into);
  }
}
