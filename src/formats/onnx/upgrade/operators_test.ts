// Softmax, pooling, quantization and the rest.
import assert from "node:assert/strict";
import { attr } from "../../../ir/graph.ts";
import { f32, i64Scalar, type Tensor } from "../../../ir/tensor.ts";
import { loadOnnx } from "../load.ts";
import { randomTensor, testModel } from "../test_models.ts";
import { build, ops, refused, same, strings, x4 } from "./testing.ts";

Deno.test("Softmax, LogSoftmax, Hardmax before 13", async () => {
  for (const op of ["Softmax", "LogSoftmax", "Hardmax"]) {
    for (const axis of [undefined, 0, 1, 2, 3]) {
      for (const open of [false, true]) {
        await same(`${op} ${axis} ${open}`, {
          opset: 9,
          op,
          attrs: axis === undefined ? {} : { axis: attr.int(axis) },
          feeds: [x4],
          open,
          tolerance: 1e-6,
        });
      }
    }
    await same(`${op} negative`, {
      opset: 12,
      op,
      attrs: { axis: attr.int(-2) },
      feeds: [x4],
      tolerance: 1e-6,
    });
  }
  const last = await same("matrix", { opset: 9, op: "Softmax", feeds: [randomTensor([2, 9], 3)] });
  assert.equal(ops(last), "Softmax");
  const pooled = await same("N C 1 1", {
    opset: 9,
    op: "Softmax",
    feeds: [randomTensor([2, 9, 1, 1], 3)],
    tolerance: 1e-6,
  });
  assert.equal(ops(pooled), "Softmax");
  const wide = await same("NCHW", { opset: 9, op: "Softmax", feeds: [x4], tolerance: 1e-6 });
  assert.equal(ops(wide), "Flatten Softmax Shape Reshape");
});

Deno.test("AveragePool 7, 10, 19 and LpPool", async () => {
  const attrs = {
    kernel_shape: attr.ints([3, 2]),
    strides: attr.ints([2, 2]),
    pads: attr.ints([1, 0, 1, 0]),
  };
  for (const include of [0, 1]) {
    const counted = { ...attrs, count_include_pad: attr.int(include) };
    await same("7", { opset: 7, op: "AveragePool", attrs: counted, feeds: [x4] });
    for (const opset of [10, 19]) {
      await same(`${opset} ceil ${include}`, {
        opset,
        op: "AveragePool",
        attrs: { ...counted, ceil_mode: attr.int(1) },
        feeds: [x4],
        // Opset 19 has a kernel of its own, which sums in another order.
        tolerance: 1e-6,
      });
    }
  }
  await same("19 dilations", {
    opset: 19,
    op: "AveragePool",
    attrs: { ...attrs, dilations: attr.ints([1, 1]) },
    feeds: [x4],
    tolerance: 1e-6,
  });
  for (const include of [0, 1]) {
    for (const more of [{}, { pads: attr.ints([0, 0, 0, 0]) }, { strides: attr.ints([1, 3]) }]) {
      const g = await same("19 dilated", {
        opset: 19,
        op: "AveragePool",
        attrs: {
          ...attrs,
          ...more,
          dilations: attr.ints([2, 1]),
          count_include_pad: attr.int(include),
        },
        feeds: [x4],
        tolerance: 1e-6,
      });
      assert.match(ops(g), /^Conv( Mul)?$/);
    }
  }
  await same("LpPool 18 dilated, ceil", {
    opset: 18,
    op: "LpPool",
    attrs: { ...attrs, dilations: attr.ints([1, 2]), p: attr.int(3) },
    feeds: [x4],
    tolerance: 1e-5,
  });
  refused({
    opset: 19,
    op: "AveragePool",
    attrs: { ...attrs, dilations: attr.ints([2, 1]) },
    feeds: [x4],
    open: true,
  }, /dilated/);
  await same("LpPool 18", {
    opset: 18,
    op: "LpPool",
    attrs: { ...attrs, dilations: attr.ints([1, 1]), ceil_mode: attr.int(0) },
    feeds: [x4],
    tolerance: 1e-6,
  });
});

Deno.test("QuantizeLinear 10, 13, 19, 21 and DequantizeLinear", async () => {
  const scale = f32([], [0.05]);
  const zero: Tensor = { dtype: "int8", shape: [], data: Int8Array.of(3) };
  const outputs = [{ name: "y", dtype: "int8" as const }];
  for (
    const [opset, attrs] of [
      [10, {}],
      [13, {}],
      [19, { saturate: attr.int(1) }],
      [21, { block_size: attr.int(0), saturate: attr.int(1) }],
    ] as const
  ) {
    await same(`Q ${opset}`, {
      opset,
      op: "QuantizeLinear",
      attrs,
      feeds: [x4],
      constants: [scale, zero],
      outputs,
    });
  }
  await same("output_dtype", {
    opset: 21,
    op: "QuantizeLinear",
    attrs: { output_dtype: attr.int(3) },
    feeds: [x4],
    constants: [scale],
    outputs,
  });
  const blocks = f32([2, 2, 5, 4], Array.from({ length: 80 }, (_, i) => 0.01 + i / 500));
  const zeros: Tensor = {
    dtype: "int8",
    shape: [2, 2, 5, 4],
    data: Int8Array.from({ length: 80 }, (_, i) => i % 7 - 3),
  };
  const blocked = { block_size: attr.int(2), axis: attr.int(1) };
  await same("Q in blocks", {
    opset: 21,
    op: "QuantizeLinear",
    attrs: blocked,
    feeds: [x4],
    constants: [blocks, zeros],
    outputs,
  });
  const whole: Tensor = {
    dtype: "int8",
    shape: [2, 3, 5, 4],
    data: Int8Array.from({ length: 120 }, (_, i) => i * 37 % 256 - 128),
  };
  await same("DQ in blocks", {
    opset: 21,
    op: "DequantizeLinear",
    attrs: blocked,
    feeds: [whole],
    constants: [blocks, zeros],
    tolerance: 1e-6,
  });
  refused({
    opset: 21,
    op: "QuantizeLinear",
    attrs: blocked,
    feeds: [x4],
    constants: [blocks, zeros],
    outputs,
    open: true,
  }, /shape of the blocks/);
  const q: Tensor = { dtype: "int8", shape: [4], data: Int8Array.of(-128, 0, 3, 127) };
  for (const opset of [10, 19, 21]) {
    await same(`DQ ${opset}`, {
      opset,
      op: "DequantizeLinear",
      feeds: [q],
      constants: [scale, zero],
    });
  }
});

Deno.test("GridSample 20", async () => {
  const grid = randomTensor([2, 3, 3, 2], 6, 1.2);
  for (const mode of ["linear", "nearest", "cubic"]) {
    await same(mode, {
      opset: 20,
      op: "GridSample",
      attrs: { mode: strings(mode), align_corners: attr.int(1) },
      feeds: [x4, grid],
    });
  }
});

Deno.test("Scatter 9, ScatterElements 18, Cast 19", async () => {
  const indices: Tensor = { dtype: "int64", shape: [1, 2], data: BigInt64Array.of(2n, 0n) };
  const x = randomTensor([1, 4], 4);
  await same("Scatter", {
    opset: 9,
    op: "Scatter",
    attrs: { axis: attr.int(1) },
    feeds: [x],
    constants: [indices, randomTensor([1, 2], 5)],
  });
  // Places hit twice, counted from the end, and axes that the indices do not fill.
  const twice: Tensor = {
    dtype: "int64",
    shape: [2, 3],
    data: BigInt64Array.of(2n, -1n, 2n, 0n, 3n, -2n),
  };
  const data = randomTensor([3, 4], 6), updates = randomTensor([2, 3], 7);
  for (const mode of ["max", "min"]) {
    const attrs = { reduction: strings(mode) };
    const elements = { opset: 18, op: "ScatterElements", feeds: [data] };
    await same(mode, {
      ...elements,
      attrs: { ...attrs, axis: attr.int(-1) },
      constants: [twice, updates],
    });
    const down = { ...twice, data: BigInt64Array.of(2n, -1n, 2n, 0n, 1n, -2n) };
    await same(mode, { ...elements, attrs, constants: [down, updates] });
    await same(`${mode} of rows`, {
      opset: 18,
      op: "ScatterND",
      attrs,
      feeds: [data],
      constants: [
        { dtype: "int64", shape: [3, 1], data: BigInt64Array.of(2n, -3n, 2n) },
        randomTensor([3, 4], 8),
      ],
    });
    await same(`${mode} of elements`, {
      opset: 18,
      op: "ScatterND",
      attrs,
      feeds: [data],
      constants: [
        { ...twice, shape: [3, 2], data: BigInt64Array.of(0n, 3n, 2n, -1n, 0n, 3n) },
        randomTensor([3], 9),
      ],
    });
    refused({ ...elements, attrs, constants: [twice, updates], open: true }, /known shapes/);
  }
  await same("Cast", {
    opset: 19,
    op: "Cast",
    attrs: { to: attr.int(6), saturate: attr.int(1) },
    feeds: [x4],
    outputs: [{ name: "y", dtype: "int32" }],
  });
});

Deno.test("RoiAlign 10 keeps its pixel grid", async () => {
  const attrs = { output_height: attr.int(2), output_width: attr.int(2) };
  const rois = f32([1, 4], [0, 0, 3, 4]);
  const batch: Tensor = { dtype: "int64", shape: [1], data: BigInt64Array.of(1n) };
  for (const opset of [10, 16]) {
    await same(`${opset}`, { opset, op: "RoiAlign", attrs, feeds: [x4], constants: [rois, batch] });
  }
});

Deno.test("operators that did not change pass at every opset", async () => {
  const unary = [
    "Relu",
    "Sigmoid",
    "Tanh",
    "Elu",
    "Exp",
    "LeakyRelu",
    "GlobalAveragePool",
    "Shape",
  ];
  for (const opset of [7, 9, 11, 13, 14, 15, 18, 19, 20, 21, 22]) {
    for (const op of unary) {
      const outputs = [{
        name: "y",
        dtype: op === "Shape" ? "int64" as const : "float32" as const,
      }];
      const g = await same(`${op} ${opset}`, { opset, op, feeds: [x4], outputs });
      assert.equal(ops(g), op);
    }
  }
});

Deno.test("left-over broadcasting attributes", async () => {
  await same("dropped", {
    opset: 11,
    op: "Transpose",
    attrs: { perm: attr.ints([0, 2, 3, 1]) },
    feeds: [x4],
  });
  const { model } = build({
    opset: 7,
    op: "Add",
    attrs: { axis: attr.int(1), broadcast: attr.int(1) },
    feeds: [x4],
    constants: [f32([3], [1, 2, 3])],
  });
  assert.throws(() => loadOnnx(testModel(model)), /broadcasting along an axis/);
});

Deno.test("the split point of Gather and scalars survive", async () => {
  await same("scalar index", {
    opset: 9,
    op: "Gather",
    attrs: { axis: attr.int(2) },
    feeds: [x4],
    constants: [i64Scalar(3)],
  });
});
