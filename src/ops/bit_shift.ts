import { type Node, stringAttr } from "../ir/graph.ts";
import { byteSize, type DType } from "../ir/tensor.ts";
import { elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

const isLeft = (n: Node): boolean => stringAttr(n, "direction") === "LEFT";
const width = (d: DType): number => 8 * byteSize(d);

/** Shifts unsigned integers by the direction attribute. */
export const bitShift: OpDef = elementwise({
  op: "BitShift",
  takes: "integer",
  number: (n, dtype) =>
    isLeft(n) ? (a, b) => b >= width(dtype) ? 0 : a * 2 ** b : (a, b) => Math.floor(a / 2 ** b),
  big: (n) => isLeft(n) ? (a, b) => BigInt.asUintN(64, a << b) : (a, b) => a >> b,
  place: everywhere(notIntegrated()),
});
