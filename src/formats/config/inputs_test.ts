import assert from "node:assert/strict";
import { BpuError } from "../../errors.ts";
import { refuseTypes, typePairs } from "./input_rules.ts";
import { issueText } from "./issues.ts";
import { runtimeTypes, trainTypes } from "./keys_input.ts";
import { errorsOf, parse, render } from "./test_config.ts";
import { runtimeLayout } from "./types.ts";

/** Values for two inputs: nv12 `img` and a featuremap `feat`. */
const two = {
  "input_parameters.input_name": "img; feat",
  "input_parameters.input_type_train": "rgb; featuremap",
  "input_parameters.input_layout_train": "NCHW; NHWC",
  "input_parameters.input_type_rt": "nv12; featuremap",
  "input_parameters.input_layout_rt": "'; NCHW'",
  "input_parameters.input_space_and_range": "bt601_video; regular",
  "input_parameters.input_shape": "1x3x224x224; 1x56x56x16",
  "input_parameters.norm_type": "data_mean_and_scale; no_preprocess",
  "input_parameters.mean_value": "123.675 116.28 103.53; None",
  "input_parameters.scale_value": "0.017, 0.018, 0.019; None",
  "calibration_parameters.cal_data_dir": "./a_f32/; ./b",
  "calibration_parameters.cal_data_type": "; uint8",
  "compiler_parameters.input_source": '{"img": "resizer", "feat": "ddr"}',
};

Deno.test("inputs: two inputs with ; everywhere", () => {
  const { config, warnings } = parse(render(two).text);
  assert.deepEqual(warnings.map(issueText), []);
  const [img, feat] = config.inputs;
  assert.deepEqual(img, {
    name: "img",
    shape: [1, 3, 224, 224],
    typeTrain: "rgb",
    typeRt: "nv12",
    layoutTrain: "NCHW",
    layoutRt: undefined,
    spaceAndRange: "bt601_video",
    norm: {
      type: "data_mean_and_scale",
      mean: [123.675, 116.28, 103.53],
      scale: [0.017, 0.018, 0.019],
    },
    calDataDir: "./a_f32/",
    calDataType: "float32",
    calDataTypeGiven: false,
    inputSource: "resizer",
    inputSourceGiven: true,
  });
  assert.deepEqual(feat!.norm, { type: "no_preprocess", mean: [], scale: [] });
  assert.deepEqual([feat!.layoutTrain, feat!.layoutRt, feat!.calDataType], [
    "NHWC",
    "NCHW",
    "uint8",
  ]);
  assert.equal(runtimeLayout(img!), "NHWC");
  assert.equal(runtimeLayout(feat!), "NCHW");
});

Deno.test("inputs: lists instead of ;, and trailing ;", () => {
  const listed = parse(
    render({
      ...two,
      "input_parameters.input_name": "[img, feat]",
      "input_parameters.input_shape": "['1x3x224x224', '1x56x56x16']",
      "input_parameters.mean_value": "['1,2,3', '']",
      "input_parameters.input_type_rt": "nv12; featuremap;",
      "input_parameters.cal_data_dir": "'./a; ./b;'",
    }).text,
  ).config.inputs;
  assert.deepEqual(listed.map((i) => i.shape), [[1, 3, 224, 224], [1, 56, 56, 16]]);
  assert.deepEqual(listed[0]!.norm.mean, [1, 2, 3]);
  // An empty last part stands for the second input.
  const open = parse(render({ ...two, "input_parameters.input_layout_rt": "'NHWC;'" }).text);
  assert.deepEqual(open.config.inputs.map((i) => i.layoutRt), ["NHWC", undefined]);
});

Deno.test("inputs: channels and shapes as YAML lists of numbers, and ; between channels", () => {
  const one = (values: Record<string, string>) => parse(render(values).text);
  assert.deepEqual(
    one({ "input_parameters.mean_value": "[1, 2.5, 3]" }).config.inputs[0]!.norm.mean,
    [1, 2.5, 3],
  );
  assert.deepEqual(
    one({ "input_parameters.input_shape": "[1, 3, 4, 4]" }).config.inputs[0]!.shape,
    [1, 3, 4, 4],
  );
  assert.deepEqual(one({ "input_parameters.input_shape": "'1,3,4,4'" }).config.inputs[0]!.shape, [
    1,
    3,
    4,
    4,
  ]);
  assert.deepEqual(one({ "input_parameters.input_shape": "?x3x4x4" }).config.inputs[0]!.shape, [
    -1,
    3,
    4,
    4,
  ]);
  const semicolons = one({ "input_parameters.mean_value": "1;2;3" });
  assert.deepEqual(semicolons.config.inputs[0]!.norm.mean, [1, 2, 3]);
  assert.match(semicolons.warnings[0]!.message, /channels of one input/);
});

Deno.test("inputs: the number of parts must be that of the inputs", () => {
  for (
    const [key, value] of [
      ["input_parameters.input_shape", "1x3x224x224"],
      ["calibration_parameters.cal_data_dir", "./a"],
      ["input_parameters.input_type_rt", "nv12; featuremap; rgb"],
      ["calibration_parameters.cal_data_type", "uint8; uint8; uint8"],
      ["compiler_parameters.input_source", "ddr;ddr;ddr"],
    ] as const
  ) {
    const issue = errorsOf(render({ ...two, [key]: value }).text).find((i) => i.key === key);
    assert.match(issue!.message, /\d values? for 2 inputs/, key);
  }
  const shared = parse(render({ ...two, "calibration_parameters.cal_data_type": "int16" }).text);
  assert.deepEqual(shared.config.inputs.map((i) => i.calDataType), ["int16", "int16"]);
  assert.match(shared.warnings[0]!.message, /used for all of them/);
  const positional = parse(
    render({ ...two, "compiler_parameters.input_source": "pyramid; ddr" }).text,
  );
  assert.deepEqual(positional.config.inputs.map((i) => i.inputSource), ["pyramid", "ddr"]);
});

Deno.test("inputs: a part that is missing for one input is an error where it is needed", () => {
  for (
    const [key, value] of [
      ["input_parameters.input_type_rt", "nv12; ''"],
      ["input_parameters.input_layout_train", "'; NHWC'"],
      ["input_parameters.mean_value", "None; None"],
      ["input_parameters.mean_value", "; 5"],
      ["calibration_parameters.cal_data_dir", "./a; None"],
    ] as const
  ) {
    assert.ok(errorsOf(render({ ...two, [key]: value }).text).length > 0, `${key}: ${value}`);
  }
});

Deno.test("inputs: the matrix of types is that of the documents", () => {
  const table: Record<string, string> = {
    yuv444: "YYNNNN",
    rgb: "YYYYNN",
    bgr: "YYYYNN",
    gray: "NNNNYN",
    featuremap: "NNNNNY",
  };
  const columns = ["nv12", "yuv444", "rgb", "bgr", "gray", "featuremap"] as const;
  assert.deepEqual([...columns].sort(), [...runtimeTypes].sort());
  for (const train of trainTypes) {
    columns.forEach((rt, k) => {
      const yes = table[train]![k] === "Y";
      assert.equal(refuseTypes(train, rt) === undefined, yes, `${train} ${rt}`);
      const channels = train === "gray" ? 1 : 3;
      const r = render({
        "input_parameters.input_type_train": train,
        "input_parameters.input_type_rt": rt,
        "input_parameters.input_shape": `1x${channels}x8x8`,
        "input_parameters.mean_value": "1",
        "compiler_parameters.input_source": undefined,
      });
      const issues = errorsOf(r.text);
      assert.equal(issues.length === 0, yes, `${train} ${rt} ${issues.map(issueText)}`);
      if (!yes) assert.equal(issues[0]!.line, r.lines.get("input_parameters.input_type_rt"));
    });
  }
  assert.equal(typePairs.size, 5);
  assert.match(refuseTypes("gray", "nv12")!, /feed the Y plane/);
});

Deno.test("inputs: defaults of input_source by type", () => {
  for (
    const [rt, train, shape, source] of [
      ["nv12", "rgb", "1x3x8x8", "pyramid"],
      ["gray", "gray", "1x1x8x8", "pyramid"],
      ["yuv444", "rgb", "1x3x8x8", "ddr"],
      ["rgb", "bgr", "1x3x8x8", "ddr"],
      ["featuremap", "featuremap", "1x3x8x8", "ddr"],
    ]
  ) {
    const input = parse(
      render({
        "input_parameters.input_type_train": train,
        "input_parameters.input_type_rt": rt,
        "input_parameters.input_shape": shape,
        "input_parameters.mean_value": "1",
        "compiler_parameters.input_source": "{}",
      }).text,
    ).config.inputs[0]!;
    assert.equal(input.inputSource, source, rt);
    assert.equal(input.inputSourceGiven, false);
  }
});

Deno.test("inputs: rules of resizer, range, layout, odd sizes, batch, featuremaps", () => {
  const rgb = {
    "input_parameters.input_type_rt": "rgb",
    "compiler_parameters.input_source": "{data: resizer}",
  };
  assert.match(errorsOf(render(rgb).text)[0]!.message, /nv12 and gray only/);
  assert.match(
    errorsOf(
      render({
        "compiler_parameters.input_source": "{data: resizer}",
        "model_parameters.layer_out_dump": "True",
      }).text,
    )[0]!.message,
    /layer_out_dump/,
  );
  const video = { "input_parameters.input_space_and_range": "bt601_video" };
  assert.match(
    errorsOf(render({ ...video, "input_parameters.input_type_train": "yuv444" }).text)[0]!.message,
    /rgb or bgr only/,
  );
  const ignored = parse(
    render({
      ...video,
      "input_parameters.input_type_rt": "rgb",
      "compiler_parameters.input_source": undefined,
    }).text,
  );
  assert.match(ignored.warnings[0]!.message, /no effect/);
  assert.equal(ignored.config.inputs[0]!.spaceAndRange, "regular");
  assert.match(
    errorsOf(render({ "input_parameters.input_shape": "1x3x225x224" }).text)[0]!.message,
    /even height and width/,
  );
  assert.match(
    errorsOf(render({ "input_parameters.input_shape": "2x3x224x224" }).text)[0]!.message,
    /first dimension of 1/,
  );
  const feature = {
    "input_parameters.input_type_train": "featuremap",
    "input_parameters.input_type_rt": "featuremap",
    "input_parameters.input_shape": "1x128",
    "compiler_parameters.input_source": undefined,
  };
  assert.match(errorsOf(render(feature).text)[0]!.message, /no_preprocess only/);
  const x3 = {
    "model_parameters.march": "bernoulli2",
    "input_parameters.input_type_rt": "yuv444",
    "input_parameters.input_layout_rt": "NCHW",
    "compiler_parameters.input_source": undefined,
    "calibration_parameters.optimization": undefined,
  };
  assert.match(errorsOf(render(x3).text)[0]!.message, /use NHWC/);
});

Deno.test("inputs: any mutation of a config gives a config or a BpuError, never anything else", () => {
  const base = render(two).text;
  const pieces = [
    "'",
    '"',
    "{",
    "}",
    "[",
    "]",
    ":",
    ";",
    ",",
    "\n",
    "  ",
    "None",
    "-1",
    "1e9",
    "?",
    "&a",
    "*a",
    "__proto__",
    "x",
    "",
  ];
  let seed = 7;
  const next = (n: number) => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return (seed >> 8) % n;
  };
  let parsed = 0;
  for (let i = 0; i < 2000; i++) {
    let t = base;
    for (let k = 0; k <= next(4); k++) {
      const p = next(t.length);
      t = t.slice(0, p) + pieces[next(pieces.length)] + t.slice(p + next(4));
    }
    try {
      parse(t);
      parsed++;
    } catch (e) {
      assert.ok(e instanceof BpuError && e.code !== "internal", `${t}\n${e}`);
      assert.ok(e.message.length > 0 && e.message.length < 20_000);
    }
  }
  assert.ok(parsed > 100, String(parsed));
});
