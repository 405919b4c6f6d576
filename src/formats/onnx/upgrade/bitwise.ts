/**
 * BitwiseAnd, BitwiseOr, BitwiseXor and BitwiseNot (opset 18).
 *
 * @module
 */

import type { Node } from "../../../ir/graph.ts";
import { byteSize } from "../../../ir/tensor.ts";
import { Chain } from "./chain.ts";
import { type Context, refuse } from "./context.ts";

const functions: ReadonlyMap<string, (a: number, b: number) => number> = new Map([
  ["BitwiseAnd", (a: number, b: number) => a & b],
  ["BitwiseOr", (a: number, b: number) => a | b],
  ["BitwiseXor", (a: number, b: number) => a ^ b],
]);

function integer(chain: Chain, value: bigint): string {
  return chain.constant("c", { dtype: "int64", shape: [], data: BigInt64Array.of(value) });
}

/** Byte by byte in int64: a table of 256 x 256 results, whose sum wraps as two's complement does. */
export function bitwise(n: Node, c: Context): readonly Node[] {
  const [a = "", b = ""] = n.inputs;
  const dtype = c.fact(a).dtype ?? c.fact(b).dtype;
  const of = functions.get(n.op)!;
  if (dtype === undefined) throw refuse(n, "the element type of the input is not known");
  const chain = new Chain(n, c);
  const table = chain.constant("table", {
    dtype: "int64",
    shape: [65536],
    data: BigInt64Array.from({ length: 65536 }, (_, i) => BigInt(of(i >> 8, i & 255))),
  });
  const byte = integer(chain, 256n);
  let [x, y] = [chain.cast(a, "int64"), chain.cast(b, "int64")];
  let sum: string | undefined;
  for (let i = 0; i < byteSize(dtype); i++) {
    const [low, other] = [chain.add("Mod", [x, byte]), chain.add("Mod", [y, byte])];
    const at = chain.add("Add", [chain.add("Mul", [low, byte]), other]);
    const found = chain.add("Gather", [table, at]);
    const part = chain.add("Mul", [found, integer(chain, BigInt.asIntN(64, 1n << BigInt(8 * i)))]);
    sum = sum === undefined ? part : chain.add("Add", [sum, part]);
    x = chain.add("Div", [chain.add("Sub", [x, low]), byte]);
    y = chain.add("Div", [chain.add("Sub", [y, other]), byte]);
  }
  chain.cast(sum!, dtype);
  return chain.end();
}

/** ~x = -1 - x. */
export function bitwiseNot(n: Node, c: Context): readonly Node[] {
  const x = n.inputs[0] ?? "";
  const dtype = c.fact(x).dtype;
  if (dtype === undefined) throw refuse(n, "the element type of the input is not known");
  const chain = new Chain(n, c);
  chain.cast(chain.add("Sub", [integer(chain, -1n), chain.cast(x, "int64")]), dtype);
  return chain.end();
}
