import assert from "node:assert/strict";
import { BpuError } from "../../errors.ts";
import { bytesOfTensor, f32, tensor } from "../../ir/tensor.ts";
import type { CompleteInput } from "../config/types.ts";
import { encodePng } from "../image/png_encode.ts";
import { resize } from "../image/resize.ts";
import { writeNpy } from "../npy/npy.ts";
import { openCalibration, randomCalibration } from "./calibration.ts";
import { loadSample } from "./load.ts";
import { sampleFiles, sortByBytes } from "./source.ts";
import { input, memory } from "./test_inputs.ts";

const small = input({ shape: [1, 3, 2, 2] });
const values = Array.from({ length: 12 }, (_, k) => k * 3);

async function refusal(work: Promise<unknown>): Promise<BpuError> {
  try {
    await work;
  } catch (e) {
    assert.ok(e instanceof BpuError, String(e));
    return e;
  }
  throw new Error("not refused");
}

const load = (bytes: Uint8Array, i: CompleteInput = small, preprocessOn = false) =>
  loadSample(memory({ "cal/a": bytes }), "cal/a", i, { preprocessOn });

Deno.test("load: raw files of every type", async () => {
  for (const calDataType of ["float32", "uint8", "int32", "int16", "int8"] as const) {
    const data = {
      float32: Float32Array,
      uint8: Uint8Array,
      int32: Int32Array,
      int16: Int16Array,
      int8: Int8Array,
    }[calDataType].from(values);
    const bytes = bytesOfTensor(tensor(calDataType, [12], data));
    const t = await load(bytes, { ...small, calDataType });
    assert.equal(t.dtype, "float32");
    assert.deepEqual(t.shape, [1, 3, 2, 2]);
    assert.deepEqual([...t.data as Float32Array], values, calDataType);
  }
  const negative = await load(bytesOfTensor(tensor("int16", [12], new Int16Array(12).fill(-300))), {
    ...small,
    calDataType: "int16",
  });
  assert.equal((negative.data as Float32Array)[3], -300);
});

Deno.test("load: a wrong size names the file, both sizes, shape and dtype, and what it would fit", async () => {
  const e = await refusal(load(new Uint8Array(12)));
  assert.equal(e.code, "calibration");
  assert.equal(e.place.file, "cal/a");
  assert.equal(
    e.message,
    "this calibration sample has 12 bytes, input data needs 48 (shape 1x3x2x2 in NCHW, dtype float32)",
  );
  assert.match(e.place.hint!, /cal_data_type: 'uint8'/);
  assert.match(
    (await refusal(load(new Uint8Array(48), { ...small, calDataType: "uint8" }))).place.hint!,
    /'float32'/,
  );
  assert.match(
    (await refusal(load(new Uint8Array(6), { ...small, calDataType: "uint8" }))).place.hint!,
    /nv12/,
  );
  const picture = await encodePng({ width: 2, height: 2, channels: 3, data: new Uint8Array(12) });
  assert.match((await refusal(load(picture))).place.hint!, /preprocess_on: True/);
  assert.match((await refusal(load(new Uint8Array(0)))).message, /0 bytes/);
});

Deno.test("load: .npy says its own type; a missing batch dimension is fine, a wrong layout is not", async () => {
  const accepted = [
    f32([1, 3, 2, 2], values),
    f32([3, 2, 2], values),
    f32([12], values),
    tensor("uint8", [1, 3, 2, 2], Uint8Array.from(values)),
    tensor("float64", [3, 2, 2], Float64Array.from(values)),
    tensor("int64", [1, 3, 2, 2], BigInt64Array.from(values, BigInt)),
  ];
  for (const t of accepted) {
    assert.deepEqual([...(await load(writeNpy(t))).data as Float32Array], values, t.dtype);
  }
  const layout = await refusal(load(writeNpy(f32([1, 2, 2, 3], values))));
  assert.match(
    layout.message,
    /holds 1x2x2x3 float32 \(48 bytes\), input data needs 48 bytes \(shape 1x3x2x2 in NCHW, dtype float32\)/,
  );
  assert.match(layout.place.hint!, /Transpose it to NCHW/);
  const size = await refusal(load(writeNpy(f32([1, 3, 2, 1], values.slice(0, 6)))));
  assert.match(size.message, /\(24 bytes\), input data needs 48 bytes/);
  const cut = await refusal(load(writeNpy(f32([12], values)).subarray(0, 140)));
  assert.equal(cut.code, "calibration");
  assert.match(cut.message, /48 bytes/);
});

Deno.test("load: NaN and infinity are refused", async () => {
  const bad = values.slice();
  bad[5] = NaN;
  assert.match((await refusal(load(writeNpy(f32([12], bad))))).message, /NaN at element 5/);
  bad[5] = Infinity;
  assert.match(
    (await refusal(load(bytesOfTensor(f32([12], bad))))).message,
    /Infinity at element 5/,
  );
});

Deno.test("load: pictures are resized like skimage and brought to the training type", async () => {
  const data = Uint8Array.from({ length: 8 * 6 * 3 }, (_, k) => (k * 29) & 255);
  const picture = { width: 8, height: 6, channels: 3, data };
  const png = await encodePng(picture);
  const fitted = resize(picture, 4, 2, "antialias").data;
  const shape = [1, 3, 2, 4];
  const rgb = await load(png, input({ shape }), true);
  const bgr = await load(
    png,
    input({ shape: [1, 2, 4, 3], typeTrain: "bgr", layoutTrain: "NHWC" }),
    true,
  );
  for (let p = 0; p < 8; p++) {
    for (let c = 0; c < 3; c++) {
      assert.equal((rgb.data as Float32Array)[c * 8 + p], fitted[3 * p + c]);
      assert.equal((bgr.data as Float32Array)[3 * p + 2 - c], fitted[3 * p + c]);
    }
  }
  const gray = await load(
    png,
    input({ shape: [2, 1, 2, 4], typeTrain: "gray", typeRt: "gray" }),
    true,
  );
  const g = gray.data as Float32Array;
  assert.ok(
    Math.abs(g[3]! - (0.299 * fitted[9]! + 0.587 * fitted[10]! + 0.114 * fitted[11]!)) < 1e-3,
  );
  assert.deepEqual(g.subarray(0, 8), g.subarray(8));
  const yuv = await load(png, input({ shape, typeTrain: "yuv444", typeRt: "yuv444" }), true);
  assert.ok(Math.abs((yuv.data as Float32Array)[3]! - g[3]!) < 1e-3);
});

Deno.test("load: preprocess_on refuses what is not a picture, and featuremaps", async () => {
  assert.match((await refusal(load(new Uint8Array(48), small, true))).message, /not a JPEG/);
  const png = await encodePng({ width: 2, height: 2, channels: 1, data: new Uint8Array(4) });
  const feature = input({ typeTrain: "featuremap", typeRt: "featuremap" });
  assert.match((await refusal(load(png, feature, true))).message, /featuremap/);
  const broken = await refusal(load(png.subarray(0, 45), small, true));
  assert.equal(broken.place.file, "cal/a");
  const notes: string[] = [];
  await loadSample(memory({ "cal/a": png }), "cal/a", small, {
    preprocessOn: true,
    note: (f, t) => notes.push(`${f}: ${t}`),
  });
  assert.deepEqual(notes, ["cal/a: grey is repeated in three channels"]);
});

Deno.test("source: order by bytes, hidden files left out, limit, errors", async () => {
  assert.deepEqual(sortByBytes(["b", "a10", "a2", "B", "é", "z", "\u{1F600}", "\uFFFD"]), [
    "B",
    "a10",
    "a2",
    "b",
    "z",
    "é",
    "\uFFFD",
    "\u{1F600}",
  ]);
  const one = new Uint8Array(1);
  const source = memory({
    "d/b": one,
    "d/a": one,
    "d/.hidden": one,
    "d/Thumbs.db": one,
    "d/c": one,
  });
  assert.deepEqual(await sampleFiles(source, "d"), ["d/a", "d/b", "d/c"]);
  assert.deepEqual(await sampleFiles(source, "d", 2), ["d/a", "d/b"]);
  const missing = await refusal(sampleFiles(source, "nowhere"));
  assert.equal(missing.code, "calibration");
  assert.match(missing.message, /folder nowhere cannot be read/);
  assert.match((await refusal(sampleFiles(source, "empty"))).message, /folder empty is empty/);
  const folder = await refusal(loadSample(memory({ "d/sub/x": one }), "d/sub", small));
  assert.equal(folder.place.file, "d/sub");
  assert.match(folder.place.hint!, /regular files only/);
});

Deno.test("calibration: samples of all inputs, lazily, in order, limited", async () => {
  const feature = input({
    name: "f",
    typeTrain: "featuremap",
    typeRt: "featuremap",
    shape: [1, 2],
    calDataDir: "two",
  });
  const npy = (k: number) => writeNpy(f32([1, 2], [k, -k]));
  const image = (k: number) => writeNpy(f32([12], values.map((v) => v + k)));
  const source = memory({
    "cal/2": image(2),
    "cal/1": image(1),
    "cal/3": image(3),
    "two/c": npy(3),
    "two/b": npy(2),
    "two/a": npy(1),
  });
  const set = await openCalibration(source, [small, feature], { limit: 2 });
  assert.equal(set.count, 2);
  assert.deepEqual(source.reads, []);
  assert.deepEqual([...set.files(1)], [["data", "cal/2"], ["f", "two/b"]]);
  const raw = await set.raw(1);
  assert.deepEqual([...raw.get("f")!.data as Float32Array], [2, -2]);
  assert.equal((raw.get("data")!.data as Float32Array)[0], 2);
  assert.deepEqual(source.reads, ["cal/2", "two/b"]);
  const ready = await set.sample(0);
  assert.ok((ready.get("data")!.data as Float32Array).every((v) => v >= -128 && v <= 127));
  await assert.rejects(set.raw(3), BpuError);
});

Deno.test("calibration: different numbers of samples, a missing folder, odd values", async () => {
  const one = writeNpy(f32([12], values));
  const other = { ...small, name: "b", calDataDir: "b" };
  const source = memory({ "cal/1": one, "cal/2": one, "b/1": one });
  assert.match(
    (await refusal(openCalibration(source, [small, other]))).message,
    /data has 2 in cal, b has 1 in b/,
  );
  assert.match(
    (await refusal(openCalibration(source, [{ ...small, calDataDir: undefined }]))).message,
    /no calibration folder/,
  );
  const warnings: string[] = [];
  const scaled = memory({ "cal/1": writeNpy(f32([12], values.map((v) => v / 255))) });
  const set = await openCalibration(scaled, [small], { warn: (t) => warnings.push(t) });
  await set.sample(0);
  assert.match(warnings.join(), /^cal\/1: input data: values from 0 to 0\.1294 look normalised/);
});

Deno.test("calibration: random data is the same every time and in range", async () => {
  const feature = input({
    name: "f",
    typeTrain: "featuremap",
    typeRt: "featuremap",
    shape: [4, 500],
  });
  const a = randomCalibration([small, feature], 2), b = randomCalibration([small, feature], 2);
  assert.deepEqual(await a.raw(1), await b.raw(1));
  assert.notDeepEqual((await a.raw(0)).get("f"), (await a.raw(1)).get("f"));
  for (const v of (await a.raw(0)).get("data")!.data as Float32Array) {
    assert.ok(Number.isInteger(v) && v >= 0 && v <= 255);
  }
  const f = (await a.sample(0)).get("f")!.data as Float32Array;
  const mean = f.reduce((s, v) => s + v, 0) / f.length;
  const variance = f.reduce((s, v) => s + v * v, 0) / f.length;
  assert.ok(Math.abs(mean) < 0.1 && Math.abs(variance - 1) < 0.15, `${mean} ${variance}`);
});
