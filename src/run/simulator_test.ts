/** Threads and memory layouts of the simulator. */

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import type { Graph, Node } from "../ir/graph.ts";
import { elementCount, tensor } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { Program } from "../compile/program.ts";
import { convert } from "../flow/convert.ts";
import { bayes } from "../march/bayes.ts";
import { functionsOf } from "../ops/functions.ts";
import { createFloatEngine } from "./float.ts";
import { openProgram } from "./simulator.ts";
import { activationStrides, rowMajorTensors } from "./simulator_layout.ts";

const engine = createFloatEngine({ workers: 0, functions: functionsOf });
const wave = (n: number, f: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * f));
const noise = (n: number, peak: number) =>
  Float32Array.from({ length: n }, (_, i) => ((i * 2654435761 >>> 9) % 255 / 127 - 1) * peak);
const shape = [1, 12, 41, 37];
const feeds = new Map([["x", tensor("float32", shape, wave(elementCount(shape), 0.37))]]);

/** Convolutions of every kind that a pool shares out, each of more than a million multiply-adds. */
function network(): Graph {
  const constants = new Map<string, Tensor>();
  const nodes: Node[] = [];
  let last = "x";
  const add = (op: string, dims: number[], pads: number[], group: number, stride = 1) => {
    const name = `n${nodes.length}`;
    const n = elementCount(dims), fan = n / dims[0]!;
    constants.set(`${name}_w`, tensor("float32", dims, noise(n, 2 / Math.sqrt(fan))));
    const strides = attr.ints([stride, stride]);
    const attrs = { pads: attr.ints(pads), group: attr.int(group), strides };
    nodes.push(node(op, name, [last, `${name}_w`], [`${name}_y`], attrs));
    last = `${name}_y`;
  };
  add("Conv", [40, 12, 3, 3], [1, 1, 1, 1], 1);
  add("Conv", [40, 1, 5, 5], [2, 2, 2, 2], 40);
  nodes.push(node("Relu", "relu", [last], ["r"]));
  last = "r";
  add("Conv", [24, 40, 1, 1], [0, 0, 0, 0], 1);
  add("ConvTranspose", [24, 10, 4, 4], [1, 1, 1, 1], 1, 2);
  nodes.push(node("Relu", "end", [last], ["y"]));
  return {
    name: "threads",
    opset: 17,
    domains: new Map(),
    nodes,
    inputs: [{ name: "x", dtype: "float32", shape }],
    outputs: [{ name: "y", dtype: "float32", shape: [1, 10, 82, 74] }],
    constants,
    types: new Map(),
    metadata: new Map(),
  };
}

async function converted(): Promise<Program> {
  const { program } = await convert(network(), {
    march: bayes,
    place: { quantizeTail: true },
    calibrator: {
      candidates: ["max"],
      observe: () => Promise.resolve(),
      threshold: (_method, _tensor, dtype) => ({ dtype, threshold: 2, zero: 0, method: "max" }),
    },
  });
  return program;
}

Deno.test("any number of threads gives the same bytes", async () => {
  const program = await converted();
  const run = async (threads: number) => {
    const session = await openProgram(program, { cpu: engine, threads, startingWork: 0 });
    const results: Tensor[] = [];
    for (let i = 0; i < 12; i++) {
      results.push(...(await session.run(feeds)).values());
      // Lets a browser's workers start; those of Deno start by themselves.
      await new Promise((done) => setTimeout(done, 0));
    }
    await session.close();
    return results;
  };
  const want = (await run(1))[0]!;
  ok(new Set(want.data as Float32Array).size > 30, "the outputs are not saturated");
  for (const threads of [1, 2, 3]) {
    for (const t of await run(threads)) deepEqual(t, want, `${threads} threads`);
  }
});

Deno.test("a closed session computes on; a senseless number of threads is refused", async () => {
  const program = await converted();
  const session = await openProgram(program, { cpu: engine, threads: 2, startingWork: 0 });
  const before = await session.run(feeds);
  await session.close();
  deepEqual(await session.run(feeds), before);
  for (const threads of [0, 1.5, NaN]) {
    await rejects(openProgram(program, { cpu: engine, threads }), /threads/);
  }
});

Deno.test("floats at the edges stay row-major, and dumps show their true order", async () => {
  const program = await converted();
  const out = program.outputs[0]!.name;
  deepEqual([...rowMajorTensors(program)].sort(), [out, "x"].sort());
  deepEqual(activationStrides([2, 3, 4, 5]), [60, 1, 15, 3]);
  const seen = new Map<string, Tensor>();
  const session = await openProgram(program, {
    cpu: engine,
    onNode: (n, read) => n.outputs.forEach((t) => seen.set(t, read(t))),
  });
  const result = await session.run(feeds);
  deepEqual(seen.get(out), result.get(out));
  // The quantized input, read back in logical order, is the rounded input.
  const scale = 2 / 127;
  const q = [...seen.values()].find((t) => t.dtype === "int8" && t.shape[1] === 12)!;
  const x = feeds.get("x")!.data;
  const far = [...q.data as Int8Array].filter((v, i) => Math.abs(v - Number(x[i]) / scale) > 0.51);
  equal(far.length, 0);
  await session.close();
});
