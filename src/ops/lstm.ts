import { intAttr } from "../ir/graph.ts";
import type { OpDef } from "./op.ts";
import {
  forwardOnly,
  inputCount,
  inputCountIn,
  outputCount,
  recurrent,
  wholeSequences,
} from "./recurrent.ts";
import { dtypeFloat, note, onBpu, place, rule } from "./rules.ts";
import { lstmQuant } from "./lower/lstm.ts";

const batch1 = rule("batch 1 only", (c) => {
  const x = c.need(0).shape;
  const batch = intAttr(c.node, "layout", 0) === 1 ? x[0] : x[1];
  return batch === 1 ? undefined : `batch ${batch} is not 1`;
});

/** Long short-term memory: X, W, R, optional B, sequence_lens, initial_h, initial_c, P; Y, Y_h, Y_c. */
export const lstm: OpDef = recurrent(
  "LSTM",
  4,
  2,
  place(
    onBpu("unstated", [
      batch1,
      note(
        "multi-batch model: export LSTM with batch 1 and set input_batch=1 in the yaml",
      ),
    ], [
      dtypeFloat,
      forwardOnly,
      rule(
        "inputs, any of: (a) X,W,R (b) X,W,R,B, sequence_lens empty or default (c) X,W,R,B,sequence_lens,initial_h,initial_c,P, sequence_lens empty or default",
        (c) => {
          const n = inputCount(c);
          if (n !== 3 && n !== 4 && n !== 5 && n !== 8) return `${n} inputs are not supported`;
          return wholeSequences(c) ? undefined : "sequence_lens is not the whole length";
        },
      ),
    ], "sizes"),
    onBpu("no", [batch1], [
      rule("attributes not configurable", (c) => {
        const other = [...c.node.attrs].find(([key, a]) =>
          key !== "hidden_size" && !(key === "direction" && a.value === "forward") &&
          !(a.type === "int" && a.value === 0)
        );
        return other === undefined ? undefined : `attribute ${other[0]} is not supported`;
      }),
      dtypeFloat,
      inputCountIn([3, 4, 8]),
      outputCount(2),
    ]),
  ),
  lstmQuant,
);
