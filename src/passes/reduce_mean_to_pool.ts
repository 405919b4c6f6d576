/**
 * The mean over a whole picture is a global average pooling.
 *
 * @module
 */

import { intAttr, intsAttr, type Node, node } from "../ir/graph.ts";
import type { TensorType } from "../ir/tensor.ts";
import { lossOf } from "./bpu.ts";
import { intsOf, reshapeNode } from "./match.ts";
import { nodePass } from "./pass.ts";
import type { Rewriter } from "./rewriter.ts";

interface Match {
  readonly op: "GlobalAveragePool" | "GlobalMaxPool";
  readonly keepdims: boolean;
}

function reduced(w: Rewriter, n: Node, rank: number): number[] | undefined {
  const axes = intsOf(w, n.inputs[1]) ?? intsAttr(n, "axes", []);
  return axes.map((a) => a < 0 ? a + rank : a).sort((a, b) => a - b);
}

/**
 * ReduceMean over H and W of [N, C, H, W], and AveragePool whose window is the whole picture, become
 * GlobalAveragePool (with a Reshape where the dimensions are dropped); the same for maxima.
 */
export const reduceMeanToPool = nodePass<Match>({
  name: "reduce_mean_to_pool",
  doc: `ReduceMean(axes 2,3)             =>  GlobalAveragePool [-> Reshape]
AveragePool(kernel = picture)    =>  GlobalAveragePool`,
  ops: ["ReduceMean", "ReduceMax", "AveragePool", "MaxPool"],
  check(w, n) {
    const shape = w.shape(n.inputs[0]!);
    if (!w.isFloat(n.outputs[0]!) || shape?.length !== 4) return undefined;
    const mean = n.op === "ReduceMean" || n.op === "AveragePool";
    const op = mean ? "GlobalAveragePool" : "GlobalMaxPool";
    if (n.op === "ReduceMean" || n.op === "ReduceMax") {
      if (reduced(w, n, 4)?.join() !== "2,3") return undefined;
      return { op, keepdims: intAttr(n, "keepdims", 1) !== 0 };
    }
    const kernel = intsAttr(n, "kernel_shape");
    const out = w.shape(n.outputs[0]!);
    if (kernel[0] !== shape[2] || kernel[1] !== shape[3] || shape[2]! * shape[3]! === 1) {
      return undefined;
    }
    if (out?.[2] !== 1 || out[3] !== 1) return undefined;
    if (intsAttr(n, "pads", []).some((p) => p !== 0)) return "it has padding";
    if (intsAttr(n, "dilations", []).some((d) => d !== 1)) return "it is dilated";
    if ((n.outputs[1] ?? "") !== "") return "it returns indices";
    return { op, keepdims: true };
  },
  rewrite(w, n, m) {
    const [x, out] = [n.inputs[0]!, n.outputs[0]!];
    const [batch, channels] = w.shape(x) as [number, number, number, number];
    const type: TensorType = { dtype: "float32", shape: [batch, channels, 1, 1] };
    // The Reshape that drops dimensions does not count: what follows mostly takes it away.
    const pool = node(m.op, n.name, [x], [out]);
    const loss = lossOf(w, [n], [pool], { types: new Map([[out, type]]) });
    if (loss !== undefined) return loss;
    if (m.keepdims) {
      w.replace([n], [pool]);
      return;
    }
    const pooled = w.temp(`${n.name}_pooled`, type);
    const reshape = w.nodeName(`${n.name}_reshape`);
    w.replace([n], [
      { ...pool, outputs: [pooled] },
      reshapeNode(w, reshape, pooled, out, w.shape(out)!),
    ]);
  },
});
