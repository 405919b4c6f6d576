/**
 * The names and forms of old prototxts: V1 `layers { type: CONVOLUTION }` and, older still, V0
 * `layers { layer { type: "conv" kernelsize: 3 } }`, as the V2 form.
 *
 * @module
 */

import type { TextBlock, TextField } from "./text.ts";

/** V1 enum names and what they are called now. */
const V1_TYPES: ReadonlyMap<string, string> = new Map([
  ["ABSVAL", "AbsVal"],
  ["ACCURACY", "Accuracy"],
  ["ARGMAX", "ArgMax"],
  ["BNLL", "BNLL"],
  ["CONCAT", "Concat"],
  ["CONTRASTIVE_LOSS", "ContrastiveLoss"],
  ["CONVOLUTION", "Convolution"],
  ["CROP", "Crop"],
  ["DATA", "Data"],
  ["DECONVOLUTION", "Deconvolution"],
  ["DROPOUT", "Dropout"],
  ["DUMMY_DATA", "DummyData"],
  ["ELTWISE", "Eltwise"],
  ["EUCLIDEAN_LOSS", "EuclideanLoss"],
  ["EXP", "Exp"],
  ["FLATTEN", "Flatten"],
  ["HDF5_DATA", "HDF5Data"],
  ["HDF5_OUTPUT", "HDF5Output"],
  ["HINGE_LOSS", "HingeLoss"],
  ["IM2COL", "Im2col"],
  ["IMAGE_DATA", "ImageData"],
  ["INFOGAIN_LOSS", "InfogainLoss"],
  ["INNER_PRODUCT", "InnerProduct"],
  ["LRN", "LRN"],
  ["MEMORY_DATA", "MemoryData"],
  ["MULTINOMIAL_LOGISTIC_LOSS", "MultinomialLogisticLoss"],
  ["MVN", "MVN"],
  ["POOLING", "Pooling"],
  ["POWER", "Power"],
  ["RELU", "ReLU"],
  ["SIGMOID", "Sigmoid"],
  ["SIGMOID_CROSS_ENTROPY_LOSS", "SigmoidCrossEntropyLoss"],
  ["SILENCE", "Silence"],
  ["SLICE", "Slice"],
  ["SOFTMAX", "Softmax"],
  ["SOFTMAX_LOSS", "SoftmaxWithLoss"],
  ["SPLIT", "Split"],
  ["TANH", "TanH"],
  ["THRESHOLD", "Threshold"],
  ["WINDOW_DATA", "WindowData"],
]);

/** V0 type strings and what they are called now. */
const V0_TYPES: ReadonlyMap<string, string> = new Map([
  ["accuracy", "Accuracy"],
  ["bnll", "BNLL"],
  ["concat", "Concat"],
  ["conv", "Convolution"],
  ["data", "Data"],
  ["dropout", "Dropout"],
  ["euclidean_loss", "EuclideanLoss"],
  ["flatten", "Flatten"],
  ["hdf5_data", "HDF5Data"],
  ["hdf5_output", "HDF5Output"],
  ["im2col", "Im2col"],
  ["images", "ImageData"],
  ["infogain_loss", "InfogainLoss"],
  ["innerproduct", "InnerProduct"],
  ["lrn", "LRN"],
  ["multinomial_logistic_loss", "MultinomialLogisticLoss"],
  ["pool", "Pooling"],
  ["relu", "ReLU"],
  ["sigmoid", "Sigmoid"],
  ["softmax", "Softmax"],
  ["softmax_loss", "SoftmaxWithLoss"],
  ["split", "Split"],
  ["tanh", "TanH"],
  ["window_data", "WindowData"],
]);

/** The V2 name of a V1 type; the name itself when it is not a V1 type. */
export function typeOfV1(name: string): string {
  return V1_TYPES.get(name) ?? name;
}

/** Where a flat V0 parameter went, per V0 type: block and field. */
const V0_FIELDS: ReadonlyMap<string, ReadonlyMap<string, readonly [string, string]>> = new Map([
  [
    "conv",
    new Map([
      ["num_output", ["convolution_param", "num_output"]],
      ["biasterm", ["convolution_param", "bias_term"]],
      ["weight_filler", ["convolution_param", "weight_filler"]],
      ["bias_filler", ["convolution_param", "bias_filler"]],
      ["pad", ["convolution_param", "pad"]],
      ["kernelsize", ["convolution_param", "kernel_size"]],
      ["group", ["convolution_param", "group"]],
      ["stride", ["convolution_param", "stride"]],
    ]),
  ],
  [
    "innerproduct",
    new Map([
      ["num_output", ["inner_product_param", "num_output"]],
      ["biasterm", ["inner_product_param", "bias_term"]],
      ["weight_filler", ["inner_product_param", "weight_filler"]],
      ["bias_filler", ["inner_product_param", "bias_filler"]],
    ]),
  ],
  [
    "pool",
    new Map([
      ["pool", ["pooling_param", "pool"]],
      ["pad", ["pooling_param", "pad"]],
      ["kernelsize", ["pooling_param", "kernel_size"]],
      ["stride", ["pooling_param", "stride"]],
    ]),
  ],
  ["dropout", new Map([["dropout_ratio", ["dropout_param", "dropout_ratio"]]])],
  [
    "lrn",
    new Map([
      ["local_size", ["lrn_param", "local_size"]],
      ["alpha", ["lrn_param", "alpha"]],
      ["beta", ["lrn_param", "beta"]],
      ["k", ["lrn_param", "k"]],
    ]),
  ],
  ["concat", new Map([["concat_dim", ["concat_param", "concat_dim"]]])],
  [
    "data",
    new Map([
      ["batchsize", ["data_param", "batch_size"]],
      ["cropsize", ["data_param", "crop_size"]],
    ]),
  ],
  [
    "images",
    new Map([
      ["batchsize", ["image_data_param", "batch_size"]],
      ["cropsize", ["image_data_param", "crop_size"]],
      ["new_height", ["image_data_param", "new_height"]],
      ["new_width", ["image_data_param", "new_width"]],
    ]),
  ],
]);

/** Flat V0 fields that have no effect on inference. */
const V0_TRAINING: ReadonlySet<string> = new Set([
  "blobs",
  "blobs_lr",
  "weight_decay",
  "source",
  "scale",
  "meanfile",
  "mirror",
  "rand_skip",
  "shuffle_images",
  "det_fg_threshold",
  "det_bg_threshold",
  "det_fg_fraction",
  "det_context_pad",
  "det_crop_mode",
  "hdf5_output_param",
]);

/** The inner block of a V0 layer, or undefined for a V1 layer. */
export function v0Inner(layers: TextBlock): TextBlock | undefined {
  const inner = layers.fields.find((f) => f.name === "layer")?.value;
  return inner?.kind === "block" ? inner : undefined;
}

/** The text of a scalar field. */
export function textOf(block: TextBlock, name: string): string | undefined {
  const value = block.fields.find((f) => f.name === name)?.value;
  return value?.kind === "scalar" ? value.text : undefined;
}

/**
 * A V0 layer as a V2 layer: flat parameters move into the block of their type. A parameter that its
 * type never had stays where it is, so that binding names it and its line.
 */
export function upgradeV0(layers: TextBlock, inner: TextBlock): TextBlock {
  const old = textOf(inner, "type") ?? "";
  const moves = V0_FIELDS.get(old);
  const fields: TextField[] = layers.fields.filter((f) => f.name !== "layer");
  const blocks = new Map<string, TextField[]>();
  for (const f of inner.fields) {
    if (V0_TRAINING.has(f.name)) continue;
    if (f.name === "type" && f.value.kind === "scalar") {
      fields.push({ ...f, value: { ...f.value, text: V0_TYPES.get(old) ?? old } });
      continue;
    }
    const to = moves?.get(f.name);
    if (to === undefined) {
      fields.push(f);
      continue;
    }
    const block = blocks.get(to[0]);
    const moved = { ...f, name: to[1] };
    if (block === undefined) blocks.set(to[0], [moved]);
    else block.push(moved);
  }
  for (const [name, list] of blocks) {
    const line = list[0]!.line;
    fields.push({ name, line, value: { kind: "block", fields: list, line } });
  }
  return { kind: "block", fields, line: layers.line };
}

/**
 * Merges V0 `padding` layers into the convolution or pooling layers that read them, as Caffe does.
 * Layers that read a padding layer otherwise keep it, and are refused as an unknown type later.
 */
export function mergeV0Padding(layers: readonly TextBlock[]): TextBlock[] {
  const out: TextBlock[] = [];
  const paddings = new Map<string, { pad: TextField | undefined; bottom: TextField }>();
  for (const layer of layers) {
    const inner = v0Inner(layer);
    const type = inner === undefined ? undefined : textOf(inner, "type");
    const bottoms = layer.fields.filter((f) => f.name === "bottom");
    const tops = layer.fields.filter((f) => f.name === "top");
    if (inner !== undefined && type === "padding" && bottoms.length === 1 && tops.length === 1) {
      const pad = inner.fields.find((f) => f.name === "pad");
      paddings.set(textOf(layer, "top") ?? "", { pad, bottom: bottoms[0]! });
      continue;
    }
    const from = paddings.get(textOf(layer, "bottom") ?? "");
    if (from === undefined || inner === undefined || (type !== "conv" && type !== "pool")) {
      out.push(layer);
      continue;
    }
    const padded: TextBlock = {
      ...inner,
      fields: [
        ...inner.fields.filter((f) => f.name !== "pad"),
        ...(from.pad === undefined ? [] : [from.pad]),
      ],
    };
    const fields = layer.fields.map((f): TextField =>
      f.name === "layer" ? { ...f, value: padded } : f.name === "bottom" ? from.bottom : f
    );
    out.push({ ...layer, fields });
  }
  return out;
}
