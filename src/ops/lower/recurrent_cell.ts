/**
 * Emitters of the steps of a recurrent operator: all between int16 tensors without zero points, sharing
 * their constants over the steps.
 *
 * @module
 */

import { attr } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { i64, tensor } from "../../ir/tensor.ts";
import { quantizeValue, scaleOf } from "../arithmetic.ts";
import { settleWith } from "../hz/types.ts";
import type { LowerContext, QTensor } from "../op.ts";
import { int32, multipliers, shift, storeFactor } from "./common.ts";
import { int16Table } from "./lut.ts";
import type { Activation } from "./recurrent_activations.ts";

const whole = settleWith({ qmin: -32768, qmax: 32767 }, "int16");

/** float32 scale of an int16 tensor that holds up to `reach`. */
export const scaleFor = (reach: number): number => scaleOf(reach, "int16");

/** Emits operators on int16 tensors. */
export class CellEmitter {
  readonly #stored = new Map<string, unknown>();
  constructor(readonly c: LowerContext) {}

  /** What `make` gives, once per key. */
  private once<T>(key: string, make: () => T): T {
    if (!this.#stored.has(key)) this.#stored.set(key, make());
    return this.#stored.get(key) as T;
  }

  /** A tensor to be filled. */
  temp(hint: string, shape: readonly number[], scale: number): QTensor {
    return { name: this.c.temp(hint, "int16", shape), dtype: "int16", shape, scale, zero: 0 };
  }

  /** A constant. */
  values(hint: string, shape: readonly number[], v: ArrayLike<number>, scale: number): QTensor {
    const q = Int16Array.from(v, (x) => quantizeValue(x, scale, 0, -32768, 32767));
    const name = this.c.store(hint, tensor("int16", shape, q));
    return { name, dtype: "int16", shape, scale, zero: 0 };
  }

  /** a(x), in steps of `scale`. */
  table(a: Activation, x: QTensor, scale: number, hint: string): QTensor {
    const y = this.temp(hint, x.shape, scale);
    const [op, name] = this.once(`table ${a.key} ${x.scale} ${scale}`, () => {
      const { op, table } = int16Table(a.f, x, y);
      return [op, this.c.store(hint, table)] as const;
    });
    this.c.emit(op, [x.name, name], [y.name]);
    return y;
  }

  /** a + b. */
  add(a: QTensor, b: QTensor, scale: number, hint: string): QTensor {
    const y = this.temp(hint, a.shape, scale);
    const names = this.once(`add ${a.scale} ${b.scale} ${scale}`, () => {
      const [k1, k2] = multipliers(this.c, [a.scale / scale, b.scale / scale]);
      return [int32(k1!.m), int32(k2!.m), shift(k1!.s)].map((t) => this.c.store(hint, t));
    });
    this.c.emit("HzSElementwiseAdd", [a.name, b.name, ...names], [y.name], whole);
    return y;
  }

  /** a * b. */
  mul(a: QTensor, b: QTensor, scale: number, hint: string): QTensor {
    const y = this.temp(hint, a.shape, scale);
    const product = a.scale * b.scale / scale;
    const names = this.once(`mul ${product}`, () => storeFactor(this.c, product));
    this.c.emit("HzSElementwiseMul", [a.name, b.name, ...names], [y.name], whole);
    return y;
  }

  /** Elements `from`..`to` along an axis. */
  slice(x: QTensor, axis: number, from: number, to: number, hint: string): QTensor {
    const shape = x.shape.map((d, i) => i === axis ? to - from : d);
    const y = this.temp(hint, shape, x.scale);
    const key = (v: number) => this.stored(`at${v}`, i64([v]));
    this.c.emit("Slice", [x.name, key(from), key(to), key(axis)], [y.name], {}, "");
    return y;
  }

  private stored(hint: string, t: Tensor): string {
    return this.once(`constant ${hint}`, () => this.c.store(hint, t));
  }

  /** The same elements in another shape; keeps type and scale. */
  reshape(x: QTensor, shape: readonly number[], hint: string): QTensor {
    const y = { ...x, name: this.c.temp(hint, x.dtype, shape), shape };
    this.c.emit("Reshape", [x.name, this.c.store(`${hint}_shape`, i64(shape))], [y.name], {}, "");
    return y;
  }

  /** Tensors of one scale in a row along an axis. */
  concat(list: readonly QTensor[], axis: number, hint: string): QTensor {
    if (list.length === 1) return list[0]!;
    const shape = list[0]!.shape.map((d, i) => i === axis ? d * list.length : d);
    const y = this.temp(hint, shape, list[0]!.scale);
    this.c.emit("Concat", list.map((t) => t.name), [y.name], { axis: attr.int(axis) }, "");
    return y;
  }
}
