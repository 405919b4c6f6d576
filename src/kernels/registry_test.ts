import assert from "node:assert/strict";
import { Arena } from "./arena.ts";
import { Random } from "./cases.ts";
import { kernelRow, kernelRows, runCases } from "./registry.ts";

const arena = Arena.create();

for (const row of kernelRows) {
  Deno.test(`${row.name}: kernel equals reference bit for bit`, () => {
    assert.equal(runCases(arena, row, 1, 400 * row.weight), null);
    assert.equal(arena.used, 0, "scratch was given back");
  });
}

Deno.test("the mixed run has at least 10000 cases", () => {
  assert.ok(kernelRows.reduce((n, r) => n + 400 * r.weight, 0) >= 10000);
});

Deno.test("the cases reach every path of the convolutions", () => {
  const seen = new Set<string>();
  for (const name of ["conv", "depthwise", "groupConv"]) {
    for (let seed = 1; seed <= 400; seed++) {
      const c = kernelRow(name).make(new Random(seed));
      const p = c.params as { xType: string; yType: string; nonNegative: boolean };
      const s = c.params["shape"] as Record<string, number>;
      seen.add(`${name} ${p.xType} ${p.yType}`);
      if (p.nonNegative) seen.add(`${name} nonNegative`);
      if (s["dilationW"]! > 1) seen.add(`${name} dilated`);
      if (s["strideW"]! === 2 && s["kernelW"] === 3) seen.add(`${name} 3 stride 2`);
      if (s["outC"]! % 8 !== 0) seen.add(`${name} partial panel`);
      if (s["outW"]! < 4) seen.add(`${name} narrow`);
    }
  }
  assert.equal(seen.size, 3 * (6 + 5), [...seen].sort().join("\n"));
});

Deno.test("a wrong kernel would be seen: one changed weight changes a case", () => {
  const row = kernelRow("conv");
  let different = 0;
  for (let seed = 1; seed <= 50; seed++) {
    const c = row.make(new Random(seed));
    const before = c.reference().slice();
    const w = c.inputs["weight"] as Int8Array;
    for (let i = 0; i < w.length; i++) w[i] = w[i]! === 127 ? -127 : w[i]! + 1;
    if (c.reference().some((v, i) => v !== before[i])) different++;
  }
  assert.ok(different > 25, `${different} of 50`);
});
