import { deepEqual, equal, match } from "node:assert/strict";
import { modelChains } from "./mod.ts";
import * as preprocess from "./mod.ts";

const page = await Deno.readTextFile(
  new URL("../../../docs/preprocess.md", import.meta.url),
);

Deno.test("docs/preprocess.md lists every model with its chain", () => {
  const rows = [...page.matchAll(/^\| `(\w+)` *\| (\w+) *\| (\d+) x (\d+) *\| (.*?) *\|$/gm)];
  deepEqual(rows.map((r) => r[1]), [...modelChains.keys()]);
  for (const [, name, reader, height, width, chain] of rows) {
    const model = modelChains.get(name!)!;
    equal(reader, model.reader, name);
    deepEqual([Number(height), Number(width)], [...model.size], name);
    const steps = model.chain.map((t) => t.name.replace("Transformer(", "(").replaceAll('"', ""));
    equal(chain!.replace(/\s+/g, ""), steps.join(",").replace(/\s+/g, ""), name);
  }
});

Deno.test("docs/preprocess.md states a difference for every transformer", () => {
  const table = page.slice(page.indexOf("| transformer "));
  // The names of the reference, as its users write them.
  const all = "Add Mean Scale Normalize Transpose HWC2CHW CHW2HWC CenterCrop PILCenterCrop " +
    "LongSideCrop PadResize Resize PILResize ShortLongResize Pad ShortSideResize " +
    "PaddedCenterCrop BGR2RGB RGB2BGR RGB2GRAY BGR2GRAY RGB2GRAY_128 RGB2YUV444 BGR2YUV444 " +
    "BGR2YUV444_128 RGB2YUV444_128 BGR2YUVBT601VIDEO RGB2YUVBT601VIDEO YUVTransformer " +
    "ReduceChannel BGR2NV12 RGB2NV12 NV12ToYUV444 WarpAffine F32ToS8 F32ToU8";
  for (const name of all.split(" ")) match(table, new RegExp(`\\b${name}\\b`), name);
  equal(Object.values(preprocess).filter((v) => typeof v === "function").length >= 35, true);
});
