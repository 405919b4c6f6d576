/**
 * What the threshold searches of one tensor cost, all methods on one histogram: `deno bench`.
 *
 * @module
 */

import { klThreshold } from "../src/calibrate/methods/kl.ts";
import { maxThreshold } from "../src/calibrate/methods/max.ts";
import { mseRange, mseThreshold, mseThroughFunction } from "../src/calibrate/methods/mse.ts";
import { octavThreshold } from "../src/calibrate/methods/octav.ts";
import { percentileThreshold } from "../src/calibrate/methods/percentile.ts";
import { Observer, statsOf } from "../src/calibrate/stats.ts";
import { activation } from "../src/calibrate/test_support.ts";

const silu = (x: number) => x / (1 + Math.exp(-x));
const sample = activation("silu", 200_000, 1, 2);
const stats = statsOf("t", [sample], { quota: Infinity });

const methods: [string, () => unknown][] = [
  ["max", () => maxThreshold(stats)],
  ["percentile", () => percentileThreshold(stats, 0.9999)],
  ["kl", () => klThreshold(stats)],
  ["mse", () => mseThreshold(stats)],
  ["mse, int16", () => mseThreshold(stats, { qmax: 32767 })],
  ["mse through a function", () => mseThroughFunction(stats, silu)],
  ["octav", () => octavThreshold(stats)],
  ["kl, zero point", () => klThreshold(stats, { levels: 250 })],
  ["mse, zero point", () => mseRange(stats)],
  ["mse through a function, zero point", () => mseRange(stats, silu)],
  ["octav, zero point", () => octavThreshold(stats, { zeros: true })],
];
for (const [name, run] of methods) Deno.bench({ name, group: "thresholds", fn: () => void run() });
Deno.bench({
  name: "all (at most 10 ms)",
  group: "thresholds",
  fn: () => methods.forEach(([, run]) => run()),
});

const observer = new Observer("t");
Deno.bench({ name: "observe 200000 values", group: "observe", fn: () => observer.add(sample) });
