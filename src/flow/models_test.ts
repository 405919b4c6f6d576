/**
 * Real models end to end: the program in the simulator equals the quantized model in stock
 * onnxruntime-web bit for bit, and stays near the float model.
 */

import { equal, ok } from "node:assert/strict";
import { readBin, writeBin } from "../container/bin.ts";
import { compare } from "../calibrate/metrics.ts";
import { loadOcrModels } from "../deps.ts";
import { loadCaffe } from "../formats/caffe/load.ts";
import { loadOnnx } from "../formats/onnx/load.ts";
import type { Graph } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import { bayes } from "../march/bayes.ts";
import { functionsOf } from "../ops/functions.ts";
import { createFloatEngine } from "../run/float.ts";
import { openProgram } from "../run/simulator.ts";
import { checkModel, randomFeeds } from "./check.ts";
import { differingValues, prove } from "./prove.ts";

const shared = new URL("../../../shared/data/models/", import.meta.url);

/** Model, input shape where the file leaves it open, and the least cosine of the outputs. */
const onnx: [string, readonly number[] | undefined, number][] = [
  ["mnist/mnist-8", undefined, 0.99],
  ["ppocr-cls/ch_ppocr_mobile_v2.0_cls_infer", [1, 3, 48, 192], 0.9],
  ["ultraface/version-RFB-320", undefined, 0.99],
  ["ultraface/version-RFB-320_without_postprocessing", undefined, 0.99],
  ["fastestdet/FastestDet", undefined, 0.9],
  ["yolox/yolox_nano_416", undefined, 0.6],
  ["minifasnet/MiniFASNetV2_80x80", undefined, 0.95],
  ["imagenet-mobilenetv1-025-128/mobilenet_v1_0.25_128_float", undefined, 0.9],
  ["cifar10-resnet20/resnet20", undefined, 0.99],
  ["yunet/yunet_n_320_320", undefined, 0.6],
  ["mlperf-tiny/ic_resnet8_float", undefined, 0.9],
];
const caffe: [string, string, number][] = [
  ["lenet-mnist/lenet", "lenet-mnist/lenet", 0.99],
  ["mtcnn/det2", "mtcnn/det2", 0.9],
  ["yoloface/deploy", "yoloface/yoloface-50k", 0.9],
];

async function endToEnd(graph: Graph, least: number): Promise<void> {
  const engine = createFloatEngine({ workers: 0, functions: functionsOf });
  try {
    const { conversion } = await checkModel(graph, bayes, engine);
    const feeds = randomFeeds(graph);
    const proof = await prove(conversion, engine, feeds, feeds);
    equal(proof.exact.differing, 0, `${proof.exact.differing} of ${proof.exact.total} differ`);
    ok(proof.exact.total > 0);
    for (const o of proof.outputs) ok(o.cosine >= least, `${o.name}: cosine ${o.cosine}`);
    // The file is the program: what comes back from its bytes computes the same.
    const bytes = await writeBin({ program: conversion.program, info: {} }, functionsOf);
    const { program } = await readBin(bytes, "model.bin");
    const [a, b] = [
      await openProgram(program, { cpu: engine }),
      await openProgram(conversion.program, { cpu: engine }),
    ];
    const [x, y] = [await a.run(feeds), await b.run(feeds)];
    for (const [name, t] of y) equal(differingValues(x.get(name)!, t), 0, name);
    // Fake quantization in float foretells the integers; the passes keep the float outputs.
    const stage = async (g: Graph) => await (await engine.open(g)).run(feeds);
    const [original, optimized, calibrated] = [
      await stage(conversion.original),
      await stage(conversion.optimized),
      await stage(conversion.calibrated),
    ];
    for (const [name, t] of y) {
      const cosine = (u: Tensor, v: Tensor) =>
        compare(u.data as Float32Array, v.data as Float32Array).cosine;
      const kept = cosine(original.get(name)!, optimized.get(name)!);
      ok(kept > 0.99999, `${name}: optimized has cosine ${kept}`);
      // It must be nearer to the simulator than the float model is, unless both are very near.
      const foretold = cosine(calibrated.get(name)!, t);
      const plain = Math.min(cosine(original.get(name)!, t), 0.99);
      ok(foretold > plain, `${name}: calibrated ${foretold}, float ${plain} to the simulator`);
    }
  } finally {
    await engine.close();
  }
}

async function exists(url: URL): Promise<boolean> {
  try {
    await Deno.stat(url);
    return true;
  } catch {
    return false;
  }
}

let skipped = 0;
for (const [name, shape, least] of onnx) {
  const url = new URL(`onnx/${name}.onnx`, shared);
  if (!await exists(url)) {
    skipped++;
    continue;
  }
  Deno.test(`${name} goes end to end`, async () => {
    const bytes = await Deno.readFile(url);
    const open = loadOnnx(bytes);
    const graph = shape === undefined
      ? open
      : loadOnnx(bytes, { inputShapes: new Map(open.inputs.map((p) => [p.name, shape])) });
    await endToEnd(graph, least);
  });
}
for (const [proto, model, least] of caffe) {
  const url = new URL(`caffe/${model}.caffemodel`, shared);
  const text = new URL(`caffe/${model}.prototxt`, shared);
  if (!await exists(url)) {
    skipped++;
    continue;
  }
  Deno.test(`${proto} (Caffe) goes end to end`, async () => {
    const graph = loadCaffe(await Deno.readTextFile(text), await Deno.readFile(url));
    await endToEnd(graph, least);
  });
}
if (skipped > 0) console.log(`models_test: ${skipped} models are not there and were skipped`);

Deno.test("a real model from npm goes end to end", async () => {
  const { default: models } = await loadOcrModels();
  const file = models.detectionPath.replace(/[^/\\]+$/, "ch_ppocr_mobile_v2.0_cls_infer.onnx");
  const bytes = await Deno.readFile(file);
  await endToEnd(loadOnnx(bytes, { inputShapes: new Map([["x", [1, 3, 48, 192]]]) }), 0.9);
});
