/**
 * What a pass is, and the frame that most of them use: a `check` that looks at one node and either
 * matches, says why it does not, or is not interested; and a `rewrite` that acts on the match.
 *
 * @module
 */

import type { Engine } from "../ir/engine.ts";
import { type Graph, HORIZON, type Node } from "../ir/graph.ts";
import type { March } from "../march/march.ts";
import { Rewriter } from "./rewriter.ts";

/** Why a pass left a candidate as it was. */
export interface Reason {
  readonly node: string;
  readonly why: string;
}

/** What a pass did. */
export interface PassResult {
  readonly graph: Graph;
  /** Number of rewrites. */
  readonly fired: number;
  readonly reasons: readonly Reason[];
}

/** What a pass may use besides the graph. */
export interface PassContext {
  /** Evaluates constant nodes that the operator's own `fold` does not. */
  readonly engine?: Engine;
  /**
   * The march that the graph is for: no node that its BPU runs becomes one that it does not. Without it the
   * passes write the form that most operator tables take.
   */
  readonly march?: March;
}

/** A graph rewrite that keeps the float outputs. */
export interface Pass {
  readonly name: string;
  /** Before and after, for people. */
  readonly doc: string;
  run(graph: Graph, context?: PassContext): PassResult | Promise<PassResult>;
}

/** A pass that looks at one node at a time. */
export interface NodePass<M extends object> extends Pass {
  /** The match at node `n`; a sentence that says why it stays; undefined when it is no candidate. */
  check(w: Rewriter, n: Node): M | string | undefined;
  run(graph: Graph, context?: PassContext): PassResult;
}

/** Builds a {@linkcode NodePass} from its operators, its check and its rewrite. */
export function nodePass<M extends object>(spec: {
  readonly name: string;
  readonly doc: string;
  /** Operator types (ONNX's and ours) that `check` is asked about; all when absent. */
  readonly ops?: readonly string[];
  check(w: Rewriter, n: Node): M | string | undefined;
  /** Returns a sentence when, against what `check` saw, nothing was changed. */
  rewrite(w: Rewriter, n: Node, match: M): string | void;
}): NodePass<M> {
  const ops = spec.ops === undefined ? undefined : new Set(spec.ops);
  return {
    name: spec.name,
    doc: spec.doc,
    check: spec.check,
    run(graph, context = {}) {
      const w = new Rewriter(graph, context.march);
      const reasons: Reason[] = [];
      let fired = 0;
      for (const seen of graph.nodes) {
        const n = w.current(seen);
        if (n === undefined || ops !== undefined && !ops.has(n.op)) continue;
        if (n.domain !== "" && n.domain !== HORIZON) continue;
        const m = spec.check(w, n);
        if (m === undefined) continue;
        const why = typeof m === "string" ? m : spec.rewrite(w, n, m);
        if (typeof why === "string") reasons.push({ node: n.name, why });
        else fired++;
      }
      return { graph: fired === 0 ? graph : w.build(), fired, reasons };
    },
  };
}
