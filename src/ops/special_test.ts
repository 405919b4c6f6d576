import assert from "node:assert/strict";
import { erfOf, geluOf, logistic, roundEven, softplusOf } from "./special.ts";

Deno.test("erf to 15 digits", () => {
  // Abramowitz and Stegun, table 7.1, and DLMF 7.
  const known: [number, number][] = [
    [0.02, 0.0225645747],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [1.5, 0.9661051464753108],
    [2, 0.9953222650189527],
    [2.5, 0.9995930479825550],
    [3, 0.9999779095030014],
    [4, 0.9999999845827421],
  ];
  for (const [x, y] of known) {
    const digits = String(y).length - 2;
    assert.ok(Math.abs(erfOf(x) - y) <= 0.6 * 10 ** -Math.min(digits, 15) + 2e-16, `${x}`);
    assert.equal(erfOf(-x), -erfOf(x));
  }
  assert.equal(erfOf(Infinity), 1);
  assert.equal(erfOf(-7), -1);
  assert.ok(Number.isNaN(erfOf(NaN)));
  assert.ok(Object.is(erfOf(-0), -0));
  // Both branches meet.
  assert.ok(Math.abs(erfOf(2.5 - 1e-12) - erfOf(2.5)) < 1e-14);
});

Deno.test("functions do not overflow", () => {
  assert.equal(logistic(-1000), 0);
  assert.equal(logistic(1000), 1);
  assert.equal(softplusOf(1000), 1000);
  assert.equal(softplusOf(-1000), 0);
  assert.equal(geluOf(-Infinity), -0);
  assert.equal(geluOf(Infinity), Infinity);
});

Deno.test("halves go to the even neighbour", () => {
  const cases = [[0.5, 0], [1.5, 2], [2.5, 2], [-0.5, -0], [-1.5, -2], [-2.5, -2], [2.4, 2], [
    -2.6,
    -3,
  ]];
  for (const [x, y] of cases) assert.equal(roundEven(x!), y, `${x}`);
  assert.equal(roundEven(2 ** 60), 2 ** 60);
  assert.equal(roundEven(Infinity), Infinity);
});
