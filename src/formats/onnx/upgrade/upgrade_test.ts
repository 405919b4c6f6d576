// Every upgrade against stock onnxruntime-web: the model as written and the model as loaded and saved
// again must compute the same, and the nodes must be what opset 17 calls for.
import assert from "node:assert/strict";
import { BpuError } from "../../../errors.ts";
import { type Attr, attr, type Graph, node } from "../../../ir/graph.ts";
import { f32, i64, i64Scalar, type Tensor } from "../../../ir/tensor.ts";
import { loadOnnx } from "../load.ts";
import { saveOnnx } from "../save.ts";
import {
  differs,
  randomTensor,
  runOrt,
  type TestModel,
  testModel,
  type TestPort,
} from "../test_models.ts";

type Attributes = Readonly<Record<string, Attr>>;

interface Case {
  readonly opset: number;
  readonly op: string;
  readonly attrs?: Attributes;
  /** Run-time inputs in order; the first is called x. */
  readonly feeds: readonly Tensor[];
  /** Constant inputs behind (or, with null, between) the run-time ones. */
  readonly constants?: readonly (Tensor | null)[];
  readonly outputs?: readonly TestPort[];
  /** Hide the input shape from the file. */
  readonly open?: boolean;
  /** Relative; 0 demands the same bits. */
  readonly tolerance?: number;
}

function build(c: Case): { model: TestModel; feeds: Map<string, Tensor> } {
  const feeds = new Map(c.feeds.map((t, i) => [i === 0 ? "x" : `x${i}`, t]));
  const initializers = new Map<string, Tensor>();
  const inputs = [...feeds.keys()];
  c.constants?.forEach((t, i) => {
    if (t !== null) initializers.set(`c${i}`, t);
    inputs.push(t === null ? "" : `c${i}`);
  });
  const outputs = c.outputs ?? [{ name: "y" }];
  return {
    feeds,
    model: {
      opset: c.opset,
      nodes: [node(c.op, "the_node", inputs, outputs.map((p) => p.name), c.attrs ?? {})],
      inputs: [...feeds].map(([name, t]) => ({
        name,
        dtype: t.dtype,
        shape: c.open ? t.shape.map((_, i) => `d${i}`) : t.shape,
      })),
      outputs: outputs.filter((p) => p.name !== ""),
      initializers,
    },
  };
}

/** Runs both models; returns the loaded graph for a look at its nodes. */
async function same(what: string, c: Case): Promise<Graph> {
  const { model, feeds } = build(c);
  const bytes = testModel(model);
  const graph = loadOnnx(bytes);
  assert.equal(graph.opset, 17);
  const expected = await runOrt(bytes, feeds);
  const got = await runOrt(saveOnnx(graph), feeds);
  assert.ok(expected.size > 0, what);
  for (const [name, t] of expected) {
    assert.equal(differs(t, got.get(name), c.tolerance ?? 0), "", `${what}, output ${name}`);
  }
  return graph;
}

function refused(c: Case, pattern: RegExp): void {
  const bytes = testModel(build(c).model);
  assert.throws(() => loadOnnx(bytes), (e) => {
    assert.ok(e instanceof BpuError && e.code === "unsupported", String(e));
    assert.match(e.sentence(), pattern);
    assert.match(e.sentence(), /the_node/);
    return true;
  });
}

const ops = (g: Graph) => g.nodes.map((n) => n.op).join(" ");
const x4 = randomTensor([2, 3, 5, 4], 1);
const strings = (s: string) => attr.string(s);

Deno.test("BatchNormalization 7, 9, 14 and 15", async () => {
  const params = [11, 12, 13].map((s) => randomTensor([3], s));
  const variance = f32([3], [0.5, 1.5, 2]);
  for (
    const [opset, attrs] of [
      [7, { spatial: attr.int(1), epsilon: attr.float(1e-3) }],
      [9, { momentum: attr.float(0.9) }],
      [14, { training_mode: attr.int(0) }],
      [15, {}],
    ] as const
  ) {
    const g = await same(`opset ${opset}`, {
      opset,
      op: "BatchNormalization",
      attrs,
      feeds: [x4],
      constants: [...params, variance],
    });
    assert.equal(ops(g), "BatchNormalization");
    assert.equal(g.nodes[0]!.attrs.has("spatial"), false);
  }
});

Deno.test("BatchNormalization 7 with spatial=0", async () => {
  const params = [11, 12, 13].map((s) => randomTensor([3, 5, 4], s));
  const variance = randomTensor([3, 5, 4], 14);
  const positive = { ...variance, data: (variance.data as Float32Array).map((v) => v * v + 0.1) };
  const g = await same("spatial=0", {
    opset: 7,
    op: "BatchNormalization",
    attrs: { spatial: attr.int(0) },
    feeds: [x4],
    constants: [...params, positive],
    tolerance: 1e-6,
  });
  assert.equal(g.nodes.some((n) => n.op === "BatchNormalization"), false);
});

Deno.test("BatchNormalization in training mode and with used statistics is refused", () => {
  const constants = [11, 12, 13, 14].map((s) => randomTensor([3], s));
  const base = { op: "BatchNormalization", feeds: [x4], constants };
  refused({ ...base, opset: 15, attrs: { training_mode: attr.int(1) } }, /training mode/);
  const outputs = ["y", "m", "v", "sm", "sv"].map((name) => ({ name }));
  refused({ ...base, opset: 9, outputs }, /statistics/);
});

Deno.test("unused statistics of BatchNormalization are cut off", () => {
  const { model } = build({
    opset: 9,
    op: "BatchNormalization",
    feeds: [x4],
    constants: [11, 12, 13, 14].map((s) => randomTensor([3], s)),
    outputs: ["y", "m", "v", "sm", "sv"].map((name) => ({ name })),
  });
  const g = loadOnnx(testModel({ ...model, outputs: [{ name: "y" }] }));
  assert.deepEqual(g.nodes[0]!.outputs, ["y"]);
});

Deno.test("Dropout 7, 10, 12", async () => {
  for (const opset of [7, 10]) {
    const g = await same(`opset ${opset}`, {
      opset,
      op: "Dropout",
      attrs: { ratio: attr.float(0.3) },
      feeds: [x4],
    });
    assert.equal(ops(g), "Identity");
  }
  await same("opset 12", { opset: 12, op: "Dropout", feeds: [x4], constants: [f32([], [0.3])] });
  const outputs = [{ name: "y" }, { name: "mask", dtype: "bool" as const }];
  await same("mask of 10", { opset: 10, op: "Dropout", feeds: [x4], outputs });
  await same("mask of 12", { opset: 12, op: "Dropout", feeds: [x4], outputs });
  refused({
    opset: 13,
    op: "Dropout",
    feeds: [x4],
    constants: [f32([], [0.3]), { dtype: "bool", shape: [], data: Uint8Array.of(1) }],
  }, /training mode/);
});

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
  refused({
    opset: 19,
    op: "Pad",
    attrs: { mode: strings("wrap") },
    feeds: [x4],
    constants: [i64([0, 0, 0, 1, 0, 0, 0, 1])],
  }, /wrapping/);
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

Deno.test("Upsample 7 and 9, Resize 10", async () => {
  for (const mode of ["nearest", "linear"]) {
    const scales = [1, 1, 2, 3];
    await same(`7 ${mode}`, {
      opset: 7,
      op: "Upsample",
      attrs: { mode: strings(mode), scales: attr.floats(scales) },
      feeds: [x4],
      tolerance: 1e-6,
    });
    for (const s of [scales, [1, 1, 1.5, 2.25]]) {
      await same(`9 ${mode} ${s}`, {
        opset: 9,
        op: "Upsample",
        attrs: { mode: strings(mode) },
        feeds: [x4],
        constants: [f32([4], s)],
        tolerance: 1e-6,
      });
    }
    for (
      const s of [scales, [1, 1, 0.5, 0.75], [1, 1, 0.6, 0.3], [1, 1, 2.5, 0.6], [1, 1, 0.5, 2]]
    ) {
      await same(`10 ${mode} ${s}`, {
        opset: 10,
        op: "Resize",
        attrs: { mode: strings(mode) },
        feeds: [x4],
        constants: [f32([4], s)],
        tolerance: 1e-6,
      });
    }
  }
});

Deno.test("Resize 11 and 13", async () => {
  const roi = f32([0], []);
  for (const coordinates of ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]) {
    for (const mode of ["nearest", "linear", "cubic"]) {
      await same(`${coordinates} ${mode}`, {
        opset: 11,
        op: "Resize",
        attrs: { mode: strings(mode), coordinate_transformation_mode: strings(coordinates) },
        feeds: [x4],
        constants: [roi, f32([4], [1, 1, 1.6, 2])],
      });
    }
  }
  for (const s of [[1, 1, 2, 3], [1, 1, 0.6, 0.5], [1, 1, 1.7, 0.4]]) {
    await same(`tf_half_pixel_for_nn ${s}`, {
      opset: 11,
      op: "Resize",
      attrs: {
        mode: strings("nearest"),
        nearest_mode: strings("floor"),
        coordinate_transformation_mode: strings("tf_half_pixel_for_nn"),
      },
      feeds: [randomTensor([1, 2, 7, 9], 5)],
      constants: [roi, f32([4], s)],
    });
  }
  await same("sizes", {
    opset: 13,
    op: "Resize",
    feeds: [x4],
    constants: [null, null, i64([2, 3, 7, 3])],
  });
});

Deno.test("Resize 18 and 19", async () => {
  const scales = f32([2], [2, 1.5]);
  const axes = { axes: attr.ints([-2, 3]) };
  await same("axes, scales", {
    opset: 18,
    op: "Resize",
    attrs: { ...axes, mode: strings("linear") },
    feeds: [x4],
    constants: [null, scales],
  });
  await same("axes, sizes", {
    opset: 18,
    op: "Resize",
    attrs: { ...axes, mode: strings("cubic"), antialias: attr.int(0) },
    feeds: [x4],
    constants: [null, null, i64([9, 3])],
  });
  // Axes counted from the front: onnxruntime mistakes negative ones here.
  const keep = (policy: string, sizes: number[]): Case => ({
    opset: 18,
    op: "Resize",
    attrs: { axes: attr.ints([2, 3]), keep_aspect_ratio_policy: strings(policy) },
    feeds: [x4],
    constants: [null, null, i64(sizes)],
  });
  for (const sizes of [[10, 12], [10, 8], [6, 8], [7, 7]]) {
    await same(`stretch ${sizes}`, keep("stretch", sizes));
  }
  for (const sizes of [[10, 12], [10, 8], [8, 9]]) {
    await same(`not_larger ${sizes}`, keep("not_larger", sizes));
  }
  for (const sizes of [[10, 12], [6, 8], [5, 5]]) {
    await same(`not_smaller ${sizes}`, keep("not_smaller", sizes));
  }
  refused(keep("not_larger", [7, 6]), /rounded up/);
  await same("antialias while growing", {
    opset: 18,
    op: "Resize",
    attrs: { mode: strings("linear"), antialias: attr.int(1) },
    feeds: [x4],
    constants: [null, f32([4], [1, 1, 2, 2])],
    tolerance: 1e-6,
  });
  await same("half_pixel_symmetric", {
    opset: 19,
    op: "Resize",
    attrs: {
      mode: strings("linear"),
      coordinate_transformation_mode: strings("half_pixel_symmetric"),
    },
    feeds: [x4],
    constants: [null, f32([4], [1, 1, 2, 0.5])],
  });
  refused({
    opset: 18,
    op: "Resize",
    attrs: { mode: strings("linear"), antialias: attr.int(1) },
    feeds: [x4],
    constants: [null, f32([4], [1, 1, 0.5, 0.5])],
  }, /antialias/);
});

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
  refused({
    opset: 19,
    op: "AveragePool",
    attrs: { ...attrs, dilations: attr.ints([2, 1]) },
    feeds: [x4],
  }, /dilated/);
  await same("LpPool 18", {
    opset: 18,
    op: "LpPool",
    attrs: { ...attrs, dilations: attr.ints([1, 1]), ceil_mode: attr.int(0) },
    feeds: [x4],
    tolerance: 1e-6,
  });
});

Deno.test("GroupNormalization 18 and 21", async () => {
  const x = randomTensor([2, 6, 3, 4], 8);
  const attrs = { num_groups: attr.int(3), epsilon: attr.float(1e-4) };
  await same("18", {
    opset: 18,
    op: "GroupNormalization",
    attrs,
    feeds: [x],
    constants: [randomTensor([3], 9), randomTensor([3], 10)],
    tolerance: 1e-5,
  });
  await same("21", {
    opset: 21,
    op: "GroupNormalization",
    attrs,
    feeds: [x],
    constants: [randomTensor([6], 9), randomTensor([6], 10)],
    tolerance: 1e-5,
  });
});

Deno.test("Mish 18 and Gelu 20", async () => {
  const x = randomTensor([3, 40], 2, 6);
  await same("Mish", { opset: 18, op: "Mish", feeds: [x], tolerance: 1e-6 });
  await same("Gelu", { opset: 20, op: "Gelu", feeds: [x], tolerance: 1e-6 });
  await same("Gelu tanh", {
    opset: 20,
    op: "Gelu",
    attrs: { approximate: strings("tanh") },
    feeds: [x],
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
  refused({
    opset: 21,
    op: "QuantizeLinear",
    attrs: { block_size: attr.int(2), axis: attr.int(1) },
    feeds: [x4],
    constants: [scale, zero],
    outputs,
  }, /block-wise/);
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
  refused({
    opset: 18,
    op: "ScatterElements",
    attrs: { reduction: strings("max") },
    feeds: [x],
    constants: [indices, randomTensor([1, 2], 5)],
  }, /reduction=max/);
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
