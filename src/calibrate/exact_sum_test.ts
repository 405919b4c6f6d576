import assert from "node:assert/strict";
import { ExactSum } from "./exact_sum.ts";
import { random, shuffled } from "./test_support.ts";

const sum = (list: readonly number[]): number => {
  const s = new ExactSum();
  for (const x of list) s.add(x);
  return s.value();
};

/** Exact sum of doubles by integers of units 2^-1074, rounded by the BigInt to Number conversion. */
function bySignificands(list: readonly number[]): number {
  const unit = 200; // the terms of the tests are multiples of 2^-200
  let total = 0n;
  for (const x of list) {
    let e = 0, m = x;
    while (!Number.isInteger(m)) {
      m *= 2;
      e++;
    }
    total += BigInt(m) << BigInt(unit - e);
  }
  // BigInt to Number rounds to nearest even; the power of two is exact
  return Number(total) * 2 ** -unit;
}

Deno.test("exact sum: rounds once, whatever the order", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const u = random(seed);
    const list = Array.from({ length: 50 }, () => (u() - 0.5) * 2 ** Math.floor(80 * u() - 40));
    if (seed % 4 === 0) list.push(...list.slice(0, 30).map((x) => -x)); // heavy cancellation
    const want = bySignificands(list);
    assert.equal(sum(list), want);
    assert.equal(sum(shuffled(list, seed)), want);
    const a = new ExactSum(), b = new ExactSum();
    list.forEach((x, i) => (i % 3 === 0 ? a : b).add(x));
    a.merge(b);
    assert.equal(a.value(), want);
  }
});

Deno.test("exact sum: cancellation, ties and nothing", () => {
  assert.equal(sum([]), 0);
  assert.equal(sum([1e16, 1, -1e16]), 1);
  assert.equal(sum([1, 2 ** -53]), 1); // half a unit: to even
  assert.equal(sum([1, 2 ** -53, 2 ** -110]), 1 + 2 ** -52);
  assert.equal(sum([1, 2 ** -52, 2 ** -53]), 1 + 2 ** -51);
  assert.equal(sum([1, 2 ** -52, 2 ** -53, -(2 ** -110)]), 1 + 2 ** -52);
});
