/**
 * For tests only: a model for every row of the operator table that is on the BPU, within its constraints.
 *
 * @module
 */

import type { Attr } from "../../ir/graph.ts";
import { attr } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { f32, i64 } from "../../ir/tensor.ts";
import type { MarchName } from "../../march/march.ts";
import { Random } from "./harness.ts";

/** One operator as the table wants it. */
export interface Spec {
  /** Shape that the operator reads (rank 4: made by a convolution; else reshaped from one). */
  readonly shape?: readonly number[];
  readonly attrs?: Readonly<Record<string, Attr>>;
  /** Inputs behind the first: constants, or the name `feature` for another feature map. */
  readonly more?: readonly (Tensor | { readonly feature: readonly number[] })[];
  /** A constant in front of all of them. */
  readonly left?: Tensor;
  /** Outputs beside y. */
  readonly outputs?: readonly string[];
  /** What the passes make of it: the operator vanishes, and these stand on the BPU instead. */
  readonly becomes?: readonly string[];
  /** It must be the end of the model. */
  readonly last?: boolean;
  /** Nothing is left of it (constants, dropouts). */
  readonly folds?: boolean;
}

/** Shape of the model's input and of most features. */
export const S = [1, 8, 8, 8];
const r0 = new Random(7);
const same = { feature: S };

const onBayes: Readonly<Record<string, Spec>> = {
  Add: { more: [same] },
  ArgMax: { attrs: { axis: attr.int(1) } },
  ArgMin: { attrs: { axis: attr.int(1) } },
  AveragePool: {
    attrs: { kernel_shape: attr.ints([3, 3]), pads: attr.ints([1, 1, 1, 1]) },
  },
  BatchNormalization: {
    more: [r0.values([8]), r0.values([8]), r0.values([8]), f32([8], [1, 2, 3, 4, 5, 6, 7, 8])],
    becomes: ["HzSQuantizedConv"],
  },
  Clip: { more: [f32([], [-0.5]), f32([], [0.75])], becomes: ["HzSQuantizedConv"] },
  Concat: { more: [same], attrs: { axis: attr.int(1) } },
  Constant: { folds: true },
  ConstantOfShape: { folds: true },
  Conv: { more: [r0.values([6, 8, 3, 3]), r0.values([6])] },
  ConvTranspose: { more: [r0.values([8, 5, 2, 2])], attrs: { strides: attr.ints([2, 2]) } },
  DepthToSpace: { shape: [1, 16, 8, 8], attrs: { blocksize: attr.int(2) } },
  Div: { more: [same] },
  Dropout: { folds: true },
  Equal: { more: [same] },
  Expand: { shape: [1, 8, 1, 8], more: [i64([1, 8, 8, 8])] },
  Flatten: { becomes: ["Reshape"] },
  Gather: { more: [i64([2, 0, -1])], attrs: { axis: attr.int(1) } },
  GatherElements: {
    more: [{ ...i64(Array.from({ length: 8 * 4 * 8 }, (_, i) => i % 8)), shape: [1, 8, 4, 8] }],
    attrs: { axis: attr.int(2) },
  },
  Gemm: { shape: [4, 128], more: [r0.values([128, 5])], becomes: ["HzSQuantizedConv"] },
  Greater: { more: [same] },
  GreaterOrEqual: { more: [same] },
  GridSample: { more: [{ feature: [1, 4, 4, 2] }] },
  LSTM: {
    shape: [4, 1, 128],
    more: [r0.values([1, 12, 128]), r0.values([1, 12, 3]), r0.values([1, 24])],
    attrs: { hidden_size: attr.int(3) },
  },
  LeakyRelu: { attrs: { alpha: attr.float(0.1) } },
  Less: { more: [same] },
  LessOrEqual: { more: [same] },
  MatMul: { shape: [1, 2, 8, 32], more: [{ feature: [1, 2, 32, 4] }] },
  Max: { more: [same] },
  MaxPool: { attrs: { kernel_shape: attr.ints([2, 2]), strides: attr.ints([2, 2]) } },
  Min: { more: [same] },
  Mul: { more: [same] },
  Pad: { more: [i64([0, 0, 1, 1, 0, 0, 1, 1]), f32([], [0.5])] },
  Pow: { more: [f32([], [2])] },
  ReduceMax: { attrs: { axes: attr.ints([1]) } },
  ReduceMean: { attrs: { axes: attr.ints([1]) } },
  ReduceSum: { more: [i64([1])] },
  Relu: { becomes: ["HzSQuantizedConv"] },
  Reshape: { more: [i64([1, 16, 4, 8])] },
  Resize: {
    more: [f32([0], []), f32([4], [1, 1, 2, 2])],
    attrs: {
      mode: attr.string("nearest"),
      coordinate_transformation_mode: attr.string("asymmetric"),
    },
  },
  Shape: { folds: true },
  Size: { folds: true },
  Slice: { more: [i64([1]), i64([6]), i64([2])] },
  Softmax: { attrs: { axis: attr.int(3) } },
  SpaceToDepth: { attrs: { blocksize: attr.int(2) } },
  Split: { attrs: { axis: attr.int(1) }, outputs: ["y1"] },
  Squeeze: { more: [i64([0])], becomes: ["Reshape"] },
  Sub: { more: [same] },
  Sum: { more: [same] },
  Tile: { more: [i64([1, 1, 2, 1])] },
  TopK: { more: [i64([3])], attrs: { axis: attr.int(1) }, outputs: ["y1"] },
  Transpose: { attrs: { perm: attr.ints([0, 2, 1, 3]) } },
  Unsqueeze: { shape: [8, 8, 8], more: [i64([0])], becomes: ["HzSQuantizedConv"] },
  Upsample: { folds: true },
};

/** What the constraints of bernoulli2 want otherwise. */
const onBernoulli2: Readonly<Record<string, Spec>> = {
  MatMul: { shape: [1, 2, 8, 32], more: [{ feature: [1, 1, 32, 4] }] },
  PRelu: { more: [r0.values([8, 1, 1])] },
  ReduceMean: { attrs: { axes: attr.ints([2, 3]) } },
  Softmax: { attrs: { axis: attr.int(1) }, last: true },
};

/** Functions of one input need nothing but their name. */
const unary = new Set(
  "Abs Atan Ceil Cos Elu Exp Floor GlobalAveragePool GlobalMaxPool HardSigmoid Log Reciprocal Sigmoid Sin Softplus Sqrt Tanh"
    .split(" "),
);

/** The model of a row; undefined where there is none. */
export function specOf(march: MarchName, op: string): Spec | undefined {
  const own = march === "bernoulli2" ? onBernoulli2[op] : undefined;
  return own ?? onBayes[op] ?? (unary.has(op) ? {} : undefined);
}
