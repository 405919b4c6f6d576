/**
 * Keys of input_parameters.
 *
 * @module
 */

import type { KeySpec } from "./key_spec.ts";

const group = "input_parameters";
const always = { when: "always", holds: () => true };

/** `input_type_train` values. */
export const trainTypes = ["rgb", "bgr", "yuv444", "gray", "featuremap"] as const;
/** `input_type_rt` values. */
export const runtimeTypes = ["rgb", "bgr", "yuv444", "nv12", "gray", "featuremap"] as const;
/** `norm_type` values. */
export const normTypes = [
  "no_preprocess",
  "data_mean",
  "data_scale",
  "data_mean_and_scale",
] as const;

/** Keys of input_parameters. */
export const inputKeys: readonly KeySpec[] = [
  {
    group,
    name: "input_name",
    kind: "names",
    perInput: true,
    default: "the name in the model",
    required: {
      when: "the model has more than one input",
      // Only the model file tells; completeConfig checks it.
      holds: () => false,
    },
    doc: "Names of the model's inputs; the order holds for every key with several values.",
    sample: "''",
  },
  {
    group,
    name: "input_type_train",
    kind: "choice",
    perInput: true,
    values: trainTypes,
    required: always,
    doc: "What the float model was trained on.",
    rule: "See the table of allowed pairs with input_type_rt.",
    sample: "'rgb'",
  },
  {
    group,
    name: "input_layout_train",
    kind: "choice",
    perInput: true,
    values: ["NCHW", "NHWC"],
    required: always,
    doc: "Order of the axes of the float model's input.",
    sample: "'NCHW'",
  },
  {
    group,
    name: "input_type_rt",
    kind: "choice",
    perInput: true,
    values: runtimeTypes,
    required: always,
    doc: "What the converted model is fed with.",
    rule: "nv12 needs even height and width.",
    sample: "'nv12'",
  },
  {
    group,
    name: "input_layout_rt",
    kind: "choice",
    perInput: true,
    values: ["NCHW", "NHWC"],
    default: "as input_layout_train",
    doc: "Order of the axes of the converted model's input.",
    rule: "Ignored for nv12, which is always NHWC.",
  },
  {
    group,
    name: "input_space_and_range",
    kind: "choice",
    perInput: true,
    values: ["regular", "bt601_video"],
    default: "regular",
    doc: "Range of nv12 data: regular is 0 to 255, bt601_video is 16 to 235.",
    rule: "bt601_video works with input_type_rt nv12 and input_type_train rgb or bgr only.",
  },
  {
    group,
    name: "input_shape",
    kind: "shape",
    perInput: true,
    default: "the shape in the model",
    doc: "Shape of the float model's input.",
    rule: "Needed where the model's own shape is dynamic.",
    sample: "''",
  },
  {
    group,
    name: "input_batch",
    kind: "integer",
    min: 1,
    max: 4096,
    default: "1",
    doc: "Batch of the .bin, one number for all inputs; the ONNX files keep their batch.",
    rule: "The first dimension of every input_shape must be 1.",
  },
  {
    group,
    name: "norm_type",
    kind: "choice",
    perInput: true,
    values: normTypes,
    default: "no_preprocess",
    doc: "Normalisation that becomes part of the model: (x - mean_value) * scale_value.",
    rule: "A featuremap that is not 4-D takes no_preprocess only.",
    sample: "'data_mean_and_scale'",
  },
  {
    group,
    name: "mean_value",
    kind: "numbers",
    perInput: true,
    required: {
      when: "norm_type is data_mean or data_mean_and_scale",
      holds: (l) => (l.text(group, "norm_type") ?? "").includes("mean"),
    },
    doc: "Mean that is subtracted, one for all channels or one a channel; None for no mean.",
    sample: "'123.675 116.28 103.53'",
  },
  {
    group,
    name: "scale_value",
    kind: "numbers",
    perInput: true,
    required: {
      when: "norm_type is data_scale or data_mean_and_scale, and std_value is not given",
      holds: (l) =>
        (l.text(group, "norm_type") ?? "").includes("scale") &&
        l.text(group, "std_value") === undefined,
    },
    doc: "Factor after the mean, one for all channels or one a channel; None for no factor.",
    sample: "'0.01712475 0.017507 0.01742919'",
  },
  {
    group,
    name: "std_value",
    kind: "numbers",
    perInput: true,
    doc: "Standard deviation in the following generation: the factor is 1 / std_value.",
    rule: "Read as scale_value = 1 / std_value where scale_value is not given.",
    state: "other",
  },
  {
    group,
    name: "separate_batch",
    kind: "flag",
    doc: "Keeps the batch as separate addresses in the following generation.",
    rule: "False changes nothing; True is refused.",
    state: "other",
  },
  {
    group,
    name: "separate_name",
    kind: "names",
    doc: "Inputs with separate batches in the following generation.",
    rule: "Ignored.",
    state: "other",
  },
];
