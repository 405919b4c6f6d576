import assert from "node:assert/strict";
import { agreement, iou, meanPrecision, suppress } from "./boxes.ts";
import type { Box, Detection } from "./boxes.ts";

const d = (box: Box, score: number, label = 0): Detection => ({ box, score, label });

Deno.test("iou", () => {
  assert.equal(iou([0, 0, 2, 2], [0, 0, 2, 2]), 1);
  assert.equal(iou([0, 0, 2, 2], [1, 0, 3, 2]), 1 / 3);
  assert.equal(iou([0, 0, 2, 2], [2, 0, 3, 2]), 0);
  assert.equal(iou([0, 0, 0, 0], [0, 0, 0, 0]), 0);
});

Deno.test("suppression keeps the best of a class and other classes", () => {
  const kept = suppress(
    [d([0, 0, 9, 10], 0.5), d([0, 0, 10, 10], 0.9), d([0, 0, 10, 10], 0.4, 1)],
    0.5,
  );
  assert.deepEqual(kept.map((k) => [k.score, k.label]), [[0.9, 0], [0.4, 1]]);
});

Deno.test("mean average precision by hand", () => {
  // two objects; found: right, wrong, right -> precision 1 up to recall .5, 2/3 up to 1
  const truth = [[{ box: [0, 0, 10, 10] as Box, label: 3 }, {
    box: [20, 20, 30, 30] as Box,
    label: 3,
  }]];
  const found = [[
    d([0, 0, 10, 10], 0.9, 3),
    d([50, 50, 60, 60], 0.8, 3),
    d([20, 20, 30, 30], 0.7, 3),
  ]];
  const m = meanPrecision(truth, found);
  assert.ok(Math.abs(m.map50 - (51 + 50 * 2 / 3) / 101) < 1e-12, `${m.map50}`);
  assert.ok(Math.abs(m.map - m.map50) < 1e-12);
  assert.equal(m.classes, 1);
  // The second of two equal detections is a false alarm.
  const twice = meanPrecision([[truth[0]![0]!]], [[d([0, 0, 10, 10], 0.9, 3), found[0]![0]!]]);
  assert.equal(twice.map50, 1);
});

Deno.test("a detection of IoU 0.8 counts up to 0.80", () => {
  const m = meanPrecision([[{ box: [0, 0, 10, 10], label: 0 }]], [[d([0, 0, 10, 8.01], 1)]]);
  assert.equal(m.map50, 1);
  assert.ok(Math.abs(m.map - 0.7) < 1e-12);
});

Deno.test("agreement counts matched, missed and extra above the score", () => {
  const want = [[d([0, 0, 10, 10], 0.9), d([20, 0, 30, 10], 0.8), d([50, 0, 60, 10], 0.1)]];
  const a = agreement(want, [[d([0, 0, 10, 9], 0.7), d([20, 0, 30, 10], 0.9, 1)]]);
  assert.deepEqual([a.matched, a.missed, a.extra], [1, 1, 1]);
  assert.equal(a.f1, 0.5);
  assert.ok(Math.abs(a.iou - 0.9) < 1e-12);
  assert.equal(agreement([[]], [[]]).f1, 1);
});
