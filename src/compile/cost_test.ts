import assert from "node:assert/strict";
import { node, OPSET } from "../ir/graph.ts";
import type { Graph } from "../ir/graph.ts";
import { f32 } from "../ir/tensor.ts";
import { marchOf } from "../march/mod.ts";
import { nodeMicroseconds } from "./cost.ts";

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

Deno.test("a roofline: traffic bound, then bound by arithmetic; int16 costs more on both sides", () => {
  const march = marchOf("bayes");
  const thin = conv(8, 16);
  const bytes = 2 * 8 * 256 + 64;
  const t = nodeMicroseconds(thin, thin.nodes[0]!, march);
  assert.ok(Math.abs(t - 1e6 * bytes / march.bytesPerSecond) < 1e-9);
  assert.ok(nodeMicroseconds(thin, thin.nodes[0]!, march, { bytes: () => 2 }) > 1.9 * t);
  const slow = { ...march, macsPerSecond: 1e6 };
  const macs = 8 * 8 * 256;
  const a = nodeMicroseconds(thin, thin.nodes[0]!, slow);
  assert.ok(Math.abs(a - macs) < 1e-6);
  assert.equal(nodeMicroseconds(thin, thin.nodes[0]!, slow, { wide: true }), 2 * a);
});
