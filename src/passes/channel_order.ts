/**
 * Another order of channels, given to the weights of the convolutions that read them.
 *
 * @module
 */

import { intAttr, type Node } from "../ir/graph.ts";
import { f32, numbersOf } from "../ir/tensor.ts";
import type { Rewriter } from "./rewriter.ts";

/** The convolutions that read `name`, if all its readers can take another order; else why not. */
export function reorderableReaders(w: Rewriter, name: string): readonly Node[] | string {
  if (w.pinned(name)) return w.whyShared(name);
  const convs = w.users(name);
  if (convs.length === 0) return "nothing reads it";
  for (const c of convs) {
    const plain = c.domain === "" && c.op === "Conv" && intAttr(c, "group", 1) === 1 &&
      c.inputs.filter((i) => i === name).length === 1 && c.inputs[0] === name;
    if (!plain) return `its order of channels cannot be given to ${c.name} (${c.op})`;
    if (w.constant(c.inputs[1]!)?.dtype !== "float32") {
      return `the weights of ${c.name} are not float32 constants`;
    }
  }
  return convs;
}

/** Makes the convolutions read input channel `to[i]` where they read channel i. */
export function reorderInputs(w: Rewriter, convs: readonly Node[], to: readonly number[]): void {
  for (const c of convs) {
    const t = w.constant(c.inputs[1]!)!;
    const [outs, ins] = [t.shape[0]!, t.shape[1]!];
    const taps = t.data.length / (outs * ins);
    const old = numbersOf(t);
    const values = new Float32Array(old.length);
    for (let o = 0; o < outs; o++) {
      for (let i = 0; i < ins; i++) {
        const [from, at] = [(o * ins + i) * taps, (o * ins + to[i]!) * taps];
        for (let k = 0; k < taps; k++) values[at + k] = old[from + k]!;
      }
    }
    const weight = w.revise(c.inputs[1]!, c, f32(t.shape, values));
    w.alter(c, { inputs: [c.inputs[0]!, weight, ...c.inputs.slice(2)] });
  }
}
