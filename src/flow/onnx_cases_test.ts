/** A part of ONNX's own cases through the whole pipeline; `deno task conformance:onnx` runs all. */

import assert from "node:assert/strict";
import { bayes } from "../march/bayes.ts";
import { functionsOf } from "../ops/functions.ts";
import { createFloatEngine } from "../run/float.ts";
import { floatProblem, quantizedProblem, runCases, verdictOf } from "./onnx_conformance.ts";
import { f32, i64 } from "../ir/tensor.ts";

Deno.test("every fifth of ONNX's own cases gives the expected result", async () => {
  const engine = createFloatEngine({ workers: 0, functions: functionsOf });
  try {
    const { results, missing } = await runCases((i) => i % 5 === 0, bayes, engine);
    if (missing.length > 0) console.log(`skipped: ${missing.length} archives are not here`);
    const ended = results.map((r) => ({ name: r.name, ...verdictOf(r) }));
    const wrong = ended.filter((e) => e.verdict === "wrong");
    assert.deepEqual(wrong.map((e) => `${e.name}: ${e.why}`), []);
    if (missing.length > 0) return;
    const count = (v: string) => ended.filter((e) => e.verdict === v).length;
    console.log(`${ended.length} cases: ${count("BPU")} with BPU, ${count("CPU")} CPU only`);
    // What passes today must not fall silent.
    assert.ok(count("BPU") + count("CPU") >= 240, `${count("BPU") + count("CPU")} are right`);
    assert.ok(count("BPU") >= 40, `${count("BPU")}`);
  } finally {
    await engine.close();
  }
});

Deno.test("the judges see what is wrong", () => {
  const want = f32([4], [0, 1, -2, 4]);
  assert.equal(floatProblem(f32([4], [0, 1, -2, 4.001]), want), "");
  assert.match(floatProblem(f32([4], [0.001, 1, -2, 4]), want), /element 0/);
  assert.match(floatProblem(f32([2, 2], [0, 1, -2, 4]), want), /shape/);
  assert.match(floatProblem(i64([0, 1, -2, 4]), want), /int64/);
  assert.match(floatProblem(undefined, want), /missing/);
  assert.match(floatProblem(i64([1, 2]), i64([1, 3])), /element 1 is 2, not 3/);
  assert.equal(quantizedProblem(f32([4], [0.1, 1, -2, 3.9]), want), "");
  assert.match(quantizedProblem(f32([4], [0.2, 1, -2, 4]), want), /element 0/);
  assert.equal(quantizedProblem(f32([4], [0.2, 1, -2, 4]), want, [f32([4], [0.1, 1, -2, 4])]), "");
  assert.match(quantizedProblem(f32([4], [NaN, 1, -2, 4]), want), /element 0/);
  assert.match(quantizedProblem(i64([1, 2, 3]), i64([1, 2, 4])), /1 of 3/);
});
