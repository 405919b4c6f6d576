/**
 * Forms of a float graph: the same function with other constants, which quantizes differently. Factors
 * of channels are moved from weights into activations (`per_channel`, `smooth`) or between weights
 * (`equalized`); all use the same freedom, so that a recipe has one of them.
 *
 * @module
 */

import { equalize } from "../../calibrate/equalize.ts";
import { smooth } from "../../calibrate/smooth.ts";
import { consumers } from "../../ir/graph.ts";
import type { Graph } from "../../ir/graph.ts";
import type { Calibrator } from "../calibrator.ts";
import { perChannel } from "./per_channel.ts";
import type { FormName, Workshop } from "./recipe.ts";

/** Observes tensors of a changed graph; gives thresholds for them. */
export type Fork = (graph: Graph, tensors: readonly string[]) => Promise<Calibrator>;

/** What {@linkcode addForm} found. */
export interface FormReport {
  /** Tensors or pairs that were changed; 0: there is nothing to change and no form was added. */
  readonly changed: number;
  /** Why others were not: one sentence each. */
  readonly notes: readonly string[];
}

/** A graph with other constants, and the results of nodes whose values are different now. */
interface Made {
  readonly graph: Graph;
  readonly tensors: readonly string[];
  readonly changed: number;
  readonly notes: readonly string[];
}

/** Factors that are all this close to 1 change nothing. */
const NEAR = 0.02;

function make(w: Workshop, form: Exclude<FormName, "plain">): Made {
  switch (form) {
    case "per_channel": {
      const { graph, scaled, notes } = perChannel(w.graph, w.layout, (t) => w.stats(t));
      return { graph, tensors: scaled, changed: scaled.length, notes };
    }
    case "smooth": {
      const { graph, tensors } = smooth(w.graph);
      return { graph, tensors, changed: tensors.length, notes: [] };
    }
    case "equalized": {
      const onBpu = (node: string) => w.layout.groups.has(node);
      const { graph, pairs } = equalize(w.graph, { pair: (a, b) => onBpu(a) && onBpu(b) });
      const moved = pairs.filter((p) => p.factors.some((f) => Math.abs(f - 1) > NEAR));
      const made = new Map(graph.nodes.map((n) => [n.name, n.outputs[0]!]));
      const tensors = moved.map((p) => made.get(p.first)!);
      return { graph, tensors, changed: moved.length, notes: [] };
    }
  }
}

/** Tensors behind some whose values change with them, up to where a convolution takes factors out. */
function touched(graph: Graph, tensors: readonly string[]): Set<string> {
  const readers = consumers(graph);
  const out = new Set<string>();
  const queue = [...tensors];
  for (let t = queue.pop(); t !== undefined; t = queue.pop()) {
    if (out.has(t)) continue;
    out.add(t);
    for (const n of readers.get(t) ?? []) {
      const absorbs = n.inputs[1] !== undefined && graph.constants.has(n.inputs[1]) &&
        (graph.constants.get(n.inputs[1])!.shape.length ?? 0) >= 2;
      if (!absorbs) queue.push(...n.outputs.filter((o) => o !== ""));
    }
  }
  return out;
}

/** Adds a form to a workshop, with thresholds of the tensors that it changes. */
export async function addForm(
  w: Workshop,
  form: Exclude<FormName, "plain">,
  fork: Fork,
): Promise<FormReport> {
  const made = make(w, form);
  if (made.changed === 0) return { changed: 0, notes: made.notes };
  // A tensor before a fused activation has no threshold of its own; one that shares another's has not
  // either, but its values may widen the sharer's.
  const changed = touched(made.graph, made.tensors);
  const roots = [...w.layout.needed, ...w.layout.accumulators].filter((t) => changed.has(t));
  const observed = [...new Set(roots.map((t) => w.layout.root(t)))];
  const own = await fork(made.graph, observed);
  w.forms.set(form, {
    graph: made.graph,
    calibrator: merged(w.calibrator, own, new Set(observed)),
  });
  return { changed: made.changed, notes: made.notes };
}

/** Thresholds of some tensors by one calibrator, of all others by another. */
function merged(base: Calibrator, own: Calibrator, tensors: ReadonlySet<string>): Calibrator {
  const of = (t: string) => tensors.has(t) ? own : base;
  return {
    candidates: base.candidates,
    observe: (graph, names) => own.observe(graph, names),
    threshold: (candidate, tensor, dtype, zeros) =>
      of(tensor).threshold(candidate, tensor, dtype, zeros),
    stats: (t) => of(t).stats?.(t),
    functionInputs: () => base.functionInputs?.() ?? new Set(),
  };
}
