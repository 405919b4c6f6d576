/**
 * RNN, GRU and LSTM with `layout=1` (14): the batch comes first. Transposes bring it to `layout=0`, the
 * only one that onnxruntime runs.
 *
 * @module
 */

import { attr, intAttr, type Node } from "../../../ir/graph.ts";
import { type Context, helper, without } from "./context.ts";

const swap = { perm: attr.ints([1, 0, 2]) };

/** `layout=0` between Transposes. */
export function recurrent(n: Node, c: Context): readonly Node[] | undefined {
  if (!n.attrs.has("layout")) return undefined;
  const attrs = without(n.attrs, "layout");
  if (intAttr(n, "layout") === 0) return [{ ...n, attrs }];
  const before: Node[] = [], after: Node[] = [];
  // X, initial_h and initial_c have the batch first; so have Y, Y_h and Y_c.
  const inputs = n.inputs.map((t, i) => {
    if (t === "" || (i !== 0 && i !== 5 && i !== 6)) return t;
    const turned = helper(n, c, "Transpose", `input${i}`, [t], swap);
    before.push(turned);
    return turned.outputs[0]!;
  });
  const outputs = n.outputs.map((t, i) => {
    if (t === "") return t;
    const own = c.unique(`${n.name}_output${i}`);
    // [S, D, B, H] to [B, S, D, H]; [D, B, H] to [B, D, H].
    const perm = i === 0 ? { perm: attr.ints([2, 0, 1, 3]) } : swap;
    after.push({ ...helper(n, c, "Transpose", `output${i}`, [own], perm), outputs: [t] });
    return own;
  });
  return [...before, { ...n, inputs, outputs, attrs }, ...after];
}
