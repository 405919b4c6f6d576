/**
 * Constants that lowerings store: factors as multiplier and shift, tables; refusal of factors that do
 * not fit.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { tensor } from "../../ir/tensor.ts";
import type { Multiplier } from "../arithmetic.ts";
import { multiplierOf, multipliersOf, qmaxOf, qminOf, quantizeValue } from "../arithmetic.ts";
import { numbersOf } from "../../ir/tensor.ts";
import type { Attr } from "../../ir/graph.ts";
import { attr } from "../../ir/graph.ts";
import { ASYM } from "../hz/forms.ts";
import type { InferContext, LowerContext, QTensor } from "../op.ts";

/** int32 scalar. */
export const int32 = (v: number): Tensor => tensor("int32", [], Int32Array.of(v));

/** int8 scalar: a shift. */
export const shift = (v: number): Tensor => tensor("int8", [], Int8Array.of(v));

/** int32 vector. */
export const int32s = (v: Int32Array): Tensor => tensor("int32", [v.length], v);

function fits<T>(c: LowerContext, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof BpuError && error.code === "numeric") {
      c.refuse(`its scales do not fit together: ${error.message}`);
    }
    throw error;
  }
}

/** m and s of a factor; refuses a factor that is too large. */
export function multiplier(c: LowerContext, factor: number): Multiplier {
  return fits(c, () => multiplierOf(factor));
}

/** m and s of factors with one shift; refuses factors that are too large. */
export function multipliers(c: LowerContext, factors: readonly number[]): Multiplier[] {
  return fits(c, () => multipliersOf(factors));
}

/** Stores a factor as two scalars, names of m (int32) and s (int8). */
export function storeFactor(
  c: LowerContext,
  factor: number,
  m = "m",
  s = "s",
): [string, string] {
  const k = multiplier(c, factor);
  return [c.store(m, int32(k.m)), c.store(s, shift(k.s))];
}

/** The form of a quantized operator that zero points ask for: with all of them 0 the symmetric one. */
export function formOf(
  op: string,
  attrs: Readonly<Record<string, Attr>>,
  zeros: Readonly<Record<string, number>>,
): { op: string; attrs: Readonly<Record<string, Attr>> } {
  const list = Object.entries(zeros);
  if (list.every(([, z]) => z === 0)) return { op, attrs };
  const given = Object.fromEntries(list.map(([name, z]) => [name, attr.int(z)]));
  return { op: op + ASYM, attrs: { ...attrs, ...given } };
}

/** Emits a quantized operator in the form that its zero points ask for. */
export function emitForm(
  c: LowerContext,
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attrs: Readonly<Record<string, Attr>>,
  zeros: Readonly<Record<string, number>>,
): void {
  const form = formOf(op, attrs, zeros);
  c.emit(form.op, inputs, outputs, form.attrs);
}

/** Name of input i in the scale and type of `y`: a constant is quantized so, an activation requantized. */
export function inScaleOf(c: LowerContext, i: number, y: QTensor): string {
  const dtype = y.dtype === "int16" ? "int16" : "int8";
  if (!c.isConstant(i)) {
    return fits(c, () => c.requantize(c.input(i), { scale: y.scale, zero: y.zero, dtype }));
  }
  const k = c.constant(i)!;
  const values = numbersOf(k), [low, high] = [qminOf(dtype), qmaxOf(dtype)];
  const q = dtype === "int8" ? new Int8Array(values.length) : new Int16Array(values.length);
  for (let j = 0; j < q.length; j++) q[j] = quantizeValue(values[j]!, y.scale, y.zero, low, high);
  return c.store(`input${i}`, tensor(dtype, k.shape, q));
}

/** A lowering context as shape inference sees the float node (types of activations and constants). */
export function inferView(c: LowerContext): InferContext {
  const type = (i: number) => {
    const name = c.node.inputs[i];
    if (name === undefined || name === "") return undefined;
    if (c.isConstant(i)) return c.constant(i);
    return { dtype: "float32", shape: c.input(i).shape } as const;
  };
  return {
    node: c.node,
    input: type,
    need(i) {
      return type(i) ?? c.refuse(`its input ${i} is missing`);
    },
    constant: (i) => c.isConstant(i) ? c.constant(i) : undefined,
  };
}

/** A sentence when a given input i >= `from` is not a constant. */
export function computedInput(c: InferContext, from = 1): string | undefined {
  for (let i = from; i < c.node.inputs.length; i++) {
    if (c.node.inputs[i] !== "" && c.constant(i) === undefined) {
      return `input ${i} is computed, not constant`;
    }
  }
  return undefined;
}

/** A sentence when the rank is not 4. */
export function rank4(c: InferContext): string | undefined {
  return c.need(0).shape.length === 4 ? undefined : "the integer form takes rank 4";
}
