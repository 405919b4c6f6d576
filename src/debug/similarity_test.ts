import assert from "node:assert/strict";
import { f32 } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import { noiseOf, similarity } from "./similarity.ts";

const one = (t: Tensor) => [new Map([["y", t]])];

/** A detector's output: 64 cells of 2 probabilities and 2 box sides; eight cells hold objects. */
const holds = (i: number) => i % 8 === 4;

function detector(object: number, box: (cell: number) => number): Tensor {
  const data = new Float32Array(64 * 4);
  for (let i = 0; i < 64; i++) {
    data[4 * i] = holds(i) ? object : 0.01;
    data[4 * i + 1] = 0.02;
    data[4 * i + 2] = box(i);
    data[4 * i + 3] = -box(i);
  }
  return f32([1, 64, 4], data);
}

const boxes = (i: number) => 3 + Math.sin(i);
const off = (i: number) => 3 + Math.cos(5 * i);

Deno.test("equal outputs are perfect", () => {
  const s = similarity(one(detector(0.9, boxes)), one(detector(0.9, boxes)));
  assert.equal(s.score, 1);
  assert.equal(s.worst, 1);
  assert.deepEqual(s.parts.map((p) => p.kind), ["probabilities", "values"]);
  assert.equal(noiseOf(1), 0);
});

Deno.test("a detector that finds nothing is worth nothing, whatever its cosine", () => {
  const s = similarity(one(detector(0.9, boxes)), one(detector(0.01, boxes)));
  assert.ok(s.cosine > 0.95);
  assert.ok(s.parts[0]!.fidelity < 0.05, `${s.parts[0]!.fidelity}`);
});

Deno.test("boxes of background cells do not count, those of objects do", () => {
  const want = one(detector(0.9, boxes));
  const background = similarity(want, one(detector(0.9, (i) => holds(i) ? boxes(i) : off(i))));
  const object = similarity(want, one(detector(0.9, (i) => holds(i) ? off(i) : boxes(i))));
  assert.ok(background.parts[1]!.fidelity > object.parts[1]!.fidelity + 0.2);
});

Deno.test("a common offset of logits means nothing, shrinking does", () => {
  const logits = Float32Array.from({ length: 10 }, (_, i) => Math.sin(3 * i));
  const of = (f: (v: number) => number) =>
    similarity(one(f32([1, 10], logits)), one(f32([1, 10], logits.map(f))));
  assert.ok(of((v) => v + 5).score > 1 - 1e-6);
  assert.ok(of((v) => v / 4).score < 0.6);
  assert.equal(of((v) => v + 5).agreement, 1);
  assert.equal(of((v) => -v).agreement, 0);
  assert.equal(of((v) => -v).score, 0);
});

Deno.test("NaN is worth nothing", () => {
  const s = similarity(one(f32([1, 4], [1, 2, 3, 4])), one(f32([1, 4], [1, NaN, 3, 4])));
  assert.equal(s.score, 0);
});

Deno.test("outputs of different sizes are compared, what one lacks counts as 0", () => {
  const two = f32([2, 2], [1, 2, 3, 4]), one = f32([1, 2], [1, 2]);
  const s = similarity([new Map([["y", two]])], [new Map([["y", one]])]);
  assert.ok(Number.isFinite(s.score) && s.score < 1, `${s.score}`);
  assert.ok(Math.abs(s.cosine - 5 / Math.sqrt(30 * 5)) < 1e-12, `${s.cosine}`);
});
