/** Layer normalisation: exact in every form, accurate where rows differ in size, and inside of blocks. */

import { deepEqual, equal, ok } from "node:assert/strict";
import { compile } from "../../compile/compile.ts";
import type { Graph } from "../../ir/graph.ts";
import { attr, HORIZON, node } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { elementCount, f32, numbersOf, tensor } from "../../ir/tensor.ts";
import { bayes } from "../../march/bayes.ts";
import { bayesE } from "../../march/bayes_e.ts";
import { inverseRoots } from "../../kernels/layer_norm.ts";
import { inverseRootTable } from "../../ops/hz/hz_layer_norm.ts";
import { inferTypes } from "../../ops/infer.ts";
import { openProgram } from "../../run/simulator.ts";
import { roundAway } from "../../ops/arithmetic.ts";
import { planScale } from "../../quantize/plan.ts";
import { createCalibrator } from "../calibrator.ts";
import { convert } from "../convert.ts";
import type { ConvertOptions } from "../convert.ts";
import { prove } from "../prove.ts";
import { convNext, gated, normal, transformer } from "./blocks.ts";
import { engine, exact, graphOf, Random } from "./harness.ts";
import type { Case } from "./harness.ts";

/** Over the last one to all axes, with and without a bias, scales of any shape that broadcasts. */
function norm(r: Random, shape: readonly number[], axis: number): Case {
  const dims = shape.slice(axis);
  const affine = () => r.values(r.pick(dims, dims, dims.slice(-1), [1]), 2 ** r.int(-2, 3));
  const constants: Record<string, Tensor> = { scale: affine() };
  if (r.next() < 0.6) constants["bias"] = affine();
  return {
    inputs: [shape],
    constants,
    nodes: [node("LayerNormalization", "n", ["x0", ...Object.keys(constants)], ["y"], {
      axis: attr.int(axis - (r.next() < 0.5 ? shape.length : 0)),
      epsilon: attr.float(r.pick(1e-5, 1e-6, 1e-3, 0)),
    })],
  };
}

exact("LayerNormalization", (r) => {
  const rank = r.int(2, 5);
  const shape = Array.from({ length: rank }, (_, i) => i === rank - 1 ? r.int(6, 40) : r.int(1, 5));
  return norm(r, shape, r.int(0, rank - 1));
}, { cases: 60 });

exact("LayerNormalization then Relu", (r) => {
  const c = norm(r, [2, r.int(1, 5), r.int(6, 40)], 2);
  return {
    ...c,
    nodes: [{ ...c.nodes[0]!, outputs: ["t"] }, node("Relu", "a", ["t"], ["y"])],
  };
});

/** The same shapes divided by their root mean square. */
function rms(r: Random, shape: readonly number[], axis: number): Case {
  const dims = shape.slice(axis);
  return {
    inputs: [shape],
    constants: { scale: r.values(r.pick(dims, dims.slice(-1), [1]), 2 ** r.int(-2, 3)) },
    nodes: [
      node("HzRMSNormalization", "n", ["x0", "scale"], ["y"], {
        axes: attr.ints(dims.map((_, i) => axis + i)),
        epsilon: attr.float(r.pick(1e-5, 1e-6, 1e-3, 0)),
      }, HORIZON),
    ],
  };
}

exact("HzRMSNormalization", (r) => {
  const rank = r.int(2, 5);
  const shape = Array.from({ length: rank }, (_, i) => i === rank - 1 ? r.int(6, 40) : r.int(1, 5));
  return rms(r, shape, r.int(0, rank - 1));
}, { cases: 60 });

exact("HzRMSNormalization of 40000 elements then Relu", (r) => {
  const c = rms(r, [2, 200, 200], 1);
  return {
    ...c,
    nodes: [{ ...c.nodes[0]!, outputs: ["t"] }, node("Relu", "a", ["t"], ["y"])],
  };
}, { cases: 6 });

// A few elements, equal ones, and rows of nothing: the variance is 0 or close to it.
exact("LayerNormalization of flat rows", (r) => norm(r, [r.int(1, 6), r.int(1, 4)], 1), {
  error: Infinity,
  feed(r, _, shape) {
    const t = r.values(shape, 4), n = shape[1]!;
    const data = (t.data as Float32Array).map((v, i) => Math.floor(i / n) % 2 === 0 ? 1 : v / 64);
    return { ...t, data };
  },
});

// The sums of int16 squares need more than 53 bits.
exact("LayerNormalization of 40000 elements", (r) => norm(r, [2, 200, 200], 1), {
  cases: 6,
  feed: (r, _, shape) => r.values(shape, 7),
});

/** Section 9c in whole numbers. */
function reference(
  x: readonly bigint[],
  p: { epsilon: bigint; m: readonly bigint[]; b: readonly bigint[]; shift: bigint; zero: bigint },
): bigint[] {
  const n = BigInt(p.m.length), R = inverseRoots;
  const half = (s: bigint) => s === 0n ? 0n : 1n << (s - 1n);
  const y: bigint[] = [];
  for (let at = 0; at < x.length; at += p.m.length) {
    const row = x.slice(at, at + p.m.length);
    const S = row.reduce((a, v) => a + v, 0n), Q = row.reduce((a, v) => a + v * v, 0n);
    let V = n * Q - S * S + p.epsilon;
    if (V < 1n) V = 1n;
    let j = 0n;
    while (V >> (2n * (j + 1n)) > 0n) j++;
    const u = Number((V << 13n) >> (2n * j)), i = (u >> 7) - 64, f = u & 127;
    const r = BigInt((R[i]! * (128 - f) + R[i + 1]! * f + 64) >> 7);
    row.forEach((v, k) => {
      const h = ((n * v - S) * r + half(j)) >> j;
      const q = ((h * p.m[k]! + p.b[k]! + half(p.shift)) >> p.shift) + p.zero;
      y.push(q < -128n ? -128n : q > 127n ? 127n : q);
    });
  }
  return y;
}

Deno.test("the kernel is the contract in whole numbers", async () => {
  for (let seed = 0; seed < 40; seed++) {
    const r = new Random(seed);
    const n = r.int(1, 300), rows = r.int(1, 6), wide = r.next() < 0.5;
    const reach = wide ? r.pick(3, 100, 32767) : r.pick(1, 30, 127);
    const whole = (count: number, reach: number) =>
      Array.from({ length: count }, () => r.int(-reach, reach));
    const x = whole(rows * n, reach), m = whole(n, 32767), b = whole(n, 2 ** 30);
    const epsilon = r.pick(0, 1, r.int(0, 2 ** 30), 2 ** 45), shift = r.int(20, 30);
    const zero = r.pick(0, r.int(-128, 127));
    const constants = new Map([
      ["one", f32([], [1])],
      ["zero", tensor(wide ? "int16" : "int8", [], wide ? new Int16Array(1) : new Int8Array(1))],
      ["roots", inverseRootTable],
      ["m", tensor("int16", [n], Int16Array.from(m))],
      ["b", tensor("int32", [n], Int32Array.from(b))],
    ]);
    const range = { qmin: attr.int(-128), qmax: attr.int(127), to: attr.int(3) };
    const input = { name: "x", dtype: "float32", shape: [rows, n] } as const;
    const graph = inferTypes({
      name: "hand",
      opset: 17,
      domains: new Map([[HORIZON, 1]]),
      nodes: [
        node(
          "HzQuantize",
          "q",
          ["x", "one", "zero"],
          ["xq"],
          wide ? { qmin: attr.int(-32768), qmax: attr.int(32767), to: attr.int(5) } : range,
          HORIZON,
        ),
        node(
          zero === 0 ? "HzSLayerNormalization" : "HzSLayerNormalizationAsym",
          "n",
          ["xq", "roots", "m", "b"],
          ["y"],
          {
            axes: attr.ints([1]),
            count: attr.int(n),
            epsilon: attr.int(epsilon),
            shift: attr.int(shift),
            ...range,
            ...(zero === 0 ? {} : { y_zero: attr.int(zero) }),
          },
          HORIZON,
        ),
      ],
      inputs: [input],
      outputs: [{ name: "y", dtype: "int8", shape: [rows, n] }],
      constants,
      types: new Map(),
      metadata: new Map(),
    });
    const simulator = await openProgram(compile(graph, "bayes"), { cpu: engine });
    const y = (await simulator.run(new Map([["x", f32([rows, n], x)]]))).get("y")!;
    await simulator.close();
    const big = (v: readonly number[]) => v.map(BigInt);
    const want = reference(big(x), {
      epsilon: BigInt(epsilon),
      m: big(m),
      b: big(b),
      shift: BigInt(shift),
      zero: BigInt(zero),
    });
    deepEqual(Array.from(numbersOf(y)), want.map(Number), `seed ${seed}`);
  }
});

type Feeds = ReadonlyMap<string, Tensor>;

async function converted(
  graph: Graph,
  samples: readonly Feeds[],
  options: Partial<ConvertOptions> = {},
) {
  const calibrator = createCalibrator({ type: "max", maxPercentile: 1 }, engine, () => samples);
  const c = await convert(graph, { march: bayes, engine, calibrator, ...options });
  const proof = await prove(c, engine, samples[0]!, samples[0]!);
  equal(proof.exact.differing, 0);
  return { c, cosine: proof.outputs[0]!.cosine };
}

const samplesOf = (r: Random, shape: readonly number[], make = normal) =>
  Array.from({ length: 3 }, (): Feeds => new Map([["x0", make(r, shape)]]));

const allInt16: Partial<ConvertOptions> = {
  int16: (_, layout) => new Set(layout.needed),
};

/** Cosine of two lists of numbers. */
function cosineOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let ab = 0, aa = 0, bb = 0;
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

/** The float result on an input that is rounded to a scale, rounded to another. */
function rounded(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  xScale: number,
  yScale: number,
): { exact: Float64Array; best: Float64Array } {
  const n = elementCount(gamma.shape), g = numbersOf(gamma), b = numbersOf(beta);
  const values = Float64Array.from(numbersOf(x));
  const run = (v: Float64Array) =>
    v.map((_, i) => {
      const row = v.subarray(i - i % n, i - i % n + n);
      const mean = row.reduce((s, u) => s + u, 0) / n;
      const variance = row.reduce((s, u) => s + (u - mean) ** 2, 0) / n;
      return (v[i]! - mean) / Math.sqrt(variance + 1e-5) * g[i % n]! + b[i % n]!;
    });
  const onGrid = (v: Float64Array, s: number) => v.map((u) => roundAway(u / s) * s);
  return { exact: run(values), best: onGrid(run(onGrid(values, xScale)), yScale) };
}

for (const quiet of [1, 1 / 50]) {
  Deno.test(`a normalisation of rows down to ${quiet} of the loudest loses what int8 loses`, async () => {
    const r = new Random(11);
    const shape = [1, 64, 96];
    const [gamma, beta] = [normal(r, [96]), normal(r, [96])];
    const graph = graphOf({
      inputs: [shape],
      constants: { gamma, beta },
      nodes: [node("LayerNormalization", "n", ["x0", "gamma", "beta"], ["y"])],
    });
    const samples = samplesOf(r, shape, (r, s) => {
      const values = numbersOf(normal(r, s));
      return f32(s, Array.from(values, (v, i) => v * quiet ** (Math.floor(i / 96) / 63)));
    });
    for (const [options, least] of [[{}, 0.9998], [allInt16, 0.9999996]] as const) {
      const { c, cosine } = await converted(graph, samples, options);
      equal(c.plan.nodes.get("n")!.on, "BPU");
      const scale = (t: string) => planScale(c.plan.tensors.get(t)!);
      const { exact, best } = rounded(
        samples[0]!.get("x0")!,
        gamma,
        beta,
        scale("x0"),
        scale("y"),
      );
      const bound = cosineOf(exact, best);
      // The loss is that of rounding the input and the output, and hardly any of the arithmetic between.
      ok((1 - cosine) <= 1.02 * (1 - bound) + 1e-9, `${cosine}, ${bound} at best`);
      if (quiet === 1 || options === allInt16) ok(cosine >= least, `${cosine}`);
    }
  });
}

for (
  const [name, make, shape, norms] of [
    ["a transformer", transformer, [1, 17, 32], 3],
    ["a ConvNeXt", convNext, [1, 3, 48, 48], 4],
    ["a gated block without means", gated, [1, 17, 32], 2],
  ] as const
) {
  for (const march of [bayes, bayesE]) {
    Deno.test(`${name} is wholly on the BPU of ${march.name} and keeps its result`, async () => {
      const r = new Random(5);
      const graph = make(r);
      const softmaxes = graph.nodes.filter((n) => n.op === "Softmax").map((n) => n.name);
      const place = { bpu: new Set(softmaxes), quantizeTail: true };
      for (const [options, least] of [[{}, 0.999], [allInt16, 0.9999]] as const) {
        const { c, cosine } = await converted(graph, samplesOf(r, shape), {
          march,
          place,
          ...options,
        });
        deepEqual([...c.plan.nodes].filter(([, p]) => p.on === "CPU"), []);
        const found = c.quantized.graph.nodes.filter((n) => /^HzS(Layer|RMS)Norm/.test(n.op));
        equal(found.length, norms);
        ok(cosine >= least, `${cosine}`);
      }
    });
  }
}
