/**
 * For tests only: placement of convolutions and products.
 *
 * @module
 */

import { elementCount } from "../ir/tensor.ts";
import { type Break, type Case, caseList, F64, image, K, mm } from "./placement_harness.ts";

const { list, cases } = caseList();
/** The cases of this file. */
export const convCases = list;

const conv: Case = { inputs: [image, [16, 8, 3, 3]] };
for (const march of ["bayes", "bayes_e"] as const) {
  cases("Conv", march, "bpu", conv, [
    [{ inputs: [[1, 8, 16], [16, 8, 3]] }, /input rank 3 is not 4 or 5/],
    [{ inputs: [[1, 8, 64, 64], [16, 8, 33, 3]] }, /kernel_shape H 33 is outside 1..31/],
    [{ inputs: [[1, 8, 64, 64], [16, 8, 3, 32]] }, /kernel_shape W 32 is outside 1..31/],
    [{ inputs: [image, [8193, 8, 1, 1]] }, /weight N 8193 is outside 1..8192/],
    [{ inputs: [[1, 8193, 1, 1], [1, 8193, 1, 1]] }, /weight C 8193 is outside 1..8192/],
    [{ inputs: [[1, 8192, 4, 4], [1, 8192, 3, 3]] }, /weight C\*H\*W 73728 is more than \d+/],
    [
      { inputs: [[1, 16, 1, 1], [8200, 16, 1, 1]], after: ["Relu"] },
      /output C per group 8200 is more than 8192/,
    ],
    [
      { inputs: [[1, 65537, 1, 1], [1, 65537, 1, 1]] },
      /input C per group 65537 is more than 65536/,
    ],
    [{ inputs: [[1, 8, 600, 600], [1, 8, 3, 3]], attrs: { strides: [257, 1] } }, /stride H 257/],
    [{ attrs: { strides: [3, 3] }, after: ["Add"] }, /stride 3 is not 1 or 2 and an Add follows/],
    [{ attrs: { strides: [2, 2], dilations: [2, 2] } }, /strides 2,2 are not 1 and it is dilated/],
    [{ inputs: [[1, 8, 64, 64], [1, 8, 3, 3]], attrs: { dilations: [17, 1] } }, /dilations H 17/],
    [
      { inputs: [[1, 8, 16, 17], [1, 8, 3, 3]], attrs: { dilations: [2, 2] } },
      /input W 17 is not a multiple of its dilation 2/,
    ],
    [{ attrs: { pads: [0, 257, 0, 0] } }, /pads W begin 257 is outside 0..256/],
    [{ inputs: [[4097, 8, 3, 3], [1, 8, 3, 3]] }, /input N 4097 is more than 4096/],
    [{ inputs: [[1, 1, 65537, 3], [1, 1, 3, 3]] }, /input H 65537 is outside 1..65536/],
    [
      { inputs: [[64, 8, 2048, 2048], [1, 8, 3, 3]] },
      /input has 2147483648 elements, over 1 GiB/,
    ],
  ]);
  const conv3: Case = { inputs: [[1, 4, 8, 16, 16], [8, 4, 3, 3, 3]] };
  cases("Conv", march, "bpu", conv3, [
    [{ inputs: [[129, 4, 8, 16, 16], [8, 4, 3, 3, 3]] }, /input N 129 is outside 1..128/],
    [{ inputs: [[1, 1, 65537, 3, 3], [1, 1, 3, 3, 3]] }, /input D 65537 is outside 1..65536/],
    [{ inputs: [[1, 1, 3, 3, 3], [65537, 1, 3, 3, 3]] }, /weight N 65537 is outside 1..65536/],
    [{ inputs: [[1, 4, 8, 64, 16], [8, 4, 3, 33, 3]] }, /kernel_shape H 33 is outside 1..31/],
    [{ attrs: { pads: [2, 0, 0, 0, 0, 0] } }, /pads D 2 is outside 0..1/],
    [{ attrs: { strides: [1, 2, 1] } }, /strides H 2 and W 1 are not both 1 or both 2/],
    [{ inputs: [[1, 4, 8, 16, 16], [8, 2, 3, 3, 3]], attrs: { group: 2 } }, /group 2 is not/],
    [{ attrs: { dilations: [1, 2, 1] } }, /dilations 1,2,1 are not supported/],
    [
      { inputs: [[128, 64, 64, 64, 64], [8, 64, 3, 3, 3]] },
      /input size 2147483648 is more than 1073741824/,
    ],
    [
      { inputs: [[1, 8, 1024, 512, 3], [8, 8, 3, 3, 3]] },
      /aligned input size 1073741824 is more than 1073741823/,
    ],
    [{ inputs: [[1, 4096, 3, 3, 3], [1, 4096, 3, 1, 1]] }, /weight D \* input C 12288/],
  ]);
}
cases("Conv", "bernoulli2", "bpu", conv, [
  [{ inputs: [image, [16, 8, 8, 3]] }, /kernel_shape H 8 is outside 1..7/],
  [{ inputs: [[1, 8, 16], [16, 8, 3]] }, /input rank 3 is not 4/],
  [{ inputs: [[1, 4097, 3, 3], [1, 4097, 1, 1]] }, /input C per group 4097 is more than 4096/],
  [
    {
      inputs: [[1, 2049, 3, 3], [1, 2049, 3, 3]],
      attrs: { dilations: [2, 2], pads: [2, 2, 2, 2] },
    },
    /input C per group 2049 is more than 2048/,
  ],
  [{ attrs: { strides: [3, 3] }, after: ["Add"] }, /stride 3 is not 1 or 2/],
  [{ attrs: { dilations: [3, 3] } }, /dilation 3 is not a power of 2/],
  [{ attrs: { dilations: [2, 2], strides: [4, 4] } }, /dilation 2 is not a multiple of stride 4/],
  [{ attrs: { dilations: [4, 2] } }, /dilation H 4 is more than dilation W 2/],
  [{ inputs: [[1, 4096, 3, 3], [1, 4096, 3, 3]] }, /weight C\*H\*W 36864 is more than 32768/],
]);
for (const march of ["bayes", "bernoulli2"] as const) {
  cases("Conv", march, "cpu", conv, [
    [{ inputs: [[1, 8, 16], [16, 8, 3]] }, /input rank 3 is not 4/],
    [{ attrs: { auto_pad: "SAME_UPPER" } }, /auto_pad SAME_UPPER is not supported/],
    [{ inputs: [F64, { shape: [16, 8, 3, 3], dtype: "float64" }] }, /dtype double is not float/],
    [{ inputs: [[1, 8, 16], [16, 8, 3]], attrs: { pads: [1, 1] } }, /pads has 2 values, not 4/],
    [{ attrs: { pads: [0, 0, 1, 0] } }, /pads 0 and 1 of axis 2 differ/],
  ]);
}

const deconv: Case = { inputs: [image, [8, 4, 4, 4]], attrs: { strides: [2, 2] } };
cases("ConvTranspose", "bayes", "bpu", deconv, [
  [{ inputs: [[129, 8, 4, 4], [8, 4, 4, 4]] }, /input N 129 is outside 1..128/],
  [{ inputs: [[1, 8, 65537, 1], [8, 4, 4, 4]] }, /input H 65537 is outside 1..65536/],
  [{ inputs: [[1, 2049, 4, 4], [2049, 4, 4, 4]] }, /input C 2049 is outside 1..2048/],
  [{ inputs: [[128, 2048, 64, 65], [2048, 1, 2, 2]] }, /input size 1090519040 is more than/],
  [{ inputs: [[1, 8, 4, 4], [8, 2049, 4, 4]] }, /weight C 2049 is outside 1..2048/],
  [{ inputs: [image, [8, 4, 15, 4]] }, /kernel_shape H 15 is outside 1..14/],
  [{ inputs: [image, [8, 4, 1, 1]] }, /kernel_shape H and W are both 1/],
  [{ inputs: [[1, 2048, 4, 4], [2048, 1, 8, 8]] }, /weight size 131072 is outside 1..65535/],
  [{ attrs: { strides: [3, 3], pads: [2, 0, 0, 0] } }, /pads H 2 is outside 0..kernel\/stride/],
  [{ attrs: { strides: [2, 2], pads: [3, 0, 0, 0] } }, /pads H 3 is outside 0..kernel\/stride/],
  [{ attrs: { strides: [3, 3], output_padding: [2, 2] } }, /output_padding H 2 is outside 0..1/],
  [{ attrs: { strides: [15, 1] } }, /stride H 15 is outside 1..14/],
  [{ attrs: { strides: [1, 1] } }, /stride H and W are both 1/],
  [{ attrs: { strides: [2, 2], dilations: [2, 2] } }, /dilations 2,2 are not supported/],
  [{ inputs: [[1, 8, 4], [8, 4, 4]], attrs: { strides: [2] } }, /input rank 3 is not 4/],
]);
cases("ConvTranspose", "bernoulli2", "bpu", deconv, [
  [{ inputs: [image, [8, 4, 1, 4]] }, /kernel_shape H 1 is outside 2..14/],
  [{ inputs: [[1, 2049, 4, 4], [2049, 4, 4, 4]] }, /input C 2049 is more than 2048/],
  [{ attrs: { strides: [2, 2], pads: [2, 0, 0, 0] } }, /pads H 2 is outside 0..1/],
  [{ attrs: { strides: [2, 3] } }, /stride 3 is not 2 or 4/],
  [{ attrs: { strides: [4, 2] } }, /stride H 4 is more than stride W 2/],
  [{ attrs: { strides: [2, 2], dilations: [2, 2] } }, /dilations 2,2 are not supported/],
]);
cases("ConvTranspose", "bayes", "cpu", { ...deconv, attrs: { kernel_shape: [4, 4] } }, [
  [{ inputs: [[1, 8, 4], [8, 4, 4]], attrs: {} }, /input rank 3 is not 4/],
  [{ inputs: [F64, { shape: [8, 4, 4, 4], dtype: "float64" }] }, /double/],
  [{ attrs: { output_shape: [18, 18] } }, /attribute output_shape is not supported/],
  [{ attrs: { pads: [0, 0, 1, 0] } }, /pads 0 and 1 of axis 2 differ/],
]);
cases("ConvTranspose", "bernoulli2", "cpu", deconv, [
  [{ attrs: { auto_pad: "VALID" } }, /auto_pad VALID is not supported/],
  [{ inputs: [F64, { shape: [8, 4, 4, 4], dtype: "float64" }] }, /double/],
]);

const gemm: Case = { inputs: [[1, 128], K([128, 10])] };
for (const march of ["bayes", "bayes_e"] as const) {
  cases("Gemm", march, "bpu", gemm, [
    [{ inputs: [[1, 4], [4, 65537]] }, /weight N 65537 is outside 1..65536/],
    [{ inputs: [[1, 4], [4, 8193]], after: ["Relu"] }, /weight N 8193 is outside 1..8192/],
    [{ inputs: [[1, 8193], [8193, 1]] }, /weight C 8193 is outside 1..8192/],
    [
      { inputs: [[1, 128], [128, 10]], before: "Flatten", fed: [1, 2, 32, 2] },
      /kernel_shape H 32 is outside 1..31/,
    ],
  ]);
  cases("Gemm", march, "bpu", {
    inputs: [[1, 25088], [25088, 10]],
    before: "Flatten",
    fed: [1, 512, 7, 7],
  });
  cases("Gemm", march, "cpu", gemm, [
    [{
      inputs: [{ shape: [1, 128], dtype: "float64" }, { shape: [128, 10], dtype: "float64" }],
    }, /double/],
  ]);
}
const flat = (fed: readonly number[]): Case => {
  const k = elementCount(fed.slice(1));
  return { inputs: [[1, k], [k, 10]], before: "Flatten", fed };
};
cases("Gemm", "bernoulli2", "bpu", flat([1, 64, 7, 7]), [
  [flat([1, 16, 8, 8]), /input H 8 is more than 7/],
  [flat([1, 1024, 6, 6]), /weight C\*H\*W 36864 is more than 32768/],
  [{ inputs: [[1, 16385], [16385, 1]], before: undefined }, /input C 16385 is more than 16384/],
  [{ ...flat([1, 2048, 7, 7]), after: ["Relu"] }, /H\*\(W\/8\)\*\(C\/4\) 3136 is more than 1024/],
  [{ ...flat([1, 2048, 7, 7]), after: ["Softmax"] }, /3136 is not less than 2048/],
] as Break[]);

cases("MatMul", "bayes", "bpu", mm([2, 3, 4, 5], [2, 3, 5, 6]), [
  [mm([2, 4, 5], [5, 6]), /the ranks 3 and 2 differ/],
  [mm([8193, 5], [5, 6]), /A M 8193 is outside 1..8192/],
  [mm([4097, 4, 5], [1, 5, 6]), /A dim 0 4097 is outside 1..4096/],
  [mm([2, 1, 4, 5], [1, 3, 5, 6]), /both inputs are broadcast/],
  [mm([2, 1, 4, 5], [2, 3, 5, 6]), /only some upper dimensions of A are broadcast/],
  [mm([7, 2, 3, 4, 5], [7, 1, 3, 5, 6]), /not broadcast do not come first/],
]);
// The examples of the table.
for (
  const [a, b] of [
    [[2, 3, 4, 5], [2, 1, 5, 6]],
    [[1, 1, 4, 5], [2, 3, 5, 6]],
    [[7, 2, 3, 4, 5], [7, 1, 1, 5, 6]],
  ] as const
) cases("MatMul", "bayes", "bpu", mm(a, b));
cases("MatMul", "bernoulli2", "bpu", mm([1, 3, 4, 5], [1, 1, 5, 6]), [
  [{ inputs: [K([4, 5]), K([5, 6])] }, /both inputs are constants/],
  [{ inputs: [[1, 2, 4, 5], K([1, 2, 5, 6])] }, /none that are supported/],
  [{ inputs: [K([4, 5]), [5, 6]] }, /none that are supported/],
  [mm([2, 3, 4, 5], [2, 3, 5, 6]), /none that are supported/],
]);
for (
  const [a, b] of [
    [[5], [5, 6]],
    [[5], [1, 5, 6]],
    [[5], [1, 1, 5, 6]],
    [[4, 5], [5]],
    [[4, 5], [1, 1, 5, 6]],
    [[1, 4, 5], [5]],
    [[1, 4, 5], [1, 5, 6]],
    [[1, 1, 4, 5], [1, 5, 6]],
    [[3, 4, 5], [5, 6]],
    [[1, 3, 4, 5], [5, 6]],
    [[2, 3, 4, 5], [5, 6]],
  ] as const
) cases("MatMul", "bernoulli2", "bpu", { inputs: [a, K(b)] });
for (const march of ["bayes", "bernoulli2"] as const) {
  cases("MatMul", march, "cpu", mm([4, 5], [5, 6]), [
    [
      { inputs: [{ shape: [4, 5], dtype: "int32" }, { shape: [5, 6], dtype: "int32" }] },
      /int32 is not float/,
    ],
  ]);
}
