import { deepEqual, equal, ok } from "node:assert/strict";
import { HORIZON, node } from "../ir/graph.ts";
import type { Node } from "../ir/graph.ts";
import { elementCount } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import { bayes } from "../march/bayes.ts";
import { bayesE } from "../march/bayes_e.ts";
import { bernoulli2 } from "../march/bernoulli2.ts";
import type { March } from "../march/march.ts";
import { estimate, latencyLine } from "./estimate.ts";
import type { Program, Slot } from "./program.ts";

/** A convolution: input and output channels, kernel, stride, output height; depthwise when inputs are 1. */
type Layer = readonly [number, number, number, number, number];

/** A chain of convolutions, each with a table behind it where the network has one. */
function chain(layers: readonly Layer[], march: March, tables: boolean): Program {
  const nodes: Node[] = [];
  const slots = new Map<string, Slot>();
  const constants = new Map<string, Tensor>();
  const slot = (name: string, dtype: "int8" | "int32", shape: number[]) => {
    slots.set(name, { dtype, shape, offset: 0, bytes: elementCount(shape) });
  };
  layers.forEach(([i, o, k, s, h], n) => {
    const last = n === layers.length - 1;
    slot(`x${n}`, "int8", [1, i === 1 ? o : i, h * s, h * s]);
    const y = tables && !last ? `c${n}` : `x${n + 1}`;
    slot(y, "int8", [1, o, h, h]);
    const data = new Int8Array(o * i * k * k);
    constants.set(`w${n}`, { dtype: "int8", shape: [o, i, k, k], data });
    nodes.push(node("HzSQuantizedConv", `conv${n}`, [`x${n}`, `w${n}`], [y], {}, HORIZON));
    if (tables && !last) nodes.push(node("HzLut", `lut${n}`, [y], [`x${n + 1}`], {}, HORIZON));
  });
  return {
    name: "chain",
    march: march.name,
    inputs: [],
    outputs: [],
    segments: [{ kind: "bpu", id: 0, nodes, inputs: ["x0"], outputs: [`x${layers.length}`] }],
    constants,
    slots,
    arenaBytes: 0,
  };
}

/** YOLOv8 by its width and depth multiples (the classifier without its last layer). */
function yolov8(width: number, depth: number, size: number, classifier = false): Layer[] {
  const out: Layer[] = [];
  const ch = (c: number) => Math.ceil(Math.min(c, 1024) * width / 8) * 8;
  const times = (n: number) => Math.max(Math.round(n * depth), 1);
  const block = (i: number, o: number, n: number, h: number) => {
    out.push([i, o, 1, 1, h]);
    for (let k = 0; k < 2 * n; k++) out.push([o / 2, o / 2, 3, 1, h]);
    out.push([(2 + n) * o / 2, o, 1, 1, h]);
  };
  const c = [64, 128, 256, 512, 1024].map(ch) as [number, number, number, number, number];
  let h = size / 2;
  out.push([3, c[0], 3, 2, h]);
  for (const [k, n] of [[1, 3], [2, 6], [3, 6], [4, 3]] as const) {
    h /= 2;
    out.push([c[k - 1]!, c[k]!, 3, 2, h]);
    block(c[k]!, c[k]!, times(n), h);
  }
  if (classifier) return [...out, [c[4], 1280, 1, 1, h]];
  out.push([c[4], c[4] / 2, 1, 1, h], [c[4] * 2, c[4], 1, 1, h]);
  block(c[4] + c[3], c[3], times(3), 2 * h);
  block(c[3] + c[2], c[2], times(3), 4 * h);
  out.push([c[2], c[2], 3, 2, 2 * h]);
  block(c[2] + c[3], c[3], times(3), 2 * h);
  out.push([c[3], c[3], 3, 2, h]);
  block(c[3] + c[4], c[4], times(3), h);
  for (const [k, at] of [[2, 4 * h], [3, 2 * h], [4, h]] as const) {
    const a = Math.max(c[2], 80);
    out.push([c[k]!, 64, 3, 1, at], [64, 64, 3, 1, at], [64, 64, 1, 1, at]);
    out.push([c[k]!, a, 3, 1, at], [a, a, 3, 1, at], [a, 80, 1, 1, at]);
  }
  return out;
}

/** MobileNetV1, 224. */
function mobilenet(): Layer[] {
  const out: Layer[] = [[3, 32, 3, 2, 112]];
  let h = 112;
  const blocks = [[32, 64, 1], [64, 128, 2], [128, 128, 1], [128, 256, 2], [256, 256, 1]];
  blocks.push([256, 512, 2], ...Array.from({ length: 5 }, () => [512, 512, 1]));
  blocks.push([512, 1024, 2], [1024, 1024, 1]);
  for (const [i, o, s] of blocks as [number, number, number][]) {
    h /= s;
    out.push([1, i, 3, s, h], [i, o, 1, 1, h]);
  }
  return [...out, [1024, 1000, 1, 1, 1]];
}

Deno.test("estimates are near published figures of the original compiler and of boards", () => {
  const rows: [string, Program, March, number][] = [
    ["YOLOv8s 640 on bayes, compiler", chain(yolov8(0.5, 0.33, 640), bayes, true), bayes, 3155.4],
    [
      "YOLOv8n 640 on bayes-e, compiler",
      chain(yolov8(0.25, 0.33, 640), bayesE, true),
      bayesE,
      3964,
    ],
    [
      "YOLOv8n-cls 224 on bayes-e, compiler",
      chain(yolov8(0.25, 0.33, 224, true), bayesE, true),
      bayesE,
      495.4,
    ],
    [
      "YOLOv8n 672 on bernoulli2, compiler",
      chain(yolov8(0.25, 0.33, 672), bernoulli2, true),
      bernoulli2,
      53440.5,
    ],
    ["MobileNetV1 on bernoulli2, board", chain(mobilenet(), bernoulli2, false), bernoulli2, 3430],
  ];
  for (const [name, program, march, published] of rows) {
    const { latencyUs } = estimate(program, march);
    const ratio = latencyUs / published;
    ok(ratio > 0.5 && ratio < 2, `${name}: ${latencyUs.toFixed(0)} us for ${published}`);
  }
});

Deno.test("channels are padded to the core's multiple, pictures to four, one batch costs its samples", () => {
  const one = (i: number, o: number) => estimate(chain([[i, o, 9, 1, 64]], bayes, false), bayes);
  const n = (i: number, o: number) => one(i, o).nodes[0]!;
  equal(one(33, 256).nodes.length, 1);
  ok(Math.abs((n(33, 256).us - 1) / (n(64, 256).us - 1) - 1) < 1e-9, "33 channels cost 64");
  ok(n(33, 256).idealUs < n(33, 256).us);
  equal(n(64, 256).idealUs, n(64, 256).us);
  deepEqual(n(3, 40).aligned, [1, 64, 64, 64]);
  const p = chain([[64, 64, 3, 1, 32]], bayes, false);
  const single = estimate(p, bayes), many = estimate({ ...p, batch: 8 }, bayes);
  equal(many.latencyUs, 8 * single.latencyUs);
  equal(many.ddrBytes, 8 * single.ddrBytes);
  // weights, what comes in and what goes out: 64 x 64 x 9, and 64 x 32 x 32 twice.
  equal(single.ddrBytes, 36864 + 65536 + 65536);
});

Deno.test("the latency line is the original's", () => {
  const e = { latencyUs: 3155.44, fps: 316.914, ddrBytes: 12651904, macs: 0, nodes: [] };
  equal(latencyLine(e, bayes), "FPS=316.91, latency = 3155.4 us");
  equal(latencyLine(e, bayesE), "FPS=316.91, latency = 3155.4 us, DDR = 12651904 bytes");
});
