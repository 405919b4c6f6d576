import assert from "node:assert/strict";
import { randomNetwork } from "../../flow/random_networks.ts";
import { loadOnnx } from "../../formats/onnx/load.ts";
import { functionsOf } from "../../ops/functions.ts";
import { inferTypes } from "../../ops/infer.ts";
import { optimize } from "../../passes/mod.ts";
import { createFloatEngine } from "../float.ts";
import { createKernelEngine } from "./engine.ts";
import { planGraph } from "./lower.ts";
import { agree } from "./testing.ts";

Deno.test("random networks that are covered agree with onnxruntime-web", async () => {
  const other = createFloatEngine({ workers: 0, functions: functionsOf });
  const ours = createKernelEngine();
  let covered = 0;
  for (let seed = 300; seed < 420; seed++) {
    const { model, feeds } = randomNetwork(seed);
    const original = inferTypes(loadOnnx(model));
    for (const g of [original, inferTypes((await optimize(original)).graph)]) {
      const graph = { ...g, name: `seed ${seed}` };
      const all = [...g.types].filter(([t, type]) =>
        type.dtype === "float32" && !g.inputs.some((p) => p.name === t)
      );
      for (const fetch of [undefined, all.map(([t]) => t)]) {
        if ("reason" in planGraph(graph, fetch)) continue;
        await agree(graph, feeds, ours, other, fetch, 1e-4);
        covered++;
      }
    }
  }
  await other.close();
  assert.ok(covered >= 50, `only ${covered} graphs are covered`);
});
