import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { shuffled, values } from "../calibrate/test_support.ts";
import { BpuError } from "../errors.ts";
import type { Feeds } from "../ir/engine.ts";
import { attr, type Graph, node, OPSET } from "../ir/graph.ts";
import { f32 } from "../ir/tensor.ts";
import { inferTypes } from "../ops/infer.ts";
import { createFloatEngine } from "../run/float.ts";
import { planScale } from "../quantize/plan.ts";
import { whyNotKernels } from "../run/float_kernels/choose.ts";
import { createCalibrator, methodsOf, shareOfMax, throughFunction } from "./calibrator.ts";

/** Conv c -> Sigmoid s -> Mul y: large enough for the float kernels. */
const graph: Graph = inferTypes({
  name: "g",
  opset: OPSET,
  domains: new Map(),
  nodes: [
    node("Conv", "conv", ["x", "w"], ["c"], { pads: attr.ints([1, 1, 1, 1]) }),
    node("Sigmoid", "sig", ["c"], ["s"]),
    node("Mul", "mul", ["c", "s"], ["y"]),
  ],
  inputs: [{ name: "x", dtype: "float32", shape: [1, 32, 16, 16] }],
  outputs: [{ name: "y", dtype: "float32", shape: [1, 32, 16, 16] }],
  constants: new Map([["w", f32([32, 32, 3, 3], values("normal", 32 * 32 * 9, 1, 0.05))]]),
  types: new Map(),
  metadata: new Map(),
});
const samples = Array.from(
  { length: 6 },
  (_, i): Feeds =>
    new Map([["x", f32([1, 32, 16, 16], values("laplace", 8192, i + 1, 1 + i / 4))]]),
);
const names = ["x", "c", "s", "y"];

Deno.test("calibrator: methods by type", () => {
  const of = (type: "max" | "skip" | "load" | "kl" | "default" | "mix", maxPercentile = 1) => [
    ...methodsOf({ type, maxPercentile }).keys(),
  ];
  for (const type of ["max", "skip", "load"] as const) deepEqual(of(type), ["max"]);
  deepEqual(of("max", 0.9999), ["max-percentile:percentile=0.9999"]);
  deepEqual(of("kl"), ["kl"]);
  deepEqual(of("default"), of("mix"));
  for (const m of ["max", "kl", "mse", "octav"]) ok(of("mix").includes(m), m);
});

Deno.test("calibrator: one pass serves all methods; kernels and onnxruntime agree; the order is nothing", async () => {
  equal(whyNotKernels(graph, ["c", "s", "y"]), undefined);
  const engine = createFloatEngine({ workers: 0 });
  const run = async (list: readonly Feeds[], kernels: boolean) => {
    let passes = 0;
    const source = function* () {
      passes++;
      yield* list;
    };
    const c = createCalibrator(
      { type: "default", maxPercentile: 1 },
      kernels ? engine : { ...engine, visit: () => Promise.resolve(undefined) },
      source,
    );
    await c.observe(graph, names);
    const all = [...c.candidates, throughFunction];
    const found = names.flatMap((t) => all.map((m) => c.threshold(m, t, "int8").threshold));
    equal(passes, 1);
    for (const t of names) {
      const top = c.stats!(t)!.absmax;
      for (const m of all) {
        const { threshold } = c.threshold(m, t, "int8");
        ok(threshold > 0 && threshold <= top, `${t} by ${m}`);
      }
      equal(c.threshold("kl", t, "int16").threshold, top);
    }
    return found;
  };
  const [kernels, ort] = [await run(samples, true), await run(samples, false)];
  deepEqual(await run(shuffled(samples, 5), true), kernels);
  kernels.forEach((t, i) => {
    const limit = i % (kernels.length / names.length) === 0 ? 1e-5 : 0.05; // first: the maximum
    ok(Math.abs(t - ort[i]!) <= limit * ort[i]!, `${i}: ${t} and ${ort[i]}`);
  });
  await engine.close();
});

Deno.test("calibrator: max keeps ranges only and is exact; NaN is refused by name", async () => {
  const engine = createFloatEngine({ workers: 0 });
  const c = createCalibrator({ type: "max", maxPercentile: 1 }, engine, () => samples);
  await c.observe(graph, names);
  const top = Math.max(
    ...samples.flatMap((s) => [...s.get("x")!.data as Float32Array].map(Math.abs)),
  );
  equal(c.threshold("max", "x", "int8").threshold, top);
  equal(c.threshold(throughFunction, "x", "int8").threshold, top);
  equal(c.stats!("x")!.positive.length, 0);
  equal(c.stats!("c")!.channels?.max.length, 32);
  const bad = f32([1, 32, 16, 16], values("normal", 8192, 1));
  bad.data[77] = NaN;
  const d = createCalibrator(
    { type: "kl", maxPercentile: 1 },
    engine,
    () => [new Map([["x", bad]])],
  );
  await d.observe(graph, names);
  for (const t of names) {
    throws(
      () => d.threshold("kl", t, "int8"),
      (e) => e instanceof BpuError && e.code === "numeric" && e.place.tensor === t,
    );
  }
  await rejects(
    createCalibrator({ type: "kl", maxPercentile: 1 }, engine, () => []).observe(graph, names),
    (e) => e instanceof BpuError && e.code === "calibration",
  );
  await engine.close();
});

Deno.test("calibrator: zero points where they make steps finer; parts of the maximum", async () => {
  const engine = createFloatEngine({ workers: 0 });
  const c = createCalibrator({ type: "default", maxPercentile: 1 }, engine, () => samples);
  await c.observe(graph, names);
  for (const m of [...c.candidates, throughFunction, shareOfMax(0.5)]) {
    // The output of Sigmoid has one sign.
    const plain = c.threshold(m, "s", "int8"), zero = c.threshold(m, "s", "int8", true);
    equal(plain.range, undefined);
    equal(zero.zero, -128, m);
    equal(zero.range!.min, 0, m);
    ok(planScale(zero) < planScale(plain) * 0.9, `${m}: ${planScale(zero)} ${planScale(plain)}`);
    equal(c.threshold(m, "s", "int16", true).range, undefined);
    // Both signs alike.
    const two = c.threshold(m, "x", "int8", true);
    ok(planScale(two) <= planScale(c.threshold(m, "x", "int8")), m);
  }
  const top = c.stats!("s")!.absmax;
  equal(c.threshold(shareOfMax(0.5), "s", "int8", true).range!.max, top / 2);
  await engine.close();
});
