/**
 * Searches an order of the nodes in which the activations need less memory (then: are alive for less
 * time, which keeps them near), and checks an order that was found before.
 *
 * The search is a fixed number of random topological orders that prefer nodes which free memory, each
 * laid out by {@linkcode allocateArena}; its random numbers have a fixed seed, so the same graph gives
 * the same bytes.
 *
 * @module
 */

import type { Graph, Node } from "../ir/graph.ts";
import { mustType } from "../ir/graph.ts";
import { byteSize, elementCount } from "../ir/tensor.ts";
import { allocateArena } from "./allocate.ts";
import type { Live } from "./allocate.ts";
import { lifetimes } from "./lifetimes.ts";
import { markNonNegative } from "./non_negative.ts";
import { partition } from "./partition.ts";
import type { KernelSegment, Segment } from "./program.ts";

/** `optimize_level`. */
export type Level = "O0" | "O1" | "O2" | "O3";

/** Orders tried per level. */
const TRIALS: Readonly<Record<Level, number>> = { O0: 0, O1: 8, O2: 64, O3: 1024 };

/** Nodes laid out in all trials together: large graphs get fewer trials. */
const WORK = 300_000;

/** Execution order and memory layout of a graph's kernel segments. */
export interface Schedule {
  /** Per kernel segment: the places of its nodes in the natural order. */
  readonly orders: readonly (readonly number[])[];
  /** Offsets of the activations in order of first use. */
  readonly offsets: readonly number[];
  /** Bytes of the arena. */
  readonly bytes: number;
}

/** Segments with their nodes in the order of a schedule. */
export function inOrder(
  segments: readonly Segment[],
  orders: readonly (readonly number[])[],
): Segment[] {
  let k = 0;
  return segments.map((s) => {
    if (s.kind === "cpu") return s;
    const order = orders[k++];
    return order === undefined ? s : { ...s, nodes: order.map((i) => s.nodes[i]!) };
  });
}

/** Links of one segment: which nodes wait for which, and what each tensor (by number) costs. */
interface Links {
  readonly waits: readonly number[];
  readonly next: readonly (readonly number[])[];
  /** Activations that each node reads. */
  readonly reads: readonly (readonly number[])[];
  /** Bytes of the activations that each node makes. */
  readonly made: readonly number[];
  /** Per activation: how often it is read, and its size. */
  readonly uses: Float64Array;
  readonly bytes: Float64Array;
}

function linksOf(graph: Graph, s: KernelSegment): Links {
  const maker = new Map<string, number>();
  s.nodes.forEach((n, i) => n.outputs.forEach((t) => t !== "" && maker.set(t, i)));
  const numbers = new Map<string, number>();
  const sizes: number[] = [];
  const numberOf = (t: string): number => {
    let k = numbers.get(t);
    if (k === undefined) {
      k = sizes.length;
      numbers.set(t, k);
      const type = mustType(graph, t);
      sizes.push(elementCount(type.shape) * byteSize(type.dtype));
    }
    return k;
  };
  const inputs = s.nodes.map((n) => [
    ...new Set(n.inputs.filter((t) => t !== "" && !graph.constants.has(t))),
  ]);
  const next: number[][] = s.nodes.map(() => []);
  const waits = inputs.map((list, i) => {
    const before = new Set(list.map((t) => maker.get(t)).filter((m) => m !== undefined));
    for (const m of before) next[m]!.push(i);
    return before.size;
  });
  const reads = inputs.map((list) => list.map(numberOf));
  const made = s.nodes.map((n) =>
    n.outputs.reduce((sum, t) => t === "" ? sum : sum + sizes[numberOf(t)]!, 0)
  );
  const uses = new Float64Array(sizes.length);
  // What leaves the segment is never freed inside it.
  for (const t of s.outputs) {
    const k = numbers.get(t);
    if (k !== undefined) uses[k] = Infinity;
  }
  for (const list of reads) for (const k of list) uses[k]!++;
  return { waits, next, reads, made, uses, bytes: Float64Array.from(sizes) };
}

/** One order: the ready node that grows the live memory least, blurred by `noise`. */
function draw(l: Links, random: () => number, noise: number): number[] {
  const waits = [...l.waits], uses = l.uses.slice();
  const ready = waits.flatMap((w, i) => w === 0 ? [i] : []);
  const order: number[] = [];
  while (ready.length > 0) {
    let best = 0, bestCost = Infinity;
    for (let k = 0; k < ready.length; k++) {
      const i = ready[k]!;
      let cost = l.made[i]!;
      for (const t of l.reads[i]!) if (uses[t] === 1) cost -= l.bytes[t]!;
      cost *= 1 + noise * (random() - 0.5);
      if (cost < bestCost) {
        best = k;
        bestCost = cost;
      }
    }
    const [i] = ready.splice(best, 1) as [number];
    order.push(i);
    for (const t of l.reads[i]!) uses[t]!--;
    for (const m of l.next[i]!) if (--waits[m]! === 0) ready.push(m);
  }
  return order;
}

interface LaidOut extends Pick<Schedule, "offsets" | "bytes"> {
  /** Bytes times steps that they are alive, over all activations. */
  readonly held: number;
}

function laidOut(graph: Graph, segments: readonly Segment[]): LaidOut {
  const { lives } = lifetimes(graph, segments);
  const { offsets, bytes } = allocateArena(lives);
  const held = lives.reduce((a, l) => a + l.bytes * (l.to - l.from), 0);
  return { offsets: lives.map((l) => offsets.get(l.name)!), bytes, held };
}

/** The best schedule of a quantized graph that a level's trials find; the natural order wins a tie. */
export function searchSchedule(quantized: Graph, level: Level): Schedule {
  const graph = markNonNegative(quantized);
  const segments = partition(graph);
  const kernels = segments.filter((s): s is KernelSegment => s.kind === "bpu");
  let best: Schedule & LaidOut = {
    orders: kernels.map((s) => s.nodes.map((_, i) => i)),
    ...laidOut(graph, segments),
  };
  const links = kernels.map((s) => linksOf(graph, s));
  let state = 1;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const size = kernels.reduce((a, s) => a + s.nodes.length, 0);
  const trials = Math.min(TRIALS[level], Math.ceil(WORK / Math.max(size, 1)));
  for (let trial = 0; trial < trials; trial++) {
    const noise = 2 * trial / trials;
    const orders = links.map((l) => draw(l, random, noise));
    const found = laidOut(graph, inOrder(segments, orders));
    const less = found.bytes < best.bytes ||
      (found.bytes === best.bytes && found.held < best.held);
    if (less) best = { orders, ...found };
  }
  return { orders: best.orders, offsets: best.offsets, bytes: best.bytes };
}

const isOrder = (v: unknown, n: readonly Node[]): v is number[] => {
  if (!Array.isArray(v) || v.length !== n.length) return false;
  const seen = new Set<unknown>(v);
  if (seen.size !== n.length) return false;
  return v.every((i) => Number.isSafeInteger(i) && i >= 0 && i < n.length);
};

/**
 * A schedule that comes from a file, if it is one of this graph: every node once and after what it
 * reads, tensors that live together apart. Undefined when it is not.
 */
export function checkedSchedule(quantized: Graph, value: unknown): Schedule | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const v = value as { orders?: unknown; offsets?: unknown; bytes?: unknown };
  const graph = markNonNegative(quantized);
  const segments = partition(graph);
  const kernels = segments.filter((s): s is KernelSegment => s.kind === "bpu");
  const { orders, offsets, bytes } = v;
  if (!Array.isArray(orders) || !Array.isArray(offsets) || orders.length !== kernels.length) {
    return undefined;
  }
  for (const [k, s] of kernels.entries()) {
    const order: unknown = orders[k];
    if (!isOrder(order, s.nodes)) return undefined;
    const made = new Set(s.nodes.flatMap((n) => n.outputs));
    for (const i of order) {
      if (s.nodes[i]!.inputs.some((t) => made.has(t))) return undefined;
      for (const t of s.nodes[i]!.outputs) made.delete(t);
    }
  }
  const { lives } = lifetimes(graph, inOrder(segments, orders as number[][]));
  const at = offsets as unknown[];
  if (at.length !== lives.length || !Number.isSafeInteger(bytes)) return undefined;
  const fits = at.every((o, i) =>
    Number.isSafeInteger(o) && (o as number) >= 0 && (o as number) % 64 === 0 &&
    (o as number) + lives[i]!.bytes <= (bytes as number)
  );
  if (!fits || overlap(lives, at as number[])) return undefined;
  return { orders: orders as number[][], offsets: at as number[], bytes: bytes as number };
}

function overlap(lives: readonly Live[], offsets: readonly number[]): boolean {
  const order = lives.map((_, i) => i).sort((a, b) => offsets[a]! - offsets[b]!);
  return order.some((i, k) => {
    const a = lives[i]!, end = offsets[i]! + a.bytes;
    for (let m = k + 1; m < order.length && offsets[order[m]!]! < end; m++) {
      const b = lives[order[m]!]!;
      if (b.bytes > 0 && a.to >= b.from && b.to >= a.from) return true;
    }
    return false;
  });
}
