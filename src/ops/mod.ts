import { intAttr } from "../ir/graph.ts";
import { elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

function floorMod(a: bigint, b: bigint): bigint {
  if (b === 0n) return 0n;
  const r = a % b;
  return r !== 0n && (r < 0n) !== (b < 0n) ? r + b : r;
}

/** Remainder with the sign of the divisor, or (fmod) of the dividend. */
export const mod: OpDef = elementwise({
  op: "Mod",
  takes: "number",
  number: (n) =>
    intAttr(n, "fmod", 0) === 1
      ? (a, b) => a % b
      : (a, b) => b === 0 ? 0 : a - b * Math.floor(a / b),
  big: (n) => intAttr(n, "fmod", 0) === 1 ? (a, b) => b === 0n ? 0n : a % b : floorMod,
  place: everywhere(notIntegrated()),
});
