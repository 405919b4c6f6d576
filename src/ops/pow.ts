import { modelError } from "./context.ts";
import { isFloat, toDoubles } from "./convert.ts";
import { elementwise } from "./elementwise.ts";
import { broadcastCpu, dtypeIn, onBpu, place, pointwiseRules, rule } from "./rules.ts";
import type { UnaryDef } from "./unary.ts";
import { lutQuant } from "./lower/lut.ts";

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

/** base ** exponent modulo 2^64; a fraction is cut off. */
function bigPower(base: bigint, exponent: bigint): bigint {
  if (exponent < 0n) return base === 1n || base === -1n ? base ** (-exponent & 1n) : 0n;
  let [result, square] = [1n, base];
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = BigInt.asIntN(64, result * square);
    square = BigInt.asIntN(64, square * square);
  }
  return result;
}

const real: UnaryDef["real"] = (n, constant) => {
  const t = constant(1);
  const exponent = t === undefined || t.data.length !== 1 ? undefined : toDoubles(t)[0];
  return exponent === undefined
    ? modelError(n, "its exponent is not one constant")
    : (x) => x ** exponent;
};

/** Power; the result has the type of the base. With one constant exponent a function of one input. */
export const pow: UnaryDef = {
  ...elementwise({
    op: "Pow",
    takes: "number",
    mixed: true,
    number: (_, dtype) => isFloat(dtype) ? Math.pow : (a, b) => Math.trunc(a ** b),
    big: () => bigPower,
    place: place(
      onBpu("in+out", [...pointwiseRules, oneExponent("input 2 scalar only")], cpu),
      onBpu("no", [oneExponent("exponent (input 2) a single value")], cpu),
    ),
  }),
  real,
  quant: lutQuant({ real }),
};
