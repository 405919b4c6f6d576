/**
 * Keys of model_parameters.
 *
 * @module
 */

import type { KeySpec } from "./key_spec.ts";

const group = "model_parameters";

/** Node types that can be removed at the edges of the model. */
export const removableTypes = [
  "Quantize",
  "Transpose",
  "Dequantize",
  "Cast",
  "Reshape",
  "Softmax",
] as const;

/** Marches in the order in which messages list them. */
export const marches = ["bayes", "bernoulli2", "bayes-e"] as const;

/** Keys of model_parameters. */
export const modelKeys: readonly KeySpec[] = [
  {
    group,
    name: "prototxt",
    kind: "path",
    required: { when: "the model is Caffe", holds: (l) => l.modelType === "caffe" },
    doc: "Structure of the Caffe float model.",
    rule: "Either caffe_model and prototxt or onnx_model.",
    sample: "'./model.prototxt'",
  },
  {
    group,
    name: "caffe_model",
    kind: "path",
    required: { when: "the model is Caffe", holds: (l) => l.modelType === "caffe" },
    doc: "Weights of the Caffe float model.",
    sample: "'./model.caffemodel'",
  },
  {
    group,
    name: "onnx_model",
    kind: "path",
    required: { when: "the model is ONNX", holds: (l) => l.modelType === "onnx" },
    doc: "The ONNX float model.",
    sample: "'./model.onnx'",
  },
  {
    group,
    name: "march",
    kind: "choice",
    values: marches,
    spellings: [["bayes_e", "bayes-e"], ["bayese", "bayes-e"]],
    required: { when: "always", holds: () => true },
    doc: "Architecture of the accelerator: bayes is J5, bernoulli2 is X3 and J3, bayes-e is X5.",
    sample: "'bayes'",
  },
  {
    group,
    name: "output_model_file_prefix",
    kind: "text",
    default: "model",
    doc: "Start of the name of every file that a conversion writes.",
    sample: "'model'",
  },
  {
    group,
    name: "working_dir",
    kind: "path",
    default: "model_output",
    doc: "Folder for the results; it is created when it does not exist.",
    sample: "'./model_output'",
  },
  {
    group,
    name: "layer_out_dump",
    kind: "flag",
    default: "False",
    doc: "Keeps the outputs of inner layers readable, for debugging.",
    rule: "Not together with input_source resizer.",
    sample: "False",
  },
  {
    group,
    name: "output_nodes",
    kind: "names",
    doc: "Nodes whose outputs become the outputs of the model, instead of the model's own.",
  },
  {
    group,
    name: "remove_node_type",
    kind: "choices",
    values: removableTypes,
    doc: "Types of nodes to remove at the inputs and outputs, in this order.",
    rule: "Only nodes that touch an input or output when their turn comes.",
  },
  {
    group,
    name: "remove_node_name",
    kind: "names",
    doc: "Names of nodes to remove at the inputs and outputs, in this order.",
    rule: "Only nodes that touch an input or output when their turn comes.",
  },
  {
    group,
    name: "debug_mode",
    kind: "choices",
    values: ["dump_calibration_data"],
    doc: "dump_calibration_data writes the calibration data as the model takes it, as .npy.",
  },
  {
    group,
    name: "node_info",
    kind: "nodes",
    doc: "Placement (ON) and types (InputType, InputType0, ..., OutputType) of single nodes.",
    rule:
      "OutputType holds for all outputs. A type that a node cannot have is reported and int8 is used.",
  },
  {
    group,
    name: "set_node_data_type",
    kind: "nodes",
    doc: "Nodes with int16 outputs: 'node:int16;node:int16'.",
    rule: "Merged into node_info.",
    state: "deprecated",
  },
  {
    group,
    name: "log_level",
    kind: "text",
    doc: "Detail of the log in older versions.",
    rule: "The log file always holds everything; --debug prints more.",
    state: "other",
  },
  {
    group,
    name: "tflite_model",
    kind: "path",
    doc: "A TFLite model, in other tools.",
    rule: "TFLite models are not read: convert to ONNX first (for example with tf2onnx).",
    state: "other",
  },
];
