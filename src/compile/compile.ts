/**
 * Quantized graph to program.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { Graph } from "../ir/graph.ts";
import { mustType } from "../ir/graph.ts";
import { byteSize, elementCount } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { MarchName } from "../march/march.ts";
import { allocateArena } from "./allocate.ts";
import type { Live } from "./allocate.ts";
import { markNonNegative } from "./non_negative.ts";
import { partition } from "./partition.ts";
import type { Program, Slot } from "./program.ts";

/** Largest activation arena: the address space of the simulator's memory. */
const MAX_ARENA = 3 * 2 ** 30;

/**
 * Compiles a quantized graph.
 *
 * @throws BpuError("limit") when the activations do not fit the simulator's memory.
 */
export function compile(quantized: Graph, march: MarchName): Program {
  const graph = markNonNegative(quantized);
  const segments = partition(graph);
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
  const { offsets, bytes } = allocateArena(lives);
  if (bytes > MAX_ARENA) {
    throw new BpuError("limit", `the activations need ${Math.round(bytes / 2 ** 20)} MB`, {
      hint: "Use a smaller input shape.",
    });
  }
  const slots = new Map(lives.map((l): [string, Slot] => {
    const { dtype, shape } = mustType(graph, l.name);
    return [l.name, { dtype, shape, offset: offsets.get(l.name)!, bytes: l.bytes }];
  }));
  return {
    name: graph.name,
    march,
    inputs: graph.inputs,
    outputs: graph.outputs,
    segments,
    constants,
    slots,
    arenaBytes: bytes,
  };
}
