import type { OpDef } from "./op.ts";
import { needFloat } from "./pool.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** (x - mean) / standard deviation over the axes (0, 2, 3 unless given). */
export const meanVarianceNormalization: OpDef = {
  op: "MeanVarianceNormalization",
  infer(c) {
    needFloat(c);
    const { dtype, shape } = c.need(0);
    return [{ dtype, shape }];
  },
  place: everywhere(notIntegrated()),
};
