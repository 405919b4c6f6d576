/**
 * For tests only: placement of pooling, normalisation and recurrent operators.
 *
 * @module
 */

import {
  type Break,
  type Case,
  caseList,
  F64,
  image,
  type Input,
  K,
  notFloat,
  rank11,
} from "./placement_harness.ts";

const { list, cases } = caseList();
/** The cases of this file. */
export const poolCases = list;

const big = [1, 4, 600, 600];
const pool = (attrs: Case["attrs"]): Case => ({ inputs: [big], attrs: attrs ?? {} });
for (const op of ["MaxPool", "AveragePool"]) {
  cases(op, "bayes", "bpu", pool({ kernel_shape: [256, 3] }), [
    [pool({ kernel_shape: [257, 3] }), /kernel_shape H 257 is more than 256/],
    [pool({ kernel_shape: [3, 3], strides: [1, 257] }), /stride W 257 is more than 256/],
    [pool({ kernel_shape: [3, 3], pads: [0, 0, 0, 257] }), /pads W end 257 is more than 256/],
    [{ inputs: [[1, 4, 60]], attrs: { kernel_shape: [3] } }, /input rank 3 is not 4/],
  ]);
  for (const march of ["bayes", "bernoulli2"] as const) {
    cases(op, march, "cpu", pool({ kernel_shape: [3, 3] }), [
      [pool({ kernel_shape: [3, 3], auto_pad: "VALID" }), /auto_pad VALID is not supported/],
      [{ inputs: [[1, 4, 60]], attrs: { kernel_shape: [3] } }, /input rank 3 is not 4/],
      ...(op === "AveragePool" ? [] : [
        [pool({ kernel_shape: [3, 3], dilations: [2, 2] }), /dilations 2,2 are not supported/],
        [pool({ kernel_shape: [3, 3], storage_order: 1 }), /storage_order 1 is not one of 0/],
      ] as Break[]),
    ]);
  }
}
cases("MaxPool", "bayes", "bpu", pool({ kernel_shape: [3, 3] }), [
  [pool({ kernel_shape: [3, 3], dilations: [2, 2] }), /dilations 2,2 are not supported/],
]);
cases("MaxPool", "bernoulli2", "bpu", pool({ kernel_shape: [64, 3] }), [
  [pool({ kernel_shape: [65, 3] }), /kernel_shape H 65 is outside 1..64/],
  [pool({ kernel_shape: [3, 3], strides: [186, 1] }), /stride H 186 is outside 1..185/],
  [pool({ kernel_shape: [3, 3], pads: [-1, 0, 0, 0] }), /pads H begin -1 is outside 0\.\./],
  [pool({ kernel_shape: [3, 3], dilations: [2, 2] }), /dilations 2,2 are not supported/],
]);
cases("AveragePool", "bernoulli2", "bpu", pool({ kernel_shape: [7, 7] }), [
  [pool({ kernel_shape: [8, 7] }), /kernel_shape H 8 is outside 1..7/],
  [pool({ kernel_shape: [3, 3], strides: [186, 1] }), /stride H 186 is outside 1..185/],
]);
cases("LpPool", "bayes", "cpu", pool({ kernel_shape: [3, 3] }), [
  [pool({ kernel_shape: [3, 3], auto_pad: "VALID" }), /auto_pad/],
  [
    { inputs: [{ shape: [1, 1, 4, 4], dtype: "float16" }], attrs: { kernel_shape: [2, 2] } },
    /float16/,
  ],
  [{ inputs: [[1, 4, 60]], attrs: { kernel_shape: [3] } }, /input rank 3 is not 4/],
]);
cases("GlobalAveragePool", "bayes", "bpu", { inputs: [image] }, [
  [{ inputs: [[1, 8, 16]] }, /input rank 3 is not 4/],
]);
cases("GlobalAveragePool", "bernoulli2", "bpu", { inputs: [image] }, [
  [{ inputs: [[1, 8, 91, 91]] }, /input H\*W 8281 is more than 8192/],
  [{ inputs: [[1, 8, 16]] }, /input rank 3 is not 4/],
]);
cases("GlobalAveragePool", "bayes", "cpu", { inputs: [image] }, [
  notFloat,
  [{ inputs: [[1, 8, 16]] }, /input rank 3 is not 4/],
]);
cases("GlobalMaxPool", "bayes", "bpu", { inputs: [image] }, [
  [{ inputs: [[1, 8, 257, 1]] }, /input H 257 is outside 1..256/],
]);
cases("GlobalMaxPool", "bernoulli2", "bpu", { inputs: [image] }, [
  [{ inputs: [[1, 8, 1, 1025]] }, /input W 1025 is outside 1..1024/],
]);
for (const march of ["bayes", "bernoulli2"] as const) {
  cases("GlobalMaxPool", march, "cpu", { inputs: [image] }, [
    notFloat,
    [{ inputs: [[1, 8, 16]] }, /input rank 3 is not 4/],
  ]);
}
cases("GlobalLpPool", "bayes", "cpu", { inputs: [image] }, [
  [{ inputs: [{ shape: image, dtype: "float16" }] }, /float16 is not float, double/],
  [{ inputs: [[1, 8, 16]] }, /input rank 3 is not 4/],
]);

cases("Softmax", "bayes", "bpu", { inputs: [image] }, [
  [{ inputs: [[1, 10]] }, /input rank 2 is not 4/],
  [{ attrs: { axis: 0 } }, /axis 0 is not one of 1, 2, 3/],
]);
cases("Softmax", "bernoulli2", "bpu", { inputs: [image], attrs: { axis: -3 } }, [
  [{ inputs: [[1, 10]], attrs: { axis: 1 } }, /input rank 2 is not 4/],
  [{ attrs: { axis: 2 } }, /axis 2 is not one of 1/],
  [{ after: ["Relu"] }, /Relu reads it/],
]);
for (const march of ["bayes", "bernoulli2"] as const) {
  cases("Softmax", march, "cpu", { inputs: [image] }, [notFloat]);
}
const normalised = (shape: readonly number[]): Case => ({
  inputs: [shape, K(shape.slice(-1)), K(shape.slice(-1))],
});
for (const march of ["bayes", "bernoulli2"] as const) {
  const flat = march === "bernoulli2";
  cases("LayerNormalization", march, "bpu", { ...normalised(image), attrs: { axis: 2 } }, [
    flat
      ? [{ attrs: { axis: 3 } }, /its means are not over H,W of rank 4/]
      : [normalised(rank11), /input rank 11 is outside 2..5/],
    ...(flat ? [[normalised([1, 8, 16]), /its means are not over H,W/] as Break] : [
      [{ ...normalised([1, 300, 300]), attrs: { axis: 1 } }, /elements 90000 is outside 1..65536/],
    ] as Break[]),
    [{ inputs: [image, K([16]), [16]] }, /input 2 is computed, not constant/],
    [{ inputs: [image, [16]] }, /input 1 is computed, not constant/],
    [{ outputs: ["y", "mean"] }, /it also gives mean/],
  ]);
}
cases("LayerNormalization", "bayes", "bpu", normalised([4, 96]));
const rooted = (shape: readonly number[], axes: readonly number[]): Case => ({
  inputs: [shape, K(shape.slice(-1))],
  attrs: { axes, epsilon: 1 },
});
cases("HzRMSNormalization", "bayes", "bpu", rooted([1, 8, 96], [2]), [
  [rooted(rank11, [10]), /input rank 11 is outside 2..5/],
  [rooted([1, 300, 300], [1, 2]), /elements 90000 is outside 1..65536/],
  [{ inputs: [[1, 8, 96], [96]] }, /input 1 is computed, not constant/],
]);
cases("HzRMSNormalization", "bernoulli2", "bpu", rooted(image, [2, 3]), [
  [{ attrs: { axes: [3], epsilon: 1 } }, /its means are not over H,W of rank 4/],
]);
cases("LogSoftmax", "bayes", "cpu", { inputs: [image] }, [notFloat]);
cases("LpNormalization", "bayes", "cpu", { inputs: [image] }, [
  [{ attrs: { p: 3 } }, /p 3 is not one of 1, 2/],
  [{ inputs: [{ shape: image, dtype: "float16" }] }, /float16 is not float, double/],
]);
cases("LRN", "bayes", "cpu", { inputs: [image], attrs: { size: 5 } }, [
  notFloat,
  [{ inputs: [[1, 8, 4]] }, /input rank 3 is not 4/],
]);
cases("InstanceNormalization", "bayes", "cpu", { inputs: [image, K([8]), K([8])] }, [
  [{
    inputs: [F64, { shape: [8], dtype: "float64" }, { shape: [8], dtype: "float64" }],
  }, /double/],
]);

const cell = (gates: number, more: readonly Input[] = []): readonly Input[] => [
  [5, 1, 3],
  [1, gates * 4, 3],
  [1, gates * 4, 4],
  ...more,
];
const double = (list: readonly Input[]): readonly Input[] =>
  list.map((i): Input => ({ shape: i === undefined || "shape" in i ? [] : i, dtype: "float64" }));
const both = ["y", "h"];
cases("LSTM", "bayes", "bpu", { inputs: cell(4) }, [
  [{ inputs: [[5, 2, 3], [1, 16, 3], [1, 16, 4]] }, /batch 2 is not 1/],
]);
cases("LSTM", "bernoulli2", "bpu", { inputs: cell(4) }, [
  [{ inputs: [[5, 2, 3], [1, 16, 3], [1, 16, 4]] }, /batch 2 is not 1/],
]);
cases("LSTM", "bayes", "bpu", { inputs: cell(4), outputs: ["", "h"] });
const lens: Input = { shape: [1], dtype: "int32", value: 5 };
cases("LSTM", "bayes", "cpu", { inputs: cell(4, [[1, 32], lens]) }, [
  [{ inputs: double(cell(4)) }, /double/],
  [{ attrs: { direction: "reverse" } }, /direction reverse is not forward/],
  [{ inputs: cell(4, [[1, 32], undefined, [1, 1, 4]]) }, /6 inputs are not supported/],
  [{ inputs: cell(4, [[1, 32], { ...lens, value: 4 }]) }, /sequence_lens is not the whole/],
]);
cases("LSTM", "bernoulli2", "cpu", { inputs: cell(4), outputs: both, attrs: { hidden_size: 4 } }, [
  [{ attrs: { direction: "reverse" } }, /attribute direction is not supported/],
  [{ inputs: double(cell(4)) }, /double/],
  [{ inputs: cell(4, [[1, 32], lens]) }, /5 inputs are not one of 3, 4, 8/],
  [{ outputs: ["y"] }, /1 outputs are not 2/],
]);
cases("GRU", "bayes", "cpu", { inputs: cell(3) }, [
  [{ attrs: { direction: "reverse" } }, /direction reverse/],
  [{ inputs: double(cell(3)) }, /double/],
]);
cases("GRU", "bernoulli2", "cpu", { inputs: cell(3), outputs: both }, [
  [{ attrs: { direction: "reverse" } }, /direction reverse/],
  [{ inputs: double(cell(3)) }, /double/],
  [{ inputs: cell(3, [[1, 24], lens]) }, /5 inputs are not one of 3, 4, 6/],
  [{ outputs: ["y"] }, /1 outputs are not 2/],
]);
cases("RNN", "bayes", "cpu", { inputs: cell(1), outputs: ["", "h"], after: [] }, [
  [{ attrs: { direction: "reverse" } }, /direction reverse/],
  [{ inputs: double(cell(1)) }, /double/],
  [{ inputs: cell(1, [[1, 8]]) }, /it has 4 inputs/],
  [{ outputs: ["y"] }, /its output is not Y_h only/],
]);
