/**
 * Models that are quantized already: QuantizeLinear and DequantizeLinear pairs and QLinear operators
 * become float operators again, and what they say about ranges becomes plans (`calibration_type: load`).
 *
 * int8 and uint8 keep scale and zero point exactly; int16 keeps its scale where the zero point is 0, and
 * else becomes the symmetric range that holds its own. A range that starts at 0 also becomes a Relu, since
 * float readers of an accumulator would not see its saturation.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { Attr, Graph, Node } from "../ir/graph.ts";
import { intAttr, node } from "../ir/graph.ts";
import type { DType, Tensor } from "../ir/tensor.ts";
import { elementCount, f32, numbersOf } from "../ir/tensor.ts";
import { inferTypes } from "../ops/infer.ts";
import { rangePlan } from "./plan.ts";
import type { TensorPlan } from "./plan.ts";

/** A float graph and the ranges that its quantized form had. */
export interface LoadedScales {
  readonly graph: Graph;
  /** By tensor of `graph`; to be given as fixed plans. */
  readonly tensors: ReadonlyMap<string, TensorPlan>;
  /** Threshold per output channel, by weight of a Conv in `graph`. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** One sentence for everything that could not be taken as it was. */
  readonly notes: readonly string[];
}

/** Whether a graph holds quantized operators that {@linkcode loadScales} reads. */
export function isQuantized(graph: Graph): boolean {
  return graph.nodes.some((n) =>
    n.op === "QuantizeLinear" || n.op === "DequantizeLinear" || qlinear.has(n.op)
  );
}

interface Range {
  readonly scale: number;
  /** Zero point shifted to the signed type. */
  readonly zero: number;
  readonly dtype: "int8" | "int16";
}

/** How a QLinear operator maps to a float one. */
interface QLinear {
  readonly op: string;
  readonly domain?: string;
  /** First inputs of the triples (tensor, scale, zero point). */
  readonly operands: (n: Node) => readonly number[];
  /** Input of the output's scale; its zero point follows. */
  readonly result: (n: Node) => number;
  /** Input of an int32 bias. */
  readonly bias?: number;
  /** Attributes that only the quantized operator has. */
  readonly drops?: readonly string[];
  /** Why a node cannot be read. */
  readonly refuses?: (n: Node) => string | undefined;
}

const unary = (op: string, more: Partial<QLinear> = {}): QLinear => ({
  op,
  operands: () => [0],
  result: () => 3,
  ...more,
});
const binary = (op: string): QLinear => ({ op, operands: () => [0, 3], result: () => 6 });
const nchw = (n: Node) =>
  intAttr(n, "channels_last", 0) === 0 ? undefined : "channels_last is not read";

const qlinear: ReadonlyMap<string, QLinear> = new Map<string, QLinear>([
  ["QLinearConv", { ...binary("Conv"), bias: 8 }],
  ["QLinearMatMul", binary("MatMul")],
  ["QLinearAdd", binary("Add")],
  ["QLinearMul", binary("Mul")],
  ["QGemm", { op: "Gemm", operands: () => [0, 3], result: () => 7, bias: 6 }],
  ["QLinearSigmoid", unary("Sigmoid")],
  ["QLinearLeakyRelu", unary("LeakyRelu")],
  [
    "QLinearSoftmax",
    unary("Softmax", {
      drops: ["opset"],
      refuses: (n) =>
        intAttr(n, "opset", 13) >= 13 || intAttr(n, "axis", -1) === -1
          ? undefined
          : "its axis has the meaning of an opset before 13",
    }),
  ],
  ["QLinearAveragePool", unary("AveragePool", { drops: ["channels_last"], refuses: nchw })],
  [
    "QLinearGlobalAveragePool",
    unary("GlobalAveragePool", { drops: ["channels_last"], refuses: nchw }),
  ],
  ["QLinearConcat", {
    op: "Concat",
    operands: (n) => Array.from({ length: (n.inputs.length - 2) / 3 }, (_, i) => 2 + 3 * i),
    result: () => 0,
  }],
]);

/** Operators that never give negative values, and those that give none for inputs without. */
const positive = new Set(["Relu", "Sigmoid", "HardSigmoid", "Softmax", "Abs", "Sqrt", "Exp"]);
const keeps = new Set([
  "MaxPool",
  "AveragePool",
  "GlobalAveragePool",
  "GlobalMaxPool",
  "Reshape",
  "Flatten",
  "Squeeze",
  "Unsqueeze",
  "Transpose",
  "Slice",
  "Gather",
  "Identity",
]);

/** Reads the scales out of a quantized graph. Throws BpuError("unsupported") for forms it cannot read. */
export function loadScales(graph: Graph): LoadedScales {
  return new Reader(graph).read();
}

class Reader {
  readonly #nodes: Node[] = [];
  readonly #constants = new Map<string, Tensor>();
  readonly #plans = new Map<string, TensorPlan>();
  readonly #steps = new Map<string, Float32Array>();
  /** Tensor of the quantized graph -> float tensor of the new one. */
  readonly #alias = new Map<string, string>();
  /** Integer tensors of the quantized graph that are float now. */
  readonly #floats = new Set<string>();
  readonly #nonNegative = new Set<string>();
  readonly #notes: string[] = [];
  readonly #names: Set<string>;
  readonly #outputs: ReadonlySet<string>;

  constructor(readonly graph: Graph) {
    for (const [name, t] of graph.constants) this.#constants.set(name, t);
    this.#outputs = new Set(graph.outputs.map((p) => p.name));
    this.#names = new Set([
      ...graph.constants.keys(),
      ...graph.inputs.map((p) => p.name),
      ...graph.nodes.flatMap((n) => [n.name, ...n.outputs]),
    ]);
  }

  read(): LoadedScales {
    for (const n of this.graph.nodes) {
      if (n.op === "QuantizeLinear" && this.quantize(n)) continue;
      if (n.op === "DequantizeLinear" && this.dequantize(n)) continue;
      const q = qlinear.get(n.op);
      if (q !== undefined) this.restore(n, q);
      else this.copy(n);
    }
    const used = new Set([...this.#nodes.flatMap((n) => n.inputs), ...this.#outputs]);
    const constants = new Map([...this.#constants].filter(([name]) => used.has(name)));
    const clean = inferTypes({ ...this.graph, nodes: this.#nodes, constants, types: new Map() });
    return {
      graph: clean,
      tensors: this.#plans,
      weights: this.weights(clean),
      notes: this.#notes,
    };
  }

  private fresh(hint: string): string {
    let name = hint;
    for (let i = 1; this.#names.has(name); i++) name = `${hint}_${i}`;
    this.#names.add(name);
    return name;
  }

  private float(t: string): string {
    return this.#alias.get(t) ?? t;
  }

  /** Range of scale and zero point inputs; undefined when they are not one constant each. */
  private range(n: Node, at: number, fallback?: DType): Range | undefined {
    const scale = this.graph.constants.get(n.inputs[at] ?? "");
    const zero = this.graph.constants.get(n.inputs[at + 1] ?? "");
    if (scale === undefined || scale.data.length !== 1) return undefined;
    if ((n.inputs[at + 1] ?? "") !== "" && zero === undefined) return undefined;
    const type = zero?.dtype ?? fallback ?? "uint8";
    const value = zero === undefined ? 0 : numbersOf(zero)[0]!;
    const s = numbersOf(scale)[0]!;
    if (type === "int8" || type === "uint8") {
      return { scale: s, zero: value - (type === "uint8" ? 128 : 0), dtype: "int8" };
    }
    if (type === "int16" || type === "uint16") {
      return { scale: s, zero: value - (type === "uint16" ? 32768 : 0), dtype: "int16" };
    }
    return undefined;
  }

  /** Plans a tensor; returns whether its range starts at zero. */
  private plan(t: string, r: Range): boolean {
    if (!this.#plans.has(t)) this.#plans.set(t, this.planOf(t, r));
    return r.zero === (r.dtype === "int8" ? -128 : -32768);
  }

  private planOf(t: string, { scale, zero, dtype }: Range): TensorPlan {
    if (zero === 0) {
      return {
        dtype,
        threshold: (dtype === "int8" ? 127 : 32767) * scale,
        zero: 0,
        method: "load",
      };
    }
    // Products of a float32 and an integer of 8 bits are exact, so the plan's scale is this one.
    if (dtype === "int8") {
      return rangePlan({ min: scale * (-128 - zero), max: scale * (127 - zero) }, "load");
    }
    this.#notes.push(
      `Tensor ${t} is int16 with zero point ${zero}: only int8 has zero points here, so it takes the ` +
        "symmetric range that holds its own.",
    );
    const reach = Math.max(32767 - zero, 32768 + zero);
    return { dtype, threshold: reach * scale, zero: 0, method: "load" };
  }

  private push(n: Node): void {
    this.#nodes.push(n);
    const from = n.inputs[0] ?? "";
    if (positive.has(n.op) || (keeps.has(n.op) && this.#nonNegative.has(from))) {
      for (const t of n.outputs) this.#nonNegative.add(t);
    }
  }

  private quantize(n: Node): boolean {
    const r = this.range(n, 1);
    const q = n.outputs[0]!;
    if (r === undefined || this.#outputs.has(q)) return false;
    let x = this.float(n.inputs[0]!);
    if (this.graph.constants.has(x)) return false;
    if (this.plan(x, r) && !this.#nonNegative.has(x)) {
      // Saturation at the zero point is a Relu that was fused away.
      const out = this.fresh(`${x}_relu`);
      this.#plans.delete(x);
      this.push(node("Relu", this.fresh(`${n.name}_Relu`), [x], [out]));
      this.plan(out, r);
      x = out;
    }
    this.#alias.set(q, x);
    this.#floats.add(q);
    return true;
  }

  private dequantize(n: Node): boolean {
    const q = n.inputs[0]!, y = n.outputs[0]!;
    const k = this.graph.constants.get(q);
    if (k !== undefined) {
      const t = this.dequantized(n, k, 1, intAttr(n, "axis", 1));
      if (t === undefined || this.#outputs.has(y)) return false;
      this.#constants.set(y, t.value);
      if (t.steps !== undefined) this.#steps.set(y, t.steps);
      return true;
    }
    if (!this.#floats.has(q)) return false;
    if (this.#outputs.has(y)) {
      this.push(node("Identity", n.name, [this.float(q)], [y]));
    } else this.#alias.set(y, this.float(q));
    return true;
  }

  /** Float values of an integer constant, and its scales where zero points are 0. */
  private dequantized(
    n: Node,
    k: Tensor,
    at: number,
    axis: number,
  ): { value: Tensor; steps?: Float32Array } | undefined {
    const scale = this.graph.constants.get(n.inputs[at] ?? "");
    const zero = this.graph.constants.get(n.inputs[at + 1] ?? "");
    if (scale === undefined) return undefined;
    if ((n.inputs[at + 1] ?? "") !== "" && zero === undefined) return undefined;
    const scales = numbersOf(scale), zeros = zero === undefined ? undefined : numbersOf(zero);
    const a = axis < 0 ? axis + k.shape.length : axis;
    const inner = scales.length === 1 ? 1 : elementCount(k.shape.slice(a + 1));
    const q = numbersOf(k);
    const values = Float32Array.from({ length: q.length }, (_, i) => {
      const c = scales.length === 1 ? 0 : Math.floor(i / inner) % scales.length;
      const z = zeros?.[zeros.length === 1 ? 0 : c] ?? 0;
      return Math.fround(q[i]! - z) * scales[c]!;
    });
    const middle = k.dtype === "uint8" ? 128 : 0;
    const plain = zeros === undefined ? middle === 0 : zeros.every((z: number) => z === middle);
    return {
      value: f32(k.shape, values),
      ...(plain ? { steps: Float32Array.from(scales) } : {}),
    };
  }

  /** A float operand of a QLinear operator. */
  private operand(n: Node, at: number, axis: number): string {
    const name = n.inputs[at]!;
    const k = this.graph.constants.get(name);
    if (k === undefined) return this.float(name);
    const t = this.dequantized(n, k, at + 1, axis);
    if (t === undefined) refuse(n, `the scale of constant input ${at} is computed`);
    const out = this.fresh(`${name}_dequantized`);
    this.#constants.set(out, t.value);
    if (t.steps !== undefined) this.#steps.set(out, t.steps);
    return out;
  }

  private restore(n: Node, q: QLinear): void {
    const why = q.refuses?.(n);
    if (why !== undefined) refuse(n, why);
    const at = q.operands(n);
    // Scales of weights: per output channel of a Conv, per column of a product.
    const inputs = at.map((i, k) => this.operand(n, i, k === 0 || q.op === "Conv" ? 0 : -1));
    if (q.bias !== undefined && (n.inputs[q.bias] ?? "") !== "") inputs.push(this.bias(n, q, at));
    const attrs = new Map<string, Attr>([...n.attrs].filter(([key]) => !q.drops?.includes(key)));
    const y = n.outputs[0]!;
    const r = this.range(n, q.result(n));
    if (r === undefined) refuse(n, "the scale of its output is not one constant");
    let out = this.#outputs.has(y) ? this.fresh(`${y}_float`) : y;
    const named = out;
    const from0 = r.zero === (r.dtype === "int8" ? -128 : -32768);
    const relu = from0 && !positive.has(q.op) &&
      !(keeps.has(q.op) && this.#nonNegative.has(inputs[0]!));
    if (relu) out = this.fresh(`${y}_linear`);
    this.push(node(q.op, n.name, inputs, [out], attrs, q.domain ?? ""));
    if (relu) this.push(node("Relu", this.fresh(`${n.name}_Relu`), [out], [named]));
    this.plan(named, r);
    this.#floats.add(y);
    if (this.#outputs.has(y)) {
      const i = q.result(n);
      const tail = [named, n.inputs[i]!, n.inputs[i + 1]!];
      this.push(node("QuantizeLinear", this.fresh(`${n.name}_QuantizeLinear`), tail, [y]));
    }
  }

  /** int32 bias: its step is that of the products. */
  private bias(n: Node, q: QLinear, at: readonly number[]): string {
    const name = n.inputs[q.bias!]!;
    const k = this.graph.constants.get(name);
    const scales = at.map((i) => this.graph.constants.get(n.inputs[i + 1] ?? ""));
    if (k === undefined || scales.some((s) => s === undefined)) refuse(n, "its bias is computed");
    const [sx, sw] = scales.map((s) => numbersOf(s!));
    const values = numbersOf(k);
    const out = this.fresh(`${name}_dequantized`);
    this.#constants.set(
      out,
      f32(k.shape, Array.from(values, (v, i) => v * sx![0]! * sw![sw!.length === 1 ? 0 : i]!)),
    );
    return out;
  }

  private copy(n: Node): void {
    const inputs = n.inputs.map((t) => this.float(t));
    if (n.inputs.some((t) => this.#floats.has(t))) {
      // Pooling and data movement on integers: float like what they read.
      for (const t of n.outputs) {
        const type = this.graph.types.get(t)?.dtype;
        if (type === "int8" || type === "uint8" || type === undefined) this.#floats.add(t);
        if (this.#outputs.has(t) && type !== undefined && type !== "float32") {
          refuse(n, `its integer output ${t} is an output of the model`);
        }
      }
    }
    this.push({ ...n, inputs });
  }

  private weights(clean: Graph): Map<string, Float32Array> {
    const out = new Map<string, Float32Array>();
    for (const n of clean.nodes) {
      const name = n.inputs[1] ?? "";
      const steps = this.#steps.get(name), w = clean.constants.get(name);
      if (n.op !== "Conv" || steps === undefined || w === undefined) continue;
      const channels = w.shape[0]!;
      if (steps.length !== 1 && steps.length !== channels) continue;
      out.set(
        name,
        Float32Array.from({ length: channels }, (_, i) => 127 * steps[steps.length === 1 ? 0 : i]!),
      );
    }
    return out;
  }
}

function refuse(n: Node, why: string): never {
  throw new BpuError("unsupported", `a quantized operator cannot be read: ${why}`, {
    node: n.name,
    op: n.op,
    hint: "Convert the float model instead.",
  });
}
