import { strict as assert } from "node:assert";
import { BpuError } from "../../errors.ts";
import { isStatic } from "../../ir/tensor.ts";
import { loadOrt } from "../../deps.ts";
import { loadCaffe } from "./load.ts";
import { compare, randomArr, run } from "./testing/harness.ts";
import { generator } from "./testing/random.ts";
import { arr } from "./testing/reference.ts";

const ort = await loadOrt();

const DATA = new URL("../../../../shared/data/", import.meta.url);
const CAFFE = new URL("models/caffe/", DATA);

interface Entry {
  readonly file: string;
  readonly proto?: string;
  readonly inputs: readonly (readonly [string, readonly number[]])[];
}

const listed = await Deno.readTextFile(new URL("models.json", DATA)).then(
  (t) => (JSON.parse(t) as Entry[]).filter((m) => m.proto !== undefined),
  () => undefined,
);
const absent = listed === undefined;
if (absent) console.log("skipped: 5 tests of Caffe models, the data folder is absent");

async function load(proto: string, model: string, base = CAFFE) {
  return loadCaffe(
    await Deno.readTextFile(new URL(proto, base)),
    await Deno.readFile(new URL(model, base)),
    { prototxtFile: proto, modelFile: model },
  );
}

Deno.test({
  name: "every listed Caffe model loads, and the runtime agrees with every inferred shape",
  ignore: absent,
  fn: async () => {
    assert.ok(listed!.length > 0);
    for (const m of listed!) {
      const g = await load(m.proto!, m.file, DATA);
      assert.deepEqual(g.inputs.map((i) => [i.name, [...i.shape]]), m.inputs, m.proto);
      const random = generator(1);
      const feeds = new Map(g.inputs.map((i) => [i.name, randomArr(i.shape, random)]));
      const all = await run(g, feeds);
      for (const o of g.outputs) {
        assert.ok(isStatic(o.shape) && all.get(o.name)!.data.every(Number.isFinite), m.proto);
      }
      const layers = (await Deno.readTextFile(new URL(m.proto!, DATA))).match(/name: *"[^"]+"/g)!;
      const names = new Set(layers.map((l) => l.split('"')[1]!));
      // Helper nodes aside, a node is called as its layer.
      for (const n of g.nodes) {
        const own = names.has(n.name) || names.has(n.name.slice(0, n.name.lastIndexOf("/")));
        assert.ok(own, `${m.proto}: ${n.name}`);
      }
    }
  },
});

Deno.test({
  name: "UltraFace RFB-320 from Caffe and from ONNX agree to 1e-5",
  ignore: absent,
  fn: async () => {
    const g = await load("ultraface/RFB-320.prototxt", "ultraface/RFB-320.caffemodel");
    const onnx = await ort.InferenceSession.create(
      await Deno.readFile(
        new URL("models/onnx/ultraface/version-RFB-320_without_postprocessing.onnx", DATA),
      ),
      { graphOptimizationLevel: "disabled", logSeverityLevel: 3 },
    );
    for (let seed = 1; seed <= 3; seed++) {
      const x = randomArr([1, 3, 240, 320], generator(seed));
      const caffe = await run(g, new Map([["input", x]]), false);
      const fed = new ort.Tensor("float32", Float32Array.from(x.data), [...x.shape]);
      const want = await onnx.run({ input: fed });
      for (const name of ["scores", "boxes"]) {
        const t = want[name]!;
        compare(caffe.get(name)!, arr([...t.dims], t.data as Float32Array), 1e-5, name);
      }
    }
  },
});

Deno.test({
  name: "LeNet: top-1 of 1000 digits as Caffe's",
  ignore: absent,
  fn: async () => {
    const unzip = async (name: string): Promise<Uint8Array> => {
      const file = await Deno.readFile(new URL(`datasets/mnist/${name}.gz`, DATA));
      const stream = new Blob([file]).stream().pipeThrough(new DecompressionStream("gzip"));
      return new Uint8Array(await new Response(stream).arrayBuffer());
    };
    const [images, labels] = [
      (await unzip("t10k-images-idx3-ubyte")).subarray(16),
      (await unzip("t10k-labels-idx1-ubyte")).subarray(8),
    ];
    const n = 1000;
    const g = loadCaffe(
      await Deno.readTextFile(new URL("lenet-mnist/lenet.prototxt", CAFFE)),
      await Deno.readFile(new URL("lenet-mnist/lenet.caffemodel", CAFFE)),
      { inputShapes: new Map([["data", [n, 1, 28, 28]]]) },
    );
    // Over all 10 000 it is 99.14 %, Caffe's own figure; of the first 1000 it has 990.
    const x = arr([n, 1, 28, 28], Array.from(images.subarray(0, n * 784), (v) => v / 256));
    const prob = (await run(g, new Map([["data", x]]), false)).get("prob")!;
    let right = 0;
    for (let i = 0; i < n; i++) {
      const row = prob.data.subarray(i * 10, i * 10 + 10);
      if (row.indexOf(Math.max(...row)) === labels[i]) right++;
    }
    assert.ok(right >= 988, `${right} of ${n}`);
  },
});

Deno.test({
  name: "a training net is refused at its first loss or accuracy layer",
  ignore: absent,
  fn: async () => {
    const proto = "cifar10-resnet20/test_ResNet_20.prototxt";
    const text = await Deno.readTextFile(new URL(proto, CAFFE));
    const line = text.split("\n").findIndex((l) => /"(Accuracy|SoftmaxWithLoss)"/.test(l)) + 1;
    await assert.rejects(
      load(proto, "cifar10-resnet20/cifar10_ResNet_20_iter_53500.caffemodel"),
      (e: unknown) =>
        e instanceof BpuError && e.code === "unsupported" && e.place.line === line &&
        /^Not support layer name=\S+ type=\S+$/.test(e.message),
    );
  },
});

Deno.test({
  name: "weights of another net are refused",
  ignore: absent,
  fn: async () => {
    await assert.rejects(
      load("mtcnn/det1.prototxt", "mtcnn/det2.caffemodel"),
      (e: unknown) =>
        e instanceof BpuError && e.code === "model" && /Convolution conv1/.test(e.sentence()),
    );
  },
});
