/**
 * The Focus layer (strided slices joined along channels) is a SpaceToDepth.
 *
 * @module
 */

import { attr, intAttr, type Node, node } from "../ir/graph.ts";
import { sameShape } from "../ir/tensor.ts";
import { lossOf } from "./bpu.ts";
import { reorderableReaders, reorderInputs } from "./channel_order.ts";
import { intsOf } from "./match.ts";
import { nodePass } from "./pass.ts";
import { ownNodes } from "./product.ts";
import type { Rewriter } from "./rewriter.ts";

interface Match {
  readonly x: string;
  readonly block: number;
  /** (row, column) in the block of each joined slice. */
  readonly offsets: readonly (readonly [number, number])[];
  readonly slices: readonly Node[];
  /** Convolutions whose weights follow the order of channels. */
  readonly convs: readonly Node[];
}

interface Strided {
  readonly x: string;
  readonly start: [number, number];
  readonly step: [number, number];
  readonly nodes: Node[];
}

/** A chain of Slices on H and W of a rank-4 tensor as start and step per axis. */
function strided(w: Rewriter, name: string): Strided | undefined {
  const start: [number, number] = [0, 0];
  const step: [number, number] = [1, 1];
  const nodes: Node[] = [];
  let x = name;
  for (let n = w.producerOf(x, "Slice"); n !== undefined; n = w.producerOf(x, "Slice")) {
    const shape = w.shape(n.inputs[0]!);
    const [starts, ends] = [intsOf(w, n.inputs[1]), intsOf(w, n.inputs[2])];
    if (shape?.length !== 4 || starts === undefined || ends === undefined) return undefined;
    const axes = intsOf(w, n.inputs[3]) ?? starts.map((_, i) => i);
    const steps = intsOf(w, n.inputs[4]) ?? starts.map(() => 1);
    for (const [i, a] of axes.entries()) {
      const axis = a < 0 ? a + 4 : a;
      const d = shape[axis]!;
      const from = Math.min(d, starts[i]! < 0 ? Math.max(0, starts[i]! + d) : starts[i]!);
      const to = Math.min(d, ends[i]! < 0 ? ends[i]! + d : ends[i]!);
      if (axis < 2) {
        if (from !== 0 || to !== d || steps[i] !== 1) return undefined;
        continue;
      }
      const k = axis - 2;
      if (steps[i]! < 1 || Math.ceil((to - from) / steps[i]!) !== w.shape(n.outputs[0]!)?.[axis]) {
        return undefined;
      }
      // Outermost first: the steps inside multiply, the start here counts in inner steps.
      start[k] = from + steps[i]! * start[k]!;
      step[k] = steps[i]! * step[k]!;
    }
    nodes.push(n);
    x = n.inputs[0]!;
  }
  return nodes.length === 0 ? undefined : { x, start, step, nodes };
}

/** Reads a Concat as Focus. */
function focusOf(w: Rewriter, n: Node): Omit<Match, "convs"> | undefined {
  if (intAttr(n, "axis") !== 1 && intAttr(n, "axis") !== -3) return undefined;
  const parts = n.inputs.map((i) => strided(w, i));
  const first = parts[0];
  if (first === undefined) return undefined;
  const block = first.step[0];
  const shape = w.shape(first.x);
  // The BPU's SpaceToDepth has blocks of 2x2 only.
  if (block !== 2 || shape?.length !== 4 || n.inputs.length !== block * block) return undefined;
  if (shape[2]! % block !== 0 || shape[3]! % block !== 0) return undefined;
  const seen = new Set<string>();
  const want = [shape[0]!, shape[1]!, shape[2]! / block, shape[3]! / block];
  for (const [i, p] of parts.entries()) {
    if (p === undefined || p.x !== first.x || p.step[0] !== block || p.step[1] !== block) {
      return undefined;
    }
    if (p.start[0] >= block || p.start[1] >= block) return undefined;
    if (!sameShape(w.shape(n.inputs[i]!) ?? [], want)) return undefined;
    seen.add(p.start.join());
  }
  if (seen.size !== parts.length) return undefined;
  return {
    x: first.x,
    block,
    offsets: parts.map((p) => p!.start),
    slices: [...new Set(parts.flatMap((p) => p!.nodes))],
  };
}

/** Whether the slices are joined in the order of SpaceToDepth. */
function inOrder(m: Pick<Match, "offsets" | "block">): boolean {
  return m.offsets.every(([r, c], i) => r * m.block + c === i);
}

/**
 * Slices with step b in H and W, joined along channels, become SpaceToDepth(b). SpaceToDepth joins row
 * by row; another order is given to the input channels of the convolutions behind. Without such
 * convolutions the slices stay.
 */
export const focus = nodePass<Match>({
  name: "focus",
  doc:
    `{x[::2,::2], x[1::2,::2], x[::2,1::2], x[1::2,1::2]} -> Concat -> Conv   =>   SpaceToDepth -> Conv`,
  ops: ["Concat"],
  check(w, n) {
    const m = focusOf(w, n);
    if (m === undefined) return undefined;
    if (inOrder(m)) return { ...m, convs: [] };
    const convs = reorderableReaders(w, n.outputs[0]!);
    if (typeof convs === "string") return convs;
    return { ...m, convs };
  },
  rewrite(w, n, m) {
    const next = node("SpaceToDepth", n.name, [m.x], [n.outputs[0]!], {
      blocksize: attr.int(m.block),
    });
    const gone = ownNodes(w, m.slices, n);
    const loss = lossOf(w, gone, [next]);
    if (loss !== undefined) return loss;
    const channels = w.shape(m.x)![1]!;
    const order = m.offsets.flatMap(([row, column]) =>
      Array.from({ length: channels }, (_, c) => (row * m.block + column) * channels + c)
    );
    reorderInputs(w, m.convs, order);
    w.replace(gone, [next]);
  },
});
