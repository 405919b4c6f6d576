import { type Node, stringAttr } from "../ir/graph.ts";
import { byteSize, type DType } from "../ir/tensor.ts";
import { elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** Shifts by the full width or more give 0 (and a huge one must not build a huge integer). */
function shiftBig(left: boolean) {
  return (a: bigint, b: bigint): bigint => {
    if (b < 0n || b >= 64n) return 0n;
    return left ? BigInt.asUintN(64, a << b) : a >> b;
  };
}

const isLeft = (n: Node): boolean => stringAttr(n, "direction") === "LEFT";
const width = (d: DType): number => 8 * byteSize(d);

/** Shifts unsigned integers by the direction attribute. */
export const bitShift: OpDef = elementwise({
  op: "BitShift",
  takes: "integer",
  number: (n, dtype) =>
    isLeft(n) ? (a, b) => b >= width(dtype) ? 0 : a * 2 ** b : (a, b) => Math.floor(a / 2 ** b),
  big: (n) => shiftBig(isLeft(n)),
  place: everywhere(notIntegrated()),
});
