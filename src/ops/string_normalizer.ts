import { intAttr, stringAttr } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { InferContext, OpDef } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

function stopwords(c: InferContext): readonly string[] {
  const a = c.node.attrs.get("stopwords");
  return a?.type === "strings" ? a.value : [];
}

/** The strings that are left; undefined when the input is not constant. */
function valuesOf(c: InferContext): Tensor | undefined {
  const x = c.constant(0);
  if (x === undefined || !Array.isArray(x.data)) return undefined;
  const exact = intAttr(c.node, "is_case_sensitive", 0) !== 0;
  const key = (s: string): string => exact ? s : s.toLowerCase();
  const stop = new Set(stopwords(c).map(key));
  const change = stringAttr(c.node, "case_change_action", "NONE");
  const kept = x.data.filter((s) => !stop.has(key(s))).map((s) =>
    change === "LOWER" ? s.toLowerCase() : change === "UPPER" ? s.toUpperCase() : s
  );
  // Nothing left is one empty string.
  const data = kept.length === 0 ? [""] : kept;
  return { dtype: "string", shape: x.shape.length === 2 ? [1, data.length] : [data.length], data };
}

/** Strings without stop words, in upper or lower case. */
export const stringNormalizer: OpDef = {
  op: "StringNormalizer",
  place: everywhere(notIntegrated()),
  infer(c) {
    const { shape } = c.need(0);
    const value = valuesOf(c);
    if (value !== undefined) return [value];
    // Stop words are removed; how many there are depends on the data.
    const out = stopwords(c).length === 0 ? shape : [...shape.slice(0, -1), -1];
    return [{ dtype: "string", shape: out }];
  },
  fold(c) {
    const value = valuesOf(c);
    return value && [value];
  },
};
