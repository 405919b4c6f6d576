import assert from "node:assert/strict";
import { BpuError } from "../errors.ts";
import type { Feeds } from "../ir/engine.ts";
import { attr, node } from "../ir/graph.ts";
import { f32 } from "../ir/tensor.ts";
import { createFloatEngine } from "../run/float.ts";
import { extract } from "./extract.ts";
import { klThreshold } from "./methods/kl.ts";
import { maxThreshold } from "./methods/max.ts";
import { mseThreshold } from "./methods/mse.ts";
import { type CalibrationEngine, observe } from "./observe.ts";
import { statsOf } from "./stats.ts";
import { float, graphOf, shuffled, values } from "./test_support.ts";

/** x -> Conv c -> Relu r -> Sigmoid y, and a branch that nothing observed needs. */
const graph = graphOf(
  [
    node("Conv", "conv", ["x", "w"], ["c"], { pads: attr.ints([1, 1, 1, 1]) }),
    node("Relu", "relu", ["c"], ["r"]),
    node("Sigmoid", "sig", ["r"], ["y"]),
    node("NoSuchOperator", "tail", ["y"], ["z"]),
  ],
  { x: float(1, 2, 5, 5) },
  { y: float(1, 3, 5, 5), z: float(1) },
  { w: f32([3, 2, 3, 3], values("normal", 54, 1)) },
  { c: float(1, 3, 5, 5), r: float(1, 3, 5, 5) },
);
const sample = (i: number): Feeds =>
  new Map([["x", f32([1, 2, 5, 5], values("normal", 50, i, 1 + i))]]);
const samples = Array.from({ length: 9 }, (_, i) => sample(i));
const names = ["y", "x", "c", "w", "r"];

/** An engine that opens nothing. */
const none: CalibrationEngine = { name: "none", open: () => Promise.reject(new Error("opened")) };

/** Hides what an engine can do besides opening sessions. */
const bare = (e: CalibrationEngine): CalibrationEngine => ({
  name: e.name,
  open: (g, fetch) => e.open(g, fetch),
});

Deno.test("observe: statistics of inputs, constants and results, however the engine works", async () => {
  const all: unknown[] = [];
  for (const workers of [0, 2]) {
    const engine = createFloatEngine({ workers });
    const stats = await observe(graph, names, samples, engine);
    assert.deepEqual([...stats.keys()], names);
    all.push(stats, await observe(graph, names, shuffled(samples, 3), bare(engine)));
    // one tensor per pass
    all.push(await observe(graph, names, () => samples, engine, { bytesPerPass: 1 }));
    const x = stats.get("x");
    assert.deepEqual(x, statsOf("x", samples.map((s) => s.get("x")!)));
    assert.deepEqual(stats.get("w"), statsOf("w", [graph.constants.get("w")!]));
    const [c, r] = [stats.get("c")!, stats.get("r")!];
    assert.equal(c.count, 9 * 75);
    assert.equal(r.max, c.max);
    assert.equal(r.min, 0);
    assert.equal(r.zeros, c.negative.reduce((a, b) => a + b, 0) + c.zeros);
    assert.deepEqual(r.channels?.max, c.channels?.max.map((v) => Math.max(0, v)));
    await engine.close();
  }
  for (const s of all) assert.deepEqual(s, all[0]);
});

Deno.test("observe: takes one sample at a time from a plain engine, and says how far it is", async () => {
  const engine = createFloatEngine({ workers: 0 });
  let taken = 0;
  const source = async function* () {
    for (const s of samples) {
      taken++;
      yield await Promise.resolve(s);
    }
  };
  const seen: number[] = [];
  await observe(graph, ["r"], source(), bare(engine), {
    onSample: (done, pass, passes) => {
      assert.equal(taken, done);
      assert.deepEqual([pass, passes], [0, 1]);
      seen.push(done);
    },
  });
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await engine.close();
});

Deno.test("observe: inputs alone need no engine", async () => {
  const stats = await observe(graph, ["x", "w"], samples, none);
  assert.equal(stats.get("x")?.count, 9 * 50);
});

Deno.test("observe: no sample is an error", async () => {
  const engine = createFloatEngine({ workers: 0 });
  for (const wanted of [["c"], ["x"]]) {
    await assert.rejects(
      observe(graph, wanted, [], engine),
      (e) => e instanceof BpuError && e.code === "calibration",
    );
  }
  await engine.close();
});

Deno.test("observe: a sample's results are gone before the next sample is looked at", async () => {
  const given: Float32Array[] = [];
  let most = 0;
  const engine: CalibrationEngine = {
    ...none,
    async map(_graph, fetch, source, onResult) {
      let i = 0;
      for await (const _ of source) {
        const outputs = new Map(
          fetch!.map((name) => [name, f32([1, 3, 5, 5], values("normal", 75, i))]),
        );
        for (const t of outputs.values()) given.push(t.data as Float32Array);
        await onResult(i++, outputs);
        most = Math.max(most, given.filter((d) => d.length > 0).length);
      }
    },
  };
  const many = Array.from({ length: 200 }, () => samples[0]!);
  const stats = await observe(graph, ["c", "r"], many, engine);
  assert.equal(stats.get("r")?.count, 200 * 75);
  assert.deepEqual([given.length, most], [400, 0]);
});

Deno.test("observe: an engine that shows its tensors is used; the order of the elements does not matter", async () => {
  const c = samples.map((_, i) => values("silu", 75, i, 1 + i));
  const memory = new Float32Array(75);
  const engine: CalibrationEngine = {
    ...none,
    async visit(g, fetch, source, visitor, o) {
      assert.deepEqual([g.nodes.map((n) => n.name), fetch], [["conv"], ["c"]]);
      let i = 0;
      for await (const feeds of source) {
        assert.equal(feeds, samples[i]);
        // channels last, always in the same memory
        c[i]!.forEach((v, k) => memory[k % 25 * 3 + Math.floor(k / 25)] = v);
        visitor(i, "c", memory, [1, 3, 5, 5], "nhwc");
        o.onSample(i++);
      }
      return i;
    },
  };
  const done: number[] = [];
  const stats = await observe(graph, ["c", "x"], samples, engine, {
    onSample: (n, pass, passes) => done.push(n + pass + passes),
  });
  assert.deepEqual(stats.get("c"), statsOf("c", c.map((d) => f32([1, 3, 5, 5], d))));
  assert.deepEqual(stats.get("x"), statsOf("x", samples.map((s) => s.get("x")!)));
  assert.deepEqual(done, samples.map((_, i) => i + 2));
  await assert.rejects(
    observe(graph, ["c"], [], engine),
    (e) => e instanceof BpuError && e.code === "calibration",
  );
  // an engine that cannot leaves the samples to its other ways
  const ort = createFloatEngine({ workers: 0 });
  const declines = { ...ort, visit: () => Promise.resolve(undefined) };
  assert.deepEqual(
    await observe(graph, ["c", "x"], samples.values(), declines),
    await observe(graph, ["c", "x"], samples, ort),
  );
  await ort.close();
});

Deno.test("observe: without bins only ranges are kept, and histogram methods refuse", async () => {
  const stats = await observe(graph, ["x"], samples, none, { bins: 0 });
  const x = stats.get("x")!, full = statsOf("x", samples.map((s) => s.get("x")!));
  assert.deepEqual({ ...x, positive: full.positive, negative: full.negative, width: full.width }, {
    ...full,
    zeros: x.zeros,
  });
  assert.equal(x.positive.length, 0);
  assert.equal(maxThreshold(x), full.absmax);
  for (const f of [klThreshold, mseThreshold]) assert.throws(() => f(x), BpuError);
});

Deno.test("extract: keeps what is needed, between cuts and outputs", () => {
  const g = extract(graph, ["r"], ["c"]);
  assert.deepEqual(g.nodes.map((n) => n.name), ["relu"]);
  assert.deepEqual(g.inputs, [{ name: "c", dtype: "float32", shape: [1, 3, 5, 5] }]);
  assert.deepEqual(g.outputs, [{ name: "r", dtype: "float32", shape: [1, 3, 5, 5] }]);
  assert.equal(g.constants.size, 0);
  assert.deepEqual(extract(graph, ["r"]).nodes.map((n) => n.name), ["conv", "relu"]);
  assert.throws(() => extract(graph, ["nothing"]), BpuError);
});

Deno.test("extract: follows what the bodies of If and Loop read from outside", () => {
  const branch = graphOf([node("Add", "inner", ["a", "b"], ["s"])], {}, { s: float(1) });
  const g = graphOf(
    [
      node("Relu", "ra", ["x"], ["a"]),
      node("Neg", "nb", ["x"], ["b"]),
      node("Abs", "unused", ["x"], ["u"]),
      node("If", "if", ["k"], ["y"], { then_branch: { type: "graph", value: branch } }),
    ],
    { x: float(1), k: { dtype: "bool", shape: [] } },
    { y: float(1) },
  );
  assert.deepEqual(extract(g, ["y"]).nodes.map((n) => n.name), ["ra", "nb", "if"]);
});
