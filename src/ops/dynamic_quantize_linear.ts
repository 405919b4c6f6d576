import { toDoubles } from "./convert.ts";
import type { OpDef } from "./op.ts";
import { needFloat } from "./pool.ts";
import { everywhere, notIntegrated } from "./rules.ts";
import { roundEven } from "./special.ts";

const clamp = (v: number): number => Math.min(255, Math.max(0, v));

/** Quantizes to uint8 by the input's own range; outputs y, scale, zero point. */
export const dynamicQuantizeLinear: OpDef = {
  op: "DynamicQuantizeLinear",
  infer(c) {
    needFloat(c);
    return [
      { dtype: "uint8", shape: c.need(0).shape },
      { dtype: "float32", shape: [] },
      { dtype: "uint8", shape: [] },
    ];
  },
  fold(c) {
    const x = c.constant(0);
    if (x === undefined) return undefined;
    const v = toDoubles(x);
    let [lo, hi] = [0, 0];
    for (const e of v) {
      if (e < lo) lo = e;
      if (e > hi) hi = e;
    }
    const scale = Math.fround(Math.fround(hi - lo) / 255) || 1;
    const zero = roundEven(clamp(Math.fround(-lo / scale)));
    const y = Uint8Array.from(v, (e) => clamp(roundEven(Math.fround(e / scale)) + zero));
    return [
      { dtype: "uint8", shape: x.shape, data: y },
      { dtype: "float32", shape: [], data: Float32Array.of(scale) },
      { dtype: "uint8", shape: [], data: Uint8Array.of(zero) },
    ];
  },
  place: everywhere(notIntegrated()),
};
