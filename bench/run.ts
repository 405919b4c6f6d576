/**
 * `deno task bench`: every kernel interleaved with its competitors; writes bench/results.json and bench/RESULTS.md.
 * Arguments name sections to run (default all); other rows are kept from the last results. `--best` takes the quickest
 * round of each contender instead of the median: for machines that other processes keep busy.
 *
 * @module
 */

import { benchColour } from "./colour.ts";
import { benchFloat } from "./float.ts";
import { benchFloatModels } from "./float_models.ts";
import { benchConv } from "./conv.ts";
import { benchKernels } from "./kernels.ts";
import { benchMemory } from "./memory.ts";
import { benchMobilenet } from "./mobilenet.ts";
import { benchMobilenetV2 } from "./mobilenetv2.ts";
import { benchSearch } from "./search.ts";
import { benchThreads } from "./threads.ts";
import { preferQuickest, Results } from "./measure.ts";
import { dense, depthwise } from "./shapes.ts";
import { markdown } from "./report.ts";
import { summary } from "./targets.ts";

const sections: Readonly<Record<string, (r: Results) => Promise<void> | void>> = {
  dense: (r) => benchConv(r, dense, "dense"),
  depthwise: (r) => benchConv(r, depthwise, "depthwise"),
  float: async (r) => {
    await benchFloat(r, dense, "denseF32");
    await benchFloat(r, depthwise, "depthwiseF32");
    await benchFloatModels(r);
  },
  threads: benchThreads,
  kernels: benchKernels,
  memory: benchMemory,
  search: benchSearch,
  mobilenet: benchMobilenet,
  mobilenetv2: benchMobilenetV2,
  colour: benchColour,
};

const best = Deno.args.includes("--best");
if (best) preferQuickest();
const named = Deno.args.filter((a) => a !== "--best");
const wanted = named.length > 0 ? named : Object.keys(sections);
const file = new URL("results.json", import.meta.url);
const results = new Results();
for (const name of wanted) {
  const section = sections[name];
  if (section === undefined) {
    console.error(`No section ${name}; there are ${Object.keys(sections).join(", ")}.`);
    Deno.exit(2);
  }
  await section(results);
}
const kernels = new Set(results.rows.map((r) => r.kernel));
if (wanted.length < Object.keys(sections).length) {
  const old = JSON.parse(await Deno.readTextFile(file).catch(() => '{"rows":[]}')) as {
    rows: Results["rows"];
  };
  results.rows.push(...old.rows.filter((r) => !kernels.has(r.kernel)));
}
const load = Deno.loadavg()[0]!.toFixed(1), cores = navigator.hardwareConcurrency;
const statistic = `${best ? "quickest round" : "median"}, load average ${load} on ${cores} cores`;
const rows = [...results.rows].sort((a, b) =>
  a.kernel < b.kernel ? -1 : a.kernel > b.kernel ? 1 : 0
);
await Deno.writeTextFile(
  file,
  JSON.stringify({ statistic, rows, summary: summary(rows) }, null, 1) + "\n",
);
await Deno.writeTextFile(new URL("RESULTS.md", import.meta.url), markdown(rows, statistic));
console.log("bench/results.json and bench/RESULTS.md are written.");
