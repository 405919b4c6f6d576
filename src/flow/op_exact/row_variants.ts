/**
 * For tests only: further models of the rows of the operator table, one for each other form that their
 * constraints name.
 *
 * @module
 */

import { attr } from "../../ir/graph.ts";
import type { Attr } from "../../ir/graph.ts";
import { f32, i64 } from "../../ir/tensor.ts";
import { Random } from "./harness.ts";
import { S } from "./row_specs.ts";
import type { Spec } from "./row_specs.ts";

/** A form of a row. */
export type Variant = readonly [op: string, form: string, spec: Spec];

const r = new Random(11);
const values = (...shape: number[]) => r.values(shape);
const feature = (...shape: number[]) => ({ feature: shape });
const axis = (v: number) => ({ axis: attr.int(v) });
const ints = (v: Readonly<Record<string, readonly number[]>>): Record<string, Attr> =>
  Object.fromEntries(Object.entries(v).map(([k, a]) => [k, attr.ints(a)]));
const rank10 = [1, 2, 2, 1, 2, 2, 2, 2, 2, 2];

const pointwise: readonly Variant[] = ["Abs", "Exp", "Sigmoid"].flatMap((op): Variant[] => [
  [op, "of rank 1", { shape: [64] }],
  [op, "of rank 10", { shape: rank10 }],
]);

const arithmetic: readonly Variant[] = ["Add", "Sub", "Mul", "Sum"].flatMap((op): Variant[] => [
  [op, "with mutual broadcast", { shape: [1, 8, 1, 8], more: [feature(1, 1, 8, 8)] }],
  [op, "of rank 2", { shape: [8, 16], more: [feature(8, 16)] }],
  [op, "of different ranks", { shape: [1, 4, 8, 8], more: [feature(8, 8)] }],
  [op, "of rank 5", { shape: [1, 2, 4, 4, 4], more: [feature(1, 2, 4, 4, 4)] }],
  [op, "of rank 5, broadcast at the end", {
    shape: [1, 2, 4, 4, 1],
    more: [feature(1, 1, 4, 4, 4)],
  }],
]);

const compared: readonly Variant[] = ["Max", "Min", "Equal", "Greater"].flatMap((op): Variant[] => [
  [op, "with broadcast of one input", { more: [feature(1, 8, 1, 1)] }],
  [op, "of rank 2", { shape: [8, 16], more: [feature(8, 16)] }],
  [op, "of rank 5", { shape: [2, 2, 4, 4, 4], more: [feature(2, 2, 1, 4, 1)] }],
]);

const products: readonly Variant[] = [
  ["MatMul", "of rank 2", { shape: [8, 32], more: [feature(32, 16)] }],
  ["MatMul", "of rank 3", { shape: [2, 8, 32], more: [feature(2, 32, 4)] }],
  ["MatMul", "of rank 5", { shape: [1, 2, 2, 8, 16], more: [feature(1, 2, 2, 16, 4)] }],
  ["MatMul", "with A broadcast", { shape: [1, 1, 8, 16], more: [feature(2, 2, 16, 4)] }],
  ["MatMul", "with B broadcast in its last dimensions", {
    shape: [2, 2, 2, 8, 16],
    more: [feature(2, 2, 1, 16, 4)],
  }],
];

/** Constants in front of the feature, and one value for all of it. */
const constants: readonly Variant[] = [
  ...["Add", "Sub", "Mul", "Max", "Min", "Greater"].flatMap((op): Variant[] => [
    [op, "of a constant and a map", { left: values(1, 8, 1, 8) }],
    [op, "of a map and a constant", { more: [values(1, 1, 8, 8)] }],
  ]),
  ["Concat", "with a constant in front", { left: values(1, 3, 8, 8), attrs: axis(1) }],
  ["MatMul", "with a constant in front", { left: values(5, 16), shape: [16, 8], becomes: [] }],
  ["MatMul", "with a constant that differs over the batch", {
    shape: [2, 8, 32],
    more: [values(2, 32, 4)],
  }],
  ["Pow", "with a root", { shape: S, more: [f32([], [0.5])] }],
];

const windows: readonly Variant[] = [
  ["AveragePool", "with ceil_mode and padding counted", {
    attrs: {
      ...ints({ kernel_shape: [3, 3], strides: [2, 2] }),
      ceil_mode: attr.int(1),
      count_include_pad: attr.int(1),
    },
  }],
  ["AveragePool", "with ceil_mode and padding", {
    attrs: {
      ...ints({ kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
      ceil_mode: attr.int(1),
      count_include_pad: attr.int(1),
    },
  }],
  ["MaxPool", "with ceil_mode", {
    attrs: {
      ...ints({ kernel_shape: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1] }),
      ceil_mode: attr.int(1),
    },
  }],
  ["Conv", "with groups", { more: [values(16, 4, 3, 3)], attrs: { group: attr.int(2) } }],
  ["Conv", "with dilations", {
    more: [values(4, 8, 3, 3)],
    attrs: ints({ dilations: [2, 2], pads: [2, 2, 2, 2] }),
  }],
  ["Conv", "with computed weights", { more: [feature(4, 8, 3, 3), values(4)] }],
  ["Conv", "of rank 3, with computed weights", {
    shape: [1, 8, 64],
    more: [feature(4, 8, 5)],
  }],
  ["Conv", "with a computed kernel for every channel", {
    more: [feature(8, 1, 3, 3)],
    attrs: { group: attr.int(8) },
  }],
  ["Conv", "of rank 5", { shape: [1, 2, 4, 8, 8], more: [values(3, 2, 3, 3, 3)] }],
  ["ConvTranspose", "with groups and output padding", {
    more: [values(8, 2, 3, 3), values(4)],
    attrs: {
      ...ints({ strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] }),
      group: attr.int(2),
    },
  }],
  ["DepthToSpace", "in order CRD", {
    shape: [1, 16, 8, 8],
    attrs: { blocksize: attr.int(2), mode: attr.string("CRD") },
  }],
  ...[[2], [3], [2, 3]].map((axes): Variant => [
    "ReduceMean",
    `over ${axes}`,
    { attrs: ints({ axes }) },
  ]),
  ["ReduceMean", "of rank 2", { shape: [8, 64], attrs: ints({ axes: [1] }) }],
  ["ReduceMax", "of rank 5", { shape: [1, 2, 4, 4, 8], attrs: ints({ axes: [2] }) }],
  ["ReduceSum", "without keepdims", { more: [i64([2])], attrs: { keepdims: attr.int(0) } }],
  ["ReduceSum", "of rank 5", { shape: [1, 2, 4, 4, 8], more: [i64([4])] }],
  ...["half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"].flatMap((how): Variant[] =>
    ["nearest", "linear"].map((mode): Variant => ["Resize", `${mode} ${how}`, {
      more: [f32([0], []), f32([4], [1, 1, 2, 4])],
      attrs: { mode: attr.string(mode), coordinate_transformation_mode: attr.string(how) },
    }])
  ),
  ["Resize", "linear, smaller", {
    more: [f32([0], []), f32([4], [1, 1, 0.5, 0.5])],
    attrs: { mode: attr.string("linear") },
  }],
];

const moves: readonly Variant[] = [
  ["Expand", "of rank 10", {
    shape: [1, 2, 2, 1, 2, 2, 2, 2, 2, 1],
    more: [i64([1, 2, 2, 1, 2, 2, 2, 2, 2, 3])],
  }],
  ["Reshape", "to rank 10", { more: [i64([2, ...rank10.slice(1)])], becomes: ["Reshape"] }],
  ["Reshape", "to rank 1", { more: [i64([512])], becomes: ["Reshape"] }],
  ["Transpose", "of rank 10", {
    shape: [2, 2, 2, 2, 2, 2, 2, 2, 1, 2],
    attrs: ints({ perm: [9, 8, 7, 6, 5, 4, 3, 2, 1, 0] }),
  }],
  ["Slice", "of rank 10", {
    shape: [2, 2, 2, 2, 2, 2, 2, 2, 1, 2],
    more: [i64([1, 1]), i64([2, 2]), i64([0, 5])],
  }],
  ["Split", "of rank 3", { shape: [8, 8, 8], attrs: axis(2), outputs: ["y1"] }],
  ["Concat", "of three", { more: [feature(1, 3, 8, 8), feature(...S)], attrs: axis(1) }],
  ["Pad", "of the batch and of channels", {
    more: [i64([1, 2, 0, 0, 0, 1, 0, 3])],
  }],
  ["Gather", "of rank 1", { shape: [64], more: [i64([3, -1, 7])], attrs: axis(0) }],
  ["Gather", "to rank 4", { shape: [8, 8, 8], more: [{ ...i64([1, 0, 3, 2]), shape: [2, 2] }] }],
  ["GatherElements", "of rank 10", {
    shape: rank10,
    more: [{
      ...i64(Array.from({ length: 256 }, (_, i) => i % 2)),
      shape: rank10,
    }],
    attrs: axis(-2),
  }],
  ["TopK", "of rank 10, smallest", {
    shape: rank10,
    more: [i64([1])],
    attrs: { ...axis(1), largest: attr.int(0) },
    outputs: ["y1"],
  }],
  ["TopK", "of rank 1", { shape: [64], more: [i64([5])], outputs: ["y1"] }],
  ...[1, 2].map((v): Variant => ["Softmax", `over ${v}`, { attrs: axis(v) }]),
  ["GridSample", "nearest, border", {
    more: [feature(1, 4, 4, 2)],
    attrs: { mode: attr.string("nearest"), padding_mode: attr.string("border") },
  }],
  ["GridSample", "with aligned corners", {
    more: [feature(1, 4, 4, 2)],
    attrs: { align_corners: attr.int(1) },
  }],
  ["LSTM", "in both directions, with initial states and peepholes", {
    shape: [4, 1, 16],
    more: [
      values(2, 12, 16),
      values(2, 12, 3),
      values(2, 24),
      f32([0], []),
      feature(2, 1, 3),
      feature(2, 1, 3),
      values(2, 9),
    ],
    attrs: { hidden_size: attr.int(3), direction: attr.string("bidirectional") },
    outputs: ["y1", "y2"],
  }],
];

const onBernoulli2: readonly Variant[] = [
  ["Add", "of a map and one value a channel", { more: [feature(1, 8, 1, 1)] }],
  ["Mul", "of a map and one value a channel", { more: [feature(1, 8, 1, 1)] }],
  ["Mul", "of a map and one value", { more: [feature(1, 1, 1, 1)] }],
  ["Conv", "with dilations", {
    more: [values(4, 8, 3, 3)],
    attrs: ints({ dilations: [2, 2], pads: [2, 2, 2, 2] }),
  }],
  ["PRelu", "with one slope", { more: [values(1)] }],
  ["PRelu", "of rank 2", { shape: [4, 128], more: [values(128)] }],
  ["PRelu", "of rank 3", { shape: [1, 8, 64], more: [values(8, 1)] }],
  ["MatMul", "of a constant 1xBxMxK and a map 1x1xKxN", {
    left: values(1, 3, 8, 64),
    shape: [1, 1, 64, 3],
  }],
  ["MatMul", "of maps 1xBxMxK and 1x1xKxN", {
    shape: [1, 4, 8, 16],
    more: [feature(1, 1, 16, 3)],
  }],
  // K, KxN, ... as the row names them.
  ...[
    [[64], [64, 3]],
    [[64], [1, 64, 3]],
    [[64], [1, 1, 64, 3]],
    [[8, 64], [64]],
    [[8, 64], [64, 3]],
    [[8, 64], [1, 1, 64, 3]],
    [[1, 8, 64], [64]],
    [[1, 8, 64], [1, 64, 3]],
    [[1, 1, 8, 64], [64]],
    [[1, 1, 8, 64], [1, 64, 3]],
    [[1, 1, 8, 64], [1, 1, 64, 3]],
    [[4, 2, 64], [64, 3]],
    [[1, 4, 2, 64], [64, 3]],
    [[2, 2, 2, 64], [64, 3]],
  ].map(([a, b]): Variant => [
    "MatMul",
    `${a!.join("x")} by ${b!.join("x")}`,
    { shape: a!, more: [values(...b!)], becomes: [] },
  ]),
];

/** Further forms of the rows of a march. */
export function variantsOf(march: "bayes" | "bernoulli2"): readonly Variant[] {
  return march === "bayes"
    ? [...pointwise, ...arithmetic, ...compared, ...products, ...constants, ...windows, ...moves]
    : onBernoulli2;
}
