/**
 * Random networks end to end: the simulator equals the quantized model in onnxruntime-web bit for bit,
 * and the passes keep the float outputs. `SEED=1000 COUNT=200 deno test -A` runs others.
 */

import assert from "node:assert/strict";
import { loadOnnx } from "../formats/onnx/load.ts";
import { numbersOf } from "../ir/tensor.ts";
import { bayes } from "../march/bayes.ts";
import { bayesE } from "../march/bayes_e.ts";
import { bernoulli2 } from "../march/bernoulli2.ts";
import { functionsOf } from "../ops/functions.ts";
import { createFloatEngine, type FloatEngine } from "../run/float.ts";
import { convertWith, simulate } from "./onnx_conformance.ts";
import { randomNetwork } from "./random_networks.ts";

async function check(seed: number, engine: FloatEngine): Promise<number> {
  const { model, feeds } = randomNetwork(seed);
  // Most as users convert them; some with the tail on the BPU too, with int16, for another march.
  const march = seed % 7 === 3 ? bernoulli2 : seed % 7 === 5 ? bayesE : bayes;
  const conversion = await convertWith(loadOnnx(model), march, engine, feeds, {
    place: { quantizeTail: seed % 3 === 1 },
    ...(seed % 4 === 2 ? { int16: (_, layout) => new Set(layout.needed) } : {}),
  });
  const run = async (g: typeof conversion.original) => {
    const session = await engine.open(g);
    const given = new Map(g.inputs.map((p) => [p.name, feeds.get(p.name)!] as const));
    const out = await session.run(given);
    await session.close();
    return out;
  };
  const original = await engine.openBytes(model);
  const want = await original.run(feeds);
  await original.close();
  const optimized = await run(conversion.optimized);
  for (const [name, t] of want) {
    const have = optimized.get(name);
    assert.equal(have?.dtype, t.dtype, name);
    assert.deepEqual(have.shape, t.shape, name);
    if (t.dtype !== "float32") continue; // Ties fall either way.
    const a = numbersOf(have), b = numbersOf(t);
    let top = 1, off = 0;
    for (const v of b) top = Math.max(top, Math.abs(v));
    for (let i = 0; i < b.length; i++) if (!(Math.abs(a[i]! - b[i]!) <= 1e-4 * top)) off++;
    // Where a step (Floor, Sign, Round) or a choice stands behind a rounding, single values jump.
    assert.ok(off * 20 <= b.length, `${name}: the passes changed ${off} of ${b.length} values`);
  }
  const { problem, outputs } = await simulate(conversion, engine, feeds);
  assert.equal(problem, "");
  for (const [name, t] of want) assert.deepEqual(outputs.get(name)?.shape, t.shape, name);
  return conversion.layout.groups.size;
}

Deno.test("random networks run the same bits everywhere", async () => {
  const env = (key: string) =>
    Deno.permissions.querySync({ name: "env", variable: key }).state === "granted"
      ? Deno.env.get(key)
      : undefined;
  const first = Number(env("SEED") ?? 1), count = Number(env("COUNT") ?? 40);
  const engine = createFloatEngine({ workers: 0, functions: functionsOf });
  const failed: string[] = [];
  let onBpu = 0;
  try {
    for (let seed = first; seed < first + count; seed++) {
      try {
        onBpu += await check(seed, engine);
      } catch (e) {
        const text = e instanceof Error ? e.message : String(e);
        const where = e instanceof Error
          ? e.stack?.split("\n").find((l) => l.includes("/src/"))
          : "";
        failed.push(
          `seed ${seed}: ${text.split("\n")[0]} ${
            JSON.stringify((e as { place?: unknown }).place ?? "", (k, v) =>
              k === "cause" ? undefined : v)
          } ${where}`,
        );
      }
    }
  } finally {
    await engine.close();
  }
  assert.deepEqual(failed, []);
  assert.ok(onBpu >= count, `only ${onBpu} nodes ran on the BPU`);
});
