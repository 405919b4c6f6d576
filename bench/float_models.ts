/**
 * Real models on the float32 kernels against onnxruntime-web with all its fusions, one thread each.
 *
 * @module
 */

import { loadOnnx } from "../src/formats/onnx/load.ts";
import { elementCount, f32 } from "../src/ir/tensor.ts";
import { functionsOf } from "../src/ops/functions.ts";
import { inferTypes } from "../src/ops/infer.ts";
import { optimize } from "../src/passes/mod.ts";
import { createFloatEngine } from "../src/run/float.ts";
import { createKernelEngine } from "../src/run/float_kernels/engine.ts";
import { whyNotKernels } from "../src/run/float_kernels/choose.ts";
import { interleave, type Results } from "./measure.ts";

const root = new URL("../../shared/data/models/onnx/", import.meta.url);
const files = [
  "blazeface/face_detection_front_128x128_barracuda.onnx",
  "cifar10-resnet20/resnet20.onnx",
  "fastestdet/FastestDet.onnx",
  "imagenet-mobilenetv1-025-128/mobilenet_v1_0.25_128_float.onnx",
  "minifasnet/MiniFASNetV2_80x80.onnx",
  "mlperf-tiny/ic_resnet8_float.onnx",
  "ultraface/version-RFB-320.onnx",
  "yolox/yolox_nano_416.onnx",
  "yunet/yunet_n_320_320.onnx",
];

export async function benchFloatModels(results: Results): Promise<void> {
  for (const file of files) {
    const bytes = await Deno.readFile(new URL(file, root)).catch(() => undefined);
    if (bytes === undefined) {
      console.log(`${file} is absent`);
      continue;
    }
    const { graph: passed } = await optimize(inferTypes(loadOnnx(bytes)));
    const graph = inferTypes(passed);
    if (whyNotKernels(graph) !== undefined) {
      throw new Error(`${file} is left to onnxruntime-web`);
    }
    const feeds = new Map(graph.inputs.map((p) => {
      const values = Float32Array.from(
        { length: elementCount(p.shape) },
        (_, i) => i * 37 % 255 / 128,
      );
      return [p.name, f32(p.shape, values)];
    }));
    const ort = createFloatEngine({ workers: 0, functions: functionsOf, optimization: "all" });
    const [ours, theirs] = [await createKernelEngine().open(graph), await ort.open(graph)];
    const t = await interleave([
      { name: "ours", run: () => ours.run(feeds) },
      { name: "ort", run: () => theirs.run(feeds) },
    ], { budgetMs: 600, least: 9 });
    results.add({
      kernel: "floatModel",
      shape: file.replace(/^.*\//, "").replace(/\.onnx$/, "").slice(0, 24),
      value: t.get("ours")!,
      unit: "ms",
      ratios: { "ort-web f32": t.get("ort")! / t.get("ours")! },
    });
    await ours.close();
    await ort.close();
  }
}
