// Operators whose attributes became inputs, or the other way round.
import assert from "node:assert/strict";
import { attr } from "../../../ir/graph.ts";
import { f32, i64 } from "../../../ir/tensor.ts";
import { loadOnnx } from "../load.ts";
import { randomTensor, testModel } from "../test_models.ts";
import { build, refused, same, strings, x4 } from "./testing.ts";

Deno.test("Clip 6: any of the bounds", async () => {
  const low = { min: attr.float(-0.5) };
  const high = { max: attr.float(0.75) };
  for (const attrs of [low, high, { ...low, ...high }, {}]) {
    const g = await same(JSON.stringify(attrs), { opset: 7, op: "Clip", attrs, feeds: [x4] });
    assert.equal(g.nodes[0]!.attrs.size, 0);
  }
  const g = await same("opset 11 stays", {
    opset: 11,
    op: "Clip",
    feeds: [x4],
    constants: [f32([], [-1]), f32([], [1])],
  });
  assert.deepEqual(g.nodes[0]!.inputs, ["x", "c0", "c1"]);
});

Deno.test("Clip 6 of float16 gets float16 bounds", () => {
  const { model } = build({
    opset: 7,
    op: "Clip",
    attrs: { min: attr.float(-0.5), max: attr.float(6) },
    feeds: [{ dtype: "float16", shape: [2], data: new Uint16Array(2) }],
  });
  const g = loadOnnx(testModel({ ...model, outputs: [{ name: "y", dtype: "float16" }] }));
  const bounds = g.nodes[0]!.inputs.slice(1).map((i) => g.constants.get(i)!);
  assert.deepEqual(bounds.map((t) => [t.dtype, t.data[0]]), [["float16", 0xb800], [
    "float16",
    0x4600,
  ]]);
});

Deno.test("Pad 2, 11, 13, 18", async () => {
  for (const mode of ["constant", "edge", "reflect"]) {
    const attrs = {
      mode: strings(mode),
      pads: attr.ints([0, 0, 1, 2, 0, 0, 1, 1]),
      value: attr.float(1.5),
    };
    await same(`2 ${mode}`, { opset: 7, op: "Pad", attrs, feeds: [x4] });
  }
  await same("negative", {
    opset: 10,
    op: "Pad",
    attrs: { pads: attr.ints([0, 0, -1, 0, 0, 0, 1, -1]) },
    feeds: [x4],
  });
  await same("13", {
    opset: 13,
    op: "Pad",
    feeds: [x4],
    constants: [i64([0, 0, 1, 2, 0, 0, 1, 1]), f32([], [2])],
  });
  const g = await same("18 with axes", {
    opset: 18,
    op: "Pad",
    feeds: [x4],
    constants: [i64([1, 2, 3, 4]), null, i64([-1, 2])],
    open: true,
  });
  assert.deepEqual(g.nodes[0]!.inputs.length, 2);
  const wrap = { opset: 19, op: "Pad", attrs: { mode: strings("wrap") } };
  // Beyond the size of an axis onnxruntime reads what is not there.
  await same("wrap", { ...wrap, feeds: [x4], constants: [i64([0, 0, 2, 4, 0, 1, 0, 3])] });
  refused(
    { ...wrap, feeds: [x4], constants: [i64([0, 0, 0, 1, 0, 0, 0, 1])], open: true },
    /wrapping/,
  );
});

Deno.test("Slice 1", async () => {
  await same("axes", {
    opset: 9,
    op: "Slice",
    attrs: {
      axes: attr.ints([2, 3]),
      starts: attr.ints([1, -3]),
      ends: attr.ints([1000, Number.MAX_SAFE_INTEGER]),
    },
    feeds: [x4],
  });
  await same("no axes", {
    opset: 7,
    op: "Slice",
    attrs: { starts: attr.ints([0, 1]), ends: attr.ints([1, 3]) },
    feeds: [x4],
  });
});

Deno.test("TopK 1, 10, 11", async () => {
  const outputs = [{ name: "v" }, { name: "i", dtype: "int64" as const }];
  const k = { k: attr.int(2), axis: attr.int(2) };
  await same("1", { opset: 8, op: "TopK", attrs: k, feeds: [x4], outputs });
  await same("10", { opset: 10, op: "TopK", feeds: [x4], constants: [i64([3])], outputs });
  await same("11", {
    opset: 11,
    op: "TopK",
    attrs: { largest: attr.int(0), axis: attr.int(1) },
    feeds: [x4],
    constants: [i64([2])],
    outputs,
  });
});

Deno.test("Split 2, 13, 18", async () => {
  const two = [{ name: "a" }, { name: "b" }];
  const axis = attr.int(2);
  await same("sizes", {
    opset: 11,
    op: "Split",
    attrs: { axis, split: attr.ints([2, 3]) },
    feeds: [x4],
    outputs: two,
  });
  await same("even", {
    opset: 7,
    op: "Split",
    attrs: { axis: attr.int(3) },
    feeds: [x4],
    outputs: two,
  });
  await same("uneven", {
    opset: 18,
    op: "Split",
    attrs: { axis: attr.int(-2), num_outputs: attr.int(2) },
    feeds: [x4],
    outputs: two,
  });
  await same("even 18", {
    opset: 18,
    op: "Split",
    attrs: { axis: attr.int(3), num_outputs: attr.int(2) },
    feeds: [x4],
    outputs: two,
    open: true,
  });
  await same("13", {
    opset: 13,
    op: "Split",
    attrs: { axis },
    feeds: [x4],
    constants: [i64([4, 1])],
    outputs: two,
  });
});

Deno.test("Squeeze, Unsqueeze, ReduceSum before 13", async () => {
  const thin = randomTensor([2, 1, 5, 1], 3);
  await same("squeeze axes", {
    opset: 11,
    op: "Squeeze",
    attrs: { axes: attr.ints([-1, 1]) },
    feeds: [thin],
  });
  await same("squeeze all", { opset: 7, op: "Squeeze", feeds: [thin] });
  await same("unsqueeze", {
    opset: 8,
    op: "Unsqueeze",
    attrs: { axes: attr.ints([0, 3]) },
    feeds: [x4],
  });
  await same("sum", {
    opset: 11,
    op: "ReduceSum",
    attrs: { axes: attr.ints([1, -1]), keepdims: attr.int(0) },
    feeds: [x4],
  });
  await same("sum all", { opset: 8, op: "ReduceSum", feeds: [x4] });
});

Deno.test("reductions of opset 18", async () => {
  const positive = { ...x4, data: (x4.data as Float32Array).map((v) => Math.abs(v) + 0.1) };
  for (
    const op of "Mean Max Min Prod L1 L2 LogSum LogSumExp SumSquare".split(" ").map((s) =>
      `Reduce${s}`
    )
  ) {
    const g = await same(op, {
      opset: 18,
      op,
      attrs: { keepdims: attr.int(0) },
      feeds: [positive],
      constants: [i64([-1, 1])],
    });
    assert.deepEqual(g.nodes[0]!.attrs.get("axes"), attr.ints([-1, 1]));
    await same(`${op} all`, { opset: 20, op, feeds: [positive] });
  }
  await same("no axes", {
    opset: 18,
    op: "ReduceMean",
    attrs: { noop_with_empty_axes: attr.int(1) },
    feeds: [x4],
  });
});

Deno.test("axes computed at run time are refused", () => {
  refused({ opset: 18, op: "ReduceMean", feeds: [x4, i64([1])] }, /run time/);
});
