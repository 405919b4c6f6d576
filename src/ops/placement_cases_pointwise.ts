/**
 * For tests only: placement of one-input functions and elementwise operators.
 *
 * @module
 */

import type { DType } from "../ir/tensor.ts";
import { listA } from "./list_a.ts";
import {
  type Break,
  type Case,
  caseList,
  F64,
  I32,
  image,
  type Input,
  K,
  mm,
  notFloat,
  rank11,
} from "./placement_harness.ts";

const { list, cases } = caseList();
/** The cases of this file. */
export const pointwiseCases = list;

for (const d of listA) {
  const rows = d.place;
  if (rows === undefined || !("real" in d) || d.op === "Pow") continue;
  for (const march of ["bayes", "bernoulli2", "bayes_e"] as const) {
    const texts = rows[march].bpu.map((r) => r.text);
    const dtype = d.op === "Not" ? "bool" : "float32";
    const good: Case = { inputs: [{ shape: image, dtype }] };
    if (texts.includes("input/output rank 1..10")) {
      cases(d.op, march, "bpu", good, [
        [{ inputs: [rank11] }, /input rank 11 is outside 1..10/],
        [{ inputs: [[4097, 2]] }, /input dim 0 4097 is outside 1..4096/],
        [{ inputs: [[1, 65537]] }, /input dim 1 65537 is outside 1..65536/],
      ]);
    }
    if (texts.includes("input 1,C,H,W: C*H*W <= 8192")) {
      cases(d.op, march, "bpu", good, [
        [{ inputs: [[1, 8, 32, 33]] }, /input C\*H\*W 8448 is more than 8192/],
        [{ inputs: [[2, 8, 16, 16]] }, /input N 2 is outside 1..1/],
      ]);
    }
    if (rows[march].cpu.some((r) => r.text === "dtype float only")) {
      cases(d.op, march, "cpu", good, [notFloat]);
    }
  }
}
cases("Erf", "bayes", "cpu", { inputs: [image] }, [
  [{ inputs: [I32] }, /input dtype int32 is not float, double/],
]);
cases("Clip", "bayes", "cpu", { inputs: [image] }, [
  [{ inputs: [I32] }, /input dtype int32 is not float, double/],
]);
cases("Sigmoid", "bernoulli2", "bpu", { inputs: [[1, 32, 16, 16]] }, [
  [{ inputs: [[1, 32, 16, 17]] }, /aligned input size 8704 is more than 8192/],
  [{ inputs: [[2, 1, 1, 1]] }, /input N 2 is not 1/],
]);
for (const op of ["Relu", "BatchNormalization"]) {
  const more = op === "Relu" ? [] : new Array<Input>(4).fill(K([8]));
  cases(op, "bayes", "bpu", { inputs: [image, ...more] });
  cases(op, "bernoulli2", "bpu", { inputs: [image, ...more], before: "Conv" }, [
    [{ before: "Sigmoid" }, /there is no preceding Conv/],
    [{ inputs: [image, ...more], before: undefined }, /there is no preceding Conv/],
  ] as Break[]);
}
cases(
  "BatchNormalization",
  "bayes",
  "cpu",
  { inputs: [image, K([8]), K([8]), K([8]), K([8])] },
  [
    [{ inputs: [F64, ...new Array<Input>(4).fill({ shape: [8], dtype: "float64" })] }, /double/],
    [{ inputs: [[8], ...new Array<Input>(4).fill([1])] }, /input rank 1 has no channel dimension/],
  ],
);

for (const op of ["Add", "Sub", "Mul"]) {
  cases(op, "bayes", "bpu", mm(image, [1, 8, 1, 16]), [
    [{ inputs: [K([1, 8, 1, 1]), K([1, 8, 1, 1])] }, /2 inputs are constants/],
    [mm([2, 8, 4, 4], [1, 8, 4, 4]), /the first dimension of 2x8x4x4 with 1x8x4x4 is broadcast/],
    [mm([8], [8]), /first input rank 1 is outside 2..5/],
    [mm([2, 1, 3, 1, 4], [2, 5, 1, 6, 1]), /do not fold to rank 4/],
    [mm([2, 3, 4, 5, 1], [2, 1, 1, 5, 6]), /only along broadcast dimensions/],
  ]);
  // The table's own example of rank 5, mutual broadcast, differing ranks, a scalar constant.
  cases(op, "bayes", "bpu", mm([2, 3, 4, 5, 1], [2, 1, 4, 5, 6]));
  cases(op, "bayes", "bpu", mm([1, 8, 1, 16], [1, 1, 4, 16]));
  cases(op, "bayes", "bpu", mm(image, [8, 1, 16]));
  cases(op, "bayes", "bpu", { inputs: [image, K([16])] });
  cases(op, "bayes", "bpu", { inputs: [[2, 8, 4, 4], K([])] });
}
cases("Sum", "bayes", "bpu", { inputs: [image, image, image] }, [
  [mm([8], [8]), /first input rank 1 is outside 2..5/],
]);
cases("Sum", "bayes", "cpu", { inputs: [image, image] }, [
  [{ inputs: [F64, F64] }, /double/],
]);
for (const op of ["Add", "Sum"]) {
  cases(op, "bernoulli2", "bpu", mm(image, image), [
    [mm([1, 2049, 1, 1], [1, 2049, 1, 1]), /input C 2049 is more than 2048/],
    [mm(image, [1, 8, 1, 16]), /neither NCHW \+ NCHW nor NCHW \+ NC11/],
    [{ inputs: [image, K([1, 8, 1, 1])] }, /an input of NCHW \+ NC11 is a constant/],
  ]);
  cases(op, "bernoulli2", "bpu", mm(image, [1, 8, 1, 1]));
  cases(
    op,
    "bernoulli2",
    "cpu",
    { inputs: [image, image] },
    op === "Sum" ? [[{ inputs: [F64, F64] }, /double/]] : [],
  );
}
const mulBreaks: readonly Break[] = [
  [mm(image, [8, 1, 1]), /input ranks 4 and 3 are not 4|neither|constant/],
  [mm([1, 2049, 1, 1], [1, 2049, 1, 1]), /C 2049 is more than 2048/],
  [mm(image, [1, 8, 1, 16]), /none of the shapes/],
];
cases("Mul", "bernoulli2", "bpu", mm(image, image), [
  ...mulBreaks,
  [{ inputs: [image, K(image, 0)] }, /constant input 1 has a value of 0/],
]);
cases("Mul", "bernoulli2", "bpu", mm(image, [1, 1, 1, 1]));
cases("Mul", "bernoulli2", "bpu", mm([1, 8, 1, 1], image));
for (const march of ["bayes", "bernoulli2"] as const) {
  cases("Div", march, "bpu", mm(image, image), [
    [{ inputs: [image, K(image)] }, /input 1 is a constant/],
    march === "bayes" ? [mm([8], [8]), /rank 1 is outside/] : mulBreaks[0]!,
  ]);
}
const six = new Array<number>(6).fill(2);
const six1 = [1, ...six.slice(1)];
for (
  const op of [
    "Add",
    "And",
    "Div",
    "Equal",
    "Greater",
    "GreaterOrEqual",
    "Less",
    "LessOrEqual",
    "Max",
    "Min",
    "Mul",
    "Or",
    "Pow",
    "Sub",
  ]
) {
  for (const march of ["bayes", "bernoulli2"] as const) {
    const dtype: DType = op === "And" || op === "Or" ? "bool" : "float32";
    const of = (shape: readonly number[]): Input => ({ shape, dtype });
    cases(op, march, "cpu", { inputs: [of(six), of(six)] }, [
      [{ inputs: [of(six), of(six1)] }, /broadcast at rank 6/],
    ]);
    cases(op, march, "cpu", { inputs: [of(six), of([1])] });
  }
}
for (const op of ["Equal", "Greater", "LessOrEqual", "Max", "Min"]) {
  cases(op, "bayes", "bpu", mm(image, [1, 1, 16, 16]), [
    [mm([8], [8]), /first input rank 1 is outside 2..5/],
    [mm([1, 8, 1, 16], [1, 1, 4, 16]), /both inputs are broadcast/],
    [mm([2, 3, 4, 5, 6], [2, 1, 4, 1, 6]), /do not fold to rank 4/],
    [mm([2, 3, 4, 5, 6], [2, 1, 1, 5, 1]), /only along broadcast dimensions/],
  ]);
  cases(op, "bayes", "bpu", mm([2, 3, 4, 5, 6], [2, 3, 1, 5, 1]));
}
for (const op of ["Less", "GreaterOrEqual"]) {
  cases(op, "bayes", "bpu", mm(image, image), [[mm([8], [8]), /rank 1 is outside 2..5/]]);
}
for (const march of ["bayes", "bernoulli2"] as const) {
  cases("Pow", march, "bpu", { inputs: [image, K([])] }, [
    [mm(image, []), /the exponent is not a constant/],
    [{ inputs: [image, K([16])] }, /the exponent has 16 values/],
    ...(march === "bernoulli2" ? [] : [
      [{ inputs: [rank11, K([])] }, /rank 11 is outside 1..10/],
      [{ inputs: [[4097, 1], K([])] }, /input dim 0 4097/],
    ] as Break[]),
  ]);
  cases("Pow", march, "cpu", { inputs: [image, K([])] }, [
    [{ inputs: [{ shape: image, dtype: "float16" }, K([])] }, /float16 is not double/],
    [{ inputs: [image, { shape: [], dtype: "int64" }] }, /X is float32 and Y is int64/],
  ]);
}
cases("PRelu", "bernoulli2", "bpu", { inputs: [image, K([8, 1, 1])] });
for (const march of ["bayes", "bernoulli2"] as const) {
  for (const s of [image, [1], [1, 8, 16, 1], [1, 8, 1, 16], [8, 1, 1]]) {
    cases("PRelu", march, "cpu", { inputs: [image, K(s)] });
  }
  cases("PRelu", march, "cpu", { inputs: [image, K([8, 1, 1])] }, [
    [{ inputs: [image, K([16])] }, /a slope of shape 16 does not fit/],
    [{ inputs: [F64, { shape: [1], dtype: "float64" }] }, /double/],
  ]);
}
const yes: Input = { shape: image, dtype: "bool" };
cases("Where", "bayes", "cpu", { inputs: [yes, image, [1]] }, [
  [{ inputs: [yes, F64, F64] }, /input 1 dtype double is not float, int64/],
  [{ inputs: [{ shape: [16], dtype: "bool" }, image, image] }, /a condition of shape 16/],
]);
