import assert from "node:assert/strict";
import type { Engine } from "../../ir/engine.ts";
import { loadOnnx } from "../../formats/onnx/load.ts";
import { typeOf } from "../../ir/graph.ts";
import { functionsOf } from "../../ops/functions.ts";
import { inferTypes } from "../../ops/infer.ts";
import { optimize } from "../../passes/mod.ts";
import { createFloatEngine } from "../float.ts";
import { chooseFloatEngine, visitAll, whyNotKernels, withKernels } from "./choose.ts";
import { createKernelEngine } from "./engine.ts";
import { planGraph } from "./lower.ts";
import { agree, feedsOf, Sketch } from "./testing.ts";

const models = new URL("../../../../shared/data/models/onnx/", import.meta.url);

/** Model files, and the input shape of those that leave it open. */
const files: readonly (readonly [string, ...number[]])[] = [
  ["blazeface/face_detection_front_128x128_barracuda.onnx"],
  ["cifar10-resnet20/resnet20.onnx"],
  ["fastestdet/FastestDet.onnx"],
  ["imagenet-mobilenetv1-025-128/mobilenet_v1_0.25_128_float.onnx"],
  ["minifasnet/MiniFASNetV2_80x80.onnx"],
  ["mlperf-tiny/ic_resnet8_float.onnx"],
  ["mnist/mnist-8.onnx"],
  ["ppocr-cls/ch_ppocr_mobile_v2.0_cls_infer.onnx", 1, 3, 48, 192],
  ["ultraface/version-RFB-320.onnx"],
  ["yolox/yolox_nano_416.onnx"],
  ["yunet/yunet_n_320_320.onnx"],
];

Deno.test("real models: chosen, and every tensor agrees with onnxruntime-web", async () => {
  const other = createFloatEngine({ workers: 0, functions: functionsOf });
  const ours = createKernelEngine();
  let skipped = 0;
  for (const [file, ...shape] of files) {
    const bytes = await Deno.readFile(new URL(file, models)).catch(() => undefined);
    if (bytes === undefined) {
      skipped++;
      continue;
    }
    let source = loadOnnx(bytes);
    if (shape.length > 0) {
      const inputShapes = new Map([[source.inputs[0]!.name, shape]]);
      source = loadOnnx(bytes, { inputShapes });
    }
    const { graph: passed } = await optimize(inferTypes(source));
    const graph = { ...inferTypes(passed), name: file };
    assert.equal(whyNotKernels(graph), undefined, file);
    const all = graph.nodes.flatMap((n) => n.outputs)
      .filter((t) => t !== "" && typeOf(graph, t)?.dtype === "float32");
    // A hundred layers on noise: each engine is up to 1e-4 from the same graph in double precision.
    await agree(graph, feedsOf(graph), ours, other, all, 3e-4);
    const feeds = feedsOf(graph, 9), outputs = graph.outputs.map((o) => o.name);
    const results = await Promise.all([outputs, [...outputs, ...all]].map(async (fetch) => {
      const session = await ours.open(graph, fetch);
      const result = await session.run(feeds);
      await session.close();
      return outputs.map((name) => result.get(name)!);
    }));
    assert.deepEqual(results[0], results[1], `${file}: fused steps give other bits`);
  }
  await other.close();
  if (skipped > 0) console.log(`${skipped} real models are absent; not tested`);
});

Deno.test("the choice depends on the graph: coverage and the share of convolutions", async () => {
  const wide = new Sketch();
  const x = wide.op("Conv", [wide.input([1, 16, 32, 32]), wide.c([16, 16, 3, 3])]);
  wide.op("Relu", [x]);
  const odd = new Sketch();
  odd.op("Sin", [odd.op("Conv", [odd.input([1, 16, 32, 32]), odd.c([16, 16, 3, 3])])]);
  const flat = new Sketch();
  flat.op("Softmax", [flat.op("Conv", [flat.input([1, 1, 800, 800]), flat.c([2, 1, 1, 1])])]);
  const other: Engine = { name: "other", open: () => Promise.reject(new Error("asked")) };
  assert.equal(chooseFloatEngine(wide.graph(), other).name, "kernels");
  for (const s of [odd, flat]) assert.equal(chooseFloatEngine(s.graph(), other), other);
  assert.match(whyNotKernels(odd.graph())!, /Sin/);
  assert.match(whyNotKernels(flat.graph())!, /convolutions/);
  const choosing = withKernels(other);
  await assert.rejects(choosing.open(odd.graph()), /asked/);
  await (await choosing.open(wide.graph(), ["t0"])).close();
});

Deno.test("visitAll counts samples and runs nothing where it does not fit", async () => {
  const s = new Sketch();
  s.op("Conv", [s.input([1, 16, 32, 32]), s.c([16, 16, 3, 3])]);
  const graph = s.graph(), seen: string[] = [];
  const samples = [feedsOf(graph, 1), feedsOf(graph, 2)];
  const show = (index: number, name: string) => seen.push(`${index} ${name}`);
  assert.equal(await visitAll(graph, ["t0"], samples, show), 2);
  assert.deepEqual(seen, ["0 t0", "1 t0"]);
  const odd = new Sketch();
  odd.op("Sin", [odd.input([1, 3])]);
  assert.equal(await visitAll(odd.graph(), ["t0"], [], show), undefined);
});

Deno.test("plans are the same for the same graph, and memory is used again", () => {
  const s = new Sketch();
  let x = s.input([1, 8, 32, 32]);
  for (let i = 0; i < 12; i++) {
    x = s.op("Relu", [
      s.op("Conv", [x, s.c([8, 8, 3, 3])], { pads: { type: "ints", value: [1, 1, 1, 1] } }),
    ]);
  }
  const [a, b] = [planGraph(s.graph()), planGraph(s.graph())];
  assert.ok("plan" in a && "plan" in b);
  assert.deepEqual([...a.plan.offsets], [...b.plan.offsets]);
  assert.ok(a.plan.bytes < 3 * 8 * 32 * 32 * 4, `${a.plan.bytes} bytes for two live tensors`);
  // With every tensor looked at nothing is fused, but buffers are still used again.
  const watched = planGraph(s.graph(), s.nodes.flatMap((n) => n.outputs));
  assert.ok("plan" in watched && watched.plan.bytes < 3 * 8 * 32 * 32 * 4);
});
