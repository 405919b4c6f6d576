import assert from "node:assert/strict";
import { vectorLines } from "./vectors.ts";

Deno.test("docs/conformance holds what the references give, at least 10000 vectors", async () => {
  const file = new URL("../../docs/conformance/vectors.jsonl.gz", import.meta.url);
  const packed = new Blob([await Deno.readFile(file)]).stream();
  const text = await new Response(packed.pipeThrough(new DecompressionStream("gzip"))).text();
  const lines = text.trimEnd().split("\n"), want = vectorLines();
  assert.ok(lines.length >= 10000, `${lines.length} vectors`);
  assert.equal(lines.length, want.length, "run deno run -A scripts/conformance.ts --write");
  lines.forEach((l, i) => assert.equal(l, want[i], `line ${i + 1}`));
});
