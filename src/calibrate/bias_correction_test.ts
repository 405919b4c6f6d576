import assert from "node:assert/strict";
import { BpuError } from "../errors.ts";
import type { Feeds } from "../ir/engine.ts";
import { attr, type Graph, node } from "../ir/graph.ts";
import { f32, type Tensor } from "../ir/tensor.ts";
import { createFloatEngine } from "../run/float.ts";
import { biasCorrection, withBiases } from "./bias_correction.ts";
import { runAll } from "./observe.ts";
import { float, graphOf, shuffled, values } from "./test_support.ts";
import { fakeQuantizeWeights } from "./weights.ts";

const pads = { pads: attr.ints([1, 1, 1, 1]) };

/** Two branches that meet in an Add, one bias missing, one shared by two nodes. */
const net = graphOf(
  [
    node("Conv", "a", ["x", "wa", "b"], ["ya"], pads),
    node("Relu", "ra", ["ya"], ["ta"]),
    node("Conv", "b", ["ta", "wb"], ["yb"], pads),
    node("Conv", "c", ["ta", "wc", "b"], ["yc"], pads),
    node("Relu", "rc", ["yc"], ["tc"]),
    node("Conv", "d", ["tc", "wd", "bd"], ["yd"], pads),
    node("Add", "sum", ["yb", "yd"], ["s"]),
    node("Relu", "rs", ["s"], ["ts"]),
    node("GlobalAveragePool", "gap", ["ts"], ["p"]),
    node("Flatten", "flat", ["p"], ["f"]),
    node("Gemm", "e", ["f", "we", "be"], ["y"]),
  ],
  { x: float(1, 3, 6, 6) },
  { y: float(1, 5) },
  {
    wa: f32([4, 3, 3, 3], values("normal", 108, 1)),
    wb: f32([4, 4, 3, 3], values("normal", 144, 2, 0.3)),
    wc: f32([4, 4, 3, 3], values("normal", 144, 3, 0.3)),
    wd: f32([4, 4, 3, 3], values("normal", 144, 4, 0.3)),
    we: f32([4, 5], values("normal", 20, 5)),
    b: f32([4], [0.1, -0.2, 0.3, 0]),
    bd: f32([4], [1, 2, 3, 4]),
    be: f32([5], [0, 0, 0, 0, 0]),
  },
);
const targets = [["e", "y"], ["a", "ya"], ["b", "yb"], ["c", "yc"], ["d", "yd"]]
  .map(([node, tensor]) => ({ node: node!, tensor: tensor! }));
const samples: Feeds[] = Array.from(
  { length: 6 },
  (_, i) => new Map([["x", f32([1, 3, 6, 6], values("relu", 108, 100 + i))]]),
);

/** Coarse weights (4 levels) and, with `activations`, a clipped Relu. */
function coarse(activations: boolean): Graph {
  const constants = new Map(net.constants);
  for (const name of ["wa", "wb", "wc", "wd", "we"]) {
    const w = net.constants.get(name)!;
    constants.set(name, f32(w.shape, (w.data as Float32Array).map((v) => Math.round(v * 2) / 2)));
  }
  if (!activations) return { ...net, constants };
  constants.set("lo", f32([], [0])).set("hi", f32([], [1.5]));
  return {
    ...net,
    constants,
    nodes: net.nodes.flatMap((n) =>
      n.name !== "rc" ? [n] : [
        { ...n, outputs: ["rc_out"] },
        node("Clip", "rc_clip", ["rc_out", "lo", "hi"], ["tc"]),
      ]
    ),
  };
}

/** Mean per channel of the targets over the samples. */
async function means(g: Graph, engine: ReturnType<typeof createFloatEngine>) {
  const names = targets.map((t) => t.tensor);
  const sums = new Map<string, number[]>();
  await runAll(engine, g, names, samples, (_, out) => {
    for (const [name, t] of out) {
      const data = t.data as Float32Array, channels = t.shape[1]!, inner = data.length / channels;
      const own = sums.get(name) ?? new Array<number>(channels).fill(0);
      data.forEach((v, i) => own[Math.floor(i / inner)]! += v / inner / samples.length);
      sums.set(name, own);
    }
  });
  return sums;
}

Deno.test("bias correction: behind it the channel means are the float graph's, layer by layer", async () => {
  const engine = createFloatEngine({ workers: 0 });
  const want = await means(net, engine);
  for (const activations of [false, true]) {
    const fake = coarse(activations);
    const before = await means(fake, engine);
    const levels: number[] = [];
    const deltas = await biasCorrection(net, fake, targets, samples, engine, {
      onLevel: (done, n) => levels.push(done / n),
    });
    assert.deepEqual(levels, [0.25, 0.5, 0.75, 1]);
    const after = await means(withBiases(fake, deltas), engine);
    for (const { tensor } of targets) {
      const error = (got: Map<string, number[]>) =>
        Math.max(...got.get(tensor)!.map((v, c) => Math.abs(v - want.get(tensor)![c]!)));
      assert.ok(error(before) > 0.02, `${tensor} had no error to correct: ${error(before)}`);
      assert.ok(error(after) < 2e-5, `${tensor}: ${error(after)}`);
    }
  }
  await engine.close();
});

Deno.test("bias correction: the same bits for any order of samples and number of workers", async () => {
  const all: Map<string, Float32Array>[] = [];
  for (const [workers, seed] of [[0, 0], [0, 5], [2, 9]] as const) {
    const engine = createFloatEngine({ workers });
    all.push(await biasCorrection(net, coarse(true), targets, shuffled(samples, seed), engine));
    await engine.close();
  }
  assert.deepEqual(all[1], all[0]);
  assert.deepEqual(all[2], all[0]);
});

Deno.test("bias correction: nothing to correct, too many samples, none", async () => {
  const engine = createFloatEngine({ workers: 0 });
  const same = await biasCorrection(net, net, targets, samples, engine);
  for (const d of same.values()) assert.ok(d.every((v) => v === 0));
  let taken = 0;
  function* source() {
    for (const s of samples) {
      taken++;
      yield s;
    }
  }
  await biasCorrection(net, net, targets, source(), engine, { samples: 2 });
  assert.equal(taken, 2);
  await assert.rejects(
    biasCorrection(net, net, targets, [], engine),
    (e) => e instanceof BpuError && e.code === "calibration",
  );
  await engine.close();
});

Deno.test("withBiases: keeps shared biases, adds missing ones, changes nothing else", () => {
  const g = withBiases(
    net,
    new Map([["a", Float32Array.of(1, 1, 1, 1)], ["b", Float32Array.of(5, 6, 7, 8)]]),
  );
  const input = (name: string) => g.nodes.find((n) => n.name === name)!.inputs[2]!;
  const value = (name: string): Tensor => g.constants.get(input(name))!;
  assert.deepEqual([...value("a").data as Float32Array], [1.1, 0.8, 1.3, 1].map(Math.fround));
  assert.deepEqual(value("b"), f32([4], [5, 6, 7, 8]));
  assert.equal(input("c"), "b");
  assert.deepEqual(g.constants.get("b"), net.constants.get("b"));
  assert.notEqual(input("b"), "b");
  assert.deepEqual(g.nodes[4], net.nodes[4]);
});

Deno.test("fake weights: on the grid of each channel, at most half a step away", () => {
  const w = f32([3, 2, 2, 2], values("normal", 24, 8).map((v, i) => v * 10 ** Math.floor(i / 8)));
  const q = fakeQuantizeWeights(w, 0);
  for (let c = 0; c < 3; c++) {
    const own = (t: Tensor) => (t.data as Float32Array).subarray(c * 8, c * 8 + 8);
    const max = Math.max(...own(w).map(Math.abs)), scale = Math.fround(max / 127);
    own(q).forEach((v, i) => {
      const n = v / scale;
      assert.ok(Math.abs(n - Math.round(n)) < 1e-4 && Math.abs(n) < 127.001);
      assert.ok(Math.abs(v - own(w)[i]!) <= scale * 0.5001);
    });
  }
  // half away from zero, saturated
  const t = fakeQuantizeWeights(f32([1, 4], [0.5, -0.5, 1.5, 200]), 0, [127]);
  assert.deepEqual([...t.data as Float32Array], [1, -1, 2, 127]);
});
