import { intsAttr } from "../ir/graph.ts";
import { type OpDef, shapeError } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** Counts of n-grams, weighted. */
export const tfIdfVectorizer: OpDef = {
  op: "TfIdfVectorizer",
  place: everywhere(notIntegrated()),
  infer(c) {
    const { shape } = c.need(0);
    if (shape.length < 1 || shape.length > 2) shapeError(c.node, "the input must have rank 1 or 2");
    const size = Math.max(-1, ...intsAttr(c.node, "ngram_indexes")) + 1;
    return [{ dtype: "float32", shape: [...shape.slice(0, -1), size] }];
  },
};
