import { isFloat } from "./convert.ts";
import { elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { broadcastCpu, dtypeIn, onBpu, place, pointwiseRules, rule } from "./rules.ts";

const oneExponent = (text: string) =>
  rule(text, (c) => {
    const t = c.constant(1);
    if (t === undefined) return "the exponent is not a constant";
    return t.data.length === 1 ? undefined : `the exponent has ${t.data.length} values`;
  });

const cpu = [
  dtypeIn(["double", "float", "int64", "int32"]),
  broadcastCpu,
  rule("X and Y same dtype", (c) => {
    const [x, y] = [c.need(0).dtype, c.need(1).dtype];
    return x === y ? undefined : `X is ${x} and Y is ${y}`;
  }),
];

/** Power; the result has the type of the base. */
export const pow: OpDef = elementwise({
  op: "Pow",
  takes: "number",
  mixed: true,
  number: (_, dtype) => isFloat(dtype) ? Math.pow : (a, b) => Math.trunc(a ** b),
  big: () => (a, b) =>
    b < 0n
      ? (a === 1n ? 1n : a === -1n ? (b & 1n ? -1n : 1n) : 0n)
      : a ** (b > 64n && a !== 0n && a !== 1n && a !== -1n ? 64n : b),
  place: place(
    onBpu("in+out", [...pointwiseRules, oneExponent("input 2 scalar only")], cpu),
    onBpu("no", [oneExponent("exponent (input 2) a single value")], cpu),
  ),
});
