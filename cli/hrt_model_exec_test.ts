import { deepStrictEqual as equal, match } from "node:assert/strict";
import { makeModel, smallConfig, smallGraph } from "../src/flow/testing.ts";
import { saveOnnx } from "../src/formats/onnx/save.ts";
import { encodePng } from "../src/formats/image/mod.ts";
import { inFolder, runTool } from "./testing.ts";

const access = (dir: string) => [`--allow-read=${dir}`, `--allow-write=${dir}`];

Deno.test("hrt_model_exec infer dumps what hb_mapper infer dumps", async () => {
  const small = { typeRt: "nv12", softmax: true, layers: true } as const;
  const rgb = Uint8Array.from({ length: 192 }, (_, i) => (i * 37) % 256);
  const files = new Map<string, Uint8Array | string>([
    ["m.bin", (await makeModel(small)).get("small.bin")!],
    ["small.onnx", saveOnnx(smallGraph(small))],
    ["x.png", await encodePng({ width: 8, height: 8, channels: 3, data: rgb })],
  ]);
  await inFolder(files, async (dir) => {
    await Deno.writeTextFile(
      `${dir}/config.yaml`,
      smallConfig(small).replace("'skip'", "'skip'\n  preprocess_on: True"),
    );
    const mapper = await runTool("hb_mapper", access(dir), [
      ...["infer", "-c", "config.yaml", "--model-file", "m.bin", "--model-type", "onnx"],
      ...["--image-file", "data", "x.png", "--output-dir", "mapped"],
    ], dir);
    equal(mapper.code, 0, mapper.err);
    const exec = (...args: string[]) => runTool("hrt_model_exec", access(dir), args, dir);
    const infer = await exec(
      ...["infer", "--model_file=m.bin", "--input_file=x.png", "--enable_dump", "--dump_path", "d"],
      ...["--dump_intermediate", "1", "--enable_cls_post_process=true"],
    );
    equal(infer.code, 0, infer.err);
    match(infer.out, /This model file has 1 model:\n\[small\]\n-{69}\n-{21}Frame 0 begin-{21}\n/);
    match(infer.out, /\nInfer time: [\d.]+ ms\n-{21}Frame 0 end-{21}\n/);
    match(infer.out, /\nTOP 4 result id: \d+\n$/);
    const diff = await runTool("vec_diff", access(dir), ["d", "mapped", "--json"], dir);
    const rows = JSON.parse(diff.out).rows;
    const names = rows.map((r: { right: string }) => r.right).sort();
    equal(names.filter((n: string) => /^(conv1|conv2|y)_float\.bin$/.test(n)), [
      ...["conv1_float.bin", "conv2_float.bin", "y_float.bin"],
    ]);
    for (const r of rows) equal(r.max_absolute, 0, r.right);

    // The smaller tool writes the convolutions and outputs only.
    const dump = await runTool("hrt_bin_dump", access(dir), [
      ...["-model_file=m.bin", "-input_file=x.png", "--conv_dump_path=f", "--json"],
    ], dir);
    equal(dump.code, 0, dump.err);
    equal(JSON.parse(dump.out).files, ["conv1", "conv2", "y"].map((n) => `f/${n}_float.bin`));
    for (const n of ["conv1", "conv2"]) {
      const file = `${n}_float.bin`;
      equal(await Deno.readFile(`${dir}/f/${file}`), await Deno.readFile(`${dir}/mapped/${file}`));
    }

    // The dumped input gives the same outputs again: it is what the camera would have delivered.
    equal((await Deno.stat(`${dir}/d/model_infer_input_0_data.bin`)).size, 96);
    const again = await exec(
      ...["infer", "--model_file", "m.bin", "--input_file", "d/model_infer_input_0_data.bin"],
      ...["--enable_dump", "true", "--dump_path", "e", "--dump_format", "txt", "--json"],
    );
    equal(JSON.parse(again.out).files, [
      "e/model_infer_input_0_data.bin",
      "e/model_infer_output_0_y.txt",
    ]);
    const text = (await Deno.readTextFile(`${dir}/e/model_infer_output_0_y.txt`)).trim();
    const first = new Float32Array(
      (await Deno.readFile(`${dir}/d/model_infer_output_0_y.bin`)).buffer,
    );
    equal(text.split("\n").map(Number), Array.from(first, (v) => Number(v.toFixed(9))));

    const layers = [...Deno.readDirSync(`${dir}/d`)].map((e) => e.name);
    for (const name of [/-HzSQuantizedConv-conv1-output-0-/, /-Softmax-prob-output-0-y\.bin$/]) {
      equal(layers.filter((n) => /^layer-\d+-/.test(n) && name.test(n)).length, 1);
    }
  });
});

Deno.test("hrt_model_exec with integer outputs: scales shown, dequantized dumps", async () => {
  const model = (await makeModel({})).get("small.bin")!;
  await inFolder(new Map([["m.bin", model]]), async (dir) => {
    const exec = (...args: string[]) => runTool("hrt_model_exec", access(dir), args, dir);
    await runTool("hb_model_modifier", access(dir), ["m.bin", "-a", "Dequantize"], dir);
    await Deno.writeFile(
      `${dir}/x.bin`,
      new Uint8Array(Float32Array.from({ length: 192 }, (_, i) => Math.cos(i)).buffer),
    );
    for (const [file, to] of [["m.bin", "float"], ["m_modified.bin", "int"]] as const) {
      const r = await exec(
        ...["infer", "--model_file", file, "--input_file", "x.bin", "--enable_dump"],
        ...["--dump_path", to, "--hybrid_dequantize_process", "1"],
      );
      equal(r.code, 0, r.err);
    }
    const y = (folder: string) => Deno.readFile(`${dir}/${folder}/model_infer_output_0_y.bin`);
    equal(await y("int"), await y("float"));

    const info = await exec("model_info", "--model_file", "m_modified.bin");
    match(
      info.out,
      /output\[0\]: \nname: y\nvalid shape: \(1,5,8,8,\)\naligned shape: \(1,5,8,8,\)\naligned byte size: 1280\ntensor type: HB_DNN_TENSOR_TYPE_S32\ntensor layout: HB_DNN_LAYOUT_NCHW\nquanti type: SCALE\nstride: \(1280,256,32,4,\)\nscale data: [\d.,e-]+,\nquantizeAxis: 1\n/,
    );
    match(info.out, /tensor type: HB_DNN_TENSOR_TYPE_F32\ntensor layout: HB_DNN_LAYOUT_NCHW\n/);

    const plain = await runTool("hrt_bin_dump", access(dir), [
      ...["--model_file", "m.bin", "--input_file", "x.bin"],
    ], dir);
    equal([plain.code, /made without layer_out_dump/.test(plain.err)], [9, true]);
    const wrong = await exec("infer", "--model_file", "m.bin", "--input_file", "x.bin,x.bin");
    equal(wrong.code, 2);
    match(wrong.err, /the model has 1 inputs, --input_file names 2 files/);
    const size = await exec("infer", "--model_file", "m.bin", "--input_file", "m.bin");
    equal(size.code, 4);
    match(size.err, /input data takes 768 bytes \(F32 1x3x8x8 in NCHW\), the file has \d+/);
  });
});

Deno.test("hrt_model_exec perf counts every frame, on one thread and on two", async () => {
  const model = (await makeModel({ softmax: true })).get("small.bin")!;
  await inFolder(new Map([["m.bin", model]]), async (dir) => {
    const perf = (permissions: string[], ...args: string[]) =>
      runTool("hrt_model_exec", permissions, ["perf", "--model_file", "m.bin", ...args], dir);
    const one = await perf([`--allow-read=${dir}`], "--frame_count", "7");
    equal(one.code, 0, one.err);
    match(one.out, /\nFrame count: 7, {2}Thread Average: \d+\.\d{6} ms, {2}thread max latency: /);
    match(
      one.out,
      /\n\nRunning condition:\n {2}Thread number is: 1\n {2}Frame count {3}is: 7\n {2}Program run time: [\d.]+ ms\nPerf result:\n {2}Frame totally latency is: [\d.]+ ms\n {2}Average {4}latency {4}is: [\d.]+ ms\n {2}Frame {6}rate {7}is: [\d.]+ FPS\n$/,
    );
    const root = decodeURI(new URL("../", import.meta.url).pathname);
    const two = await perf(
      [`--allow-read=${dir},${root}`],
      ...["--frame_count", "7", "--thread_num", "2", "--json"],
    );
    const { threads, frames } = JSON.parse(two.out);
    equal({ threads, frames }, { threads: 2, frames: 7 }, two.err);
    // Without access to bpukit's own files there is one thread, and a sentence.
    const fallback = await perf([`--allow-read=${dir}`], "--thread_num", "2", "--frame_count", "2");
    match(fallback.err, /WARNING one thread is used: Deno was not allowed/);
    match(fallback.out, /Thread number is: 1\n/);
    const none = await perf([`--allow-read=${dir}`], "--frame_count", "0");
    equal(none.code, 2);
  });
});
