/**
 * Operators that onnxruntime's optimiser writes into the models it saves (domain `com.microsoft`, and
 * SimplifiedLayerNormalization, which it puts into the default domain), as standard operators. An
 * operator that is not listed stays and is reported as unsupported where operators are placed.
 *
 * The formulas are those of onnxruntime's ContribOperators.md.
 *
 * @module
 */

import type { Graph, Node } from "../../../ir/graph.ts";
import { subgraphsOf } from "../../../ir/order.ts";
import type { Upgrade } from "./context.ts";
import { biasGelu, biasSoftmax, fastGelu, quickGelu } from "./microsoft_activations.ts";
import { fusedConv, fusedGemm, fusedMatMul, nhwcMaxPool } from "./microsoft_linear.ts";
import {
  embedLayerNormalization,
  simplifiedLayerNormalization,
  skipLayerNormalization,
} from "./microsoft_normalization.ts";
import { gelu } from "./activations.ts";

const DOMAIN = "com.microsoft";

const expansions: ReadonlyMap<string, Upgrade> = new Map<string, Upgrade>([
  ["BiasGelu", biasGelu],
  ["BiasSoftmax", biasSoftmax],
  ["EmbedLayerNormalization", embedLayerNormalization],
  ["FastGelu", fastGelu],
  ["FusedConv", fusedConv],
  ["FusedGemm", fusedGemm],
  ["FusedMatMul", fusedMatMul],
  ["Gelu", gelu],
  ["NhwcMaxPool", nhwcMaxPool],
  ["QuickGelu", quickGelu],
  ["SkipLayerNormalization", skipLayerNormalization],
  ["SkipSimplifiedLayerNormalization", skipLayerNormalization],
]);

/** How a node that onnxruntime wrote is expanded; undefined for any other node. */
export function expansionOf(n: Node): Upgrade | undefined {
  if (n.domain === DOMAIN) return expansions.get(n.op);
  return n.domain === "" && n.op === "SimplifiedLayerNormalization"
    ? simplifiedLayerNormalization
    : undefined;
}

/** Whether a graph or a subgraph of it has a node to expand. */
export function hasExpansions(g: Graph): boolean {
  return g.nodes.some((n) =>
    expansionOf(n) !== undefined ||
    [...n.attrs.values()].some((a) => subgraphsOf(a).some(hasExpansions))
  );
}
