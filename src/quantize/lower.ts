/**
 * The context that an operator's lowering works in.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { Attr, Graph } from "../ir/graph.ts";
import { HORIZON, node } from "../ir/graph.ts";
import { numbersOf, tensor } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { March } from "../march/march.ts";
import { multiplierOf, qmaxOf, qminOf, quantizeValue, scaleOf } from "../ops/arithmetic.ts";
import { settleWith } from "../ops/hz/types.ts";
import { formOf } from "../ops/lower/common.ts";
import type { QType } from "../ops/arithmetic.ts";
import type { LowerContext, QRange, QTensor } from "../ops/op.ts";
import type { GraphBuilder } from "./builder.ts";
import type { Group } from "./layout.ts";
import type { Plan } from "./plan.ts";

/** A lowering cannot represent a node; the node belongs on the CPU, with this sentence. */
export class Refusal extends BpuError {
  constructor(readonly nodeName: string, readonly why: string, op: string) {
    super("numeric", why, { node: nodeName, op });
  }
}

/** What the driver gives to {@linkcode lowerContext}. */
export interface LowerParts {
  readonly graph: Graph;
  readonly plan: Plan;
  readonly march: March;
  readonly group: Group;
  readonly builder: GraphBuilder;
  readonly outputs: readonly QTensor[];
  readonly accumulate: boolean;
  readonly range: QRange;
  integer(t: string): QTensor;
  /** Name of a tensor that is no feature map, in an integer type. */
  indices(t: string): string;
  /** Says what holds such a tensor. */
  setInteger(t: string, name: string): void;
}

/** Builds the lowering context of one group. */
export function lowerContext(
  p: LowerParts,
): { context: LowerContext; accScales: () => Float32Array | undefined } {
  const n = p.group.node, b = p.builder;
  let scales: Float32Array | undefined;
  let emitted = 0;
  const inputs = new Map<number, QTensor>();
  const refuse = (why: string): never => {
    throw new Refusal(n.name, why, n.op);
  };
  const store: LowerContext["store"] = (hint, t) => {
    const name = b.tensorName(`${n.name}_${hint}`);
    b.constants.set(name, t);
    return name;
  };
  const name = (op: string) => b.nodeName(emitted++ === 0 ? n.name : `${n.name}_${op}`);

  const context: LowerContext = {
    node: n,
    march: p.march,
    inputCount: n.inputs.length,
    range: p.range,
    wantsInt32: p.accumulate,
    isConstant: (i) => p.graph.constants.has(n.inputs[i] ?? ""),
    constant(i) {
      const t = n.inputs[i];
      if (t === undefined || t === "") return undefined;
      const k = p.graph.constants.get(t);
      if (k === undefined) {
        throw new BpuError("internal", `input ${i} is not a constant`, { node: n.name, op: n.op });
      }
      return k;
    },
    input(i) {
      const known = inputs.get(i);
      if (known !== undefined) return known;
      const t = n.inputs[i]!;
      const k = p.graph.constants.get(t);
      let q: QTensor;
      if (k === undefined) q = p.integer(t);
      else {
        const dtype = p.outputs[0]?.dtype === "int16" ? "int16" : "int8";
        const { scale, data } = quantizeConstant(k, dtype);
        q = { name: store(`constant${i}`, data), dtype, shape: k.shape, scale, zero: 0 };
      }
      inputs.set(i, q);
      return q;
    },
    output: (i = 0) => p.outputs[i]!,
    setInt32Output(s) {
      scales = s;
    },
    indices: (i) => p.indices(n.inputs[i]!),
    setIntegerOutput(i, name) {
      const t = n.outputs[i] ?? "";
      if (t !== "") p.setInteger(t, name);
    },
    weightThresholds: (i) => p.plan.weights.get(n.inputs[i]!),
    emit(op, ins, outs, attrs: Readonly<Record<string, Attr>> = {}, domain = HORIZON) {
      const given = name(op);
      b.sources.set(given, n.name);
      b.nodes.push(node(op, given, ins, outs, attrs, domain));
    },
    store,
    temp(hint, dtype, shape) {
      const t = b.tensorName(`${n.name}_${hint}`);
      b.types.set(t, { dtype, shape });
      return t;
    },
    requantize(q, target) {
      if (q.scale === target.scale && q.zero === target.zero && q.dtype === target.dtype) {
        return q.name;
      }
      const k = multiplierOf(q.scale / target.scale);
      const form = formOf("HzRequantize", settleWith(rangeOf(target.dtype), target.dtype), {
        x_zero: q.zero,
        y_zero: target.zero,
      });
      const out = context.temp("requantized", target.dtype, q.shape);
      const given = b.nodeName(`${n.name}_HzRequantize`);
      b.sources.set(given, n.name);
      b.nodes.push(node(
        form.op,
        given,
        [
          q.name,
          store("requantize_m", tensor("int32", [], Int32Array.of(k.m))),
          store("requantize_s", tensor("int8", [], Int8Array.of(k.s))),
        ],
        [out],
        form.attrs,
        HORIZON,
      ));
      return out;
    },
    refuse,
  };
  return { context, accScales: () => scales };
}

const rangeOf = (dtype: QType): QRange => ({ qmin: qminOf(dtype), qmax: qmaxOf(dtype) });

/** Quantizes a constant operand with its own max-abs scale. */
function quantizeConstant(t: Tensor, dtype: "int8" | "int16"): { scale: number; data: Tensor } {
  const values = numbersOf(t);
  let max = 0;
  for (const v of values) max = Math.max(max, Math.abs(v));
  const scale = scaleOf(max, dtype);
  const q = Array.from(
    values,
    (v) => quantizeValue(v, scale, 0, qminOf(dtype), qmaxOf(dtype)),
  );
  const data = dtype === "int8"
    ? tensor("int8", t.shape, Int8Array.from(q))
    : tensor("int16", t.shape, Int16Array.from(q));
  return { scale, data };
}
