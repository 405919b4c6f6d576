/**
 * Weights stored as integers with a DequantizeLinear become float weights.
 *
 * @module
 */

import { intAttr } from "../ir/graph.ts";
import { elementCount, f32, numbersOf, type Tensor } from "../ir/tensor.ts";
import { nodePass } from "./pass.ts";

interface Match {
  readonly x: Tensor;
  readonly scale: Tensor;
  readonly zero: Tensor | undefined;
  readonly axis: number;
}

/** DequantizeLinear of constants: (q - zero) * scale, per tensor or along an axis. */
export const dequantizeWeights = nodePass<Match>({
  name: "dequantize_weights",
  doc: `int8 constant -> DequantizeLinear   =>   float constant`,
  ops: ["DequantizeLinear"],
  check(w, n) {
    const x = w.constant(n.inputs[0]!);
    if (x === undefined) return undefined;
    const out = n.outputs[0]!;
    if (w.isOutput(out)) return `${out} is an output of the model`;
    const scale = w.constant(n.inputs[1]!);
    const given = (n.inputs[2] ?? "") !== "";
    const zero = given ? w.constant(n.inputs[2]!) : undefined;
    if (scale === undefined || (given && zero === undefined)) {
      return "its scale or zero point is not constant";
    }
    if (scale.dtype !== "float32") return `its scale is ${scale.dtype}`;
    const rank = x.shape.length;
    const axis = intAttr(n, "axis", 1);
    const positive = axis < 0 ? axis + rank : axis;
    if (scale.data.length !== 1) {
      if (scale.shape.length !== 1 || scale.shape[0] !== x.shape[positive]) {
        return "its scales do not fit the axis";
      }
      if (zero !== undefined && zero.data.length !== scale.data.length) {
        return "it has not as many zero points as scales";
      }
    }
    return { x, scale, zero, axis: positive };
  },
  rewrite(w, n, m) {
    const [q, scales] = [numbersOf(m.x), numbersOf(m.scale)];
    const zeros = m.zero === undefined ? undefined : numbersOf(m.zero);
    const many = scales.length > 1;
    const inner = many ? elementCount(m.x.shape.slice(m.axis + 1)) : 1;
    const values = new Float32Array(q.length);
    for (let i = 0; i < values.length; i++) {
      const c = many ? Math.floor(i / inner) % scales.length : 0;
      values[i] = Math.fround(q[i]! - (zeros?.[c] ?? 0)) * scales[c]!;
    }
    w.becomes(n, [f32(m.x.shape, values)]);
  },
});
