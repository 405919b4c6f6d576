// Real models: the file and what we make of it compute the same in stock onnxruntime-web.
import assert from "node:assert/strict";
import { fromBinary } from "../../deps.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { ModelProtoSchema } from "./gen/onnx_pb.ts";
import { loadOnnx } from "./load.ts";
import { saveOnnx } from "./save.ts";
import { differs, randomTensor, runOrt } from "./test_models.ts";
import { upgrades } from "./upgrade/table.ts";

const root = new URL("../../../../shared/data/models/", import.meta.url);

/** Sizes for the dimensions that a model leaves open. */
const shapes: ReadonlyMap<string, readonly number[]> = new Map([
  ["super_resolution.onnx", [2, 1, 224, 224]],
  ["ch_ppocr_mobile_v2.0_cls_infer.onnx", [1, 3, 48, 192]],
  ["vit_pgd_2_3_16.onnx", [1, 3, 32, 32]],
  ["micro_kws_qdq.onnx", [1, 1960]],
]);

function modelsBelow(dir: URL): URL[] {
  const found: URL[] = [];
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(dir)];
  } catch {
    return found;
  }
  for (const e of entries) {
    const url = new URL(encodeURIComponent(e.name) + (e.isDirectory ? "/" : ""), dir);
    if (e.isDirectory) found.push(...modelsBelow(url));
    else if (e.name.endsWith(".onnx")) found.push(url);
  }
  return found.sort((a, b) => a.href < b.href ? -1 : 1);
}

const models = modelsBelow(root);
if (models.length === 0) {
  console.log("models_test: 17 real models skipped, ../shared/data is absent");
}

for (const url of models) {
  const name = decodeURIComponent(url.pathname.split("/").pop()!);
  Deno.test(`${name} loads, saves and computes the same`, async () => {
    const bytes = await Deno.readFile(url);
    const shape = shapes.get(name);
    const first = loadOnnx(bytes).inputs[0]!.name;
    const inputShapes = new Map(shape === undefined ? [] : [[first, shape]]);
    const g = loadOnnx(bytes, { file: name, inputShapes });
    const saved = saveOnnx(g);
    assert.deepEqual(loadOnnx(saved), g);

    const feeds = new Map<string, Tensor>();
    g.inputs.forEach((p, i) => {
      assert.equal(p.dtype, "float32");
      feeds.set(p.name, randomTensor(p.shape, 100 + i, 1));
    });
    const proto = fromBinary(ModelProtoSchema, bytes);
    const opset = proto.opsetImport.find((o) => o.domain === "")!.version;
    const rewritten = opset !== 17n && proto.graph!.node.some((n) => upgrades.has(n.opType));
    const expected = await runOrt(bytes, feeds);
    const got = await runOrt(saved, feeds);
    for (const [output, t] of expected) {
      // A newer opset may mean another kernel: the same sums in another order.
      assert.equal(differs(t, got.get(output), rewritten ? 1e-6 : 0), "", output);
    }
  });
}
