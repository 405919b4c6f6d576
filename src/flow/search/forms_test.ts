import assert from "node:assert/strict";
import { compare } from "../../calibrate/metrics.ts";
import type { Feeds } from "../../ir/engine.ts";
import { attr, node, OPSET } from "../../ir/graph.ts";
import type { Graph } from "../../ir/graph.ts";
import { f32 } from "../../ir/tensor.ts";
import { marchOf } from "../../march/mod.ts";
import { functionsOf } from "../../ops/functions.ts";
import { createFloatEngine } from "../../run/float.ts";
import { openProgram } from "../../run/simulator.ts";
import { createCalibrator } from "../calibrator.ts";
import { convert } from "../convert.ts";
import { addForm } from "./forms.ts";
import type { Recipe } from "./recipe.ts";

const wave = (n: number, seed: number) =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(i * 7.3 + seed) + Math.sin(i * i + seed) / 2);

function graphOf(part: Pick<Graph, "nodes" | "inputs" | "outputs" | "constants">): Graph {
  const domains = new Map([["", OPSET]]);
  return { name: "g", opset: OPSET, domains, types: new Map(), metadata: new Map(), ...part };
}
const port = (name: string, shape: number[]) => ({ name, dtype: "float32" as const, shape });

/** Layer normalisation with one loud channel, then a product. */
const normalised = graphOf({
  nodes: [
    node("LayerNormalization", "ln", ["x", "gamma", "beta"], ["n"], { axis: attr.int(-1) }),
    node("MatMul", "product", ["n", "w"], ["y"]),
  ],
  inputs: [port("x", [1, 6, 8])],
  outputs: [port("y", [1, 6, 5])],
  constants: new Map([
    ["gamma", f32([8], wave(8, 1).map((v, c) => c === 3 ? 80 : v))],
    ["beta", f32([8], wave(8, 2))],
    ["w", f32([8, 5], wave(40, 3).map((v, i) => Math.floor(i / 5) === 3 ? v / 80 : v))],
  ]),
});

/** Two convolutions; channel 0 between them is 50 times louder. */
const chain = graphOf({
  nodes: [
    node("Conv", "first", ["x", "w1"], ["a"]),
    node("Relu", "relu", ["a"], ["b"]),
    node("Conv", "second", ["b", "w2"], ["y"]),
  ],
  inputs: [port("x", [1, 3, 6, 6])],
  outputs: [port("y", [1, 2, 6, 6])],
  constants: new Map([
    ["w1", f32([4, 3, 1, 1], wave(12, 4).map((v, i) => i < 3 ? v * 50 : v))],
    ["w2", f32([2, 4, 1, 1], wave(8, 5).map((v, i) => i % 4 === 0 ? v / 50 : v))],
  ]),
});

for (
  const [form, graph] of [
    ["smooth", normalised],
    ["per_channel", chain],
    ["equalized", chain],
  ] as const
) {
  Deno.test(`form ${form}: the float result stays, uneven channels quantize better`, async () => {
    const engine = createFloatEngine({ workers: 0, functions: functionsOf });
    const input = graph.inputs[0]!;
    const n = input.shape.reduce((a, b) => a * b, 1);
    const samples = [1, 2, 3].map((s): Feeds =>
      new Map([[input.name, f32(input.shape, wave(n, s))]])
    );
    const open = () => createCalibrator({ type: "max", maxPercentile: 1 }, engine, () => samples);
    try {
      await convert(graph, {
        march: marchOf("bayes"),
        calibrator: open(),
        engine,
        async search(w, plain) {
          const report = await addForm(w, form, async (g, tensors) => {
            const own = open();
            await own.observe(g, tensors);
            return own;
          });
          assert.equal(report.changed, 1);
          const wanted = (await (await engine.open(w.graph)).run(samples[0]!)).get("y")!;
          const data = (t: { data: unknown }) => t.data as Float32Array;
          const changed = (await (await engine.open(w.formOf({ form }).graph)).run(samples[0]!))
            .get("y")!;
          assert.ok(compare(data(wanted), data(changed)).cosine > 1 - 1e-9);
          const error = async (recipe: Recipe) => {
            const simulator = await openProgram(w.program(w.build(recipe)), { cpu: engine });
            const y = (await simulator.run(samples[0]!)).get("y")!;
            await simulator.close();
            return compare(data(wanted), data(y)).mse;
          };
          const [before, after] = [await error(plain), await error({ ...plain, form })];
          assert.ok(after < before / 2, `${before} -> ${after}`);
          return plain;
        },
      });
    } finally {
      await engine.close();
    }
  });
}

Deno.test("convert with perChannel needs no fork", async () => {
  const engine = createFloatEngine({ workers: 0, functions: functionsOf });
  const samples = [new Map([["x", f32([1, 3, 6, 6], wave(108, 1))]])];
  const log: string[] = [];
  const { recipe } = await convert(chain, {
    march: marchOf("bayes"),
    calibrator: createCalibrator({ type: "max", maxPercentile: 1 }, engine, () => samples),
    perChannel: true,
    engine,
    log: (line) => log.push(line),
  });
  await engine.close();
  assert.equal(recipe.form, "per_channel");
  assert.deepEqual(log.filter((l) => l.includes("have a scale")), [
    "per_channel: 1 tensors have a scale per channel",
  ]);
});
