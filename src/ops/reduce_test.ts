/** Reductions against stock onnxruntime-web. */

import assert from "node:assert/strict";
import { random } from "../formats/onnx/test_models.ts";
import { attr } from "../ir/graph.ts";
import { elementCount, f32, i64, type Tensor, tensor } from "../ir/tensor.ts";
import { argMax } from "./arg_max.ts";
import { argMin } from "./arg_min.ts";
import { fromDoubles } from "./convert.ts";
import { foldOf, sameAsOrt, typesOf } from "./op_case.ts";
import type { OpDef } from "./op.ts";
import { reduceL1 } from "./reduce_l1.ts";
import { reduceL2 } from "./reduce_l2.ts";
import { reduceLogSum } from "./reduce_log_sum.ts";
import { reduceLogSumExp } from "./reduce_log_sum_exp.ts";
import { reduceMax } from "./reduce_max.ts";
import { reduceMean } from "./reduce_mean.ts";
import { reduceMin } from "./reduce_min.ts";
import { reduceProd } from "./reduce_prod.ts";
import { reduceSum } from "./reduce_sum.ts";
import { reduceSumSquare } from "./reduce_sum_square.ts";

const floats = [
  reduceL1,
  reduceL2,
  reduceLogSum,
  reduceLogSumExp,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceSum,
  reduceSumSquare,
];

function positive(shape: readonly number[], seed: number): Tensor {
  const next = random(seed);
  return f32(shape, Array.from({ length: elementCount(shape) }, () => next() + 1.1));
}

/** Axes are an input of ReduceSum and an attribute of the others at opset 17. */
function withAxes(def: OpDef, x: Tensor, axes: readonly number[] | undefined, keep: number) {
  const keepdims = { keepdims: attr.int(keep) };
  if (axes === undefined) return { def, inputs: [x], attrs: keepdims };
  return def === reduceSum
    ? { def, inputs: [x, i64(axes)], attrs: keepdims }
    : { def, inputs: [x], attrs: { ...keepdims, axes: attr.ints(axes) } };
}

Deno.test("float reductions over any axes", async () => {
  const x = positive([3, 4, 5, 2], 1);
  for (const def of floats) {
    for (const axes of [undefined, [1], [2, 3], [-1], [0, 2], [3, 1]]) {
      for (const keep of [0, 1]) await sameAsOrt(withAxes(def, x, axes, keep), 1e-6);
    }
  }
});

Deno.test("integer reductions are exact", async () => {
  const values = [5, -3, 7, 2, -9, 4];
  for (const dtype of ["int32", "int64"] as const) {
    const x = tensor(dtype, [2, 3], fromDoubles(dtype, values));
    for (const def of [reduceMax, reduceMin, reduceSum, reduceProd]) {
      for (const axes of [[0], [1], [0, 1]]) await sameAsOrt(withAxes(def, x, axes, 1));
    }
  }
  const big = tensor("int64", [3], BigInt64Array.of(2n ** 60n, 3n, -5n));
  const one = (def: OpDef) => foldOf({ def, inputs: [big] })[0]!.data[0];
  assert.equal(one(reduceSum), 2n ** 60n - 2n);
  assert.equal(one(reduceL1), 2n ** 60n + 8n);
  assert.equal(one(reduceMean), (2n ** 60n - 2n) / 3n);
  assert.equal(one(reduceSumSquare), BigInt.asIntN(64, 2n ** 120n + 34n));
});

Deno.test("nothing to reduce: noop_with_empty_axes, empty axes, empty sets", () => {
  const x = f32([2, 2], [1, 2, 3, 4]);
  const noop = { noop_with_empty_axes: attr.int(1) };
  assert.equal(foldOf({ def: reduceSum, inputs: [x, i64([])], attrs: noop })[0], x);
  assert.deepEqual([...foldOf({ def: reduceSum, inputs: [x, i64([])] })[0]!.data], [10]);
  const empty = f32([2, 0], []);
  const over = (def: OpDef) => [...foldOf(withAxes(def, empty, [1], 0))[0]!.data];
  assert.deepEqual(over(reduceSum), [0, 0]);
  assert.deepEqual(over(reduceProd), [1, 1]);
  assert.deepEqual(over(reduceMax), [-Infinity, -Infinity]);
  assert.deepEqual(over(reduceMin), [Infinity, Infinity]);
  assert.deepEqual(over(reduceLogSum), [-Infinity, -Infinity]);
  const ints = tensor("int32", [0], new Int32Array(0));
  assert.deepEqual([...foldOf({ def: reduceMax, inputs: [ints] })[0]!.data], [-(2 ** 31)]);
  assert.deepEqual([...foldOf({ def: reduceMin, inputs: [ints] })[0]!.data], [2 ** 31 - 1]);
});

Deno.test("ArgMax and ArgMin, first and last of equals", async () => {
  const x = f32([2, 3, 3], [1, 3, 3, 2, 2, 2, 0, -1, -1, 5, 4, 3, 5, 5, 1, 0, 0, 2]);
  for (const def of [argMax, argMin]) {
    for (const axis of [0, 1, -1]) {
      for (const last of [0, 1]) {
        for (const keep of [0, 1]) {
          await sameAsOrt({
            def,
            inputs: [x],
            attrs: {
              axis: attr.int(axis),
              keepdims: attr.int(keep),
              select_last_index: attr.int(last),
            },
          });
        }
      }
    }
  }
});

Deno.test("unknown dimensions and axes stay unknown", () => {
  const x = { dtype: "float32", shape: [-1, 3, 4] } as const;
  const axes = { dtype: "int64", shape: [2] } as const;
  const shape = (k: Parameters<typeof typesOf>[0]) => typesOf(k)[0]!.shape;
  assert.deepEqual(shape({ def: reduceMax, inputs: [x], attrs: { axes: attr.ints([1]) } }), [
    -1,
    1,
    4,
  ]);
  assert.deepEqual(shape({ def: reduceSum, inputs: [x, axes] }), [-1, -1, -1]);
  const drop = { keepdims: attr.int(0) };
  assert.deepEqual(shape({ def: reduceSum, inputs: [x, axes], attrs: drop }), [-1]);
  assert.throws(() => shape({ def: reduceSum, inputs: [x, i64([3])] }), {
    code: "shape",
    message: "axis 3 is outside -3..2",
  });
  assert.throws(() => shape({ def: reduceSum, inputs: [x, i64([1, -2])] }), {
    message: "axes [1, -2] repeat an axis",
  });
});
