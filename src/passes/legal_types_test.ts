import assert from "node:assert/strict";
import { attr, node, OPSET } from "../ir/graph.ts";
import type { Graph } from "../ir/graph.ts";
import { type DType, numbersOf, type Tensor } from "../ir/tensor.ts";
import { inferTypes } from "../ops/infer.ts";
import { createFloatEngine } from "../run/float.ts";
import { legalTypes } from "./legal_types.ts";

function graph(op: string, dtype: DType, constants: Map<string, Tensor>, attrs = {}): Graph {
  return inferTypes({
    name: "g",
    opset: OPSET,
    domains: new Map(),
    nodes: [node(op, "n", ["x", ...constants.keys()], ["y"], attrs)],
    inputs: [{ name: "x", dtype, shape: [3] }],
    outputs: [{ name: "y", dtype, shape: [3] }],
    constants,
    types: new Map(),
    metadata: new Map(),
  }, { declared: "ignore" });
}

async function run(g: Graph, x: Tensor): Promise<Tensor> {
  const engine = createFloatEngine({ workers: 0 });
  try {
    const session = await engine.open(g);
    return (await session.run(new Map([["x", x]]))).get("y")!;
  } finally {
    await engine.close();
  }
}

Deno.test("Max of int16 and shifts of uint16 run in wider types, and give their own type", async () => {
  const x: Tensor = { dtype: "int16", shape: [3], data: Int16Array.of(-5, 7, 300) };
  const k: Tensor = { dtype: "int16", shape: [3], data: Int16Array.of(-6, 9, -300) };
  const max = await legalTypes.run(graph("Max", "int16", new Map([["k", k]])));
  assert.equal(max.fired, 1);
  const y = await run(inferTypes(max.graph), x);
  assert.equal(y.dtype, "int16");
  assert.deepEqual(Array.from(numbersOf(y)), [-5, 9, 300]);
  assert.equal((await legalTypes.run(max.graph)).fired, 0);

  const u: Tensor = { dtype: "uint16", shape: [3], data: Uint16Array.of(16, 0x8001, 1) };
  const s: Tensor = { dtype: "uint16", shape: [3], data: Uint16Array.of(1, 1, 15) };
  const left = { direction: attr.string("LEFT") };
  const shift = await legalTypes.run(graph("BitShift", "uint16", new Map([["s", s]]), left));
  const z = await run(inferTypes(shift.graph), u);
  // The bit that leaves 16 bits is lost.
  assert.deepEqual(Array.from(numbersOf(z)), [32, 2, 0x8000]);
});

Deno.test("types that the engine takes stay", async () => {
  const k: Tensor = { dtype: "float32", shape: [3], data: Float32Array.of(1, 2, 3) };
  assert.equal((await legalTypes.run(graph("Max", "float32", new Map([["k", k]])))).fired, 0);
});
