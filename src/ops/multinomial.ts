import { intAttr } from "../ir/graph.ts";
import { needRank } from "./args.ts";
import type { OpDef } from "./op.ts";
import { randomDtype } from "./random_like.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** Draws of class indices. */
export const multinomial: OpDef = {
  op: "Multinomial",
  place: everywhere(notIntegrated()),
  infer(c) {
    const { shape } = c.need(0);
    needRank(c.node, shape, 2, "the input");
    return [{
      dtype: randomDtype(c, "int32"),
      shape: [shape[0]!, intAttr(c.node, "sample_size", 1)],
    }];
  },
};
