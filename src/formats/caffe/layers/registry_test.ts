import { strict as assert } from "node:assert";
import { converters } from "./registry.ts";

/** Layers beyond the table that issue and documentation promise. */
const vendor = [
  ..."Upsample Permute Normalize PriorBox DetectionOutput Reorg ReLU6 Axpy ShuffleChannel".split(
    " ",
  ),
  ..."ConvolutionDepthwise Interp RNN Embed Tile Custom".split(" "),
];

Deno.test("every Caffe layer of the operator table, and every vendor layer, has a converter and a test", async () => {
  for (const type of vendor) assert.ok(converters.has(type), type);
  const tests: string[] = [];
  for await (const entry of Deno.readDir(new URL(".", import.meta.url))) {
    if (!entry.name.endsWith("_test.ts") || entry.name === "registry_test.ts") continue;
    tests.push(await Deno.readTextFile(new URL(entry.name, import.meta.url)));
  }
  const all = tests.join("\n");
  const untested = [...converters.keys()].filter((type) => !new RegExp(`\\b${type}\\b`).test(all));
  assert.deepEqual(untested, []);
  const file = new URL("../../../../../shared/reference/operators.json", import.meta.url);
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch {
    console.log("skipped: the operator table is not here");
    return;
  }
  const rows = (JSON.parse(text) as { caffe: { layer: string }[] }).caffe.map((r) => r.layer);
  assert.equal(rows.length, 43);
  const missing = rows.filter((name) => !name.split("/").some((type) => converters.has(type)));
  assert.deepEqual(missing, []);
});
