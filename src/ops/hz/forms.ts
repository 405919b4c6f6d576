/**
 * Quantized operators with zero points. The plain form of an operator is symmetric; its `Asym` form has
 * the zero points as attributes and subtracts and adds them in its body, so that symmetric models stay
 * as small and fast as they were.
 *
 * @module
 */

import type { Node } from "../../ir/graph.ts";
import { intAttr } from "../../ir/graph.ts";
import type { OpDef } from "../op.ts";
import { settle } from "./fragments.ts";

/** Suffix of the form with zero points. */
export const ASYM = "Asym";

/** What differs between the bodies of the two forms. */
export interface Form {
  readonly asym: boolean;
  /** Declarations of zero-point attributes; none in the symmetric form. */
  zeros(...names: string[]): string[];
  /** Statement: `out` = x - @zero in the type `to` (a dtype that has Sub: f32, f64, i32, i64). */
  minus(x: string, out: string, zero: string, to: string): string;
  /** Statement: `y` = saturated floor(v + 0.5) + @y_zero. */
  settle(v: string): string;
}

const symmetric: Form = {
  asym: false,
  zeros: () => [],
  minus: (x, out, _, to) => `${out}=Cast(${x}){to=${to}}`,
  settle: (v) => settle(v),
};

const asymmetric: Form = {
  asym: true,
  zeros: (...names) => names.map((n) => `${n}:int`),
  minus: (x, out, zero, to) =>
    `${out}_c=Cast(${x}){to=${to}}; ${out}_z=Cast(@${zero}){to=${to}}; ${out}=Sub(${out}_c, ${out}_z)`,
  settle: (v) => settle(v, "y", "y_zero"),
};

/** Both forms of an operator. */
export function forms(op: string, make: (op: string, form: Form) => OpDef): OpDef[] {
  const plain = make(op, symmetric);
  return [plain, { ...make(op + ASYM, asymmetric), table: plain.table ?? op }];
}

/** A zero point of a node; 0 in the symmetric form. */
export function zeroAt(n: Node, name: string): number {
  return intAttr(n, name, 0);
}
