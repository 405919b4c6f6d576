/**
 * `auto_pad` becomes explicit pads: the input sizes are known here.
 *
 * @module
 */

import { attr, type Node, node } from "../ir/graph.ts";
import { windowOf } from "../ops/spatial.ts";
import { nodePass } from "./pass.ts";

interface Match {
  readonly pads: readonly number[];
}

/** Conv, MaxPool and AveragePool with SAME_UPPER, SAME_LOWER or VALID. */
export const explicitPads = nodePass<Match>({
  name: "explicit_pads",
  doc: "Conv(auto_pad=SAME_UPPER)  =>  Conv(pads=...)",
  ops: ["Conv", "MaxPool", "AveragePool"],
  check(w, n: Node) {
    const auto = n.attrs.get("auto_pad");
    if (auto?.type !== "string" || auto.value === "NOTSET" || auto.value === "") return undefined;
    const x = w.shape(n.inputs[0]!);
    if (x === undefined || x.some((d) => d < 0)) return "its input shape is not known";
    const kernel = n.op === "Conv" ? w.shape(n.inputs[1]!)?.slice(2) : undefined;
    if (n.op === "Conv" && kernel === undefined) return "its weight shape is not known";
    return { pads: windowOf(n, x.slice(2), kernel).pads };
  },
  rewrite(w, n, m) {
    const attrs = new Map(n.attrs);
    attrs.delete("auto_pad");
    attrs.set("pads", attr.ints(m.pads));
    w.replace([n], [node(n.op, n.name, n.inputs, n.outputs, attrs)]);
  },
});
