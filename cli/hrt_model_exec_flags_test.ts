import { deepStrictEqual as equal, match } from "node:assert/strict";
import { makeModel, smallConfig, smallGraph } from "../src/flow/testing.ts";
import { saveOnnx } from "../src/formats/onnx/save.ts";
import { crop, encodePng, picture, resize, rgbToNv12 } from "../src/formats/image/mod.ts";
import { parseRois } from "../src/run/resizer.ts";
import { gflags } from "./hrt_model_exec.ts";
import { inFolder, runTool } from "./testing.ts";

const access = (dir: string) => [`--allow-read=${dir}`, `--allow-write=${dir}`];

Deno.test("flags as gflags writes them", () => {
  equal(
    gflags(["infer", "-model_file", "m.bin", "-roi=0,0,1,1", "--dump-path", "a-b_c", "-v"]),
    ["infer", "--model_file", "m.bin", "--roi=0,0,1,1", "--dump_path", "a-b_c", "-v"],
  );
  equal(gflags(["--noenable_dump", "--notes", "--json"]), [
    ...["--enable_dump=false", "--notes", "--json"],
  ]);
});

Deno.test("hrt_model_exec with the resizer: a region of the picture, plane by plane", async () => {
  const small = { typeRt: "nv12" } as const;
  const rgb = picture(
    41,
    30,
    3,
    Uint8Array.from({ length: 41 * 30 * 3 }, (_, i) => (i * i) % 253),
  );
  const files = new Map<string, Uint8Array | string>([
    ["small.onnx", saveOnnx(smallGraph(small))],
    [
      "config.yaml",
      `${smallConfig(small)}  input_source: {'data': 'resizer'}\n`,
    ],
    ["x.png", await encodePng(rgb)],
  ]);
  await inFolder(files, async (dir) => {
    const made = await runTool("hb_mapper", access(dir), [
      ...["makertbin", "-c", "config.yaml", "--model-type", "onnx"],
    ], dir);
    equal(made.code, 0, made.err);
    const exec = (...args: string[]) =>
      runTool(
        "hrt_model_exec",
        access(dir),
        [...args, "--model_file=out/small.bin", "--input_file=x.png"],
        dir,
      );
    const roi = ["--roi_infer", "--roi", "4,2,23,21"];
    const r = await exec("infer", ...roi, "-enable_dump", "--dump_path=d");
    equal(r.code, 0, r.err);
    const given = await Deno.readFile(`${dir}/d/model_infer_input_0_data.bin`);
    const nv12 = rgbToNv12(crop(rgb, 0, 0, 40, 30));
    const plane = (at: number, step: number) => {
      const [w, h] = [40 / step, 30 / step];
      const data = nv12.subarray(at, at + w * h * step);
      const part = crop(
        { width: w, height: h, channels: step, data },
        4 / step,
        2 / step,
        20 / step,
        20 / step,
      );
      return resize(part, 8 / step, 8 / step).data;
    };
    equal([...given], [...plane(0, 1), ...plane(1200, 2)]);
    const perf = await exec("perf", ...roi, "--frame_count=2", "--json");
    equal(JSON.parse(perf.out).frames, 2, perf.err);

    for (
      const [args, code, why] of [
        [["--roi", "4,2,23,21"], 2, /--roi is given without --roi_infer/],
        [["--roi_infer"], 2, /--roi_infer needs --roi/],
        [["--roi_infer", "--roi", "0,0,1,1;0,0,3,3"], 2, /2 regions, the model has 1 resizer/],
        [["--roi_infer", "--roi", "4,2,23,41"], 2, /not inside of the picture of 40x30/],
        [["--roi_infer", "--roi", "4,2,23"], 2, /'4,2,23' is not a region/],
        [["--input_img_properties", "RGB"], 2, /says RGB for input data, the model takes NV12/],
        [["--input_img_properties", "NV12,Y"], 2, /names 2 types, the model has 1 picture/],
        [["--core_id", "3"], 2, /--core_id is 0 to 2, not 3/],
        [["--priority", "256"], 2, /--priority is 0 to 255, not 256/],
        [["--input_stride", "1,2"], 9, /--input_stride is for models with dynamic shapes/],
        [["--dump_intermediate", "4"], 2, /--dump_intermediate is 0, 1, 2 or 3, not 4/],
      ] as const
    ) {
      const bad = await exec("infer", ...args);
      equal([bad.code, why.test(bad.err)], [code, true], `${args.join(" ")}: ${bad.err}`);
    }
    const fine = await exec("infer", ...roi, "--input_img_properties=nv12", "--core_id=1");
    equal(fine.code, 0, fine.err);
  });
});

Deno.test("regions must not cut colour pairs, nor be empty", () => {
  equal(parseRois("2,4,123,125;6,8,111,113"), [
    { left: 2, top: 4, right: 123, bottom: 125 },
    { left: 6, top: 8, right: 111, bottom: 113 },
  ]);
  for (const bad of ["", "1,0,3,3", "0,0,2,3", "4,0,3,3", "-2,0,3,3", "0,0,3,3.5", "0,0,3,3,5"]) {
    let said = "";
    try {
      parseRois(bad);
    } catch (e) {
      said = e instanceof Error ? e.name : "";
    }
    equal(said, "BpuError", bad);
  }
});

Deno.test("dump_intermediate: what a layer reads is what the one before it gave", async () => {
  const model = (await makeModel({ softmax: true })).get("small.bin")!;
  const x = new Uint8Array(Float32Array.from({ length: 192 }, (_, i) => Math.sin(i)).buffer);
  await inFolder(new Map([["m.bin", model], ["x.bin", x]]), async (dir) => {
    const r = await runTool("hrt_model_exec", access(dir), [
      ...["infer", "--model_file", "m.bin", "--input_file", "x.bin", "--dump_intermediate", "1"],
      ...["--dump_path", "d", "--frame_count", "2"],
    ], dir);
    equal(r.code, 0, r.err);
    const byTensor = new Map<string, Uint8Array>();
    const inputs: [string, Uint8Array][] = [];
    const names = [...Deno.readDirSync(`${dir}/d`)].map((e) => e.name);
    for (const name of names) {
      const m = /^layer-\d+-.*-(input|output)-\d+-(.*)\.bin$/.exec(name)!;
      const bytes = await Deno.readFile(`${dir}/d/${name}`);
      if (m[1] === "output") byTensor.set(m[2]!, bytes);
      else inputs.push([m[2]!, bytes]);
    }
    equal(inputs.length >= 4, true, names.join());
    for (const [tensor, bytes] of inputs) {
      equal(bytes, tensor === "data" ? x : byTensor.get(tensor), tensor);
    }
    equal(inputs.some(([tensor]) => tensor === "data"), true);
  });
});

Deno.test("perf --profile_path: every node, and the CPU parts", async () => {
  const model = (await makeModel({ softmax: true })).get("small.bin")!;
  await inFolder(new Map([["m.bin", model]]), async (dir) => {
    const perf = (...args: string[]) =>
      runTool("hrt_model_exec", access(dir), [
        ...["perf", "--model_file", "m.bin", "--frame_count", "3", "--profile_path", "p", ...args],
      ], dir);
    const r = await perf();
    equal(r.code, 0, r.err);
    match(r.out, /\nprofile saved in p\/profiler\.log\nprofile saved in p\/profiler\.csv\n$/);
    const csv = (await Deno.readTextFile(`${dir}/p/profiler.csv`)).trim().split("\n");
    equal(csv[0], "name,type,on,count,average_ms,min_ms,max_ms,total_ms");
    const rows = csv.slice(1).map((l) => l.split(","));
    equal(rows.find((c) => c[0] === "conv1")?.slice(1, 4), ["HzSQuantizedConv", "BPU", "3"]);
    equal(rows.some((c) => c[2] === "CPU"), true);
    match(await Deno.readTextFile(`${dir}/p/profiler.log`), /^model: small\nframes: 3\n/);
    const two = await perf("--thread_num", "2");
    equal([two.code, /--profile_path works with one thread/.test(two.err)], [2, true]);
  });
});
