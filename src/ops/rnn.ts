import type { OpDef } from "./op.ts";
import { forwardOnly, inputCount, recurrent } from "./recurrent.ts";
import { dtypeFloat, everywhere, onCpu, rule } from "./rules.ts";

/** Simple recurrent network: X, W, R, optional B, sequence_lens, initial_h; outputs Y, Y_h. */
export const rnn: OpDef = recurrent(
  "RNN",
  1,
  1,
  everywhere(onCpu(
    dtypeFloat,
    forwardOnly,
    rule("inputs X,W,R only; B,sequence_lens,initial_h unsupported", (c) => {
      const n = inputCount(c);
      return n === 3 ? undefined : `it has ${n} inputs, not X, W and R only`;
    }),
    rule("output Y_h only, shape [num_directions,batch_size,hidden_size]", (c) => {
      const [y, h] = c.node.outputs;
      return (y ?? "") === "" && (h ?? "") !== "" ? undefined : "its output is not Y_h only";
    }),
  )),
);
