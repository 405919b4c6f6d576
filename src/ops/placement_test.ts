/**
 * Placement rules: for every constraint of part A a node that breaks it, with the sentence that the
 * user reads; the last test makes sure that no constraint is left out.
 */

import assert from "node:assert/strict";
import type { MarchName } from "../march/march.ts";
import { listA } from "./list_a.ts";
import type { Rule } from "./op.ts";
import { convCases } from "./placement_cases_conv.ts";
import { pointwiseCases } from "./placement_cases_pointwise.ts";
import { poolCases } from "./placement_cases_pool.ts";
import { type Case, I32, runCase, wrongs } from "./placement_harness.ts";
import { isGeneral, isNote } from "./rules.ts";

const all = [...convCases, ...poolCases, ...pointwiseCases];

Deno.test("placement: a node that fits, and one that breaks each constraint", () => {
  let breaks = 0;
  for (const k of all) {
    runCase(k);
    breaks += k.breaks.length;
  }
  console.log(`${all.length} nodes that fit, ${breaks} that do not`);
});

Deno.test("Conv: a wide last operator may have 65536 channels, bayes_e takes half the kernel", () => {
  const wide: Case = { inputs: [[1, 40000, 1, 1], [4, 20000, 1, 1]], attrs: { group: 2 } };
  const wrong = (k: Case, march: MarchName = "bayes") => wrongs("Conv", march, "bpu", k).join();
  assert.doesNotMatch(wrong(wide), /C per group/);
  assert.doesNotMatch(wrong({ ...wide, after: ["Softmax"] }), /C per group/);
  assert.match(wrong({ ...wide, after: ["Relu"] }), /input C per group 20000 is more than 8192/);
  const deep: Case = { inputs: [[1, 4096, 3, 3], [1, 4096, 3, 3]] };
  assert.equal(wrong(deep), "");
  assert.match(wrong(deep, "bayes_e"), /weight C\*H\*W 36864 is more than 32767 on bayes_e/);
});
Deno.test("only float32 is quantized", () => {
  assert.deepEqual(wrongs("Abs", "bayes", "bpu", { inputs: [I32] }), [
    "its input is int32, only float32 is quantized on bayes",
  ]);
});

Deno.test("every constraint of part A was broken by a case above", () => {
  const seen = new Set<Rule>();
  for (const k of all) runCase(k, seen);
  const left: string[] = [];
  let count = 0;
  for (const d of listA) {
    for (const march of ["bayes", "bernoulli2", "bayes_e"] as const) {
      const row = d.place?.[march];
      for (const r of [...row?.bpu ?? [], ...row?.cpu ?? []]) {
        if (isNote(r) || isGeneral(r)) continue;
        count++;
        if (!seen.has(r)) left.push(`${d.op} ${march}: ${r.text}`);
      }
    }
  }
  console.log(`${count} constraints, ${seen.size} rules spoke`);
  assert.deepEqual(left, []);
});
