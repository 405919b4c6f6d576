/**
 * `auto_pad` becomes explicit pads, `ceil_mode` goes where it adds no window: the input sizes are known
 * here. (Runtimes disagree on a last window that would lie in the padding altogether.)
 *
 * @module
 */

import { attr, intAttr, intsAttr, type Node, node } from "../ir/graph.ts";
import { windowOf } from "../ops/spatial.ts";
import { nodePass } from "./pass.ts";

interface Match {
  /** Undefined: `ceil_mode` goes. */
  readonly pads?: readonly number[];
}

/** Whether a pool has the same number of windows without `ceil_mode`. */
function roundsDown(n: Node, x: readonly number[], y: readonly number[] | undefined): boolean {
  if (intAttr(n, "ceil_mode", 0) === 0 || y?.length !== x.length) return false;
  const kernel = intsAttr(n, "kernel_shape");
  const ones = kernel.map(() => 1);
  const strides = intsAttr(n, "strides", ones), dilations = intsAttr(n, "dilations", ones);
  const pads = intsAttr(n, "pads", [...kernel, ...kernel].map(() => 0));
  return kernel.every((k, i) => {
    const room = x[i + 2]! + pads[i]! + pads[i + kernel.length]! - (k - 1) * dilations[i]! - 1;
    return Math.floor(room / strides[i]!) + 1 === y[i + 2];
  });
}

/** Conv, MaxPool and AveragePool with SAME_UPPER, SAME_LOWER or VALID; pools with needless ceil_mode. */
export const explicitPads = nodePass<Match>({
  name: "explicit_pads",
  doc: "Conv(auto_pad=SAME_UPPER)  =>  Conv(pads=...)",
  ops: ["Conv", "MaxPool", "AveragePool"],
  check(w, n: Node) {
    const auto = n.attrs.get("auto_pad");
    const x = w.shape(n.inputs[0]!);
    if (auto?.type !== "string" || auto.value === "NOTSET" || auto.value === "") {
      const fixed = n.op !== "Conv" && x !== undefined && !x.includes(-1);
      return fixed && roundsDown(n, x, w.shape(n.outputs[0]!)) ? {} : undefined;
    }
    if (x === undefined || x.some((d) => d < 0)) return "its input shape is not known";
    const kernel = n.op === "Conv" ? w.shape(n.inputs[1]!)?.slice(2) : undefined;
    if (n.op === "Conv" && kernel === undefined) return "its weight shape is not known";
    return { pads: windowOf(n, x.slice(2), kernel).pads };
  },
  rewrite(w, n, m) {
    const attrs = new Map(n.attrs);
    if (m.pads === undefined) attrs.delete("ceil_mode");
    else {
      attrs.delete("auto_pad");
      attrs.set("pads", attr.ints(m.pads));
    }
    w.replace([n], [node(n.op, n.name, n.inputs, n.outputs, attrs)]);
  },
});
