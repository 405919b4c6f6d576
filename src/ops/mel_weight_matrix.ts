import { intAttr } from "../ir/graph.ts";
import { dtypeAttr, integerInput } from "./args.ts";
import type { OpDef } from "./op.ts";

export const melWeightMatrix: OpDef = {
  op: "MelWeightMatrix",
  infer(c) {
    const bins = integerInput(c, 0, "num_mel_bins")?.[0] ?? -1;
    const length = integerInput(c, 1, "dft_length")?.[0] ?? -1;
    const code = intAttr(c.node, "output_datatype", 1);
    return [{
      dtype: dtypeAttr(c.node, code, "output_datatype"),
      shape: [length < 0 ? -1 : Math.floor(length / 2) + 1, bins],
    }];
  },
};
