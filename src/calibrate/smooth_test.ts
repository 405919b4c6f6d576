import assert from "node:assert/strict";
import { attr, type Graph, node } from "../ir/graph.ts";
import { f32, i64 } from "../ir/tensor.ts";
import { createFloatEngine } from "../run/float.ts";
import { compare } from "./metrics.ts";
import { smooth } from "./smooth.ts";
import { float, graphOf, values } from "./test_support.ts";

/** Layer normalisation with loud channels, read by a product and, turned, by a convolution. */
function block(extra: "none" | "sum"): Graph {
  const gamma = values("uniform", 8, 1).map((v, c) => v * (c === 3 ? 60 : 1));
  const types = {
    n: float(1, 6, 8),
    t: float(1, 8, 6),
    r: float(1, 8, 1, 6),
    c: float(1, 4, 1, 6),
  };
  return graphOf(
    [
      node("LayerNormalization", "ln", ["x", "gamma", "beta"], ["n"], { axis: attr.int(-1) }),
      node("MatMul", "q", ["n", "wq"], ["y"]),
      node("Transpose", "turn", ["n"], ["t"], { perm: attr.ints([0, 2, 1]) }),
      node("Reshape", "four", ["t", "shape"], ["r"]),
      node("Conv", "k", ["r", "wk"], ["c"]),
      ...(extra === "sum" ? [node("Add", "sum", ["n", "x"], ["s"])] : []),
    ],
    { x: float(1, 6, 8) },
    { y: float(1, 6, 5), c: types.c, ...(extra === "sum" ? { s: float(1, 6, 8) } : {}) },
    {
      gamma: f32([8], gamma),
      beta: f32([8], values("normal", 8, 2)),
      wq: f32([8, 5], values("normal", 40, 3)),
      wk: f32([4, 8, 1, 1], values("normal", 32, 4)),
      shape: i64([1, 8, 1, 6]),
    },
    types,
  );
}

Deno.test("smooth: the float result stays, the loud channel becomes quieter", async () => {
  const graph = block("none");
  const { graph: changed, tensors } = smooth(graph);
  assert.deepEqual(tensors, ["n"]);
  const engine = createFloatEngine({ workers: 0 });
  const x = new Map([["x", f32([1, 6, 8], values("normal", 48, 9))]]);
  const run = async (g: Graph) => await (await engine.open(g, ["n", "y", "c"])).run(x);
  const [a, b] = [await run(graph), await run(changed)];
  const data = (m: typeof a, t: string) => m.get(t)!.data as Float32Array;
  for (const t of ["y", "c"]) assert.ok(compare(data(a, t), data(b, t)).cosine > 1 - 1e-9, t);
  const spread = (v: Float32Array) => {
    const peak = new Float64Array(8);
    v.forEach((e, i) => peak[i % 8] = Math.max(peak[i % 8]!, Math.abs(e)));
    return Math.max(...peak) / [...peak].sort((p, q) => p - q)[4]!;
  };
  assert.ok(spread(data(b, "n")) < spread(data(a, "n")) / 2);
  await engine.close();
});

Deno.test("smooth: a reader that cannot absorb the factors keeps everything as it is", () => {
  const graph = block("sum");
  const { graph: same, tensors } = smooth(graph);
  assert.deepEqual(tensors, []);
  assert.deepEqual([...same.constants], [...graph.constants]);
});
