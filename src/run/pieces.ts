/**
 * Large graphs in an engine, piece by piece: onnxruntime takes up to four times as long to open a graph
 * of function calls of twice the size.
 *
 * @module
 */

import type { Engine, Feeds, Session } from "../ir/engine.ts";
import type { Graph, Node } from "../ir/graph.ts";
import { typeOf } from "../ir/graph.ts";
import { usesOf } from "../ir/order.ts";
import type { Tensor } from "../ir/tensor.ts";
import { floatPart } from "./custom/cut.ts";

/** Nodes of a piece: measured, half as many are not opened faster any more, and their sessions add up. */
const PIECE = 150;

/** Whether the type of every tensor that a node reads is known, so that a graph can be cut anywhere. */
function typed(graph: Graph): boolean {
  const known = (t: string) => graph.constants.has(t) || typeOf(graph, t) !== undefined;
  return graph.nodes.every((n) => usesOf(n).every(known));
}

/** Runs of nodes in their order, at most `most` in each. */
function runsOf(nodes: readonly Node[], most: number): Node[][] {
  const count = Math.ceil(nodes.length / most);
  const size = Math.ceil(nodes.length / count);
  return Array.from({ length: count }, (_, i) => nodes.slice(i * size, (i + 1) * size));
}

/**
 * An engine for graphs that run once: a graph of more than `most` nodes is opened, run and closed piece
 * by piece, with the same values. Smaller ones, and those with tensors of unknown type, go to `engine`
 * as they are.
 */
export function inPieces(engine: Engine, most: number = PIECE): Engine {
  return {
    name: engine.name,
    async open(graph, fetch): Promise<Session> {
      if (graph.nodes.length <= most || !typed(graph)) return await engine.open(graph, fetch);
      const wanted = fetch ?? graph.outputs.map((p) => p.name);
      const keep = new Set(wanted);
      const pieces = runsOf(graph.nodes, most)
        .map((nodes, i) => floatPart(graph, nodes, keep, i))
        .filter((p) => p !== undefined);
      return {
        async run(feeds: Feeds) {
          const values = new Map<string, Tensor>([...graph.constants, ...feeds]);
          for (const piece of pieces) {
            const session = await engine.open(piece);
            try {
              const own = new Map(piece.inputs.map((p) => [p.name, values.get(p.name)!]));
              for (const [name, t] of await session.run(own)) values.set(name, t);
            } finally {
              await session.close();
            }
          }
          return new Map(wanted.map((name): [string, Tensor] => [name, values.get(name)!]));
        },
        close: () => Promise.resolve(),
      };
    },
  };
}
