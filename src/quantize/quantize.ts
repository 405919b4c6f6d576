/**
 * The calibrated float graph and its plan become a graph of integer operators, with Quantize and
 * Dequantize where float and integer parts meet.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { dtypeToOnnx } from "../formats/onnx/dtypes.ts";
import type { Graph, Port } from "../ir/graph.ts";
import { attr, HORIZON, mustType, node } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import { tensor } from "../ir/tensor.ts";
import { marchOf } from "../march/mod.ts";
import { qmaxOf, qminOf, quantizeValue } from "../ops/arithmetic.ts";
import { codeOf } from "../ops/hz/types.ts";
import type { QTensor } from "../ops/op.ts";
import { usesOf } from "../ir/order.ts";
import { GraphBuilder } from "./builder.ts";
import { layoutOf } from "./layout.ts";
import type { Group, QuantLayout } from "./layout.ts";
import { lowerContext, Refusal } from "./lower.ts";
import type { Plan } from "./plan.ts";
import { int16Tensors, planOf, planScale } from "./plan.ts";

/** How a float tensor is represented in the quantized graph. */
export interface Representation {
  /** Name of the integer tensor. */
  readonly name: string;
  readonly dtype: "int8" | "int16" | "int32";
  /** Scale, or scales per channel (axis 1) of accumulators. */
  readonly scales: Float32Array;
  readonly zero: number;
}

/** The quantized graph and how it relates to the float one. */
export interface Quantized {
  readonly graph: Graph;
  /** Quantized node name -> float node that it came from (boundary nodes are absent). */
  readonly sources: ReadonlyMap<string, string>;
  /** Float tensor -> its integer form. */
  readonly tensors: ReadonlyMap<string, Representation>;
  readonly layout: QuantLayout;
}

/** Options of {@linkcode quantize}. */
export interface QuantizeOptions {
  /** Graph inputs that arrive as int8 already (pictures minus 128); their scale is 1. */
  readonly integerInputs?: ReadonlySet<string>;
}

/**
 * Quantizes a float graph by a plan.
 *
 * @throws Refusal when a node's numbers do not fit; the caller moves the node to the CPU and retries.
 */
export function quantize(graph: Graph, plan: Plan, options: QuantizeOptions = {}): Quantized {
  const march = marchOf(plan.march);
  const layout = layoutOf(graph, plan.nodes, march, int16Tensors(plan.tensors));
  const b = new GraphBuilder();
  const reps = new Map<string, Representation>();
  const quantized = new Set<string>();
  const floats = new Set<string>();
  /** Indices and truth values: what holds them, and who made them. */
  const handed = new Map<string, { readonly name: string; readonly source: string }>();
  for (const n of graph.nodes) for (const t of n.outputs) b.reserve(t);
  for (const p of graph.inputs) b.reserve(p.name);
  for (const t of graph.constants.keys()) b.reserve(t);

  const inputs: Port[] = graph.inputs.map((p) => {
    if (options.integerInputs?.has(p.name)) {
      const t = planOf(plan, layout.root(p.name));
      const scale = Float32Array.of(planScale(t));
      reps.set(p.name, { name: p.name, dtype: "int8", scales: scale, zero: t.zero });
      quantized.add(p.name);
      b.types.set(p.name, { dtype: "int8", shape: p.shape });
      return { ...p, dtype: "int8" };
    }
    floats.add(p.name);
    b.types.set(p.name, p);
    return p;
  });

  const represent = (t: string): Representation => {
    let r = reps.get(t);
    if (r === undefined) {
      const p = planOf(plan, layout.root(t));
      r = {
        name: b.tensorName(`${t}_quantized`),
        dtype: p.dtype,
        scales: Float32Array.of(planScale(p)),
        zero: p.zero,
      };
      reps.set(t, r);
    }
    return r;
  };

  /** Integer form of a float tensor; quantizes it where the float form exists only. */
  const integer = (t: string): QTensor => {
    const r = represent(t);
    const { shape } = mustType(graph, t);
    if (r.dtype === "int32") throw new BpuError("internal", "accumulators are read", { tensor: t });
    if (!quantized.has(t)) {
      quantized.add(t);
      const name = b.nodeName(`${t}_HzQuantize`);
      const scale = constant(`${name}_scale`, tensor("float32", [], r.scales));
      const zero = constant(
        `${name}_zero`,
        r.dtype === "int8"
          ? tensor("int8", [], Int8Array.of(r.zero))
          : tensor("int16", [], Int16Array.of(r.zero)),
      );
      b.nodes.push(node("HzQuantize", name, [t, scale, zero], [r.name], {
        qmin: attr.int(qminOf(r.dtype)),
        qmax: attr.int(qmaxOf(r.dtype)),
        to: attr.int(codeOf(r.dtype)),
      }, HORIZON));
      b.types.set(r.name, { dtype: r.dtype, shape });
    }
    return { name: r.name, dtype: r.dtype, shape, scale: r.scales[0]!, zero: r.zero };
  };

  /** Float form of a tensor; dequantizes it where the integer form exists only. */
  const float = (t: string): string => {
    if (t === "" || floats.has(t)) return t;
    const kept = graph.constants.get(t);
    if (kept !== undefined) {
      b.constants.set(t, kept);
      return t;
    }
    const integers = handed.get(t);
    if (integers !== undefined) {
      floats.add(t);
      const type = mustType(graph, t);
      const name = b.nodeName(`${integers.source}_Cast`);
      const to = attr.int(dtypeToOnnx(type.dtype));
      b.nodes.push(node("Cast", name, [integers.name], [t], { to }));
      b.sources.set(name, integers.source);
      b.types.set(t, type);
      return t;
    }
    const r = reps.get(t);
    if (r === undefined || !quantized.has(t)) {
      throw new BpuError("internal", "a tensor is read before it is produced", { tensor: t });
    }
    floats.add(t);
    const { shape } = mustType(graph, t);
    const name = b.nodeName(`${t}_HzDequantize`);
    const scaleShape = r.scales.length === 1 ? [] : shape.map((_, i) => i === 1 ? -1 : 1)
      .map((d) => d < 0 ? r.scales.length : d);
    const scale = constant(`${name}_scale`, tensor("float32", scaleShape, r.scales));
    const zero = constant(
      `${name}_zero`,
      tensor(
        r.dtype,
        [],
        r.dtype === "int8"
          ? Int8Array.of(r.zero)
          : r.dtype === "int16"
          ? Int16Array.of(r.zero)
          : Int32Array.of(r.zero),
      ),
    );
    // An integer graph input keeps its name, so its float form needs another one.
    const out = r.name === t ? b.tensorName(`${t}_float`) : t;
    b.nodes.push(node("HzDequantize", name, [r.name, scale, zero], [out], {}, HORIZON));
    b.types.set(out, { dtype: "float32", shape });
    if (out !== t) renamed.set(t, out);
    return out;
  };
  const renamed = new Map<string, string>();
  const constant = (hint: string, t: Tensor): string => {
    const name = b.tensorName(hint);
    b.constants.set(name, t);
    return name;
  };
  const readFloat = (t: string): string => {
    const name = float(t);
    return renamed.get(name) ?? name;
  };

  for (const n of graph.nodes) {
    if (layout.absorbed.has(n.name)) continue;
    const group = layout.groups.get(n.name);
    if (group === undefined) {
      const name = b.nodeName(n.name);
      // A subgraph (If, Loop) reads tensors of this graph by name.
      for (const t of usesOf(n)) readFloat(t);
      b.nodes.push({ ...n, name, inputs: n.inputs.map(readFloat) });
      b.sources.set(name, n.name);
      for (const t of n.outputs) {
        if (t === "") continue;
        floats.add(t);
        const type = graph.types.get(t);
        if (type !== undefined) b.types.set(t, type);
      }
      continue;
    }
    lowerGroup(group);
  }

  function lowerGroup(group: Group): void {
    const accumulate = layout.accumulators.has(group.outputs[0]!);
    const outputs = group.outputs.map((t): QTensor => {
      const { shape } = mustType(graph, t);
      if (accumulate) {
        const name = b.tensorName(`${t}_quantized`);
        return { name, dtype: "int32", shape, scale: 1, zero: 0 };
      }
      const r = represent(t);
      return { name: r.name, dtype: r.dtype, shape, scale: r.scales[0]!, zero: r.zero };
    });
    const { context, accScales } = lowerContext({
      graph,
      plan,
      march,
      group,
      builder: b,
      outputs,
      accumulate,
      integer,
      indices: (t) => handed.get(t)?.name ?? readFloat(t),
      setInteger: (t, name) => handed.set(t, { name, source: group.node.name }),
      range: outputs.length === 0 ? { qmin: 0, qmax: 0 } : rangeOf(group, outputs[0]!),
    });
    group.def.quant!.lower(context);
    group.outputs.forEach((t, i) => {
      const q = outputs[i]!;
      quantized.add(t);
      b.types.set(q.name, { dtype: q.dtype, shape: q.shape });
      if (accumulate) {
        const scales = accScales();
        if (scales === undefined) {
          throw new BpuError("internal", "the lowering set no accumulator scales", {
            node: group.node.name,
          });
        }
        reps.set(t, { name: q.name, dtype: "int32", scales, zero: 0 });
      }
    });
  }

  const outputs: Port[] = graph.outputs.map((p) => {
    const name = readFloat(p.name);
    if (name !== p.name) {
      // A graph input that is also an output: an Identity gives the output its name back.
      b.nodes.push(node("Identity", b.nodeName(`${p.name}_Identity`), [name], [p.name]));
      b.types.set(p.name, p);
    }
    return p;
  });

  return {
    graph: {
      name: graph.name,
      opset: graph.opset,
      domains: new Map([...graph.domains, [HORIZON, 1]]),
      nodes: b.nodes,
      inputs,
      outputs,
      constants: b.constants,
      types: b.types,
      metadata: graph.metadata,
    },
    sources: b.sources,
    tensors: reps,
    layout,
  };
}

function rangeOf(group: Group, y: QTensor): { qmin: number; qmax: number } {
  if (y.dtype === "int32") return { qmin: -(2 ** 31), qmax: 2 ** 31 - 1 };
  const type = y.dtype;
  let qmin = qminOf(type), qmax = qmaxOf(type);
  if (group.clamp !== undefined) {
    const { lo, hi } = group.clamp;
    const of = (v: number) => quantizeValue(v, y.scale, y.zero, qminOf(type), qmaxOf(type));
    if (lo > -Infinity) qmin = of(lo);
    if (hi < Infinity) qmax = Math.max(of(hi), qmin);
  }
  return { qmin, qmax };
}

export { Refusal };
