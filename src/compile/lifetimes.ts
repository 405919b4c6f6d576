/**
 * When each activation of the kernel segments is alive.
 *
 * @module
 */

import type { Graph } from "../ir/graph.ts";
import { mustType } from "../ir/graph.ts";
import { byteSize, elementCount } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { Live } from "./allocate.ts";
import type { Segment } from "./program.ts";

/** Activations in order of first use, and the constants that kernels read. */
export interface Lifetimes {
  readonly lives: readonly Live[];
  readonly constants: ReadonlyMap<string, Tensor>;
}

/** Lifetimes when the segments run one after another, their nodes in the order given. */
export function lifetimes(graph: Graph, segments: readonly Segment[]): Lifetimes {
  const constants = new Map<string, Tensor>();
  const spans = new Map<string, { from: number; to: number }>();
  const touch = (t: string, step: number) => {
    if (t === "") return;
    const k = graph.constants.get(t);
    if (k !== undefined) {
      constants.set(t, k);
      return;
    }
    const s = spans.get(t);
    if (s === undefined) spans.set(t, { from: step, to: step });
    else s.to = step;
  };
  let step = 0;
  for (const s of segments) {
    if (s.kind === "cpu") continue;
    for (const t of s.inputs) touch(t, step);
    for (const n of s.nodes) {
      for (const t of [...n.inputs, ...n.outputs]) touch(t, step);
      step++;
    }
    for (const t of s.outputs) touch(t, step);
    step++;
  }
  const lives = [...spans].map(([name, span]): Live => {
    const t = mustType(graph, name);
    return { name, bytes: elementCount(t.shape) * byteSize(t.dtype), ...span };
  });
  return { lives, constants };
}
