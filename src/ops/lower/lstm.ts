/**
 * Integer lowering of LSTM: its steps written out on convolutions, tables and products. The state is
 * int16 throughout; only what enters and leaves has calibrated scales.
 *
 * @module
 */

import { attr, intAttr, stringAttr } from "../../ir/graph.ts";
import { i64, numbersOf, tensor } from "../../ir/tensor.ts";
import { lut16, quantizeValue } from "../arithmetic.ts";
import { settleWith } from "../hz/types.ts";
import type { LowerContext, QTensor, QuantSpec, RuleContext } from "../op.ts";
import { logistic } from "../special.ts";
import { emitForm, int32, multipliers, shift, storeFactor } from "./common.ts";
import { storeConv } from "./conv.ts";
import { lut16Value, MAX_SEGMENT_ERROR } from "./lut.ts";

/** Steps that are written out at most (about 14 nodes each). */
const MAX_STEPS = 512;

/** Sigmoid and tanh are flat beyond this: larger sums of a gate saturate. */
const GATE = 32;
/** Largest magnitude of the cell state that is represented. */
const CELL = 32;

const unit = Math.fround(1 / 32767);
const whole = settleWith({ qmin: -32768, qmax: 32767 }, "int16");

function given(c: RuleContext, i: number): boolean {
  return (c.node.inputs[i] ?? "") !== "";
}

function limits(c: RuleContext): string | undefined {
  const x = c.need(0).shape;
  const layout = intAttr(c.node, "layout", 0);
  if ((layout === 1 ? x[0] : x[1]) !== 1) return "the integer form takes batch 1";
  const steps = (layout === 1 ? x[1] : x[0])!;
  if (steps > MAX_STEPS) return `its ${steps} steps are more than ${MAX_STEPS}`;
  for (const i of [1, 2, 3, 5, 6]) {
    if (given(c, i) && c.constant(i) === undefined) {
      return `input ${i} (${"XWRBlhc"[i]}) is computed, not constant`;
    }
  }
  if (given(c, 4) && c.constant(4) === undefined) return "its sequence lengths are computed";
  if (given(c, 4) && Array.from(c.constant(4)!.data, Number).some((n) => n !== steps)) {
    return "its sequence lengths are shorter than the input";
  }
  if (given(c, 7)) return "peepholes have no integer form";
  if (intAttr(c.node, "input_forget", 0) !== 0) return "input_forget has no integer form";
  if (c.node.attrs.has("clip")) return "clip has no integer form";
  const own = c.node.attrs.get("activations");
  const usual = ["sigmoid", "tanh", "tanh"];
  if (
    own?.type === "strings" && own.value.some((f, i) => f.toLowerCase() !== usual[i % 3])
  ) return `activations ${own.value.join(", ")} have no integer form`;
  return undefined;
}

/** Emitters that share their constants over all steps of a direction. */
class Cell {
  readonly #tables = new Map<string, string>();
  constructor(readonly c: LowerContext) {}

  temp(hint: string, shape: readonly number[], scale: number): QTensor {
    return { name: this.c.temp(hint, "int16", shape), dtype: "int16", shape, scale, zero: 0 };
  }

  table(key: string, f: (x: number) => number, x: QTensor): QTensor {
    const y = this.temp(key, x.shape, unit);
    const points = lut16(f, x, { scale: unit });
    let name = this.#tables.get(key);
    let op = "HzLut16";
    if (name === undefined) {
      let error = 0;
      const all = new Int16Array(65536);
      for (let q = -32768; q < 32768; q++) {
        const v = quantizeValue(f(x.scale * q), unit, 0, -32768, 32767);
        all[q & 65535] = v;
        error = Math.max(error, Math.abs(lut16Value(points, q) - v));
      }
      name = error <= MAX_SEGMENT_ERROR
        ? this.c.store(key, tensor("int16", [513], points))
        : this.c.store(`${key}_all`, tensor("int16", [65536], all));
      this.#tables.set(key, name);
    }
    if (name.includes("_all")) op = "HzLut";
    this.c.emit(op, [x.name, name], [y.name]);
    return y;
  }

  add(a: QTensor, b: QTensor, scale: number, hint: string): QTensor {
    const y = this.temp(hint, a.shape, scale);
    const names = this.factor(hint, () => {
      const [k1, k2] = multipliers(this.c, [a.scale / scale, b.scale / scale]);
      return [int32(k1!.m), int32(k2!.m), shift(k1!.s)].map((t) => this.c.store(hint, t));
    });
    this.c.emit("HzSElementwiseAdd", [a.name, b.name, ...names], [y.name], whole);
    return y;
  }

  mul(a: QTensor, b: QTensor, scale: number, hint: string): QTensor {
    const y = this.temp(hint, a.shape, scale);
    const names = this.factor(hint, () => storeFactor(this.c, a.scale * b.scale / scale));
    this.c.emit("HzSElementwiseMul", [a.name, b.name, ...names], [y.name], whole);
    return y;
  }

  readonly #factors = new Map<string, readonly string[]>();
  private factor(hint: string, make: () => readonly string[]): readonly string[] {
    let names = this.#factors.get(hint);
    if (names === undefined) this.#factors.set(hint, names = make());
    return names;
  }

  slice(x: QTensor, axis: number, from: number, to: number, hint: string): QTensor {
    const shape = x.shape.map((d, i) => i === axis ? to - from : d);
    const y = this.temp(hint, shape, x.scale);
    const key = (v: number) => this.constant(`at${v}`, v);
    this.c.emit("Slice", [x.name, key(from), key(to), key(axis)], [y.name], {}, "");
    return y;
  }

  readonly #integers = new Map<string, string>();
  private constant(hint: string, v: number): string {
    let name = this.#integers.get(hint);
    if (name === undefined) this.#integers.set(hint, name = this.c.store(hint, i64([v])));
    return name;
  }

  reshape(x: QTensor, shape: readonly number[], hint: string): QTensor {
    const y = { ...x, name: this.c.temp(hint, x.dtype, shape), shape };
    this.c.emit("Reshape", [x.name, this.c.store(`${hint}_shape`, i64(shape))], [y.name], {}, "");
    return y;
  }

  concat(list: readonly QTensor[], axis: number, hint: string): QTensor {
    if (list.length === 1) return list[0]!;
    const shape = list[0]!.shape.map((d, i) => i === axis ? d * list.length : d);
    const y = this.temp(hint, shape, list[0]!.scale);
    this.c.emit("Concat", list.map((t) => t.name), [y.name], { axis: attr.int(axis) }, "");
    return y;
  }
}

interface Direction {
  readonly outputs: readonly QTensor[];
  readonly hidden: QTensor;
  readonly cell: QTensor;
}

/** All steps of direction d; x is [steps, inputs, 1, 1]. */
function runDirection(
  e: Cell,
  x: QTensor,
  d: number,
  steps: number,
  backwards: boolean,
): Direction {
  const { c } = e;
  const w = c.constant(1)!, r = c.constant(2)!, b = c.constant(3);
  const inputs = w.shape[2]!, H = r.shape[2]!;
  const part = (t: typeof w | undefined, size: number) =>
    t === undefined ? undefined : numbersOf(t).slice(d * size, (d + 1) * size) as ArrayLike<number>;
  const biases = part(b, 8 * H);
  const bias = biases === undefined
    ? undefined
    : Float64Array.from({ length: 4 * H }, (_, i) => biases[i]! + biases[i + 4 * H]!);
  const gateScale = Math.fround(GATE / 32767);
  const window = {
    pads: attr.ints([0, 0, 0, 0]),
    strides: attr.ints([1, 1]),
    dilations: attr.ints([1, 1]),
    group: attr.int(1),
  };
  const common = {
    window,
    out: { scale: gateScale, dtype: "int16", zero: 0 },
    range: { qmin: -32768, qmax: 32767 },
    op: "HzSQuantizedConv",
  } as const;
  const forX = storeConv(c, {
    ...common,
    x,
    weight: { shape: [4 * H, inputs, 1, 1], values: part(w, 4 * H * inputs)! },
    ...(bias === undefined ? {} : { bias }),
  });
  const projected = e.temp(`x_gates${d}`, [steps, 4 * H, 1, 1], gateScale);
  c.emit(forX.op, [x.name, ...forX.constants], [projected.name], forX.attrs);

  const state = (i: number, scale: number, hint: string): QTensor => {
    const t = c.node.inputs[i] ? c.constant(i) : undefined;
    const values = part(t, H);
    const q = Int16Array.from(
      { length: H },
      (_, k) => quantizeValue(values?.[k] ?? 0, scale, 0, -32768, 32767),
    );
    const shape = [1, H, 1, 1];
    return {
      name: c.store(hint, tensor("int16", shape, q)),
      dtype: "int16",
      shape,
      scale,
      zero: 0,
    };
  };
  const cellScale = Math.fround(CELL / 32767);
  let h = state(5, unit, `h${d}`), cell = state(6, cellScale, `c${d}`);
  const forH = storeConv(c, {
    ...common,
    x: h,
    weight: { shape: [4 * H, H, 1, 1], values: part(r, 4 * H * H)! },
  });
  const outputs: QTensor[] = [];
  for (let k = 0; k < steps; k++) {
    const t = backwards ? steps - 1 - k : k;
    const recurrent = e.temp(`h_gates${d}`, [1, 4 * H, 1, 1], gateScale);
    c.emit(forH.op, [h.name, ...forH.constants], [recurrent.name], forH.attrs);
    const now = e.slice(projected, 0, t, t + 1, "now");
    const sum = e.add(now, recurrent, gateScale, "gates");
    // The gates are stacked as input, output, forget, cell.
    const gate = (i: number, f: "sigmoid" | "tanh") =>
      e.table(
        f,
        f === "sigmoid" ? logistic : Math.tanh,
        e.slice(sum, 1, i * H, (i + 1) * H, "gate"),
      );
    const [i, o, f, g] = [
      gate(0, "sigmoid"),
      gate(1, "sigmoid"),
      gate(2, "sigmoid"),
      gate(3, "tanh"),
    ];
    const kept = e.mul(f, cell, cellScale, "kept"), fresh = e.mul(i, g, cellScale, "fresh");
    cell = e.add(kept, fresh, cellScale, "cell");
    h = e.mul(o, e.table("cell_tanh", Math.tanh, cell), unit, "hidden");
    outputs[t] = h;
  }
  return { outputs, hidden: h, cell };
}

/** LSTM of batch 1, forward, reverse or both. */
export const lstmQuant: QuantSpec = {
  kind: "active",
  scale: "own",
  heavy: true,
  limits,
  lower(c) {
    const e = new Cell(c);
    const given = c.input(0);
    const direction = stringAttr(c.node, "direction", "forward");
    const steps = intAttr(c.node, "layout", 0) === 1 ? given.shape[1]! : given.shape[0]!;
    const x = e.reshape(given, [steps, given.shape[2]!, 1, 1], "steps");
    const runs = (direction === "bidirectional" ? [false, true] : [direction === "reverse"])
      .map((backwards, d) => runDirection(e, x, d, steps, backwards));
    const finish = (i: number, make: () => QTensor): void => {
      const name = c.node.outputs[i] ?? "";
      if (name === "") return;
      const y = c.output(c.node.outputs.slice(0, i).filter((t) => t !== "").length);
      const t = make();
      const flat = e.reshape(t, y.shape, `out${i}`);
      emitForm(
        c,
        "HzRequantize",
        [flat.name, ...storeFactor(c, t.scale / y.scale)],
        [y.name],
        settleWith({
          qmin: y.dtype === "int8" ? -128 : -32768,
          qmax: y.dtype === "int8" ? 127 : 32767,
        }, y.dtype),
        { x_zero: 0, y_zero: y.zero },
      );
    };
    finish(0, () => {
      // [steps, directions * H]: with batch 1 the order of both layouts.
      const rows = Array.from(
        { length: steps },
        (_, t) => e.concat(runs.map((r) => r.outputs[t]!), 1, "row"),
      );
      return e.concat(rows, 0, "rows");
    });
    finish(1, () => e.concat(runs.map((r) => r.hidden), 1, "last_hidden"));
    finish(2, () => e.concat(runs.map((r) => r.cell), 1, "last_cell"));
  },
};
