import { deepEqual, equal, rejects } from "node:assert/strict";
import { BpuError } from "../errors.ts";
import { attr, node } from "../ir/graph.ts";
import type { Graph, Port } from "../ir/graph.ts";
import { bayes } from "../march/bayes.ts";
import { functionsOf } from "../ops/functions.ts";
import { createFloatEngine } from "../run/float.ts";
import { checkModel } from "./check.ts";
import { smallGraph } from "./testing.ts";

async function check(g: Graph) {
  const engine = createFloatEngine({ workers: 0, functions: functionsOf });
  try {
    return await checkModel(g, bayes, engine);
  } finally {
    await engine.close();
  }
}

const passing = (input: Port): Graph => ({
  ...smallGraph({}),
  nodes: [node("Identity", "id", [input.name], ["y"])],
  inputs: [input],
  outputs: [{ ...input, name: "y" }],
  constants: new Map(),
  types: new Map(),
});

Deno.test("random data outside of a function's domain does not stop the checker", async () => {
  const small = smallGraph({});
  const log = node("Log", "log", ["data"], ["l"]);
  const conv = node("Conv", "conv", ["l", "w1"], ["y"], {
    kernel_shape: attr.ints([3, 3]),
    pads: attr.ints([1, 1, 1, 1]),
  });
  // Half of the random values are negative, and every sum has one of them.
  const { rows } = await check({
    ...small,
    nodes: [log, conv],
    outputs: [{ name: "y", dtype: "float32", shape: [1, 4, 8, 8] }],
    types: new Map(),
  });
  deepEqual(rows.map((r) => [r.name, r.on]), [["log", "BPU"], ["conv", "BPU"]]);
});

Deno.test("inputs that cannot be converted are refused in a sentence", async () => {
  const cases: [Port, BpuError["code"], RegExp][] = [
    [{ name: "x", dtype: "string", shape: [1] }, "unsupported", /an input of texts .*tensor x/],
    [{ name: "x", dtype: "float32", shape: [1, 1 << 20, 1 << 20, 8] }, "limit", /is too large/],
    [{ name: "x", dtype: "float32", shape: [1, -1, 4] }, "shape", /--input-shape x 1x224x4/],
  ];
  for (const [port, code, sentence] of cases) {
    await rejects(check(passing(port)), (e) => {
      equal(e instanceof BpuError && e.code, code);
      return sentence.test((e as BpuError).sentence());
    });
  }
});

Deno.test("every input with an open dimension is named", async () => {
  const ports: Port[] = ["a", "b"].map((name) => ({ name, dtype: "float32", shape: [-1, 4] }));
  const g = passing(ports[0]!);
  await rejects(
    check({ ...g, inputs: ports }),
    (e) => /--input-shape a 1x4 --input-shape b 1x4 \(input/.test((e as BpuError).sentence()),
  );
});
