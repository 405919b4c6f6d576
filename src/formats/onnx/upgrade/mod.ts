/**
 * Brings a graph to opset 17, node by node.
 *
 * @module
 */

import { collectNames } from "../../../ir/edit.ts";
import { type Attr, type Graph, type Node, OPSET } from "../../../ir/graph.ts";
import { liveNodes, subgraphsOf, usesOf } from "../../../ir/order.ts";
import type { Tensor } from "../../../ir/tensor.ts";
import type { Context, Fact } from "./context.ts";
import { factOf } from "./facts.ts";
import { legacy } from "./legacy.ts";
import { expansionOf, hasExpansions } from "./microsoft.ts";
import { narrowResult } from "./narrow.ts";
import { upgrades } from "./table.ts";

/** The names of a whole model. */
class Names {
  private readonly taken = new Set<string>();
  private readonly counters = new Map<string, number>();

  constructor(g: Graph) {
    collectNames(g, this.taken);
  }

  unique(hint: string): string {
    let name = hint;
    for (let i = this.counters.get(hint) ?? 1; this.taken.has(name); i++) {
      name = `${hint}_${i}`;
      this.counters.set(hint, i + 1);
    }
    this.taken.add(name);
    return name;
  }
}

/** One graph being upgraded, and those around it. */
class Scope implements Context {
  readonly constants: Map<string, Tensor>;
  private readonly facts = new Map<string, Fact>();
  private readonly used: Set<string>;

  constructor(
    g: Graph,
    readonly opset: number,
    private readonly names: Names,
    private readonly outer: Scope | undefined,
    private readonly narrowTypes: Map<string, number>,
  ) {
    this.constants = new Map(g.constants);
    this.used = new Set(g.outputs.map((p) => p.name));
    for (const n of g.nodes) for (const u of usesOf(n)) this.used.add(u);
    for (const [name, t] of g.types) {
      this.facts.set(name, { dtype: t.dtype, shape: t.shape, rank: t.shape.length });
    }
  }

  constant(name: string): Tensor | undefined {
    return this.constants.get(name) ?? this.outer?.constant(name);
  }

  fact(name: string): Fact {
    const t = this.constants.get(name);
    if (t !== undefined) return { dtype: t.dtype, shape: t.shape, rank: t.shape.length };
    return this.facts.get(name) ?? this.outer?.fact(name) ?? {};
  }

  /** Records what follows for the first output of a node whose type the file does not state. */
  learn(n: Node): void {
    const y = n.outputs[0] ?? "";
    if (y !== "" && !this.facts.has(y)) this.facts.set(y, factOf(n, this));
    const code = narrowResult(n, this);
    if (code !== undefined) { for (const o of n.outputs) this.narrowTypes.set(o, code); }
  }

  narrow(name: string): number | undefined {
    return this.narrowTypes.get(name);
  }

  isUsed(name: string): boolean {
    return this.used.has(name);
  }

  addConstant(hint: string, value: Tensor): string {
    const name = this.unique(hint);
    this.constants.set(name, value);
    return name;
  }

  unique(hint: string): string {
    return this.names.unique(hint);
  }
}

/**
 * The same computation in opset 17. `narrow` holds the ONNX element type of tensors that are held in a
 * wider one. Throws `unsupported` for what has no form there.
 */
export function upgradeGraph(g: Graph, narrow: Map<string, number> = new Map()): Graph {
  const same = g.opset === OPSET && narrow.size === 0 && !castsToNarrow(g);
  if (same && !hasExpansions(g)) return g;
  return upgradeIn(g, new Names(g), undefined, narrow);
}

/** Whether a Cast of the graph or of its subgraphs rounds to a narrow type. */
function castsToNarrow(g: Graph): boolean {
  return g.nodes.some((n) =>
    n.op === "Cast" && narrowResult(n, undefined) !== undefined ||
    [...n.attrs.values()].some((a) => subgraphsOf(a).some(castsToNarrow))
  );
}

function upgradeIn(
  g: Graph,
  names: Names,
  outer: Scope | undefined,
  narrow: Map<string, number>,
): Graph {
  const scope = new Scope(g, g.opset, names, outer, narrow);
  const upgraded: Node[] = [];
  for (const original of g.nodes) {
    let n = withSubgraphs(original, names, scope, narrow);
    if (g.opset < 7 && n.domain === "") {
      const older = legacy(n, scope);
      upgraded.push(...older.slice(0, -1));
      n = older.at(-1)!;
    }
    const expanded = expansionOf(n)?.(n, scope);
    if (expanded !== undefined) {
      upgraded.push(...expanded);
      // The facts follow from the standard operators: nothing is known of the fused one.
      for (const m of expanded) scope.learn(m);
      continue;
    }
    const upgrade = n.domain === "" ? upgrades.get(n.op) : undefined;
    upgraded.push(...upgrade?.(n, scope) ?? [n]);
    scope.learn(original);
  }
  const nodes = liveNodes(upgraded, g.outputs.map((p) => p.name));
  const used = new Set(g.outputs.map((p) => p.name));
  for (const n of nodes) for (const u of usesOf(n)) used.add(u);
  const made = new Set(nodes.flatMap((n) => n.outputs));
  for (const p of g.inputs) made.add(p.name);
  return {
    ...g,
    opset: OPSET,
    nodes,
    constants: new Map([...scope.constants].filter(([name]) => used.has(name))),
    types: new Map([...g.types].filter(([name]) => made.has(name))),
  };
}

/** The node with upgraded subgraphs. */
function withSubgraphs(
  n: Node,
  names: Names,
  scope: Scope,
  narrow: Map<string, number>,
): Node {
  if (![...n.attrs.values()].some((a) => subgraphsOf(a).length > 0)) return n;
  const attrs = new Map<string, Attr>();
  for (const [key, a] of n.attrs) {
    attrs.set(
      key,
      a.type === "graph"
        ? { type: "graph", value: upgradeIn(a.value, names, scope, narrow) }
        : a.type === "graphs"
        ? { type: "graphs", value: a.value.map((g) => upgradeIn(g, names, scope, narrow)) }
        : a,
    );
  }
  return { ...n, attrs };
}
