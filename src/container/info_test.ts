import { deepStrictEqual as equal, notEqual, throws } from "node:assert/strict";
import { makeModel } from "../flow/testing.ts";
import { readBin, readInfo } from "./bin.ts";
import { compilerOptions, deletedText, infoLines } from "./info.ts";
import { removeNode } from "./modify.ts";
import { tensorsOf } from "./tensors.ts";

Deno.test("the blocks are the original's", async () => {
  const bytes = (await makeModel({ typeRt: "nv12" })).get("small.bin")!;
  const info = { ...await readInfo(bytes, "small.bin"), version: "9.9.9" };
  const lines = infoLines(info, "small.bin");
  equal(lines.slice(0, -2), [
    "******** small info *********",
    "############# model deps info #############",
    "hb_mapper version   : 9.9.9",
    "hbdk version        : 9.9.9",
    "hbdk runtime version: 9.9.9",
    "horizon_nn version  : 9.9.9",
    "############# model_parameters info #############",
    "onnx_model          : small.onnx",
    "BPU march           : bayes",
    "layer_out_dump      : False",
    "working dir         : out",
    "output_model_file_prefix: small",
    "############# input_parameters info #############",
    "------------------------------------------",
    "---------input info : data ---------",
    "input_name          : data",
    "input_type_rt       : nv12",
    "input_space&range   : regular",
    "input_layout_rt     : None",
    "input_type_train    : rgb",
    "input_layout_train  : NCHW",
    "norm_type           : data_mean_and_scale",
    "input_shape         : 1x3x8x8",
    "mean_value          : 123.68,116.779,103.939,",
    "scale_value         : 0.017,",
    "---------input info : data end -------",
    "------------------------------------------",
    "############# calibration_parameters info #############",
    "preprocess_on       : False",
    "calibration_type    : skip",
    "per_channel         : False",
    "############# compiler_parameters info #############",
    "debug               : True",
    "compile_mode        : latency",
    "hbdk_pass_through_params: --O3 --debug --core-num 1 --fast",
    "input-source        : {'data': 'pyramid', '_default_value': 'ddr'}",
    "--------- input/output types -",
    "model input types   : [<InputDataType.NV12: 7>]",
    "model output types  : [<InputDataType.F32: 5>]",
  ]);
  equal(lines.slice(-2), [
    "input data          : type NV12, layout NCHW, valid shape 1x3x8x8, aligned shape 1x3x8x8, " +
    "aligned byte size 96",
    "output y            : type F32, layout NCHW, valid shape 1x5x8x8, aligned shape 1x5x8x8, " +
    "aligned byte size 1280",
  ]);
  throws(() => infoLines({ kind: "pack", models: [] }, "p.bin"), /packed model, not a single one/);
});

Deno.test("compiler options", () => {
  const base = { optimize_level: "O2", core_num: 2, debug: false, jobs: 4, advice: 5 };
  equal(
    compilerOptions({ ...base, compile_mode: "balance", balance_factor: 40, max_time_per_fc: 9 }),
    "--O2 --core-num 2 --balance 40 --jobs 4 --max-time-per-fc 9 --advice 5",
  );
  equal(
    compilerOptions({ ...base, compile_mode: "bandwidth", jobs: null, advice: 0 }),
    "--O2 --core-num 2 --ddr",
  );
});

Deno.test("removed nodes: types, scales and a line each", async () => {
  const bin = await readBin((await makeModel({})).get("small.bin")!, "small.bin");
  const cut = removeNode(removeNode(bin, "y_HzDequantize").bin, "data_HzQuantize").bin;
  const info = { kind: "model", ...cut.info };
  const lines = infoLines(info, "m.bin");
  equal(lines.slice(-3), [
    "--------- deleted nodes -",
    "deleted nodes: y_HzDequantize",
    "deleted nodes: data_HzQuantize",
  ]);
  const { inputs: [x], outputs: [y] } = tensorsOf(info, "m.bin");
  equal([x!.type, x!.byteSize, x!.scale!.values.length, x!.scale!.axis], ["S8", 192, 1, undefined]);
  equal([y!.type, y!.byteSize, y!.scale!.values.length, y!.scale!.axis], ["S32", 1280, 5, 1]);
  const text = deletedText(info, "m.bin").trim().split("\n");
  equal(
    text[0]!.replace(/\[.*\]/, "[...]"),
    [
      "y_HzDequantize: type: Dequantize; output: y; shape: 1x5x8x8 int32 -> 1x5x8x8 float32; ",
      "scale: [...]; zero point: 0",
    ].join(""),
  );
  equal(
    text[1]!.replace(/\[.*\]/, "[...]"),
    "data_HzQuantize: type: Quantize; input: data; shape: 1x3x8x8 float32 -> 1x3x8x8 int8; " +
      "scale: [...]; zero point: 0; qmin: -128; qmax: 127",
  );
});

Deno.test("a malformed info section is refused, whatever it says", async () => {
  const bytes = (await makeModel({ typeRt: "nv12" })).get("small.bin")!;
  const text = JSON.stringify(await readInfo(bytes, "small.bin"));
  const swaps: [string, string][] = [
    ['"input_type_rt":"nv12"', '"input_type_rt":"tape"'],
    ['"input_layout_train":"NCHW"', '"input_layout_train":7'],
    ['"input_shape":[1,3,8,8]', '"input_shape":[1,3,8,9]'],
    ['"input_shape":[1,3,8,8]', '"input_shape":[1,-3,8,8]'],
    ['"shape":[1,5,8,8]', '"shape":[99999,99999,99999]'],
    ['"inputs":[{"name"', '"inputs":[{"mane"'],
    ['"kind":"model"', '"kind":"model","deleted":[{"name":"x"}]'],
  ];
  for (const [from, to] of swaps) {
    const changed = text.replace(from, to);
    notEqual(changed, text, from);
    throws(() => infoLines(JSON.parse(changed), "m.bin"), /malformed at/, to);
  }
});
