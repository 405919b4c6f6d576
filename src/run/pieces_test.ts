import assert from "node:assert/strict";
import type { Engine } from "../ir/engine.ts";
import { attr, type Graph, type Node, node, OPSET } from "../ir/graph.ts";
import { f32, type Tensor, type TensorType } from "../ir/tensor.ts";
import { createFloatEngine } from "./float.ts";
import { inPieces } from "./pieces.ts";

/** A chain with a tensor that is read much later, two outputs in the middle and a shared constant. */
function chain(length: number): Graph {
  const nodes: Node[] = [];
  const types = new Map<string, TensorType>([["x", { dtype: "float32", shape: [4] }]]);
  const add = (n: Node) => {
    nodes.push(n);
    for (const o of n.outputs) types.set(o, { dtype: "float32", shape: [4] });
  };
  add(node("LeakyRelu", "first", ["x"], ["t0"], { alpha: attr.float(0.5) }));
  for (let i = 1; i < length; i++) add(node("Add", `n${i}`, [`t${i - 1}`, "k"], [`t${i}`]));
  add(node("Mul", "last", [`t${length - 1}`, "t0"], ["y"]));
  const port = (name: string) => ({ name, dtype: "float32" as const, shape: [4] });
  return {
    name: "chain",
    opset: OPSET,
    domains: new Map(),
    nodes,
    inputs: [port("x")],
    outputs: [port("y"), port("t3")],
    constants: new Map([["k", f32([4], [1, 0.5, -0.25, 3])]]),
    types,
    metadata: new Map(),
  };
}

const feeds = new Map<string, Tensor>([["x", f32([4], [-1, 2, 0.1, -7])]]);

Deno.test("pieces compute what the whole graph does, and are closed again", async () => {
  const engine = createFloatEngine({ workers: 0 });
  const sizes: number[] = [];
  let open = 0;
  const counted: Engine = {
    name: "counted",
    async open(graph, fetch) {
      sizes.push(graph.nodes.length);
      open++;
      const session = await engine.open(graph, fetch);
      return {
        run: (f) => session.run(f),
        close() {
          open--;
          return session.close();
        },
      };
    },
  };
  try {
    const graph = chain(10);
    const results = [];
    for (const [most, expected] of [[11, [11]], [4, [4, 4, 3]], [1, Array(11).fill(1)]] as const) {
      sizes.length = 0;
      const session = await inPieces(counted, most).open(graph);
      results.push(await session.run(feeds));
      await session.close();
      assert.deepEqual(sizes, [...expected]);
      assert.equal(open, 0);
    }
    assert.deepEqual([...results[0]!.keys()], ["y", "t3"]);
    for (const r of results) assert.deepEqual(r, results[0]);
    // Without the type of a tensor the graph is not cut.
    const types = new Map([...graph.types].filter(([name]) => name !== "t5"));
    sizes.length = 0;
    const whole = await inPieces(counted, 4).open({ ...graph, types }, ["t9"]);
    assert.deepEqual([...(await whole.run(feeds)).keys()], ["t9"]);
    await whole.close();
    assert.deepEqual(sizes, [11]);
  } finally {
    await engine.close();
  }
});
