/**
 * Output shapes of custom operators, noted at their nodes so that every later stage can read them.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { dtypeToOnnx } from "../../formats/onnx/dtypes.ts";
import type { Attr, Graph, Node } from "../../ir/graph.ts";
import { attr, typeOf } from "../../ir/graph.ts";
import { subgraphsOf } from "../../ir/order.ts";
import { isStatic, shapeText } from "../../ir/tensor.ts";
import type { TensorType } from "../../ir/tensor.ts";
import { inferTypes } from "../../ops/infer.ts";
import { OUTPUT_SHAPES } from "../../ops/py_op.ts";
import { type CustomOperators, isCustom } from "./operators.ts";

/** The first custom node inside of a subgraph. */
function hidden(graph: Graph): Node | undefined {
  for (const n of graph.nodes) {
    for (const a of n.attrs.values()) {
      for (const g of subgraphsOf(a)) {
        const found = g.nodes.find(isCustom) ?? hidden(g);
        if (found !== undefined) return found;
      }
    }
  }
  return undefined;
}

/** Whether a graph has custom operators, subgraphs included. */
export function hasCustom(graph: Graph): boolean {
  return graph.nodes.some(isCustom) || hidden(graph) !== undefined;
}

function withTypes(n: Node, types: readonly TensorType[]): Node {
  const attrs = new Map<string, Attr>(n.attrs);
  attrs.set(OUTPUT_SHAPES, attr.strings(types.map((t) => shapeText(t.shape))));
  attrs.set("output_types", attr.ints(types.map((t) => dtypeToOnnx(t.dtype))));
  return { ...n, attrs };
}

/**
 * The graph with the output types of its custom nodes, by the users' `infer_shape`, and of everything
 * behind them. A graph without custom nodes is returned as it is.
 *
 * @throws BpuError `unsupported` for operators that are not registered, `shape` for inputs whose shape
 * cannot be told, and what the user's code throws
 */
export async function resolveCustom(graph: Graph, operators: CustomOperators): Promise<Graph> {
  const inside = hidden(graph);
  if (inside !== undefined) {
    throw new BpuError("unsupported", "custom operators inside of If, Loop or Scan cannot be run", {
      node: inside.name,
      op: inside.op,
      hint: "Move it out of the subgraph.",
    });
  }
  let open = new Set(graph.nodes.filter(isCustom).map((n) => n.name));
  if (open.size === 0) return graph;
  // What the file says about their outputs was true for the shapes that it was exported with.
  const bare = (n: Node): Node => {
    if (!isCustom(n)) return n;
    const attrs = new Map(n.attrs);
    attrs.delete(OUTPUT_SHAPES);
    return { ...n, attrs };
  };
  const stated = new Set(graph.nodes.filter(isCustom).flatMap((n) => n.outputs));
  let current: Graph = {
    ...graph,
    nodes: graph.nodes.map(bare),
    types: new Map([...graph.types].filter(([t]) => !stated.has(t))),
  };
  while (open.size > 0) {
    const typed = inferTypes(current, { declared: "fallback" });
    const ready = new Map<string, Node>();
    for (const n of current.nodes) {
      if (!open.has(n.name)) continue;
      const types = n.inputs.filter((t) => t !== "").map((t) => typeOf(typed, t));
      if (!types.every((t): t is TensorType => t !== undefined && isStatic(t.shape))) continue;
      ready.set(n.name, withTypes(n, await operators.infer(n, types)));
    }
    if (ready.size === 0) {
      const n = current.nodes.find((m) => open.has(m.name))!;
      throw new BpuError("shape", "the shape of an input is not known", {
        node: n.name,
        op: n.op,
        hint: "Give input_shape, or export the model with static shapes.",
      });
    }
    current = { ...current, nodes: current.nodes.map((n) => ready.get(n.name) ?? n) };
    open = new Set([...open].filter((name) => !ready.has(name)));
  }
  return inferTypes(current, { declared: "fallback" });
}
