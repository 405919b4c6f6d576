/**
 * Elementwise functions.
 *
 * @module
 */

import { floatAttr, intAttr, type Node } from "../../ir/graph.ts";
import { elementCount } from "../../ir/tensor.ts";
import {
  type BinaryF32,
  binaryF32,
  type UnaryF32,
  unaryF32,
} from "../../kernels/elementwise_f32.ts";
import { fakeQuantize } from "../../kernels/quantize.ts";
import { collapse } from "../../kernels/strided.ts";
import { calibrated } from "../../ops/hz/hz_calibration.ts";
import { affineOf, clampOf } from "./conv.ts";
import {
  isConstant,
  NotCovered,
  orderOf,
  type Planner,
  sameBytes,
  stridesIn,
  type Value,
} from "./plan.ts";

/** A kernel and its parameters. */
interface Function {
  readonly op: UnaryF32;
  readonly alpha?: number;
  readonly beta?: number;
}

const horizon = new Map<string, Function>([
  ["HzSwish", { op: "silu" }],
  ["HzGelu", { op: "gelu", alpha: Math.SQRT1_2, beta: 0.5 }],
  ["HzMish", { op: "mish" }],
]);

function functionOf(p: Planner, n: Node): Function | undefined {
  if (n.domain === "horizon") return horizon.get(n.op);
  const clamp = clampOf(p, n);
  if (clamp !== undefined) return { op: "clamp", alpha: clamp.min, beta: clamp.max };
  switch (n.op) {
    case "LeakyRelu":
      return { op: "leakyRelu", alpha: floatAttr(n, "alpha", 0.01) };
    case "Elu":
      return { op: "elu", alpha: floatAttr(n, "alpha", 1) };
    case "Sigmoid":
      return { op: "sigmoid" };
    case "HardSigmoid":
      return {
        op: "hardSigmoid",
        alpha: floatAttr(n, "alpha", 0.2),
        beta: floatAttr(n, "beta", 0.5),
      };
    case "HardSwish":
      return { op: "hardSwish", alpha: 1 / 6, beta: 0.5 };
    case "Tanh":
      return { op: "tanh" };
    case "Exp":
      return { op: "exp" };
    case "Neg":
      return { op: "neg" };
    case "Abs":
      return { op: "abs" };
    case "Sqrt":
      return { op: "sqrt" };
    case "Reciprocal":
      return { op: "reciprocal" };
    case "Floor":
      return { op: "floor" };
    case "Ceil":
      return { op: "ceil" };
    case "Erf":
      return { op: "erf" };
  }
  return undefined;
}

/** Functions of one input. */
export function lowerUnary(p: Planner, n: Node): void {
  const f = functionOf(p, n);
  if (f === undefined) throw new NotCovered(`${n.op} with these parameters`);
  p.shapeOf(n.inputs[0]!);
  const x = p.value(n.inputs[0]!), y = p.inPlace(x, n), count = elementCount(x.shape);
  p.moved += count;
  p.step([x], [y], (m) => () => unaryF32(m.arena, { ...f, x: m.at(x), y: m.at(y), n: count }));
  p.define(n.outputs[0]!, y);
}

/** Fake quantization. That of weights is done here, once. */
export function lowerCalibration(p: Planner, n: Node): void {
  p.shapeOf(n.inputs[0]!);
  const [weights, scale, zero] = [p.constant(n, 0), p.constant(n, 1), p.constant(n, 2)];
  if (scale === undefined || zero === undefined) throw new NotCovered(`${n.op} of computed scales`);
  if (weights !== undefined) {
    p.fold(n.outputs[0]!, calibrated(n, weights, scale, zero));
    return;
  }
  const step = p.floats(n, 1);
  if (step.length !== 1) throw new NotCovered(`${n.op} with a scale per channel`);
  const x = p.value(n.inputs[0]!), y = p.inPlace(x, n), count = elementCount(x.shape);
  const grid = {
    scale: step[0]!,
    zero: Number(zero.data[0]),
    qmin: intAttr(n, "qmin", 0),
    qmax: intAttr(n, "qmax", 0),
  };
  p.moved += count;
  p.step(
    [x],
    [y],
    (m) => () => fakeQuantize(m.arena, { ...grid, x: m.at(x), y: m.at(y), n: count }),
  );
  p.define(n.outputs[0]!, y);
}

const operators = new Map<string, BinaryF32>([
  ["Add", "add"],
  ["Sub", "sub"],
  ["Mul", "mul"],
  ["Div", "div"],
  ["Max", "max"],
  ["Min", "min"],
  ["PRelu", "slope"],
]);

/** Two inputs with broadcasting. */
export function lowerBinary(p: Planner, n: Node): void {
  if (n.inputs.length !== 2) throw new NotCovered(`${n.op} of ${n.inputs.length} inputs`);
  const shape = p.shapeOf(n.outputs[0]!);
  for (const t of n.inputs) p.shapeOf(t);
  const [a, b] = [p.value(n.inputs[0]!), p.value(n.inputs[1]!)];
  p.define(n.outputs[0]!, binary(p, n, operators.get(n.op)!, a, b, shape));
}

function binary(
  p: Planner,
  n: Node,
  op: BinaryF32,
  first: Value,
  second: Value,
  shape: readonly number[],
): Value {
  const size = elementCount(shape);
  const full = [first, second].find((v) => !isConstant(v) && elementCount(v.shape) === size);
  const lead = full?.shape.length === shape.length ? full : undefined;
  const layout = lead?.layout ??
    (shape.length === 4 && [first, second].some((v) => v.layout === "nhwc") ? "nhwc" : "nchw");
  /** The operand with the rank of the result, laid out as the result is. */
  const fit = (v: Value): Value => {
    if (v.shape.length === shape.length) return p.convert(v, layout);
    const padded = [...new Array<number>(shape.length - v.shape.length).fill(1), ...v.shape];
    const wide: Value = { ...v, shape: padded };
    return p.convert(wide, layout);
  };
  const a = fit(first), b = fit(second);
  const order = orderOf({ shape, layout });
  const strides = (v: Value): number[] => {
    const s = stridesIn(v.shape, layout);
    return order.map((i) => v.shape[i] === 1 && shape[i] !== 1 ? 0 : s[i]!);
  };
  const dims = order.map((i) => shape[i]!);
  const y0: Value = { shape, layout, buffer: "" };
  const nest = collapse(dims, [
    strides(a),
    strides(b),
    order.map((i) => stridesIn(shape, layout)[i]!),
  ]);
  const walks = (s: number[]): boolean => s.every((v, i) => v !== 0 || nest.dims[i] === 1);
  const target = lead !== undefined && lead === a && walks(nest.strides[0]!)
    ? p.inPlace(a, n, shape)
    : lead !== undefined && lead === b && walks(nest.strides[1]!)
    ? p.inPlace(b, n, shape)
    : p.make(shape, layout);
  const y: Value = { ...y0, buffer: target.buffer };
  const inner = nest.dims.at(-1)!, rows = nest.dims.at(-2) ?? 1;
  const outer = nest.dims.slice(0, -2);
  const [sa, sb] = [nest.strides[0]!, nest.strides[1]!];
  for (const s of [sa, sb]) {
    if (inner > 1 && s.at(-1)! > 1) throw new NotCovered("operands that lie across each other");
  }
  const count = elementCount(outer);
  if (count > 4096) throw new NotCovered("a broadcast of many short rows");
  p.moved += size;
  p.step([a, b], [y], (m) => () => {
    const at = [m.at(a), m.at(b)] as const, to = m.at(y);
    for (let i = 0; i < count; i++) {
      let [oa, ob, rest] = [0, 0, i];
      for (let d = outer.length - 1; d >= 0; d--) {
        const k = rest % outer[d]!;
        rest = Math.floor(rest / outer[d]!);
        oa += k * sa[d]!;
        ob += k * sb[d]!;
      }
      binaryF32(m.arena, {
        ...{ op, n: inner, rows, a: at[0] + oa * 4, b: at[1] + ob * 4 },
        y: to + i * rows * inner * 4,
        aScalar: sa.at(-1) === 0,
        bScalar: sb.at(-1) === 0,
        aRow: sa.at(-2) ?? 0,
        bRow: sb.at(-2) ?? 0,
      });
    }
  });
  return y;
}

/** BatchNormalization in inference: a scale and a shift per channel. */
export function lowerBatchNormalization(p: Planner, n: Node): void {
  if (n.outputs.filter((o) => o !== "").length !== 1) throw new NotCovered("training");
  const shape = p.shapeOf(n.inputs[0]!);
  if (shape.length !== 4 && shape.length !== 2) {
    throw new NotCovered("a normalization of this rank");
  }
  const { scale, shift } = affineOf(p, n), C = scale.length;
  const layout = shape.length === 4 && !sameBytes(shape) ? "nhwc" : p.value(n.inputs[0]!).layout;
  const x = p.as(n.inputs[0]!, layout), y = p.inPlace(x, n);
  const rows = elementCount(shape) / C;
  p.moved += 2 * elementCount(shape);
  // [N][1][1][C], [N][C] and, of one channel, everything: C is innermost.
  if (C !== 1 && sameBytes(shape) && shape.length === 4 && shape[2]! * shape[3]! !== 1) {
    throw new NotCovered("a normalization of this shape");
  }
  p.step([x], [y], (m) => {
    const [s, t] = [m.arena.put(scale), m.arena.put(shift)];
    return () => {
      const [from, to] = [m.at(x), m.at(y)];
      binaryF32(m.arena, { op: "mul", a: from, b: s, y: to, n: C, rows, bRow: 0 });
      binaryF32(m.arena, { op: "add", a: to, b: t, y: to, n: C, rows, bRow: 0 });
    };
  });
  p.define(n.outputs[0]!, y);
}
