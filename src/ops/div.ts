import { isFloat } from "./convert.ts";
import { arithmeticRules, elementwise } from "./elementwise.ts";
import { mulOnBernoulli2 } from "./mul.ts";
import type { OpDef } from "./op.ts";
import { both, broadcastCpu, isFeature, onBpu, place, rule } from "./rules.ts";
import { divQuant } from "./lower/division.ts";

const noConstants = rule("both inputs features, no constant input", (c) => {
  const i = [0, 1].find((k) => !isFeature(c, k));
  return i === undefined ? undefined : `input ${i} is a constant`;
});

/** Quotient of two tensors; integers are truncated towards zero. */
export const div: OpDef = elementwise({
  op: "Div",
  quant: divQuant,
  takes: "number",
  number: (_, dtype) =>
    isFloat(dtype) ? (a, b) => a / b : (a, b) => b === 0 ? 0 : Math.trunc(a / b),
  big: () => (a, b) => b === 0n ? 0n : a / b,
  place: place(
    onBpu("unstated", [noConstants, both("input shapes: same limits as Mul", ...arithmeticRules)], [
      broadcastCpu,
    ], "sizes"),
    onBpu("no", [noConstants, both("input shapes: same limits as Mul", ...mulOnBernoulli2)], [
      broadcastCpu,
    ]),
  ),
});
