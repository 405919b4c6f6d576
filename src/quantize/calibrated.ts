/**
 * The calibrated stage: the optimized float graph with a fake quantization behind every tensor and
 * weight that becomes integers.
 *
 * @module
 */

import { channelMaxima } from "../calibrate/weights.ts";
import type { Attr, Graph, Node } from "../ir/graph.ts";
import { attr, HORIZON, node } from "../ir/graph.ts";
import type { Tensor, TensorType } from "../ir/tensor.ts";
import { mustType } from "../ir/graph.ts";
import { tensor } from "../ir/tensor.ts";
import { qmaxOf, qminOf, scaleOf } from "../ops/arithmetic.ts";
import type { QType } from "../ops/arithmetic.ts";
import type { QuantLayout } from "./layout.ts";
import type { Plan } from "./plan.ts";
import { planOf, planScale } from "./plan.ts";

/** Suffix of calibration nodes, as in the original tool. */
export const CALIBRATION = "_HzCalibration";

/** Inserts HzCalibration nodes by a plan. */
export function insertCalibration(graph: Graph, plan: Plan, layout: QuantLayout): Graph {
  const constants = new Map(graph.constants);
  const types = new Map<string, TensorType>(graph.types);
  const nodes: Node[] = [];
  const calibrated = new Map<string, string>();
  const zero = (dtype: QType, z: number) =>
    dtype === "int8" ? tensor("int8", [], Int8Array.of(z)) : tensor("int16", [], Int16Array.of(z));

  const emit = (
    t: string,
    scale: Tensor,
    dtype: QType,
    z: number,
    extra: Readonly<Record<string, Attr>>,
  ): string => {
    const name = `${t}${CALIBRATION}`, out = `${t}_calibrated`;
    constants.set(`${name}_scale`, scale);
    constants.set(`${name}_zero`, zero(dtype, z));
    nodes.push(node("HzCalibration", name, [t, `${name}_scale`, `${name}_zero`], [out], {
      qmin: attr.int(qminOf(dtype)),
      qmax: attr.int(qmaxOf(dtype)),
      ...extra,
    }, HORIZON));
    types.set(out, { dtype: "float32", shape: mustType(graph, t).shape });
    calibrated.set(t, out);
    return out;
  };
  const activation = (t: string): string => {
    const known = calibrated.get(t);
    if (known !== undefined) return known;
    const p = planOf(plan, layout.root(t));
    return emit(
      t,
      tensor("float32", [], Float32Array.of(planScale(p))),
      p.dtype,
      p.zero,
      {
        thresholds: attr.floats([Math.fround(p.threshold)]),
        method: attr.string(p.method),
        kind: attr.string("activation"),
      },
    );
  };
  const weight = (t: string, axis: number): string => {
    const known = calibrated.get(t);
    if (known !== undefined) return known;
    const w = graph.constants.get(t)!;
    const thresholds = plan.weights.get(t) ?? channelMaxima(w, axis);
    const shape = w.shape.map((d, i) => i === axis ? d : 1);
    const scales = Float32Array.from(thresholds, (v) => scaleOf(v, "int8"));
    return emit(t, tensor("float32", shape, scales), "int8", 0, {
      thresholds: attr.floats([...thresholds]),
      axis: attr.int(axis),
      kind: attr.string("weight"),
    });
  };

  const integers = new Set<string>();
  for (const g of layout.groups.values()) {
    for (const t of g.outputs) if (!layout.accumulators.has(t)) integers.add(t);
  }
  for (const n of graph.nodes) {
    const group = layout.groups.get(n.name);
    const weights = new Map((group?.def.quant?.weights ?? []).map((w) => [w.input, w.axis]));
    const inputs = n.inputs.map((t, i) => {
      if (t === "") return t;
      if (graph.constants.has(t)) {
        const axis = weights.get(i);
        return axis === undefined ? t : weight(t, axis);
      }
      return group?.inputs.includes(t) || integers.has(t) ? activation(t) : t;
    });
    nodes.push({ ...n, inputs });
  }
  return {
    ...graph,
    domains: new Map([...graph.domains, [HORIZON, 1]]),
    nodes,
    constants,
    types,
  };
}
