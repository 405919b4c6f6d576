/**
 * Transposes cancel: operators that do not care about the order of dimensions work in the order that
 * leaves the fewest elements to transpose.
 *
 * For one permutation p every such operator may work on its tensors as they are, or on tensors stored
 * with their dimensions permuted. Where a tensor is made in one order and read in the other it has to be
 * transposed, at the cost of its size. The cheapest choice is a minimum cut between the operators
 * whose order is fixed and those behind a Transpose.
 *
 * @module
 */

import { attr, type Graph, type Node, node } from "../ir/graph.ts";
import type { TensorType } from "../ir/tensor.ts";
import { Network, NEVER } from "./min_cut.ts";
import type { Pass } from "./pass.ts";
import { inverse, type Movable, movable, permOf, permutedLoss, transposed } from "./permute.ts";
import { Rewriter } from "./rewriter.ts";

/** Role of a node for one permutation. */
type Role =
  | { readonly kind: "fixed" }
  /** Transpose by p (in: as it is, out: permuted) or by its inverse (the other way round). */
  | { readonly kind: "forward" }
  | { readonly kind: "backward" }
  | { readonly kind: "free"; readonly how: Movable; readonly vertex: number };

const FIXED: Role = { kind: "fixed" };

/** What moving a tensor costs: its elements; next to nothing where only dimensions of 1 move. */
function costOf(shape: readonly number[], p: readonly number[]): number {
  const moved = p.filter((d) => shape[d] !== 1);
  const trivial = moved.every((d, i) => i === 0 || d > moved[i - 1]!);
  return trivial ? 1 / 1024 : shape.reduce((n, d) => n * d, 1) + 1;
}

class Layout {
  readonly p: readonly number[];
  readonly q: readonly number[];
  readonly w: Rewriter;
  readonly net = new Network();
  readonly roles = new Map<Node, Role>();
  /** Tensors of rank p.length that take part, with their readers' vertices. */
  readonly readers = new Map<string, Set<number>>();
  readonly makers = new Map<string, number>();

  constructor(w: Rewriter, p: readonly number[]) {
    this.w = w;
    this.p = p;
    this.q = inverse(p);
    this.#assignRoles();
    this.#connect();
  }

  /** A permutation that is its own inverse goes forward first, and back behind itself. */
  #assignRoles(): void {
    const permuted = new Set<string>();
    for (const n of this.w.nodes()) {
      const perm = n.op === "Transpose" && n.domain === "" ? permOf(this.w, n) : undefined;
      if (perm !== undefined) {
        const forward = perm.join() === this.p.join();
        const backward = perm.join() === this.q.join();
        if (this.w.shape(n.inputs[0]!) === undefined || this.w.constant(n.inputs[0]!)) {
          this.roles.set(n, FIXED);
        } else if (backward && (!forward || permuted.has(n.inputs[0]!))) {
          this.roles.set(n, { kind: "backward" });
        } else if (forward) {
          this.roles.set(n, { kind: "forward" });
          permuted.add(n.outputs[0]!);
        } else this.roles.set(n, FIXED);
        continue;
      }
      const how = movable(this.w, n, this.p);
      const usable = how !== undefined && how.inputs.length > 0 &&
        how.inputs.some((i) => this.w.constant(n.inputs[i]!) === undefined) &&
        n.outputs.every((o) => o === "" || this.w.shape(o) !== undefined) &&
        permutedLoss(this.w, n, how, this.p) === undefined;
      if (!usable) {
        this.roles.set(n, FIXED);
        continue;
      }
      this.roles.set(n, { kind: "free", how, vertex: this.net.vertex() });
      if (how.inputs.some((i) => permuted.has(n.inputs[i]!))) {
        for (const o of n.outputs) permuted.add(o);
      }
    }
  }

  #read(name: string, vertex: number): void {
    const shape = this.w.shape(name);
    if (shape?.length !== this.p.length || this.w.constant(name) !== undefined) return;
    const set = this.readers.get(name);
    if (set === undefined) this.readers.set(name, new Set([vertex]));
    else set.add(vertex);
  }

  #connect(): void {
    const { source, sink } = this.net;
    for (const [n, role] of this.roles) {
      const [reads, makes] = role.kind === "fixed"
        ? [source, source]
        : role.kind === "forward"
        ? [source, sink]
        : role.kind === "backward"
        ? [sink, source]
        : [role.vertex, role.how.outputs ? role.vertex : source];
      n.inputs.forEach((name, i) => {
        if (role.kind !== "free" || role.how.inputs.includes(i)) this.#read(name, reads);
        else this.#read(name, source);
      });
      for (const o of n.outputs) if (o !== "") this.makers.set(o, makes);
    }
    for (const [name] of this.readers) if (this.w.pinned(name)) this.#read(name, source);
    for (const o of this.makers.keys()) if (this.w.pinned(o)) this.#read(o, source);
    for (const [name, set] of this.readers) {
      const maker = this.makers.get(name) ?? source;
      const cost = costOf(this.w.shape(name)!, this.q);
      if ([...set].some((v) => v !== source)) this.#pay(maker, set, cost, "permuted");
      if (maker !== source) this.#pay(maker, set, cost, "plain");
    }
  }

  /** `cost` once, when any reader wants the order that the maker does not make. */
  #pay(maker: number, readers: Set<number>, cost: number, order: "permuted" | "plain"): void {
    const any = this.net.vertex();
    if (order === "permuted") {
      this.net.edge(maker, any, cost);
      for (const r of readers) this.net.edge(any, r, NEVER);
    } else {
      this.net.edge(any, maker, cost);
      for (const r of readers) this.net.edge(r, any, NEVER);
    }
  }

  /** Cost of the graph as it is: every Transpose of this permutation stays. */
  costNow(): number {
    let cost = 0;
    const paid = new Set<string>();
    for (const [n, role] of this.roles) {
      if (role.kind !== "forward" && role.kind !== "backward") continue;
      // Two Transposes of one tensor count once: they are one after common subexpressions.
      const key = `${role.kind} ${n.inputs[0]}`;
      if (!paid.has(key)) cost += costOf(this.w.shape(n.inputs[0]!)!, [...this.#perm(role.kind)]);
      paid.add(key);
    }
    return cost;
  }

  #perm(kind: "forward" | "backward"): readonly number[] {
    return kind === "forward" ? this.p : this.q;
  }

  isPermuted(n: Node): boolean {
    const role = this.roles.get(n);
    return role?.kind === "free" && this.net.onSinkSide(role.vertex);
  }
}

/** Writes the graph that a solved layout describes. */
class Emitter {
  readonly nodes: Node[] = [];
  /** Name that holds a tensor as it is (0) and permuted (1). */
  readonly #held = [new Map<string, string>(), new Map<string, string>()] as const;
  readonly #makers = new Map<string, Node>();
  readonly #reuse = new Map<string, string>();

  constructor(readonly l: Layout) {
    for (const p of l.w.graph.inputs) this.#held[0].set(p.name, p.name);
    for (const n of l.w.nodes()) {
      for (const o of n.outputs) this.#makers.set(o, n);
      const kind = l.roles.get(n)?.kind;
      // A Transpose that stays keeps its name.
      if (kind === "forward") this.#reuse.set(`0 ${n.outputs[0]!}`, n.name);
      if (kind === "backward") this.#reuse.set(`1 ${n.inputs[0]!}`, n.name);
    }
  }

  run(): void {
    for (const n of this.l.w.nodes()) this.#emit(n);
  }

  #type(name: string, order: 0 | 1): TensorType {
    const t = this.l.w.type(name)!;
    return order === 0 ? t : { dtype: t.dtype, shape: this.l.q.map((i) => t.shape[i]!) };
  }

  /** The name that holds `name` in an order; transposes it where nobody has yet. */
  #get(name: string, order: 0 | 1): string {
    const held = this.#held[order].get(name);
    if (held !== undefined) return held;
    const { w } = this.l;
    const t = w.constant(name);
    if (t !== undefined) return order === 0 ? name : this.#permutedConstant(name);
    const other = this.#held[order === 0 ? 1 : 0].get(name);
    if (other === undefined) {
      if (order === 0) return name;
      return this.#transpose(name, name, 1);
    }
    return this.#transpose(name, other, order);
  }

  #transpose(name: string, from: string, order: 0 | 1): string {
    const { w } = this.l;
    const out = order === 0 ? name : w.temp(`${name}_permuted`, this.#type(name, 1));
    const base = this.#reuse.get(`${order} ${name}`) ??
      w.nodeName(`${this.#makers.get(name)?.name ?? name}_transpose`);
    this.#reuse.delete(`${order} ${name}`);
    const perm = order === 0 ? this.l.p : this.l.q;
    this.nodes.push(node("Transpose", base, [from], [out], { perm: attr.ints(perm) }));
    this.#held[order].set(name, out);
    return out;
  }

  #permutedConstant(name: string): string {
    const { w, p, q } = this.l;
    const t = w.constant(name)!;
    const lead = p.length - t.shape.length;
    const full = { ...t, shape: [...new Array<number>(lead).fill(1), ...t.shape] };
    const stored = w.store(`${name}_permuted`, transposed(full, q));
    this.#held[1].set(name, stored);
    return stored;
  }

  #emit(n: Node): void {
    const { l } = this;
    const role = l.roles.get(n)!;
    const [x, y] = [n.inputs[0] ?? "", n.outputs[0] ?? ""];
    if (role.kind === "forward") {
      this.#held[1].set(y, this.#get(x, 0));
      if (l.w.pinned(y)) this.#get(y, 0);
    } else if (role.kind === "backward") {
      const stored = this.#get(x, 1);
      this.#held[0].set(y, stored);
      if (l.w.pinned(y)) {
        this.nodes.push(node("Identity", l.w.nodeName(`${n.name}_output`), [stored], [y]));
        this.#held[0].set(y, y);
      }
    } else if (role.kind === "free" && l.isPermuted(n)) this.#emitPermuted(n, role.how);
    else {
      const inputs = n.inputs.map((name) => name === "" ? "" : this.#get(name, 0));
      this.nodes.push({ ...n, inputs });
      for (const o of n.outputs) if (o !== "") this.#held[0].set(o, o);
    }
  }

  #emitPermuted(n: Node, how: Movable): void {
    const { w, p } = this.l;
    const changed = how.constants?.(p);
    const inputs = n.inputs.map((name, i) => {
      if (how.inputs.includes(i)) return this.#get(name, 1);
      return name === "" ? "" : this.#get(name, 0);
    });
    for (const [i, t] of changed ?? []) {
      while (inputs.length <= i) inputs.push("");
      inputs[i] = w.store(`${n.name}_input${i}`, t);
    }
    const outputs = n.outputs.map((o) => {
      if (o === "" || !how.outputs) return o;
      const stored = w.temp(`${o}_permuted`, this.#type(o, 1));
      this.#held[1].set(o, stored);
      return stored;
    });
    if (!how.outputs) { for (const o of n.outputs) if (o !== "") this.#held[0].set(o, o); }
    this.nodes.push({
      ...n,
      inputs,
      outputs,
      attrs: new Map([...n.attrs, ...Object.entries(how.attrs(p))]),
    });
    for (const o of n.outputs) if (how.outputs && o !== "" && w.pinned(o)) this.#get(o, 0);
  }
}

/**
 * Permutations of the graph's Transposes and their inverses: tensors between A -> B and B -> A can be
 * kept in order A, tensors between B -> A and A -> B in order B.
 */
function permutations(g: Graph): number[][] {
  const w = new Rewriter(g);
  const found = new Map<string, number[]>();
  for (const n of g.nodes) {
    if (n.op !== "Transpose" || n.domain !== "") continue;
    const p = permOf(w, n);
    if (p === undefined || p.every((d, i) => d === i)) continue;
    for (const each of [[...p], inverse(p)]) found.set(each.join(), each);
  }
  return [...found.values()];
}

/**
 * Moves Transposes through elementwise operators, Concat, Split, Slice, Pad, reductions and Softmax where
 * that makes pairs cancel. Only done when fewer elements are transposed in the end.
 */
export const transposePairs: Pass = {
  name: "transpose_pairs",
  doc: `Transpose -> Relu -> Transpose(back)                  =>  Relu
{Transpose, Transpose} -> Add -> Transpose(back)      =>  Add`,
  run(graph, { march } = {}) {
    let current = graph;
    let fired = 0;
    for (const p of permutations(graph)) {
      const l = new Layout(new Rewriter(current, march), p);
      const now = l.costNow();
      if (now === 0) continue;
      if (l.net.cut() >= now - 1e-6) continue;
      const e = new Emitter(l);
      e.run();
      l.w.rebuild(e.nodes);
      current = l.w.build();
      fired++;
    }
    return { graph: current, fired, reasons: [] };
  },
};
