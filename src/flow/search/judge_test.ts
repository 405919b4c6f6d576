import assert from "node:assert/strict";
import { better, clearlyBetter } from "./judge.ts";
import type { Judgement } from "./judge.ts";

const judged = (score: number, losses: readonly number[]): Judgement => ({
  similarity: { score, worst: score, agreement: 1, cosine: 1, parts: [] },
  losses,
});

Deno.test("better: by the margin, and on the samples rather than on one of them", () => {
  const base = judged(0.9, [0.1, 0.1, 0.1, 0.1]);
  assert.ok(clearlyBetter(judged(0.95, [0.05, 0.06, 0.05, 0.04]), base, 0.1));
  // 5 % less loss is no margin of 10 %.
  assert.ok(!clearlyBetter(judged(0.905, [0.095, 0.095, 0.095, 0.095]), base, 0.1));
  // All together better by one sample only, the others are worse.
  assert.ok(!clearlyBetter(judged(0.95, [0.0001, 0.15, 0.15, 0.15]), base, 0));
  assert.ok(!clearlyBetter(base, base, 0));
});

Deno.test("better: one sample decides alone, a perfect recipe is not beaten", () => {
  assert.ok(clearlyBetter(judged(0.95, [0.05]), judged(0.9, [0.1]), 0));
  const perfect = judged(1, [0, 0, 0]);
  assert.ok(!clearlyBetter(perfect, perfect, 0));
  assert.ok(!clearlyBetter(judged(0.9, [0.1, 0.1, 0.1]), perfect, 0));
});

Deno.test("better among equals: all samples together decide, unless the single ones contradict", () => {
  const base = judged(0.9, [0.1, 0.1, 0.1, 0.1]);
  // Two won, two lost: no proof, but no contradiction.
  const mixed = judged(0.92, [0.02, 0.11, 0.04, 0.13]);
  assert.ok(better(mixed, base, 0.03));
  assert.ok(better(judged(0.91, [0.05, 0.14, 0.06, 0.15]), base, 0.03));
  assert.ok(!clearlyBetter(judged(0.91, [0.05, 0.14, 0.06, 0.15]), base, 0.03));
  assert.ok(!better(judged(0.901, [0.05, 0.14, 0.06, 0.15]), base, 0.03));
  assert.ok(!better(judged(0.95, [0.08, 0.15, 0.15, 0.15]), base, 0.03));
});

Deno.test("better: samples that lose next to nothing have no say", () => {
  const base = judged(0.9, [0.2, 0.1, 0.15, 1e-5, 2e-5, 1e-6]);
  const halved = judged(0.95, [0.1, 0.06, 0.07, 9e-5, 2e-4, 8e-5]);
  assert.ok(clearlyBetter(halved, base, 0.1));
});
