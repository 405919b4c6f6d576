/** Zero points through whole conversions: random networks, and what the option does to a small one. */

import { deepEqual, equal, ok } from "node:assert/strict";
import { observe } from "../../calibrate/observe.ts";
import type { TensorStats } from "../../calibrate/stats.ts";
import { loadOnnx } from "../../formats/onnx/load.ts";
import type { Graph } from "../../ir/graph.ts";
import { attr, node } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { bayes } from "../../march/bayes.ts";
import { planScale, rangePlan } from "../../quantize/plan.ts";
import type { TensorPlan } from "../../quantize/plan.ts";
import { createCalibrator } from "../calibrator.ts";
import { convert } from "../convert.ts";
import type { ConvertOptions } from "../convert.ts";
import { simulate } from "../onnx_conformance.ts";
import { prove } from "../prove.ts";
import { quantInfo } from "../quant_info.ts";
import { randomNetwork } from "../random_networks.ts";
import { engine, graphOf, Random } from "./harness.ts";

/** Plans with a zero point of its own for every tensor: that of the data, or any. */
async function convertWithZeros(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
  seed: number,
  options: Pick<ConvertOptions, "place" | "int16">,
) {
  const r = new Random(seed);
  const stats = new Map<string, TensorStats>();
  const plans = new Map<string, TensorPlan>();
  return await convert(graph, {
    ...options,
    march: bayes,
    engine,
    calibrator: {
      candidates: ["max"],
      async observe(g, tensors) {
        const given = new Map(g.inputs.map((p): [string, Tensor] => [p.name, feeds.get(p.name)!]));
        for (const [name, s] of await observe(g, tensors, () => [given], engine)) {
          stats.set(name, s);
        }
      },
      threshold(method, t, dtype) {
        const s = stats.get(t)!;
        if (dtype === "int16") return { dtype, threshold: s.absmax, zero: 0, method };
        let p = plans.get(t);
        if (p === undefined) {
          const share = r.next();
          const any = { min: -share * s.absmax, max: (1 - share) * s.absmax };
          plans.set(t, p = rangePlan(r.next() < 0.5 ? s : any, method));
        }
        return p;
      },
    },
  });
}

Deno.test("random networks with zero points run the same bits everywhere", async () => {
  const failed: string[] = [];
  let asym = 0, onBpu = 0;
  for (let seed = 2000; seed < 2024; seed++) {
    const { model, feeds } = randomNetwork(seed);
    try {
      const c = await convertWithZeros(loadOnnx(model), feeds, seed, {
        place: { quantizeTail: seed % 3 === 1 },
        ...(seed % 4 === 2
          ? {
            int16: (_: Graph, layout) => new Set([...layout.needed].filter((_, i) => i % 3 === 0)),
          }
          : {}),
      });
      onBpu += c.layout.groups.size;
      asym += c.quantized.graph.nodes.filter((n) => n.op.endsWith("Asym")).length;
      const { problem } = await simulate(c, engine, feeds);
      if (problem !== "") failed.push(`seed ${seed}: ${problem}`);
    } catch (e) {
      failed.push(`seed ${seed}: ${e}`);
    }
  }
  deepEqual(failed, []);
  ok(asym > onBpu / 3, `${asym} operators with zero points of ${onBpu} nodes on the BPU`);
});

Deno.test("optimization asymmetric: a bit more for what a Relu gives, nothing else changes", async () => {
  const r = new Random(5);
  const x = { name: "x0", shape: [1, 3, 12, 12] };
  const pads = { pads: attr.ints([1, 1, 1, 1]) };
  const graph = graphOf({
    inputs: [x.shape],
    constants: {
      w1: r.values([8, 3, 3, 3], 0.6),
      w2: r.values([8, 8, 3, 3], 0.3),
      w3: r.values([5, 8, 1, 1], 0.4),
      w4: r.values([5, 5, 1, 1], 0.4),
    },
    nodes: [
      node("Conv", "c1", ["x0", "w1"], ["a"], pads),
      node("Relu", "r1", ["a"], ["b"]),
      node("Conv", "c2", ["b", "w2"], ["c"], pads),
      node("HardSwish", "h", ["c"], ["d"]),
      node("Conv", "c3", ["d", "w3"], ["e"]),
      node("Conv", "c4", ["e", "w4"], ["y"]),
    ],
  });
  const samples = Array.from({ length: 4 }, () => new Map([["x0", r.values(x.shape, 2)]]));
  const made = async (optimization: readonly string[]) => {
    const calibrator = createCalibrator(
      { type: "max", maxPercentile: 1, optimization },
      engine,
      () => samples,
    );
    const c = await convert(graph, { march: bayes, engine, calibrator });
    return { c, proof: await prove(c, engine, samples[0]!, samples[0]!) };
  };
  const plain = await made([]), asym = await made(["asymmetric"]);
  equal(asym.proof.exact.differing, 0);
  const zeros = (c: typeof plain.c) =>
    [...c.plan.tensors].filter(([, p]) => p.zero !== 0).map(([t]) => t).sort();
  deepEqual(zeros(plain.c), []);
  // x0 and c lie around 0 and stay symmetric; c3 happens to give more on one side.
  deepEqual(zeros(asym.c), ["b", "d", "e"]);
  equal(asym.c.plan.tensors.get("b")!.zero, -128);
  const info = JSON.parse(quantInfo(asym.c, asym.proof));
  deepEqual(info.c2.zero_points, [[-128], new Array(8).fill(0)]);
  equal(info.c2.scales[0][0], planScale(asym.c.plan.tensors.get("b")!));
  const loss = (p: typeof plain.proof) => 1 - p.outputs[0]!.cosine;
  ok(loss(asym.proof) < loss(plain.proof), `${loss(asym.proof)} and ${loss(plain.proof)}`);
});
