/**
 * What leads to no output of the model disappears.
 *
 * @module
 */

import { liveNodes } from "../ir/order.ts";
import type { Node } from "../ir/graph.ts";
import type { Pass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";

/** Operators whose outputs after the first may be left out. */
const OPTIONAL_OUTPUTS: ReadonlySet<string> = new Set([
  "BatchNormalization",
  "Dropout",
  "LayerNormalization",
  "MaxPool",
]);

/** Removes nodes, optional outputs and constants that nothing reads. */
export const deadCode: Pass = {
  name: "dead_code",
  doc: `x -> Op -> (nobody)   =>   (nothing)`,
  run(graph) {
    const w = new Rewriter(graph);
    const live = new Set<Node>(liveNodes(graph.nodes, graph.outputs.map((o) => o.name)));
    let fired = 0;
    for (const n of graph.nodes) {
      if (live.has(n)) continue;
      w.remove(n);
      fired++;
    }
    for (const n of w.nodes()) {
      if (n.domain !== "" || !OPTIONAL_OUTPUTS.has(n.op) || n.outputs.length < 2) continue;
      const read = (o: string) => o !== "" && (w.pinned(o) || w.users(o).length > 0);
      if (n.outputs.slice(1).some(read)) continue;
      w.alter(n, { outputs: n.outputs.slice(0, 1) });
      fired++;
    }
    const built = w.build();
    const shrunk = built.constants.size < graph.constants.size;
    return { graph: fired > 0 || shrunk ? built : graph, fired, reasons: [] };
  },
};
