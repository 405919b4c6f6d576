/**
 * Quantized graph to program.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { Graph } from "../ir/graph.ts";
import { mustType } from "../ir/graph.ts";
import type { MarchName } from "../march/march.ts";
import { allocateArena } from "./allocate.ts";
import { lifetimes } from "./lifetimes.ts";
import { markNonNegative } from "./non_negative.ts";
import { partition } from "./partition.ts";
import type { Program, Slot } from "./program.ts";
import { inOrder } from "./schedule.ts";
import type { Schedule } from "./schedule.ts";

/** Largest activation arena: the address space of the simulator's memory. */
const MAX_ARENA = 3 * 2 ** 30;

/**
 * Compiles a quantized graph.
 *
 * @param schedule order and memory of this very graph (see `schedule.ts`); else the graph's own order
 * @throws BpuError("limit") when the activations do not fit the simulator's memory.
 */
export function compile(quantized: Graph, march: MarchName, schedule?: Schedule): Program {
  const graph = markNonNegative(quantized);
  const natural = partition(graph);
  const segments = schedule === undefined ? natural : inOrder(natural, schedule.orders);
  const { lives, constants } = lifetimes(graph, segments);
  const { offsets, bytes } = schedule === undefined ? allocateArena(lives) : {
    offsets: new Map(lives.map((l, i): [string, number] => [l.name, schedule.offsets[i]!])),
    bytes: schedule.bytes,
  };
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
