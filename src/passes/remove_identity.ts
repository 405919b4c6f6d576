/**
 * Nodes that return their input disappear.
 *
 * @module
 */

import { intAttr, intsAttr, type Node } from "../ir/graph.ts";
import { numbersOf, sameShape } from "../ir/tensor.ts";
import { allEqual, intsOf, scalarOf, withConstant } from "./match.ts";
import { nodePass } from "./pass.ts";
import type { Rewriter } from "./rewriter.ts";

interface Match {
  /** The input that the output equals. */
  readonly source: string;
}

const VARIADIC = new Set(["Concat", "Sum", "Max", "Min", "Mean"]);
const REDUCE = new Set(["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd"]);
const POOL = new Set(["MaxPool", "AveragePool"]);

/** Undefined: certainly not an identity, no reason worth saying. */
function whyNot(w: Rewriter, n: Node): Match | string | undefined {
  const x = n.inputs[0] ?? "";
  const source = { source: x };
  const [from, to] = [w.shape(x), w.shape(n.outputs[0]!)];
  const same = from !== undefined && to !== undefined && sameShape(from, to);
  if (VARIADIC.has(n.op)) return n.inputs.length === 1 ? source : undefined;
  if (REDUCE.has(n.op)) return same ? source : undefined;
  if (POOL.has(n.op)) {
    const trivial = same && n.outputs.filter((o) => o !== "").length === 1 &&
      intsAttr(n, "kernel_shape").every((k) => k === 1) &&
      intsAttr(n, "strides", []).every((s) => s === 1) &&
      intsAttr(n, "pads", []).every((p) => p === 0);
    return trivial ? source : undefined;
  }
  switch (n.op) {
    case "Identity":
      return source;
    case "Dropout": {
      if (scalarOf(w, n.inputs[2]) === 1) return "it is in training mode";
      if ((n.inputs[2] ?? "") !== "" && scalarOf(w, n.inputs[2]) === undefined) {
        return "its training mode is not constant";
      }
      const mask = n.outputs[1] ?? "";
      if (mask !== "" && (w.pinned(mask) || w.users(mask).length > 0)) return "its mask is read";
      return source;
    }
    case "Cast":
      return w.type(x) !== undefined && w.type(x)?.dtype === w.type(n.outputs[0]!)?.dtype
        ? source
        : undefined;
    case "Reshape":
    case "Flatten":
    case "Squeeze":
    case "Unsqueeze":
    case "Expand":
    case "GlobalAveragePool":
    case "GlobalMaxPool":
      return same ? source : undefined;
    case "Transpose": {
      const rank = from?.length ?? w.type(x)?.shape.length;
      if (rank === undefined) return undefined;
      const perm = intsAttr(n, "perm", Array.from({ length: rank }, (_, i) => rank - 1 - i));
      return perm.every((p, i) => p === i) ? source : undefined;
    }
    case "Slice": {
      if (!same) return undefined;
      const steps = (n.inputs[4] ?? "") === "" ? [1] : intsOf(w, n.inputs[4]);
      if (steps === undefined) return "its steps are not constant";
      return steps.every((s) => s > 0) ? source : undefined;
    }
    case "Pad": {
      const pads = intsOf(w, n.inputs[1]);
      if (pads === undefined) return "its pads are not constant";
      return pads.every((p) => p === 0) ? source : undefined;
    }
    case "Tile": {
      const repeats = intsOf(w, n.inputs[1]);
      return repeats?.every((r) => r === 1) ? source : undefined;
    }
    case "Split":
      return n.outputs.length === 1 && same ? source : undefined;
    case "DepthToSpace":
    case "SpaceToDepth":
      return intAttr(n, "blocksize") === 1 ? source : undefined;
    case "Resize": {
      if (!same) return undefined;
      if ((n.inputs[3] ?? "") !== "") return source;
      const scales = w.constant(n.inputs[2] ?? "");
      if (scales === undefined) return "its scales are not constant";
      return allEqual(scales, 1) ? source : "its scale is not exactly 1";
    }
    case "Add":
    case "Sub":
    case "Mul":
    case "Div":
    case "Pow": {
      const c = withConstant(w, n);
      if (c === undefined) return undefined;
      const neutral = n.op === "Add" || n.op === "Sub" ? 0 : 1;
      const commutes = n.op === "Add" || n.op === "Mul";
      if (c.at === 1 && !commutes) return undefined;
      return allEqual(c.constant, neutral) ? { source: c.x } : undefined;
    }
    case "Gather": {
      if (!same) return undefined;
      const index = w.constant(n.inputs[1] ?? "");
      if (index === undefined || index.shape.length !== 1) return undefined;
      const d = index.shape[0]!;
      return Array.from(numbersOf(index)).every((v, i) => v === i || v + d === i)
        ? source
        : undefined;
    }
    default:
      return undefined;
  }
}

/**
 * Identity, Dropout in inference, and every node that happens to change nothing: Cast to the same
 * type, Reshape to the same shape, Transpose, Slice, Pad, Concat of one, Resize by 1, Expand, Tile by 1,
 * Add 0, Mul 1.
 */
export const removeIdentity = nodePass<Match>({
  name: "remove_identity",
  doc: `x -> Identity -> y    =>   x -> y`,
  check: whyNot,
  rewrite(w, n, m) {
    if (!w.bypass(n, m.source)) return "it stands between two tensors whose names must stay";
  },
});
