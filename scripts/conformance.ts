/**
 * `deno task conformance`: ten million random cases of the integer kernels against their scalar references, on every
 * core. `--cases N` and `--first SEED` choose others, `--kernel NAME` one kernel, `--workers N` the number of threads.
 * `--shard I/N` runs one of N disjoint parts, for several processes or machines. `--write` rewrites the vectors of
 * docs/conformance instead.
 *
 * @module
 */

import { Arena } from "../src/kernels/arena.ts";
import { kernelRows, runCases } from "../src/kernels/registry.ts";
import { vectorLines } from "../src/kernels/vectors.ts";

/** Cases of one kernel. */
interface Job {
  readonly kernel: string;
  readonly first: number;
  readonly count: number;
}

const workerName = "conformance worker";

/** `--shard 2/3` as [2, 3]; the whole is [1, 1]. Null for anything else. */
function shardOf(text: string | undefined): readonly [number, number] | null {
  if (text === undefined) return [1, 1];
  const m = /^(\d+)\/(\d+)$/.exec(text), i = Number(m?.[1]), n = Number(m?.[2]);
  return i >= 1 && i <= n && n <= 1000 ? [i, n] : null;
}

function option(name: string): string | undefined {
  const i = Deno.args.indexOf(`--${name}`);
  return i < 0 ? undefined : Deno.args[i + 1];
}

async function main(): Promise<void> {
  if (Deno.args.includes("--write")) {
    const lines = vectorLines();
    const stream = new Blob([lines.join("\n") + "\n"]).stream();
    const packed = new Response(stream.pipeThrough(new CompressionStream("gzip")));
    const file = new URL("../docs/conformance/vectors.jsonl.gz", import.meta.url);
    await Deno.writeFile(file, new Uint8Array(await packed.arrayBuffer()));
    console.log(`${lines.length} vectors are in docs/conformance/vectors.jsonl.gz`);
    return;
  }
  const cases = Number(option("cases") ?? 1e7), first = Number(option("first") ?? 1);
  if (!(Number.isSafeInteger(cases) && cases > 0 && Number.isSafeInteger(first))) {
    console.error("--cases and --first are whole numbers.");
    Deno.exit(2);
  }
  const workers = Number(option("workers") ?? Math.max(1, navigator.hardwareConcurrency));
  const shard = shardOf(option("shard"));
  if (!(Number.isInteger(workers) && workers >= 1 && workers <= 256) || shard === null) {
    console.error("--workers is a whole number of 1 to 256, --shard is I/N with I of 1 to N.");
    Deno.exit(2);
  }
  const only = option("kernel");
  const rows = kernelRows.filter((r) => only === undefined || r.name === only);
  if (rows.length === 0) {
    console.error(`No kernel ${only}; there are ${kernelRows.map((r) => r.name).join(", ")}.`);
    Deno.exit(2);
  }
  const weight = rows.reduce((s, r) => s + r.weight, 0);
  const jobs: Job[] = [];
  let chunks = 0;
  for (const r of rows) {
    const all = Math.ceil(cases * r.weight / weight), chunk = 20000;
    for (let i = 0; i < all; i += chunk) {
      // Shards take turns, so that each has its share of every kernel.
      if (chunks++ % shard[1] !== shard[0] - 1) continue;
      jobs.push({ kernel: r.name, first: first + i, count: Math.min(chunk, all - i) });
    }
  }
  const total = jobs.reduce((s, j) => s + j.count, 0);
  let done = 0, wrong = 0;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: Math.min(workers, jobs.length) }, async () => {
      const worker = new Worker(import.meta.url, { type: "module", name: workerName });
      for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
        const bad = await new Promise<string | null>((ok, fail) => {
          worker.onmessage = (e) => ok(e.data);
          worker.onerror = (e) => fail(new Error(e.message));
          worker.postMessage(job);
        });
        done += job.count;
        if (bad !== null) {
          wrong++;
          console.log(bad);
        }
        const minutes = (performance.now() - start) / 60000;
        console.error(`${done} of ${total} cases, ${minutes.toFixed(1)} min, ${wrong} wrong`);
      }
      worker.terminate();
    }),
  );
  console.log(
    `${done} cases, ${wrong === 0 ? "all equal bit for bit" : `${wrong} blocks with differences`}`,
  );
  Deno.exit(wrong === 0 ? 0 : 1);
}

// A worker's main module also has import.meta.main: the name tells them apart.
if ((self as { name?: string }).name !== workerName) await main();
else {
  const arena = Arena.create();
  self.addEventListener("message", (event) => {
    const job = (event as MessageEvent<Job>).data;
    const row = kernelRows.find((r) => r.name === job.kernel)!;
    (self as unknown as Worker).postMessage(runCases(arena, row, job.first, job.count));
  });
}
