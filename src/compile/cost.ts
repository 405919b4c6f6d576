/**
 * Time of nodes on a march, from a roofline: the larger of arithmetic and memory traffic. One function
 * that a real schedule can replace.
 *
 * @module
 */

import type { Graph, Node } from "../ir/graph.ts";
import { byteSize, elementCount } from "../ir/tensor.ts";
import type { TensorType } from "../ir/tensor.ts";
import type { March } from "../march/march.ts";
import { graphLookup, inferContext } from "../ops/context.ts";
import { opOf } from "../ops/registry.ts";

/** How a node's tensors are stored, for a cost. */
export interface CostOptions {
  /** Bytes of one element of an activation; default 1 (int8). */
  bytes?(tensor: string): number;
  /** Whether the arithmetic is 16 bits wide: half the rate. */
  readonly wide?: boolean;
}

/**
 * Microseconds of one node on one core.
 *
 * @param graph a float graph (activations count as `bytes`) or a quantized one
 */
export function nodeMicroseconds(
  graph: Graph,
  n: Node,
  march: March,
  options: CostOptions = {},
): number {
  const def = opOf(n);
  const type = (t: string): TensorType | undefined =>
    graph.constants.get(t) ?? graph.types.get(t) ?? graph.inputs.find((p) => p.name === t);
  const size = (t: string): number => {
    const x = type(t);
    if (x === undefined || x.shape.some((d) => d < 0)) return 0;
    const count = elementCount(x.shape);
    if (graph.constants.has(t)) return x.dtype === "float32" ? count : count * byteSize(x.dtype);
    return count * (options.bytes?.(t) ?? (x.dtype === "float32" ? 1 : byteSize(x.dtype)));
  };
  let macs = 0;
  try {
    const c = inferContext(n, graphLookup(graph));
    macs = def?.macs?.({ ...c, output: (i) => type(n.outputs[i]!)! }) ?? 0;
  } catch {
    macs = 0; // an operator of unknown shape costs its traffic only
  }
  const traffic = [...n.inputs, ...n.outputs].reduce((s, t) => s + (t === "" ? 0 : size(t)), 0);
  const rate = march.macsPerSecond / (options.wide ? 2 : 1);
  return 1e6 * Math.max(macs / rate, traffic / march.bytesPerSecond);
}
