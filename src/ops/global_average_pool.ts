import type { OpDef } from "./op.ts";
import { globalPool } from "./pool.ts";
import {
  dimOf,
  dtypeFloat,
  inputRank,
  onBpu,
  outside,
  place,
  rule,
  unrestricted,
} from "./rules.ts";
import { globalAveragePoolQuant } from "./lower/reduce.ts";

/** Mean over H and W. */
export const globalAveragePool: OpDef = {
  ...globalPool(
    "GlobalAveragePool",
    place(
      onBpu("unstated", [unrestricted], [dtypeFloat, inputRank(4)], "rank4"),
      onBpu("no", [
        rule("input NCHW: H*W <= 8192", (c) => {
          const t = c.need(0);
          if (t.shape.length !== 4) return `input rank ${t.shape.length} is not 4`;
          return outside("input H*W", dimOf(t, 2) * dimOf(t, 3), undefined, 8192);
        }),
      ], [unrestricted]),
    ),
  ),
  quant: globalAveragePoolQuant,
};
