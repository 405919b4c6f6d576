import type { OpDef } from "./op.ts";
import { forwardOnly, inputCountIn, outputCount, recurrent } from "./recurrent.ts";
import { dtypeFloat, onCpu, place } from "./rules.ts";

/** Gated recurrent unit: X, W, R, optional B, sequence_lens, initial_h; outputs Y, Y_h. */
export const gru: OpDef = recurrent(
  "GRU",
  3,
  1,
  place(
    onCpu(forwardOnly, dtypeFloat),
    onCpu(forwardOnly, dtypeFloat, inputCountIn([3, 4, 6]), outputCount(2)),
  ),
);
