/**
 * For tests only: one operator (or a few in a row) on random shapes, attributes and scales is quantized,
 * compiled, simulated and compared bit for bit with stock onnxruntime-web running the function bodies.
 *
 * @module
 */

import { equal, ok } from "node:assert/strict";
import { compile } from "../../compile/compile.ts";
import type { Attr, Graph, Node } from "../../ir/graph.ts";
import { node } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { elementCount, f32, numbersOf } from "../../ir/tensor.ts";
import { bayes } from "../../march/bayes.ts";
import { functionsOf } from "../../ops/functions.ts";
import { inferTypes } from "../../ops/infer.ts";
import { layoutOf } from "../../quantize/layout.ts";
import { rangePlan } from "../../quantize/plan.ts";
import type { TensorPlan } from "../../quantize/plan.ts";
import { quantize } from "../../quantize/quantize.ts";
import type { Quantized } from "../../quantize/quantize.ts";
import { createFloatEngine } from "../../run/float.ts";
import { openProgram } from "../../run/simulator.ts";
import { exactness } from "../prove.ts";

/** Seeded numbers. */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 2654435761) >>> 0;
  }
  next(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return (this.#state >>> 8) / 2 ** 24;
  }
  int(lo: number, hi: number): number {
    return lo + Math.floor(this.next() * (hi - lo + 1));
  }
  pick<T>(...list: readonly T[]): T {
    return list[this.int(0, list.length - 1)]!;
  }
  values(shape: readonly number[], size = 1): Tensor {
    const n = elementCount(shape);
    return f32(shape, Array.from({ length: n }, () => (2 * this.next() - 1) * size));
  }
}

/** One node with constant inputs, or several nodes in a row. */
export interface Case {
  readonly inputs: readonly (readonly number[])[];
  readonly constants?: Readonly<Record<string, Tensor>>;
  readonly nodes: readonly Node[];
  readonly output?: string;
  /** Extra outputs (Split). */
  readonly outputs?: readonly string[];
}

/** One node on one input; constants follow as inputs. */
export const one = (
  op: string,
  r: Random,
  shape: readonly number[],
  a: Record<string, Attr> = {},
  constants: Record<string, Tensor> = {},
): Case => {
  void r;
  return {
    inputs: [shape],
    constants,
    nodes: [node(op, "n", ["x0", ...Object.keys(constants)], ["y"], a)],
  };
};
/** A random feature map. */
export const map = (
  r: Random,
  maxC = 9,
): number[] => [r.int(1, 2), r.int(1, maxC), r.int(3, 11), r.int(3, 11)];

/** The float graph of a case. */
export function graphOf(c: Case): Graph {
  const float = (name: string, shape: readonly number[]) =>
    ({ name, dtype: "float32", shape }) as const;
  const bare: Graph = {
    name: "case",
    opset: 17,
    domains: new Map(),
    nodes: c.nodes,
    inputs: c.inputs.map((s, i) => float(`x${i}`, s)),
    outputs: [],
    constants: new Map(Object.entries(c.constants ?? {})),
    types: new Map(),
    metadata: new Map(),
  };
  const types = inferTypes(bare).types;
  const outputs = ["y", ...c.outputs ?? []].map((t) => ({ name: t, ...types.get(t)! }));
  return { ...bare, types, outputs };
}

/** Random cases per operator. */
const CASES = 24;

/** The engine of this test file. */
export const engine = createFloatEngine({ workers: 0, functions: functionsOf });

/** What {@linkcode exact} can be told. */
export interface ExactOptions {
  readonly cases?: number;
  /** Only int8 (rows of the table without int16 forms of ours). */
  readonly int8?: boolean;
  /**
   * Largest relative L2 error of the outputs against the float graph where the thresholds are those of
   * the data (every other case). Infinity for functions with jumps.
   */
  readonly error?: number;
  /** Feeds other than uniform values around 0. */
  feed?(r: Random, name: string, shape: readonly number[]): Tensor;
  /** Something else that must hold of a quantized case. */
  check?(q: Quantized): void;
}

/** Largest finite magnitude, at least 1e-6. */
function largest(t: Tensor): number {
  let m = 1e-6;
  for (const v of numbersOf(t)) if (Number.isFinite(v)) m = Math.max(m, Math.abs(v));
  return m;
}

/** Finite range, with some extent. */
function extent(t: Tensor): { min: number; max: number } {
  let min = 0, max = 1e-6;
  for (const v of numbersOf(t)) {
    if (!Number.isFinite(v)) continue;
    min = Math.min(min, v);
    max = Math.max(max, v);
  }
  return { min, max };
}

/** |a - b| / |a| over all outputs. */
function relativeError(want: ReadonlyMap<string, Tensor>, got: ReadonlyMap<string, Tensor>) {
  let difference = 0, size = 0;
  for (const [name, t] of want) {
    const a = numbersOf(t), b = numbersOf(got.get(name)!);
    for (let i = 0; i < a.length; i++) {
      difference += (a[i]! - b[i]!) ** 2;
      size += a[i]! ** 2;
    }
  }
  return Math.sqrt(difference / (size + 1e-12));
}

/** Declares the test of one operator. */
export function exact(name: string, generate: (r: Random) => Case, o: ExactOptions = {}): void {
  Deno.test(`${name}: the simulator equals onnxruntime-web bit for bit`, async () => {
    const cases = o.cases ?? CASES;
    for (let seed = 0; seed < cases; seed++) {
      const r = new Random(seed * 131 + name.length);
      const graph = graphOf(generate(r));
      // What the operator table refuses must be exact too, so placement is not asked here.
      const where = new Map(graph.nodes.map((n) => [n.name, { on: "BPU" } as const]));
      // The first third is all int8, then any mixture of int8 and int16.
      const wide = new Set(
        seed < cases / 3 || o.int8 ? [] : graph.nodes.flatMap((n) => [...n.inputs, ...n.outputs])
          .filter(() => r.next() < 0.6),
      );
      const feeds = new Map(
        graph.inputs.map((p) => {
          const t = o.feed?.(r, p.name, p.shape) ?? r.values(p.shape, 2 ** r.int(-2, 3));
          return [p.name, t];
        }),
      );
      const layout = layoutOf(graph, where, bayes, wide);
      // Random thresholds clip and waste range; those of the data must give the float result.
      const fetch = [...new Set([...layout.needed, ...graph.outputs.map((p) => p.name)])];
      const floatSession = await engine.open(graph, fetch);
      const float = await floatSession.run(feeds);
      await floatSession.close();
      const calibrated = seed % 2 === 1;
      // Two thirds have zero points: some those of the data, some any.
      const asymmetric = seed % 3 !== 0;
      const planned = (t: string): TensorPlan => {
        const values = () => float.get(t) ?? feeds.get(t)!;
        const threshold = calibrated ? largest(values()) : 2 ** (6 * r.next() - 3);
        if (!asymmetric || wide.has(t)) {
          return { dtype: wide.has(t) ? "int16" : "int8", threshold, zero: 0, method: "test" };
        }
        // Where zero is the end of the range or beyond it shows what fills, pads and clamps do.
        const share = r.pick(0, 1, r.next(), r.next());
        const range = calibrated
          ? extent(values())
          : { min: -threshold * share, max: threshold * (1 - share) };
        return rangePlan(range, "test");
      };
      const tensors = new Map(
        [...layout.needed].map((t): [string, TensorPlan] => [t, planned(t)]),
      );
      const q = quantize(graph, { march: "bayes", nodes: where, tensors, weights: new Map() });
      o.check?.(q);
      const simulator = await openProgram(compile(q.graph, "bayes"), { cpu: engine });
      const session = await engine.open(q.graph);
      const simulated = await simulator.run(feeds);
      const found = exactness(simulated, await session.run(feeds));
      await session.close();
      await simulator.close();
      equal(found.differing, 0, `seed ${seed}: ${found.differing} of ${found.total} differ`);
      if (!calibrated || o.error === Infinity) continue;
      const outputs = new Map(graph.outputs.map((p) => [p.name, float.get(p.name)!]));
      const error = relativeError(outputs, simulated);
      ok(error <= (o.error ?? 0.06), `seed ${seed}: relative error ${error} of the integer form`);
    }
  });
}
