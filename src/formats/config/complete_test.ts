import assert from "node:assert/strict";
import { BpuError } from "../../errors.ts";
import { completeConfig, type ModelInput } from "./complete.ts";
import { ConfigError, issueText } from "./issues.ts";
import { parse, render } from "./test_config.ts";

const open = {
  "input_parameters.input_name": "''",
  "input_parameters.input_shape": "''",
  "compiler_parameters.input_source": "{}",
};
const image: ModelInput = { name: "images", shape: [1, 3, 640, 640] };

function refused(
  values: Record<string, string | undefined>,
  model: readonly ModelInput[],
): BpuError {
  const { config } = parse(render(values).text);
  try {
    completeConfig(config, model);
  } catch (e) {
    assert.ok(e instanceof BpuError);
    return e;
  }
  throw new Error("not refused");
}

Deno.test("complete: names and shapes come from the model, in the original's words", () => {
  const { config } = parse(render(open).text);
  const done = completeConfig(config, [image]);
  assert.deepEqual(done.notes.map((n) => n.text), [
    "Model name not given in yaml_file, using model name from model file: ['images']",
    "Model input shape not given in yaml_file, using shape from model file: [[1, 3, 640, 640]]",
    "nv12 input type rt received.",
    "Input node images's input_source not set, it will be set to pyramid by default",
    "The calibration dir name suffix is the same as the value float32 of the cal_data_type parameter and will be read with the value of cal_data_type.",
  ]);
  assert.deepEqual(done.warnings, []);
  assert.equal(done.config.inputs[0]!.name, "images");
  assert.deepEqual(done.config.inputs[0]!.shape, [1, 3, 640, 640]);
});

Deno.test("complete: the other words of the log", () => {
  const { config } = parse(
    render({
      ...open,
      "calibration_parameters.cal_data_dir": "./cal",
      "custom_op.custom_op_method": undefined,
      "custom_op.op_register_files": undefined,
      "custom_op.custom_op_dir": undefined,
    }).text,
  );
  const texts = completeConfig(config, [image]).notes.map((n) => n.text);
  assert.ok(texts.includes(
    "The calibration dir name suffix is not the same as the value float32 of the parameter cal_data_type, the parameter setting will prevail",
  ));
  assert.ok(texts.includes("custom_op does not exist, skipped"));
});

Deno.test("complete: the yaml's order and shapes win, unknown dimensions come from the model", () => {
  const { config } = parse(
    render({
      "input_parameters.input_name": "b; a",
      "input_parameters.input_type_train": "rgb; featuremap",
      "input_parameters.input_type_rt": "nv12; featuremap",
      "input_parameters.input_layout_train": "NCHW; NCHW",
      "input_parameters.input_layout_rt": undefined,
      "input_parameters.input_space_and_range": undefined,
      "input_parameters.input_shape": "1x3x64x64; 1x?",
      "input_parameters.norm_type": "no_preprocess; no_preprocess",
      "input_parameters.mean_value": undefined,
      "input_parameters.scale_value": undefined,
      "calibration_parameters.cal_data_dir": "x; y",
      "calibration_parameters.cal_data_type": undefined,
      "compiler_parameters.input_source": "{a: ddr}",
    }).text,
  );
  const done = completeConfig(config, [{ name: "a", shape: [-1, 10] }, {
    name: "b",
    shape: [1, 3, 32, 32],
  }]);
  assert.deepEqual(done.config.inputs.map((i) => [i.name, i.shape, i.inputSource]), [
    ["b", [1, 3, 64, 64], "pyramid"],
    ["a", [1, 10], "ddr"],
  ]);
  assert.match(
    issueText(done.warnings[0]!),
    /b is 1x3x32x32 in the model; input_shape 1x3x64x64 is used/,
  );
});

Deno.test("complete: input_source by the name that the model gives", () => {
  const { config } = parse(
    render({ ...open, "compiler_parameters.input_source": "{images: ddr}" }).text,
  );
  assert.equal(completeConfig(config, [image]).config.inputs[0]!.inputSource, "ddr");
  const e = refused({ ...open, "compiler_parameters.input_source": "{image: ddr}" }, [image]);
  assert.match(
    e.message,
    /'image' is not an input of the model; did you mean images\?; allowed: images/,
  );
});

Deno.test("complete: what does not fit the model is an error at its place", () => {
  const named = { "compiler_parameters.input_source": undefined };
  const wrong = refused({ ...named, "input_parameters.input_name": "image" }, [image]);
  assert.ok(wrong instanceof ConfigError);
  assert.match(
    wrong.message,
    /^c\.yaml:13:15: .*'image' is not an input of the model; did you mean images\?/,
  );
  assert.match(
    refused(open, [image, { name: "b", shape: [1] }]).message,
    /describes 1 input, the model has 2 inputs/,
  );
  assert.match(refused(open, []).message, /the model has 0 inputs/);
  assert.match(refused(open, [{ name: "x", shape: [1, 640, 640, 3] }]).message, /has 640/);
  assert.match(refused(open, [{ name: "x", shape: [1, 3, 641, 640] }]).message, /even/);
  assert.match(
    refused(open, [{ name: "x", shape: [4, 3, 64, 64] }]).message,
    /first dimension of 1/,
  );
  const ranks = { ...open, "input_parameters.input_shape": "1x3x8x8" };
  assert.match(
    refused(ranks, [{ name: "x", shape: [1, 3, 8] }]).message,
    /has 3 dimensions in the model/,
  );
  const channels = { ...open, "input_parameters.scale_value": "1 2" };
  assert.match(
    refused(channels, [image]).message,
    /2 values for 3 channels.*allowed: 1 value or 3/,
  );
});

Deno.test("complete: a dynamic shape is refused in the original's words, or made 1 on request", () => {
  const e = refused(open, [{ name: "images", shape: [-1, 3, 640, 640] }]);
  assert.equal(e.code, "shape");
  assert.match(
    e.message,
    /^The shape of model input:images is \[\?, 3, 640, 640\] which has dimensions of 0\. Please specify input-shape parameter/,
  );
  assert.match(e.place.hint!, /1x3x640x640/);
  const { config } = parse(render(open).text);
  const done = completeConfig(config, [{ name: "images", shape: [-1, 3, 640, 640] }], {
    dynamicBatch: true,
  });
  assert.deepEqual(done.config.inputs[0]!.shape, [1, 3, 640, 640]);
});
