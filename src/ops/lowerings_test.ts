import assert from "node:assert/strict";
import { lowerings, replaced } from "./lowerings.ts";
import { opNamed } from "./registry.ts";

Deno.test("every BPU row of every march has an integer form or becomes something that has one", () => {
  for (const [march, least] of [["bernoulli2", 43], ["bayes", 71], ["bayes_e", 71]] as const) {
    const l = lowerings(march);
    assert.deepEqual(l.lacking, [], march);
    assert.ok(l.own.length + l.replaced.length >= least, `${march}: ${l.own.length}`);
  }
  // A list that promises what nothing does would hide a missing form.
  for (const op of replaced.keys()) {
    assert.ok(opNamed(op) !== undefined && opNamed(op)!.quant === undefined, op);
  }
});
