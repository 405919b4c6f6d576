import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { readBin, writeBin } from "../container/bin.ts";
import { makeModel } from "../flow/testing.ts";
import { saveOnnx } from "../formats/onnx/save.ts";
import { node } from "../ir/graph.ts";
import type { Graph } from "../ir/graph.ts";
import type { DType, Tensor } from "../ir/tensor.ts";
import { functionsOf } from "../ops/functions.ts";
import { HB_ONNXRuntime } from "./hb_onnxruntime.ts";

const picture = Uint8Array.from({ length: 192 }, (_, i) => (i * 37) % 256);
const shifted = Int8Array.from(picture, (v) => v - 128);
const floats = Float32Array.from(picture);

const models = await makeModel({ typeRt: "rgb", prefix: "m" });
const features = await makeModel({ prefix: "f" });

const relu = (dtype: DType, shape: number[] = [1, 4]): Graph => ({
  name: "relu",
  opset: 17,
  domains: new Map(),
  nodes: [node("Identity", "n", ["x"], ["y"]), node("Identity", "m", ["y"], ["z"])],
  inputs: [{ name: "x", dtype, shape }],
  outputs: ["y", "z"].map((name) => ({ name, dtype, shape })),
  constants: new Map(),
  types: new Map(),
  metadata: new Map(),
});

async function outputs(
  file: Uint8Array,
  x: Uint8Array | Int8Array | Float32Array,
  offset?: number,
) {
  await using sess = await HB_ONNXRuntime.create(file);
  const [y] = await sess.run(null, { [sess.input_names[0]!]: x }, offset);
  return y!.data as Float32Array;
}

for (const stage of ["original_float", "optimized_float", "calibrated", "quantized"]) {
  Deno.test(`${stage} model: uint8, int8 and float32 pictures give the same result`, async () => {
    const file = models.get(`m_${stage}_model.onnx`)!;
    const y = await outputs(file, picture);
    equal(y.length, 320);
    deepEqual(await outputs(file, shifted), y);
    deepEqual(await outputs(file, floats), y);
    deepEqual(await outputs(file, floats, 128), y);
    deepEqual(await outputs(file, floats.map((v) => v - 128), 0), y);
    equal(y.some((v) => v !== y[0]), true);
  });
}

Deno.test("custom operators: files are registered with the session", async () => {
  const g: Graph = {
    ...relu("float32"),
    domains: new Map([["horizon.custom", 1]]),
    nodes: [
      node("Abs", "a", ["x"], ["y"]),
      node(
        "PyOp",
        "twice",
        ["y"],
        ["z"],
        { class_name: { type: "string", value: "Twice" } },
        "horizon.custom",
      ),
    ],
  };
  const text = `export const Twice = {
  infer_shape: (s) => s,
  compute([x]) {
    if (x.data[0] > 5) throw new Error("too large");
    return [x.data.map((v) => 2 * v)];
  },
};`;
  const custom_op = [{ file: "ops/twice.ts", bytes: new TextEncoder().encode(text) }];
  const x = Float32Array.of(-1, 2, -3, 4);
  for (const model of [g, saveOnnx(g)]) {
    await using sess = await HB_ONNXRuntime.create(model, { custom_op });
    deepEqual([...(await sess.run(["z"], { x }))[0]!.data], [2, 4, 6, 8]);
    await rejects(
      sess.run(null, { x: x.map((v) => 10 * v) }),
      (e: Error & { sentence(): string }) =>
        e.sentence().startsWith("ops/twice.ts:4:30: Twice twice: too large"),
    );
  }
  await rejects(HB_ONNXRuntime.create(g), /has custom operators/);
  await rejects(HB_ONNXRuntime.create(g, { custom_op: [] }), /no file registers .* Twice/);
});

Deno.test(".bin and quantized model give the same bits", async () => {
  const bin = models.get("m.bin")!;
  deepEqual(
    await outputs(bin, picture),
    await outputs(models.get("m_quantized_model.onnx")!, picture),
  );
  const sess = new HB_ONNXRuntime(bin, { file: "m.bin" });
  throws(() => sess.input_names, /has not been read yet/);
  const [y] = await sess.run(["y"], { data: shifted });
  deepEqual(y!.data, await outputs(bin, picture));
  deepEqual(sess.get_inputs(), [
    { name: "data", shape: [1, 3, 8, 8], dtype: "int8", type: "tensor(int8)" },
  ]);
  await sess.close();
  await rejects(sess.run(null, { data: shifted }), /closed/);
});

Deno.test("a .bin of several samples takes the batch, or one sample", async () => {
  const bin = await readBin(models.get("m.bin")!, "m.bin");
  const both = await writeBin({ ...bin, program: { ...bin.program, batch: 2 } }, functionsOf);
  await using sess = await HB_ONNXRuntime.create(both);
  deepEqual(sess.get_inputs()[0]!.shape, [2, 3, 8, 8]);
  deepEqual(sess.get_outputs()[0]!.shape, [2, 5, 8, 8]);
  const other = picture.map((v) => 255 - v);
  const pair = new Uint8Array(384);
  pair.set(picture);
  pair.set(other, 192);
  const [y] = await sess.run(null, { data: pair });
  deepEqual(y!.shape, [2, 5, 8, 8]);
  const single = models.get("m.bin")!;
  deepEqual(y!.data.slice(0, 320), await outputs(single, picture));
  deepEqual(y!.data.slice(320), await outputs(single, other));
  const [one] = await sess.run(null, { data: other });
  deepEqual(one!.data, y!.data.slice(320));
  await rejects(sess.run(null, { data: new Uint8Array(576) }), /2x3x8x8, got 576 values/);
});

Deno.test("the offset is what a float picture loses, and only where preprocessing is", async () => {
  const original = models.get("m_original_float_model.onnx")!;
  const [a, b] = [await outputs(original, floats, 0), await outputs(original, floats)];
  equal(a.some((v, i) => v !== b[i]), true);
  // A feature map: untouched by default and by run_feature, shifted when it is asked for.
  const file = features.get("f_original_float_model.onnx")!;
  await using sess = new HB_ONNXRuntime(file);
  const feed = { data: floats };
  const plain = (await sess.run(null, feed))[0]!;
  deepEqual((await sess.run_feature(["y"], feed))[0], plain);
  const moved = (await sess.run(null, feed, 128))[0]!;
  deepEqual((await sess.run(null, { data: floats.map((v) => v - 128) }))[0], moved);
});

Deno.test("plain models: names, order, ports, every way to give values", async () => {
  await using sess = new HB_ONNXRuntime(relu("float32"));
  deepEqual(sess.input_names, ["x"]);
  deepEqual(sess.output_names, ["y", "z"]);
  deepEqual(sess.get_outputs()[1], {
    name: "z",
    shape: [1, 4],
    dtype: "float32",
    type: "tensor(float)",
  });
  const x: Tensor = { dtype: "float32", shape: [1, 4], data: Float32Array.of(1, 2, 3, 4) };
  for (const feed of [{ x }, { x: x.data as Float32Array }, new Map([["x", x]])]) {
    const out = await sess.run(["z", "y"], feed);
    equal(out.length, 2);
    deepEqual(out[0]!.data, x.data);
  }
  deepEqual(
    (await sess.run(null, { x: Uint8Array.of(1, 2, 3, 255) }))[0]!.data,
    [
      ...Float32Array.of(1, 2, 3, 255),
    ].reduce((a, v, i) => (a[i] = v, a), new Float32Array(4)),
  );
});

Deno.test("a free dimension takes any number of rows", async () => {
  await using sess = new HB_ONNXRuntime(relu("float32", [-1, 2]));
  deepEqual((await sess.run(null, { x: new Float32Array(6) }))[0]!.shape, [3, 2]);
  await rejects(sess.run(null, { x: new Float32Array(5) }), /shape \?x2, got 5 values/);
});

Deno.test("uint8 inputs take shifted bytes", async () => {
  await using sess = new HB_ONNXRuntime(relu("uint8"));
  const [y] = await sess.run(null, { x: Int8Array.of(-128, 0, 1, 127) });
  deepEqual([...y!.data as Uint8Array], [0, 128, 129, 255]);
});

Deno.test("what would lose values is refused with a sentence", async () => {
  const quantized = models.get("m_quantized_model.onnx")!;
  await using sess = new HB_ONNXRuntime(quantized);
  const half = floats.map((v) => v + 0.5);
  await rejects(sess.run(null, { data: half }), /takes int8, got float32: 0.5 minus .* is no int8/);
  await rejects(sess.run(null, { data: picture }, 0), /no int8/);
  await rejects(sess.run(null, { data: Int32Array.from(picture) }), /values could be lost/);
  await rejects(sess.run(null, { data: picture }, 300), /whole number of 0\.\.255/);
  await rejects(sess.run(null, { x: picture }), /no input x/);
  await rejects(sess.run(null, {}), /no value was given for input data/);
  await rejects(sess.run(["no"], { data: picture }), /no output no/);
  const nhwc: Tensor = { dtype: "uint8", shape: [1, 8, 8, 3], data: picture };
  await rejects(
    sess.run(null, { data: nhwc }),
    (e: Error & { sentence(): string }) =>
      /1x3x8x8, got 1x8x8x3/.test(e.sentence()) && /transpose/.test(e.sentence()),
  );
  await using u8 = new HB_ONNXRuntime(relu("uint8"));
  await rejects(u8.run(null, { x: new Float32Array(4) }), /values could be lost/);
  await using f32 = new HB_ONNXRuntime(relu("float32"));
  await rejects(f32.run(null, { x: new Float64Array(4) }), /values could be lost/);
});

Deno.test("what is no model is refused", async () => {
  throws(() => new HB_ONNXRuntime(new Uint8Array(0), { file: "a.onnx" }), /empty/);
  throws(() => new HB_ONNXRuntime(Uint8Array.of(255, 255, 255, 1)), /damaged/);
  throws(() => new HB_ONNXRuntime("/does/not/exist.onnx"), /does not exist/);
  const cut = models.get("m.bin")!.slice(0, -70);
  await rejects(HB_ONNXRuntime.create(cut, { file: "cut.bin" }), /cut|truncated|damaged|bytes/);
});

Deno.test("the input type that a stage model states counts before its nodes", async () => {
  const x = { name: "x", dtype: "float32", shape: [1, 1, 1, 2] } as const;
  const stated = (type: string): Graph => ({
    ...relu("float32", [1, 1, 1, 2]),
    inputs: [x],
    metadata: new Map([["bpukit_input_type:x", type]]),
  });
  for (const [type, expected] of [["GRAY_128", 1 - 128], ["featuremap", 1]] as const) {
    const graph = stated(type);
    for (const model of [graph, saveOnnx(graph)]) {
      await using sess = new HB_ONNXRuntime(model);
      equal((await sess.run(null, { x: Float32Array.of(1, 2) }))[0]!.data[0], expected);
    }
  }
});
