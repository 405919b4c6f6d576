import { intAttr } from "../ir/graph.ts";
import { countInput, dtypeAttr } from "./args.ts";
import type { OpDef } from "./op.ts";

/** Weights from spectrum bins to mel bins. */
export const melWeightMatrix: OpDef = {
  op: "MelWeightMatrix",
  infer(c) {
    const bins = countInput(c, 0, "num_mel_bins");
    const length = countInput(c, 1, "dft_length");
    const code = intAttr(c.node, "output_datatype", 1);
    return [{
      dtype: dtypeAttr(c.node, code, "output_datatype"),
      shape: [length < 0 ? -1 : Math.floor(length / 2) + 1, bins],
    }];
  },
};
