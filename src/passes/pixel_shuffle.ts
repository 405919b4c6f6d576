/**
 * Pixel shuffle and its inverse, written as Reshape -> Transpose -> Reshape, become one node.
 *
 * @module
 */

import { type Attr, attr, type Node, node } from "../ir/graph.ts";
import { sameShape } from "../ir/tensor.ts";
import { lossOf } from "./bpu.ts";
import { reorderableReaders, reorderInputs } from "./channel_order.ts";
import { nodePass } from "./pass.ts";
import { permOf } from "./permute.ts";
import { ownNodes } from "./product.ts";
import type { Rewriter } from "./rewriter.ts";

interface Match {
  readonly op: "DepthToSpace" | "SpaceToDepth";
  readonly mode: "CRD" | "DCR";
  readonly x: string;
  readonly block: number;
  /** Convolutions that read an order of channels which SpaceToDepth does not make. */
  readonly convs: readonly Node[];
  readonly pattern: readonly Node[];
}

/** Shapes of the source, of the six dimensions, and of the result. */
function shapesOf(w: Rewriter, n: Node) {
  const transpose = w.producerOf(n.inputs[0]!, "Transpose");
  const first = transpose === undefined ? undefined : w.producerOf(transpose.inputs[0]!, "Reshape");
  if (transpose === undefined || first === undefined) return undefined;
  const perm = permOf(w, transpose);
  const [x, six, out] = [first.inputs[0]!, transpose.inputs[0]!, n.outputs[0]!].map((s) =>
    w.shape(s)
  );
  if (x?.length !== 4 || six?.length !== 6 || out?.length !== 4 || perm === undefined) {
    return undefined;
  }
  return { transpose, first, x, six, out, perm: perm.join() };
}

/** Sizes that a pixel shuffle of `x` by block b would have. */
function spread(x: readonly number[], b: number): number[] {
  return [x[0]!, x[1]! / (b * b), x[2]! * b, x[3]! * b];
}

/**
 * [N, c, b, b, H, W] transposed to [N, c, H, b, W, b] is DepthToSpace (CRD; DCR where the blocks come
 * first); [N, C, H, b, W, b] with the blocks moved to the channels is SpaceToDepth. Channels in another
 * order than SpaceToDepth's are only possible in front of convolutions, whose weights are reordered.
 * The BPU has blocks of 2x2 only; for others the Reshapes and the Transpose are the better choice.
 */
export const pixelShuffle = nodePass<Match>({
  name: "pixel_shuffle",
  doc: `Reshape [N,c,b,b,H,W] -> Transpose -> Reshape [N,c,Hb,Wb]   =>   DepthToSpace(b)
Reshape [N,C,H,b,W,b] -> Transpose -> Reshape [N,Cbb,H,W]   =>   SpaceToDepth(b)`,
  ops: ["Reshape"],
  check(w, n) {
    const s = shapesOf(w, n);
    if (s === undefined) return undefined;
    const { x, six, out, perm } = s;
    const pattern = [s.first, s.transpose, n];
    const base = { x: s.first.inputs[0]!, pattern, convs: [] };
    const [N, C, H, W] = x as [number, number, number, number];
    const crd = perm === "0,1,4,2,5,3";
    if (crd || perm === "0,3,4,1,5,2") {
      const b = crd ? six[2]! : six[1]!;
      const c = C / (b * b);
      const want = crd ? [N, c, b, b, H, W] : [N, b, b, c, H, W];
      if (!sameShape(six, want) || !sameShape(out, spread(x, b)) || b < 2) {
        return "it does not spread square blocks";
      }
      if (b !== 2) return `its blocks are ${b}x${b}, the BPU's are 2x2`;
      return { ...base, op: "DepthToSpace", mode: crd ? "CRD" : "DCR", block: b };
    }
    const plain = perm === "0,3,5,1,2,4";
    if (plain || perm === "0,1,3,5,2,4") {
      const b = six[3]!;
      if (!sameShape(six, [N, C, H / b, b, W / b, b]) || !sameShape(x, spread(out, b)) || b < 2) {
        return "it does not gather square blocks";
      }
      if (b !== 2) return `its blocks are ${b}x${b}, the BPU's are 2x2`;
      const made = { ...base, op: "SpaceToDepth" as const, block: b };
      if (plain) return { ...made, mode: "DCR" };
      const convs = reorderableReaders(w, n.outputs[0]!);
      return typeof convs === "string" ? convs : { ...made, mode: "CRD", convs };
    }
    return undefined;
  },
  rewrite(w, n, m) {
    const mode: Readonly<Record<string, Attr>> = m.op === "DepthToSpace"
      ? { mode: attr.string(m.mode) }
      : {};
    const next = node(m.op, n.name, [m.x], [n.outputs[0]!], {
      blocksize: attr.int(m.block),
      ...mode,
    });
    const gone = ownNodes(w, m.pattern, n);
    const loss = lossOf(w, gone, [next]);
    if (loss !== undefined) return loss;
    const blocks = m.block * m.block;
    const channels = w.shape(m.x)![1]!;
    const order = Array.from(
      { length: blocks * channels },
      (_, i) => (i % blocks) * channels + Math.floor(i / blocks),
    );
    reorderInputs(w, m.convs, order);
    w.replace(gone, [next]);
  },
});
