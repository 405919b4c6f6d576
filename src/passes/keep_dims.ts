/**
 * Reductions keep their dimensions, and a Reshape drops them: the BPU reduces that way only.
 *
 * @module
 */

import { attr, intAttr, intsAttr } from "../ir/graph.ts";
import { lossOf } from "./bpu.ts";
import { intsOf, reshapeNode } from "./match.ts";
import { nodePass } from "./pass.ts";

/** ReduceMean, ReduceMax, ReduceSum, ... with keepdims = 0. */
export const keepDims = nodePass<{ readonly axes: readonly number[] }>({
  name: "keep_dims",
  doc: `ReduceMean(keepdims 0)   =>   ReduceMean(keepdims 1) -> Reshape`,
  ops: ["ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum", "ArgMax", "ArgMin"],
  check(w, n) {
    if (intAttr(n, "keepdims", 1) !== 0) return undefined;
    const shape = w.shape(n.inputs[0]!);
    if (shape === undefined || w.shape(n.outputs[0]!) === undefined) {
      return "its shape is not known";
    }
    if (shape.includes(0)) return "it is empty";
    const given = n.op.startsWith("Arg")
      ? [intAttr(n, "axis", 0)]
      : (n.inputs[1] ?? "") !== ""
      ? intsOf(w, n.inputs[1])
      : intsAttr(n, "axes", []);
    if (given === undefined) return "its axes are not constant";
    // Without axes it reduces everything, or (noop_with_empty_axes) nothing.
    if (given.length === 0) return "it reduces everything";
    return { axes: given.map((a) => a < 0 ? a + shape.length : a) };
  },
  rewrite(w, n, m) {
    const out = n.outputs[0]!;
    const type = w.type(out)!;
    const shape = w.shape(n.inputs[0]!)!.map((d, i) => m.axes.includes(i) ? 1 : d);
    const kept = w.temp(`${n.name}_kept`, { dtype: type.dtype, shape });
    const attrs = new Map([...n.attrs, ["keepdims", attr.int(1)] as const]);
    const news = [
      { ...n, outputs: [kept], attrs },
      reshapeNode(w, w.nodeName(`${n.name}_reshape`), kept, out, type.shape),
    ];
    const loss = lossOf(w, [n], news);
    if (loss !== undefined) return loss;
    w.replace([n], news);
  },
});
