import assert from "node:assert/strict";
import { node, OPSET } from "../ir/graph.ts";
import type { Graph } from "../ir/graph.ts";
import { f32 } from "../ir/tensor.ts";
import { marchOf } from "../march/mod.ts";
import { nodeMicroseconds, rates } from "./cost.ts";

const conv = (channels: number, size: number): Graph => ({
  name: "g",
  opset: OPSET,
  domains: new Map([["", OPSET]]),
  nodes: [node("Conv", "c", ["x", "w"], ["y"])],
  inputs: [{ name: "x", dtype: "float32", shape: [1, channels, size, size] }],
  outputs: [{ name: "y", dtype: "float32", shape: [1, channels, size, size] }],
  constants: new Map([["w", f32([channels, channels, 1, 1], new Float32Array(channels ** 2))]]),
  types: new Map([["y", { dtype: "float32", shape: [1, channels, size, size] }]]),
  metadata: new Map(),
});

Deno.test("a node costs the longest of multiplying, writing and moving; int16 costs more", () => {
  const march = marchOf("bayes"), rate = rates[march.name];
  const us = (g: Graph, m = march, bytes = 1) =>
    nodeMicroseconds(g, g.nodes[0]!, m, { bytes: () => bytes }) - 1;
  const near = (a: number, b: number) => assert.ok(Math.abs(a / b - 1) < 1e-9, `${a}, not ${b}`);
  // Multiplying: 128 channels need no padding.
  const thick = conv(128, 64), macs = 128 * 128 * 4096;
  const slow = { ...march, macsPerSecond: 1e9 };
  near(us(thick, slow), 1e6 * macs / (1e9 * rate.sustained));
  near(us(thick, slow, 2), 2 * us(thick, slow));
  near(us(conv(100, 64), slow), us(thick, slow));
  // Writing: 8 channels are computed as the core's multiple.
  const wide = conv(8, 256);
  near(us(wide), 1e6 * march.channelAlign * 65536 / rate.elementsPerSecond);
  near(us(wide, march, 2), 2 * us(wide));
  // Moving: the weights, and activations that do not fit.
  const narrow = { ...march, bytesPerSecond: 1e6 };
  near(us(thick, narrow), 128 * 128);
  near(us(conv(128, 256), narrow), 128 * 128 + 2 * 128 * 65536);
});

Deno.test("layer normalisation costs the int16 tensors between its steps", () => {
  const march = marchOf("bayes"), type = { dtype: "float32", shape: [1, 64, 4096] } as const;
  const g: Graph = {
    ...conv(1, 1),
    nodes: [node("LayerNormalization", "n", ["x", "k"], ["y"])],
    inputs: [{ name: "x", ...type }],
    outputs: [{ name: "y", ...type }],
    constants: new Map([["k", f32([4096], new Float32Array(4096))]]),
    types: new Map([["y", type]]),
  };
  const us = (bytes: number) => nodeMicroseconds(g, g.nodes[0]!, march, { bytes: () => bytes });
  const pass = 1e6 * 64 * 4096 / rates.bayes.elementsPerSecond;
  assert.ok(Math.abs(us(1) - (5 + 9 * pass)) < 1e-9, `${us(1)}`);
  assert.ok(Math.abs(us(2) - (5 + 10 * pass)) < 1e-9, `${us(2)}`);
});

Deno.test("a node of unknown shape costs something and breaks nothing", () => {
  const g = conv(8, 16);
  const open = { ...g, types: new Map(), outputs: [] };
  const t = nodeMicroseconds(open, g.nodes[0]!, marchOf("bayes"));
  assert.ok(t >= 1 && t < 2);
});
