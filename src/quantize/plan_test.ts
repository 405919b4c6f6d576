import { deepEqual, equal, ok } from "node:assert/strict";
import { quantizeValue } from "../ops/arithmetic.ts";
import type { TensorPlan } from "./plan.ts";
import { asymmetricPlan, boundedPlan, planOf, planScale, rangePlan } from "./plan.ts";

const symmetric = (threshold: number): TensorPlan => ({
  dtype: "int8",
  threshold,
  zero: 0,
  method: "max",
});

Deno.test("a range uses all 256 steps, holds 0 exactly and its ends within half a step", () => {
  for (const [min, max] of [[0, 6], [-0.28, 20], [-7, 0], [-3, 3], [1, 4], [-9, -2], [-1e-9, 5]]) {
    const p = rangePlan({ min: min!, max: max! }, "max"), s = planScale(p);
    const back = (v: number) => s * (quantizeValue(v, s, p.zero, -128, 127) - p.zero);
    equal(back(0), 0);
    for (const v of [Math.min(min!, 0), Math.max(max!, 0)]) {
      ok(Math.abs(back(v) - v) <= s * 0.5001, `${min}..${max}: ${v} gives ${back(v)}`);
    }
    equal(s, Math.fround((Math.max(max!, 0) - Math.min(min!, 0)) / 255));
  }
  equal(rangePlan({ min: 0, max: 6 }, "max").zero, -128);
  equal(rangePlan({ min: -6, max: 0 }, "max").zero, 127);
});

Deno.test("a range of nothing is the symmetric plan of nothing", () => {
  for (const r of [{ min: 0, max: 0 }, { min: NaN, max: NaN }]) {
    deepEqual(rangePlan(r, "max"), symmetric(0));
  }
});

Deno.test("a range from a scale and a zero point gives both back", () => {
  for (const scale of [0.1, 1 / 3, 7e-5, 123.4].map(Math.fround)) {
    for (let zero = -128; zero < 128; zero++) {
      const p = rangePlan({ min: scale * (-128 - zero), max: scale * (127 - zero) }, "load");
      equal(p.zero, zero);
      equal(planScale(p), scale);
    }
  }
});

Deno.test("skewed tensors get a zero point, the threshold still clips, others stay as they are", () => {
  const relu = asymmetricPlan(symmetric(6), { min: 0, max: 9 });
  deepEqual([relu.zero, relu.range], [-128, { min: 0, max: 6 }]);
  const swish = asymmetricPlan(symmetric(20), { min: -0.28, max: 20 });
  deepEqual(swish.range, { min: -0.28, max: 20 });
  const even = symmetric(4);
  equal(asymmetricPlan(even, { min: -3.9, max: 4 }), even);
  equal(asymmetricPlan(even, undefined), even);
  equal(asymmetricPlan(relu, { min: -1, max: 1 }), relu);
  const wide: TensorPlan = { ...even, dtype: "int16" };
  equal(asymmetricPlan(wide, { min: 0, max: 4 }), wide);
});

Deno.test("a bound cuts both ends of a range", () => {
  deepEqual(boundedPlan(symmetric(3), 1), { ...symmetric(1), method: "bound" });
  equal(boundedPlan(symmetric(0.5), 1).method, "max");
  const p = boundedPlan(rangePlan({ min: -0.3, max: 4 }, "kl"), 1);
  deepEqual([p.range, p.threshold, p.method], [{ min: -0.3, max: 1 }, 1, "bound"]);
});

Deno.test("an int16 plan is symmetric whatever it says", () => {
  const tensors = new Map<string, TensorPlan>([
    ["t", { ...rangePlan({ min: 0, max: 4 }, "max"), dtype: "int16" }],
  ]);
  const p = planOf({ march: "bayes", nodes: new Map(), tensors, weights: new Map() }, "t");
  equal(p.zero, 0);
  equal(planScale(p), Math.fround(4 / 32767));
});
