/**
 * One thread of `hrt_model_exec perf`: loads the model, says that it is ready, runs when told.
 *
 * @module
 */

import { sentenceOf } from "../errors.ts";
import { functionsOf } from "../ops/functions.ts";
import { createCustomEngine } from "./custom/engine.ts";
import { openCustomOperators } from "./custom/operators.ts";
import { createFloatEngine } from "./float.ts";
import { loadModelFile } from "./model_exec.ts";
import type { Loaded } from "./model_exec.ts";
import { perfOf } from "./perf.ts";
import type { PerfAnswer, PerfJob } from "./perf.ts";

// onnxruntime-web builds its own address on the Worker's location, which fails for local files; without
// a location it does not try. It is loaded later than this line runs.
Object.defineProperty(globalThis, "location", { value: undefined, configurable: true });

const scope = globalThis as unknown as {
  onmessage: (e: MessageEvent<PerfJob | "go">) => void;
  postMessage(a: PerfAnswer): void;
};

let job: PerfJob | undefined;
let model: Loaded | undefined;

async function go(): Promise<void> {
  const latencies: number[] = [];
  const start = performance.now();
  while (latencies.length < job!.limit.frames && performance.now() - start < job!.limit.time) {
    const t = performance.now();
    await model!.session.run(job!.feeds);
    latencies.push(performance.now() - t);
  }
  scope.postMessage({ kind: "done", perf: perfOf(latencies, performance.now() - start, 1) });
}

scope.onmessage = async ({ data }) => {
  try {
    if (data === "go") return await go();
    job = data;
    const plain = createFloatEngine({ workers: 0, functions: functionsOf });
    const engine = data.custom === undefined
      ? plain
      : createCustomEngine(plain, await openCustomOperators(data.custom));
    model = await loadModelFile(data.source, data.name, engine, undefined, 1);
    scope.postMessage({ kind: "ready" });
  } catch (error) {
    scope.postMessage({ kind: "failed", message: sentenceOf(error) });
  }
};
