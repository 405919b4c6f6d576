/**
 * Tensors that can be int16 and what that costs.
 *
 * @module
 */

import { nodeMicroseconds } from "../../compile/cost.ts";
import { opOf } from "../../ops/registry.ts";
import type { Group, QuantLayout } from "../../quantize/layout.ts";
import { Refusal } from "../../quantize/lower.ts";
import type { Built, Recipe, Workshop } from "./recipe.ts";

/** Tensors (roots) that every operator around them can handle at int16. */
export function wideable(w: Workshop): Set<string> {
  const { layout, march } = w;
  const out = new Set([...layout.needed].filter((t) => w.fixed?.has(t) !== true));
  const can = (g: Group, side: "in" | "out") => {
    const row = opOf(g.node)?.place?.[march.name].int16 ?? "no";
    return row === "in+out" || row === side || row === "unstated";
  };
  for (const g of layout.groups.values()) {
    const inside = g.node.domain === "horizon";
    for (const t of g.inputs) if (!inside && !can(g, "in")) out.delete(layout.root(t));
    for (const t of g.outputs) if (!inside && !can(g, "out")) out.delete(layout.root(t));
  }
  return march.int16 ? out : new Set();
}

/**
 * The set with what must go with it: a convolution of int16 cannot hand out int32 accumulators, so that
 * its result becomes int16 too.
 */
export function closed(w: Workshop, int16: ReadonlySet<string>): Set<string> {
  const out = new Set(int16);
  const layout = w.layoutFor(out);
  for (const t of w.layout.accumulators) {
    if (!layout.accumulators.has(t)) out.add(w.layout.root(t));
  }
  return out;
}

/** Builds a recipe; int16 tensors around nodes that refuse them are dropped and reported. */
export function buildWide(
  w: Workshop,
  recipe: Recipe,
  log: (line: string) => void,
): { recipe: Recipe; built: Built } {
  let int16 = recipe.int16 ?? new Set<string>();
  for (;;) {
    const all = closed(w, int16);
    try {
      const used = { ...recipe, int16: all };
      return { recipe: used, built: w.build(used) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const around = touching(w.layout, error.nodeName);
      const fewer = new Set([...int16].filter((t) => !around.has(t)));
      if (fewer.size === int16.size) throw error;
      log(`${error.nodeName} cannot use int16 and runs in int8: ${error.why}`);
      int16 = fewer;
    }
  }
}

function touching(layout: QuantLayout, node: string): Set<string> {
  const g = layout.groups.get(layout.absorbed.get(node) ?? node);
  return new Set(g === undefined ? [] : [...g.inputs, ...g.outputs].map((t) => layout.root(t)));
}

/** Microseconds of the BPU part with some tensors at int16. */
export function latency(w: Workshop, int16: ReadonlySet<string>): number {
  let sum = 0;
  for (const g of w.layout.groups.values()) sum += groupTime(w, g, int16);
  return sum;
}

/** Microseconds that int16 adds, by tensor (root). */
export function addedTime(w: Workshop, tensors: Iterable<string>): Map<string, number> {
  const around = new Map<string, Set<Group>>();
  for (const g of w.layout.groups.values()) {
    for (const t of [...g.inputs, ...g.outputs]) {
      const root = w.layout.root(t);
      around.set(root, (around.get(root) ?? new Set()).add(g));
    }
  }
  const none = new Set<string>();
  return new Map([...tensors].map((t): [string, number] => {
    let sum = 0;
    const one = new Set([t]);
    for (const g of around.get(t) ?? []) sum += groupTime(w, g, one) - groupTime(w, g, none);
    return [t, sum];
  }));
}

function groupTime(w: Workshop, g: Group, int16: ReadonlySet<string>): number {
  const at16 = (t: string) => int16.has(w.layout.root(t));
  return nodeMicroseconds(w.graph, g.node, w.march, { bytes: (t) => at16(t) ? 2 : 1 });
}
