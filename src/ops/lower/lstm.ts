/**
 * Integer lowering of LSTM: its steps written out on convolutions, tables and products. The state is
 * int16 throughout (docs/arithmetic.md section 9b).
 *
 * @module
 */

import { attr, floatAttr, intAttr, stringAttr } from "../../ir/graph.ts";
import type { Node } from "../../ir/graph.ts";
import { numbersOf } from "../../ir/tensor.ts";
import { qmaxOf, qminOf, reachOf } from "../arithmetic.ts";
import { settleWith } from "../hz/types.ts";
import type { LowerContext, QTensor, QuantSpec, RuleContext } from "../op.ts";
import { emitForm, storeFactor } from "./common.ts";
import { storeConv } from "./conv_store.ts";
import { activationsOf, clipped, complement } from "./recurrent_activations.ts";
import type { Activation } from "./recurrent_activations.ts";
import { CellEmitter, scaleFor } from "./recurrent_cell.ts";

/** Steps that are written out at most (about 14 nodes each). */
const MAX_STEPS = 512;

/** Sigmoid and tanh are flat beyond this: larger sums of a gate saturate. */
const GATE = 32;
/** Most that the cell state is represented up to, unless it starts with more. */
const CELL = 32;

const usual = ["Sigmoid", "Tanh", "Tanh"];

const directionsOf = (n: Node) => stringAttr(n, "direction", "forward") === "bidirectional" ? 2 : 1;

function limits(c: RuleContext): string | undefined {
  const x = c.need(0).shape;
  const layout = intAttr(c.node, "layout", 0);
  if ((layout === 1 ? x[0] : x[1]) !== 1) return "the integer form takes batch 1";
  const steps = (layout === 1 ? x[1] : x[0])!;
  if (steps > MAX_STEPS) return `its ${steps} steps are more than ${MAX_STEPS}`;
  const given = (i: number) => (c.node.inputs[i] ?? "") !== "";
  for (const [i, name] of [[1, "W"], [2, "R"], [3, "B"], [4, "sequence_lens"], [7, "P"]] as const) {
    if (given(i) && c.constant(i) === undefined) {
      return `input ${i} (${name}) is computed, not constant`;
    }
  }
  const lengths = given(4) ? Array.from(c.constant(4)!.data, Number) : [];
  const wrong = lengths.find((n) => n < 1 || n > steps);
  if (wrong !== undefined) return `a sequence length of ${wrong} is outside 1..${steps}`;
  const activations = activationsOf(c.node, usual, directionsOf(c.node));
  return typeof activations === "string" ? activations : undefined;
}

/** What all directions share. */
interface Shared {
  readonly e: CellEmitter;
  /** [steps, inputs, 1, 1]. */
  readonly x: QTensor;
  /** Steps that count; what is behind them is padding. */
  readonly length: number;
  readonly hidden: number;
  /** f, g and h of every direction, of clipped arguments. */
  readonly activations: readonly Activation[];
  readonly gateScale: number;
  readonly cellScale: number;
  readonly hiddenScale: number;
  /** Initial states, one direction after the other: [directions, hidden, 1, 1]; absent: 0. */
  readonly hidden0: QTensor | undefined;
  readonly cell0: QTensor | undefined;
}

interface Direction {
  readonly outputs: readonly QTensor[];
  readonly hidden: QTensor;
  readonly cell: QTensor;
}

/** Largest magnitude in a range. */
const size = (r: { readonly lo: number; readonly hi: number }) => Math.max(-r.lo, r.hi);

function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}

/** Largest magnitude of an initial state; 0 where it is not given. */
function reachOfState(c: LowerContext, i: number): number {
  if ((c.node.inputs[i] ?? "") === "") return 0;
  if (c.isConstant(i)) return largest(numbersOf(c.constant(i)!));
  const q = c.input(i);
  return q.scale * reachOf(q.dtype === "int16" ? "int16" : "int8", q.zero);
}

/** An initial state in the scale of the state. */
function stateOf(
  e: CellEmitter,
  i: number,
  hidden: number,
  scale: number,
  hint: string,
): QTensor | undefined {
  const { c } = e;
  if ((c.node.inputs[i] ?? "") === "") return undefined;
  const shape = [directionsOf(c.node), hidden, 1, 1];
  if (c.isConstant(i)) return e.values(hint, shape, numbersOf(c.constant(i)!), scale);
  const given = e.reshape(c.input(i), shape, hint);
  const name = c.requantize(given, { scale, zero: 0, dtype: "int16" });
  return { name, dtype: "int16", shape, scale, zero: 0 };
}

/** Weights of the peepholes of direction d, in the order input, output, forget. */
function peepholesOf(e: CellEmitter, d: number, H: number): (QTensor | undefined)[] {
  const given = (e.c.node.inputs[7] ?? "") === "" ? undefined : numbersOf(e.c.constant(7)!);
  return [0, 1, 2].map((i) => {
    const from = (3 * d + i) * H;
    const values = Array.from({ length: H }, (_, k) => given?.[from + k] ?? 0);
    const most = largest(values);
    return most === 0
      ? undefined
      : e.values(`p${d}${"iof"[i]}`, [1, H, 1, 1], values, scaleFor(most));
  });
}

/** All steps of direction d. */
function runDirection(s: Shared, d: number, backwards: boolean): Direction {
  const { e, x, hidden: H, gateScale, cellScale, hiddenScale } = s;
  const { c } = e;
  const w = c.constant(1)!, r = c.constant(2)!, b = c.constant(3);
  const steps = x.shape[0]!, inputs = w.shape[2]!;
  const part = (t: typeof w | undefined, size: number) =>
    t === undefined ? undefined : numbersOf(t).slice(d * size, (d + 1) * size) as ArrayLike<number>;
  const biases = part(b, 8 * H);
  const bias = biases === undefined
    ? undefined
    : Float64Array.from({ length: 4 * H }, (_, i) => biases[i]! + biases[i + 4 * H]!);
  const common = {
    window: {
      pads: attr.ints([0, 0, 0, 0]),
      strides: attr.ints([1, 1]),
      dilations: attr.ints([1, 1]),
      group: attr.int(1),
    },
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

  const start = (all: QTensor | undefined, scale: number, hint: string): QTensor => {
    if (all === undefined) return e.values(hint, [1, H, 1, 1], new Float64Array(H), scale);
    return all.shape[0] === 1 ? all : e.slice(all, 0, d, d + 1, hint);
  };
  let h = start(s.hidden0, hiddenScale, `h${d}`), cell = start(s.cell0, cellScale, `c${d}`);
  const forH = storeConv(c, {
    ...common,
    x: h,
    weight: { shape: [4 * H, H, 1, 1], values: part(r, 4 * H * H)! },
  });
  const [f, g, last] = s.activations.slice(3 * d, 3 * d + 3) as [
    Activation,
    Activation,
    Activation,
  ];
  const [forInput, forOutput, forForget] = peepholesOf(e, d, H);
  const keeps = intAttr(c.node, "input_forget", 0) === 1 ? complement(f) : f;
  /** The function of a gate, in a scale that holds all it can give. */
  const apply = (a: Activation, sum: QTensor, reach: number) =>
    e.table(a, sum, scaleFor(size(a.range(reach))), a.key);

  const outputs: QTensor[] = [];
  for (let k = 0; k < s.length; k++) {
    const t = backwards ? s.length - 1 - k : k;
    const recurrent = e.temp(`h_gates${d}`, [1, 4 * H, 1, 1], gateScale);
    c.emit(forH.op, [h.name, ...forH.constants], [recurrent.name], forH.attrs);
    const sum = e.add(e.slice(projected, 0, t, t + 1, "now"), recurrent, gateScale, "gates");
    // The gates are stacked as input, output, forget, cell.
    const gate = (i: number, peephole?: QTensor, seen?: QTensor): QTensor => {
      const own = e.slice(sum, 1, i * H, (i + 1) * H, "gate");
      return peephole === undefined || seen === undefined
        ? own
        : e.add(own, e.mul(peephole, seen, gateScale, "peephole"), gateScale, "gate");
    };
    const forI = gate(0, forInput, cell);
    const i = apply(f, forI, GATE);
    const kept = apply(keeps, keeps === f ? gate(2, forForget, cell) : forI, GATE);
    const fresh = apply(g, gate(3), GATE);
    cell = e.add(
      e.mul(kept, cell, cellScale, "kept"),
      e.mul(i, fresh, cellScale, "fresh"),
      cellScale,
      "cell",
    );
    const o = apply(f, gate(1, forOutput, cell), GATE);
    h = e.mul(o, apply(last, cell, cellScale * 32767), hiddenScale, "hidden");
    outputs[t] = h;
  }
  return { outputs, hidden: h, cell };
}

/** What the cell state is represented up to: each step adds at most i * g where f keeps no more than all. */
function cellReach(c: LowerContext, activations: readonly Activation[], length: number): number {
  const start = reachOfState(c, 6);
  let most = start;
  for (let i = 0; i < activations.length; i += 3) {
    const [f, g] = activations.slice(i, i + 2) as [Activation, Activation];
    const { lo, hi } = f.range(GATE);
    const grows = lo < 0 || hi > 1;
    most = Math.max(most, grows ? Infinity : start + length * size(g.range(GATE)));
  }
  return Math.min(most, Math.max(CELL, start));
}

/** What the hidden state is represented up to. */
function hiddenReach(c: LowerContext, activations: readonly Activation[], cell: number): number {
  let reach = 0;
  for (let i = 0; i < activations.length; i += 3) {
    const [f, , h] = activations.slice(i, i + 3) as [Activation, Activation, Activation];
    reach = Math.max(reach, size(f.range(GATE)) * size(h.range(cell)));
  }
  // Functions without bounds: what calibration saw, which is all hidden states where Y is an output.
  if (reach > 1 && (c.node.outputs[0] ?? "") !== "") {
    const y = c.output();
    reach = Math.min(reach, y.scale * reachOf(y.dtype === "int16" ? "int16" : "int8", y.zero));
  }
  return Math.max(reach, reachOfState(c, 5));
}

/** LSTM of batch 1, forward, reverse or both. */
export const lstmQuant: QuantSpec = {
  kind: "active",
  scale: "own",
  heavy: true,
  limits,
  lower(c) {
    const e = new CellEmitter(c);
    const given = c.input(0), directions = directionsOf(c.node);
    const steps = intAttr(c.node, "layout", 0) === 1 ? given.shape[1]! : given.shape[0]!;
    const x = e.reshape(given, [steps, given.shape[2]!, 1, 1], "steps");
    const named = activationsOf(c.node, usual, directions);
    if (typeof named === "string") return c.refuse(named);
    const clip = floatAttr(c.node, "clip", Infinity);
    const activations = named.map((a) => clipped(a, clip));
    const lengths = c.constant(4);
    const length = lengths === undefined ? steps : Number(lengths.data[0]);
    const hidden = c.constant(2)!.shape[2]!, cell = cellReach(c, activations, length);
    const [cellScale, hiddenScale] = [cell, hiddenReach(c, activations, cell)].map(scaleFor) as [
      number,
      number,
    ];
    const shared: Shared = {
      e,
      x,
      length,
      hidden,
      activations,
      gateScale: scaleFor(GATE),
      cellScale,
      hiddenScale,
      hidden0: stateOf(e, 5, hidden, hiddenScale, "initial_h"),
      cell0: stateOf(e, 6, hidden, cellScale, "initial_c"),
    };
    const reverse = stringAttr(c.node, "direction", "forward") === "reverse";
    const runs = Array.from(
      { length: directions },
      (_, d) => runDirection(shared, d, reverse || d === 1),
    );
    const finish = (i: number, make: () => QTensor): void => {
      const name = c.node.outputs[i] ?? "";
      if (name === "") return;
      const y = c.output(c.node.outputs.slice(0, i).filter((t) => t !== "").length);
      const t = make();
      const flat = e.reshape(t, y.shape, `out${i}`);
      const type = y.dtype === "int16" ? "int16" : "int8";
      // Where one step of the state is more than the whole range of the output, this saturates as well.
      const factor = Math.min(t.scale / y.scale, qmaxOf("int16"));
      emitForm(
        c,
        "HzRequantize",
        [flat.name, ...storeFactor(c, factor)],
        [y.name],
        settleWith({ qmin: qminOf(type), qmax: qmaxOf(type) }, type),
        { x_zero: 0, y_zero: y.zero },
      );
    };
    finish(0, () => {
      // [steps, directions * H]: with batch 1 the order of both layouts.
      const rows = Array.from(
        { length: shared.length },
        (_, t) => e.concat(runs.map((r) => r.outputs[t]!), 1, "row"),
      );
      if (shared.length < steps) {
        const shape = [1, directions * hidden, 1, 1];
        const none = e.values("padding", shape, new Float64Array(directions * hidden), hiddenScale);
        while (rows.length < steps) rows.push(none);
      }
      return e.concat(rows, 0, "rows");
    });
    finish(1, () => e.concat(runs.map((r) => r.hidden), 1, "last_hidden"));
    finish(2, () => e.concat(runs.map((r) => r.cell), 1, "last_cell"));
  },
};
