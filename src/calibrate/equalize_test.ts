import assert from "node:assert/strict";
import { attr, type Graph, node } from "../ir/graph.ts";
import { f32, type Tensor } from "../ir/tensor.ts";
import { createFloatEngine } from "../run/float.ts";
import { equalize } from "./equalize.ts";
import { float, graphOf, values } from "./test_support.ts";

/** Weights whose channels differ by up to 100. */
function uneven(shape: number[], seed: number): Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  const per = n / shape[0]!;
  return f32(
    shape,
    values("normal", n, seed).map((v, i) => v * 10 ** (Math.floor(i / per) * 7 % 5 / 2 - 1)),
  );
}

/** conv -> Relu -> depthwise -> PRelu -> MaxPool -> grouped conv -> LeakyRelu -> conv */
const chain = graphOf(
  [
    node("Conv", "c1", ["x", "w1", "b1"], ["y1"]),
    node("Relu", "r1", ["y1"], ["t1"]),
    node("Conv", "dw", ["t1", "w2", "b2"], ["y2"], { group: attr.int(8) }),
    node("PRelu", "r2", ["y2", "slope"], ["t2"]),
    node("MaxPool", "mp", ["t2"], ["t3"], { kernel_shape: attr.ints([2, 2]) }),
    node("Conv", "c3", ["t3", "w3"], ["y3"], { group: attr.int(2) }),
    node("LeakyRelu", "r3", ["y3"], ["t4"], { alpha: attr.float(0.1) }),
    node("Conv", "c4", ["t4", "w4", "b4"], ["y"]),
  ],
  { x: float(1, 3, 9, 9) },
  { y: float(1, 2, 4, 4) },
  {
    w1: uneven([8, 3, 3, 3], 1),
    b1: f32([8], values("normal", 8, 2)),
    w2: uneven([8, 1, 2, 2], 3),
    b2: f32([8], values("normal", 8, 4)),
    slope: f32([8, 1, 1], values("uniform", 8, 5)),
    w3: uneven([6, 4, 1, 1], 6),
    w4: uneven([2, 6, 2, 2], 7),
    b4: f32([2], [1, -1]),
  },
);

async function outputs(g: Graph): Promise<Float32Array> {
  const engine = createFloatEngine({ workers: 0 });
  const session = await engine.open(g);
  const out = await session.run(new Map([["x", f32([1, 3, 9, 9], values("normal", 243, 9))]]));
  await engine.close();
  return out.get("y")!.data as Float32Array;
}

/** Largest magnitude per output channel, or per input channel of a plain convolution. */
function ranges(w: Tensor, axis: 0 | 1): number[] {
  const data = w.data as Float32Array;
  const inner = w.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const out = new Array<number>(w.shape[axis]!).fill(0);
  data.forEach((v, i) => {
    const c = Math.floor(i / inner) % out.length;
    out[c] = Math.max(out[c]!, Math.abs(v));
  });
  return out;
}

Deno.test("equalize: the result stays, the ranges of both sides meet", async () => {
  const { graph, pairs } = equalize(chain);
  assert.deepEqual(pairs.map((p) => [p.first, p.second]), [["c1", "dw"], ["dw", "c3"], [
    "c3",
    "c4",
  ]]);
  const want = await outputs(chain), got = await outputs(graph);
  const top = Math.max(...want.map(Math.abs));
  got.forEach((v, i) => assert.ok(Math.abs(v - want[i]!) < 1e-5 * top, `${v} for ${want[i]}`));

  const w = (name: string) => graph.constants.get(name)!;
  const meet = (a: number[], b: number[]) =>
    a.forEach((r, c) => assert.ok(Math.abs(Math.log(r / b[c]!)) < 0.01, `${r} ${b[c]}`));
  meet(ranges(w("w3"), 0), ranges(w("w4"), 1));
  const spread = (r: number[]) => Math.max(...r) / Math.min(...r);
  assert.ok(spread(ranges(w("w3"), 0)) < spread(ranges(chain.constants.get("w3")!, 0)));
  // only weights and biases of the pairs are touched
  assert.equal(w("slope"), chain.constants.get("slope"));
  assert.equal(w("b4"), chain.constants.get("b4"));
  assert.deepEqual(graph.nodes, chain.nodes);
  assert.deepEqual(equalize(chain), { graph, pairs });
});

Deno.test("equalize: the tensor between is multiplied by the factors that are reported", async () => {
  const { graph, pairs } = equalize(chain);
  const engine = createFloatEngine({ workers: 0 });
  const feeds = new Map([["x", f32([1, 3, 9, 9], values("normal", 243, 9))]]);
  const run = async (g: Graph) =>
    (await (await engine.open(g, ["t1"])).run(feeds)).get("t1")!.data as Float32Array;
  const before = await run(chain), after = await run(graph);
  const inner = before.length / 8;
  before.forEach((v, i) => {
    const want = v * pairs[0]!.factors[Math.floor(i / inner)]!;
    assert.ok(Math.abs(after[i]! - want) <= 1e-5 * Math.max(1, Math.abs(want)));
  });
  await engine.close();
});

Deno.test("equalize: leaves pairs alone that it must not touch", () => {
  const two = (change: Partial<Graph>, between = node("Relu", "r", ["y1"], ["t"])) => {
    const g = graphOf(
      [
        node("Conv", "c1", ["x", "w1"], ["y1"]),
        between,
        node("Conv", "c2", ["t", "w2"], ["y"]),
      ],
      { x: float(1, 3, 5, 5) },
      { y: float(1, 2, 5, 5) },
      { w1: uneven([4, 3, 1, 1], 1), w2: uneven([2, 4, 1, 1], 2) },
    );
    return equalize({ ...g, ...change });
  };
  assert.equal(two({}).pairs.length, 1);
  const base = two({}).graph;
  const lo = f32([], [0]), hi = f32([], [6]);
  assert.equal(
    two(
      { constants: new Map([...base.constants, ["lo", lo], ["hi", hi]]) },
      node("Clip", "r", ["y1", "lo", "hi"], ["t"]),
    ).pairs.length,
    0,
  );
  assert.equal(two({}, node("Sigmoid", "r", ["y1"], ["t"])).pairs.length, 0);
  // the tensor between is an output, or is read twice
  const shown = [...base.outputs, { name: "t", ...float(1, 4, 5, 5) }];
  assert.equal(two({ outputs: shown }).pairs.length, 0);
  assert.equal(two({ nodes: [...base.nodes, node("Neg", "n", ["y1"], ["z"])] }).pairs.length, 0);
  // weights that are shared, or no constants
  assert.equal(two({ nodes: [...base.nodes, node("Neg", "n", ["w1"], ["z"])] }).pairs.length, 0);
  assert.equal(two({ constants: new Map([["w1", base.constants.get("w1")!]]) }).pairs.length, 0);
});

Deno.test("equalize: dead channels stay, factors are bounded", () => {
  const w1 = values("normal", 8, 1).map((v, i) => i < 2 ? 0 : i < 4 ? v * 1e-9 : v);
  const g = graphOf(
    [node("Conv", "c1", ["x", "w1"], ["t"]), node("Conv", "c2", ["t", "w2"], ["y"])],
    { x: float(1, 2, 5, 5) },
    { y: float(1, 3, 5, 5) },
    { w1: f32([4, 2, 1, 1], w1), w2: f32([3, 4, 1, 1], values("normal", 12, 2)) },
  );
  const { graph, pairs } = equalize(g, { limit: 16 });
  const factors = [...pairs[0]!.factors];
  assert.equal(factors[0], 1);
  assert.equal(factors[1], 16);
  assert.ok(factors.every((s) => s >= 1 / 16 && s <= 16));
  for (const t of graph.constants.values()) {
    assert.ok((t.data as Float32Array).every(Number.isFinite));
  }
});
