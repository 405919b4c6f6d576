import { sameShape, shapeText } from "../ir/tensor.ts";
import { arithmeticRules, elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { broadcastCpu, channelsAtMost, isFeature, note, onBpu, place, rule } from "./rules.ts";
import { addQuant } from "./lower/elementwise.ts";

/** What bernoulli2 states for Add. */
export const addOnBernoulli2 = [
  channelsAtMost(2048, "input C <= 2048", false),
  rule(
    "any of: (a) NCHW + NCHW (b) NCHW + NC11, both inputs produced by other ops (c) ResNet shortcut Add, fused into the preceding Conv",
    (c) => {
      const [a, b] = [c.need(0).shape, c.need(1).shape];
      if (a.length === 4 && sameShape(a, b)) return undefined;
      const isNC11 = (s: readonly number[], of: readonly number[]) =>
        s.length === 4 && s[0] === of[0] && s[1] === of[1] && s[2] === 1 && s[3] === 1;
      const small = a.length === 4 && b.length === 4 && (isNC11(b, a) || isNC11(a, b));
      if (!small) return `${shapeText(a)} + ${shapeText(b)} is neither NCHW + NCHW nor NCHW + NC11`;
      return isFeature(c, 0) && isFeature(c, 1)
        ? undefined
        : "an input of NCHW + NC11 is a constant";
    },
  ),
];

/** Sum of two tensors. */
export const add: OpDef = elementwise({
  op: "Add",
  quant: addQuant,
  takes: "number",
  number: () => (a, b) => a + b,
  big: () => (a, b) => a + b,
  place: place(
    onBpu(
      "in+out",
      [...arithmeticRules, note("ResNet shortcut Add is fused into the preceding Conv")],
      [broadcastCpu],
      "sizes",
    ),
    onBpu("no", addOnBernoulli2, [broadcastCpu]),
  ),
});
