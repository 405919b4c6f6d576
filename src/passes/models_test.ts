import { loadOnnx } from "../formats/onnx/load.ts";
import type { Graph } from "../ir/graph.ts";
import { inferTypes } from "../ops/infer.ts";
import { optimize } from "./mod.ts";
import { assertSame, engine } from "./test_support.ts";

const DATA = new URL("../../../shared/data/models/onnx/", import.meta.url);

/** Models and the shapes that their files leave open. */
const MODELS: readonly (readonly [string, ReadonlyMap<string, readonly number[]>?])[] = [
  ["blazeface/face_detection_front_128x128_barracuda.onnx"],
  ["cifar10-resnet20/resnet20.onnx"],
  ["cifar10-vit/vit_pgd_2_3_16.onnx"],
  ["fastestdet/FastestDet.onnx"],
  ["imagenet-mobilenetv1-025-128/mobilenet_v1_0.25_128_float.onnx"],
  ["minifasnet/MiniFASNetV2_80x80.onnx"],
  ["mlperf-tiny/ic_resnet8_float.onnx"],
  ["mnist/mnist-8.onnx"],
  ["ppocr-cls/ch_ppocr_mobile_v2.0_cls_infer.onnx", new Map([["x", [1, 3, 48, 192]]])],
  ["super-resolution/super_resolution.onnx"],
  ["ultraface/version-RFB-320.onnx"],
  ["ultraface/version-RFB-320_without_postprocessing.onnx"],
  ["yolox/yolox_nano_416.onnx"],
  ["yunet/yunet_n_320_320.onnx"],
];

/** Dimensions that are still open become 1. */
function shapesOf(g: Graph): Map<string, readonly number[]> {
  return new Map(g.inputs.map((p) => [p.name, p.shape.map((d) => d < 0 ? 1 : d)]));
}

async function present(): Promise<boolean> {
  try {
    await Deno.stat(DATA);
    return true;
  } catch {
    return false;
  }
}

const ignore = !await present();
if (ignore) console.log(`skipped: ${MODELS.length} models of ../shared/data are absent`);

/** Histogram of operator types. */
function histogram(g: Graph): string {
  const counts = new Map<string, number>();
  for (const n of g.nodes) counts.set(n.op, (counts.get(n.op) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([op, n]) => `${op} ${n}`).join(", ");
}

for (const [file, given] of MODELS) {
  Deno.test({
    name: `optimize keeps the outputs of ${file}`,
    ignore,
    async fn() {
      const bytes = await Deno.readFile(new URL(file, DATA));
      let g = loadOnnx(bytes, { file, inputShapes: given });
      if (g.inputs.some((p) => p.shape.some((d) => d < 0))) {
        g = loadOnnx(bytes, { file, inputShapes: shapesOf(g) });
      }
      g = inferTypes(g);
      const r = await optimize(g, { engine, verify: true });
      console.log(`${file}: ${g.nodes.length} -> ${r.graph.nodes.length} nodes`);
      if (Deno.env.get("PASSES_VERBOSE")) {
        for (const s of r.steps) {
          if (s.fired > 0) console.log(`  ${s.pass}: ${s.fired} (${s.before} -> ${s.after})`);
        }
        for (const s of r.steps) {
          for (const x of s.reasons) console.log(`  ${s.pass} not at ${x.node}: ${x.why}`);
        }
        console.log(`  ${histogram(r.graph)}`);
      }
      await assertSame(g, r.graph, 5e-5);
    },
  });
}
