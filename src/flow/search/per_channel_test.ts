import assert from "node:assert/strict";
import { compare } from "../../calibrate/metrics.ts";
import { observe } from "../../calibrate/observe.ts";
import { attr, node, OPSET } from "../../ir/graph.ts";
import type { Graph } from "../../ir/graph.ts";
import { f32 } from "../../ir/tensor.ts";
import { marchOf } from "../../march/mod.ts";
import { inferTypes } from "../../ops/infer.ts";
import { layoutOf } from "../../quantize/layout.ts";
import { place } from "../../quantize/place.ts";
import { createFloatEngine } from "../../run/float.ts";
import { perChannel } from "./per_channel.ts";

const wave = (n: number, seed: number) =>
  Array.from({ length: n }, (_, i) => Math.sin(i * 7 + seed));
const shape = (c: number) => [1, c, 6, 6];

/** conv1 -> activation -> depthwise conv2 -> conv3; channel 3 of conv1 is 100 times larger. */
function graph(activation: string): Graph {
  const large = wave(4 * 3, 1).map((v, i) => i >= 9 ? v * 100 : v);
  return {
    name: "g",
    opset: OPSET,
    domains: new Map([["", OPSET]]),
    nodes: [
      node("Conv", "conv1", ["x", "w1", "b1"], ["a"]),
      node(activation, "act", ["a"], ["b"]),
      node("Conv", "conv2", ["b", "w2"], ["c"], { group: attr.int(4) }),
      node("Conv", "conv3", ["c", "w3"], ["y"]),
    ],
    inputs: [{ name: "x", dtype: "float32", shape: shape(3) }],
    outputs: [{ name: "y", dtype: "float32", shape: shape(2) }],
    constants: new Map([
      ["w1", f32([4, 3, 1, 1], large)],
      ["b1", f32([4], [0.1, 0.2, -0.1, 5])],
      ["w2", f32([4, 1, 1, 1], wave(4, 2))],
      ["w3", f32([2, 4, 1, 1], wave(8, 3))],
    ]),
    types: new Map(
      ["a", "b", "c", "y"].map((
        t,
      ) => [t, { dtype: "float32" as const, shape: shape(t === "y" ? 2 : 4) }]),
    ),
    metadata: new Map(),
  };
}

Deno.test("channels get one range; the float result stays; what cannot is said", async () => {
  const engine = createFloatEngine({ workers: 0 });
  const feeds = new Map([["x", f32(shape(3), wave(108, 5))]]);
  try {
    const relu = inferTypes(graph("Relu"));
    const march = marchOf("bayes");
    const of = (g: Graph) => layoutOf(g, place(g, march), march);
    const stats = await observe(relu, ["b", "c"], [feeds], engine);
    const made = perChannel(relu, of(relu), (t) => stats.get(t));
    assert.deepEqual([made.scaled, made.notes], [["b", "c"], []]);
    const run = async (g: Graph) => {
      const s = await engine.open(g, ["b", "y"]);
      return await s.run(feeds);
    };
    const before = await run(relu), after = await run(made.graph);
    const y = (m: typeof before) => m.get("y")!.data as Float32Array;
    assert.ok(compare(y(before), y(after)).cosine > 1 - 1e-9);
    const peaks = [0, 1, 2, 3].map((c) =>
      Math.max(...(after.get("b")!.data as Float32Array).slice(36 * c, 36 * c + 36))
    );
    assert.ok(peaks.every((p) => p > peaks[3]! / 40), `${peaks}`);
    const silu = inferTypes(graph("Sigmoid"));
    const other = perChannel(silu, of(silu), (t) => stats.get(t));
    assert.ok(other.notes.some((n) => n.startsWith("conv1: a keeps one scale: act (Sigmoid)")));
    assert.ok(!other.scaled.includes("a"));
  } finally {
    await engine.close();
  }
});
