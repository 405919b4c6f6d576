/** The registry against the operator table: same rows, same placement, same constraints. */

import assert from "node:assert/strict";
import type { MarchRules, Rule } from "./op.ts";
import { allOps, opNamed } from "./registry.ts";
import { isGeneral } from "./rules.ts";

interface Row {
  readonly on: string;
  readonly int16: string;
  readonly bpu: readonly string[];
  readonly cpu: readonly string[];
}

interface Table {
  readonly onnx: readonly { readonly op: string; readonly bayes: Row; readonly bernoulli2: Row }[];
}

async function table(): Promise<Table | undefined> {
  const url = new URL("../../../shared/reference/operators.json", import.meta.url);
  try {
    return JSON.parse(await Deno.readTextFile(url));
  } catch {
    return undefined;
  }
}

Deno.test("every row of the operator table is what the operator says", async () => {
  const t = await table();
  if (t === undefined) return console.log("skipped 160 rows: no ../shared/reference");
  const missing: string[] = [];
  let rows = 0;
  for (const row of t.onnx) {
    const def = opNamed(row.op);
    if (def === undefined) {
      missing.push(row.op);
      continue;
    }
    for (const march of ["bayes", "bernoulli2"] as const) {
      const want = row[march];
      const have: MarchRules | undefined = def.place?.[march];
      if (have === undefined) throw new Error(`${row.op} has no row for ${march}`);
      const texts = (rules: readonly Rule[]) =>
        rules.filter((r) => !isGeneral(r)).map((r) => r.text);
      const said: Row = {
        on: have.on,
        int16: have.int16,
        bpu: texts(have.bpu),
        cpu: texts(have.cpu),
      };
      assert.deepEqual(said, {
        on: want.on,
        int16: want.int16,
        bpu: want.bpu,
        cpu: want.cpu,
      }, `${row.op} on ${march}`);
      rows++;
    }
  }
  console.log(`${rows} rows agree, not in the registry: ${missing.join(", ") || "none"}`);
  assert.deepEqual(missing.filter((m) => m !== "Function"), []);
});

Deno.test("operators are unique and bayes_e has the rows of bayes", () => {
  const seen = new Set<string>();
  for (const d of allOps()) {
    const key = `${d.domain ?? ""}:${d.op}`;
    assert.ok(!seen.has(key), key);
    seen.add(key);
    if (d.place !== undefined) {
      assert.equal(d.place.bayes_e.on, d.place.bayes.on, key);
      assert.equal(d.place.bayes_e.bpu.length, d.place.bayes.bpu.length, key);
    }
  }
});
