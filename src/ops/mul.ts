import { sameShape, shapeText } from "../ir/tensor.ts";
import { toDoubles } from "./convert.ts";
import { arithmeticRules, elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { broadcastCpu, channelsAtMost, onBpu, place, rule } from "./rules.ts";
import { mulQuant } from "./lower/elementwise.ts";

/** What bernoulli2 states for Mul. */
export const mulOnBernoulli2 = [
  rule("both inputs rank 4", (c) => {
    const [a, b] = [c.need(0).shape.length, c.need(1).shape.length];
    return a === 4 && b === 4 ? undefined : `input ranks ${a} and ${b} are not 4`;
  }),
  channelsAtMost(2048, "C <= 2048"),
  rule("any of: (a) 1xCxHxW * 1xCxHxW (b) 1xCxHxW * 1xCx1x1 (c) 1xCxHxW * 1x1x1x1", (c) => {
    const [a, b] = [c.need(0).shape, c.need(1).shape];
    const fits = (x: readonly number[], y: readonly number[]) =>
      x[0] === 1 && y.length === x.length &&
      (sameShape(x, y) ||
        (y[0] === 1 && (y[1] === x[1] || y[1] === 1) && y[2] === 1 && y[3] === 1));
    return fits(a, b) || fits(b, a)
      ? undefined
      : `${shapeText(a)} * ${shapeText(b)} is none of the shapes that are supported`;
  }),
  rule("input values must not be 0", (c) => {
    for (const i of [0, 1]) {
      const t = c.constant(i);
      if (t !== undefined && !Array.isArray(t.data) && toDoubles(t).includes(0)) {
        return `constant input ${i} has a value of 0`;
      }
    }
    return undefined;
  }),
];

/** Product of two tensors. */
export const mul: OpDef = elementwise({
  op: "Mul",
  quant: mulQuant,
  takes: "number",
  number: (_, dtype) => dtype === "int32" || dtype === "uint32" ? Math.imul : (a, b) => a * b,
  big: () => (a, b) => a * b,
  place: place(
    onBpu("in+out", arithmeticRules, [broadcastCpu], "sizes"),
    onBpu("no", mulOnBernoulli2, [broadcastCpu]),
  ),
});
