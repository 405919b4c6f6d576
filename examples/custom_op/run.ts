/**
 * Runs the float model and the converted ones on the same sample and prints how close they are.
 *
 *     deno run --allow-read=. run.ts
 *
 * @module
 */

import {
  createCustomEngine,
  createFloatEngine,
  functionsOf,
  HB_ONNXRuntime,
  openCustomOperators,
} from "../../mod.ts";

const operators = await openCustomOperators([
  { file: "custom_op/squash.ts", bytes: Deno.readFileSync("custom_op/squash.ts") },
]);
const engine = createCustomEngine(
  createFloatEngine({ workers: 0, functions: functionsOf }),
  operators,
);
const sample = new Float32Array(Deno.readFileSync("calibration/3.bin").buffer);
const results = new Map<string, Float32Array>();
const prefix = "model_output/squash";
for (
  const file of [
    "squash.onnx",
    `${prefix}_original_float_model.onnx`,
    `${prefix}_optimized_float_model.onnx`,
    `${prefix}_calibrated_model.onnx`,
    `${prefix}_quantized_model.onnx`,
    `${prefix}.bin`,
  ]
) {
  const sess = await HB_ONNXRuntime.create(file, { engine });
  const [y] = await sess.run(null, { data: sample });
  results.set(file, y!.data as Float32Array);
  await sess.close();
}
const reference = results.get("squash.onnx")!;
for (const [file, y] of results) {
  const worst = y.reduce((m, v, i) => Math.max(m, Math.abs(v - reference[i]!)), 0);
  console.log(`${file}: largest difference from the float model ${worst.toFixed(4)}`);
}
await engine.close();
