import { strict as assert } from "node:assert";
import { BpuError } from "../../../errors.ts";
import { loadCaffe } from "../load.ts";
import { encodeModel } from "../testing/encode.ts";
import { check } from "../testing/harness.ts";
import { arr, at, build } from "../testing/reference.ts";

Deno.test("Concat along axis or concat_dim", async () => {
  for (
    const [param, axis] of [["", 1], ["axis: 0", 0], ["axis: -1", 3], ["concat_dim: 2", 2]] as const
  ) {
    const shapes = [2, 1, 3].map((d) => [2, 3, 2, 2].with(axis, d));
    await check({
      layer: `type: "Concat" concat_param { ${param} }`,
      inputs: shapes,
      expected: (xs) => [
        build([2, 3, 2, 2].with(axis, 6), (...i) => {
          let k = i[axis]!;
          let n = 0;
          for (; k >= xs[n]!.shape[axis]!; n++) k -= xs[n]!.shape[axis]!;
          return at(xs[n]!, ...i.with(axis, k));
        }),
      ],
    });
  }
});

Deno.test("Slice at points, in equal parts, into one top", async () => {
  const cases = [
    ["slice_point: 1 slice_point: 3", [1, 2, 3], 1],
    ["", [2, 2, 2], 1],
    ["axis: -1 slice_point: 2", [2, 3], 3],
    ["slice_dim: 0", [2], 0],
  ] as const;
  for (const [param, sizes, axis] of cases) {
    const shape = [2, 6, 2, 5];
    await check({
      layer: `type: "Slice" slice_param { ${param} }`,
      inputs: [shape],
      tops: sizes.length,
      expected: ([x]) =>
        sizes.map((size, n) => {
          const from = sizes.slice(0, n).reduce((a, b) => a + b, 0);
          return build(shape.with(axis, size), (...i) => at(x!, ...i.with(axis, i[axis]! + from)));
        }),
    });
  }
});

Deno.test("Slice refuses points that do not rise or fit", async () => {
  for (
    const [param, tops] of [["slice_point: 6", 2], ["slice_point: 3 slice_point: 2", 3], [
      "slice_point: 1",
      3,
    ], ["", 4]] as const
  ) {
    await assert.rejects(
      check({
        layer: `type: "Slice" slice_param { ${param} }`,
        inputs: [[1, 6]],
        tops,
        expected: () => [],
      }),
      BpuError,
    );
  }
});

Deno.test("Split: one blob, several outputs", async () => {
  await check({
    layer: `type: "Split"`,
    inputs: [[2, 3]],
    tops: 3,
    expected: ([x]) => [x!, x!, x!],
  });
});

Deno.test("Silence: what it reads is no output, and no node of its own remains", () => {
  const net = (type: string, bottoms: string) =>
    loadCaffe(
      `input: "x" input_shape { dim: 1 dim: 4 }
layer { name: "s" type: "Slice" bottom: "x" top: "a" top: "b" slice_param { slice_point: 1 } }
layer { name: "y" type: "ReLU" bottom: "a" top: "y" }
layer { name: "quiet" type: "${type}" ${bottoms} }`,
      encodeModel([{ name: "none", blobs: [] }]),
    );
  const g = net("Silence", `bottom: "b"`);
  assert.deepEqual(g.outputs.map((o) => o.name), ["y"]);
  assert.deepEqual(g.nodes.map((n) => n.op), ["Split", "Relu"]);
  assert.throws(() => net("Silence", ""), /needs at least 1/);
  assert.throws(() => net("Silence", `bottom: "b" top: "c"`), /needs 0/);
});

Deno.test("Flatten and Reshape follow Caffe's axes", async () => {
  const cases = [
    [`type: "Flatten"`, [2, 3, 4, 5], [2, 60]],
    [`type: "Flatten" flatten_param { axis: 2 }`, [2, 3, 4, 5], [2, 3, 20]],
    [`type: "Flatten" flatten_param { axis: -3 end_axis: -2 }`, [2, 3, 4, 5], [2, 12, 5]],
    [`type: "Flatten" flatten_param { axis: 0 }`, [2, 3], [6]],
    [`type: "Reshape" reshape_param { shape { dim: 0 dim: -1 } }`, [2, 3, 4], [2, 12]],
    [`type: "Reshape" reshape_param { shape { dim: [1, -1, 4] } }`, [2, 3, 4], [1, 6, 4]],
    [`type: "Reshape" reshape_param { shape { dim: 2 dim: 2 } axis: 1 num_axes: 1 }`, [3, 4, 5], [
      ...[3, 2, 2, 5],
    ]],
    [`type: "Reshape" reshape_param { shape { dim: 2 dim: -1 } axis: -2 }`, [3, 8], [3, 2, 4]],
    [`type: "Reshape" reshape_param { shape { dim: 1 } axis: -1 }`, [3, 8], [3, 8, 1]],
    [`type: "Reshape" reshape_param { shape { dim: 1 } num_axes: 0 }`, [3, 8], [1, 3, 8]],
    [`type: "Reshape" reshape_param { shape { dim: 0 dim: 0 dim: -1 } }`, [3, 8], [3, 8, 1]],
  ] as const;
  for (const [layer, from, to] of cases) {
    await check({ layer, inputs: [from], expected: ([x]) => [arr(to, x!.data)] });
  }
});

Deno.test("Reshape refuses sizes that do not come out", async () => {
  for (
    const dims of [
      "dim: 5",
      "dim: -1 dim: 5",
      "dim: -1 dim: -1",
      "dim: -2",
      "dim: 2 dim: 3 dim: 0 dim: 0",
    ]
  ) {
    await assert.rejects(
      check({
        layer: `type: "Reshape" reshape_param { shape { ${dims} } }`,
        inputs: [[2, 3]],
        expected: () => [],
      }),
      (e: unknown) => e instanceof BpuError && e.place.line === 2,
    );
  }
});

Deno.test("Permute: missing axes follow", async () => {
  for (
    const [order, perm] of [["order: 0 order: 2 order: 3 order: 1", [0, 2, 3, 1]], ["order: 1", [
      ...[1, 0, 2, 3],
    ]], ["", [0, 1, 2, 3]]] as const
  ) {
    const shape = [2, 3, 4, 5];
    await check({
      layer: `type: "Permute" permute_param { ${order} }`,
      inputs: [shape],
      expected: ([x]) => [
        build(perm.map((p) => shape[p]!), (...i) => {
          const from = [0, 0, 0, 0];
          perm.forEach((p, k) => from[p] = i[k]!);
          return at(x!, ...from);
        }),
      ],
    });
  }
});

Deno.test("Crop: axis and offsets", async () => {
  const cases = [
    ["", [0, 0, 0, 0]],
    ["offset: 1", [0, 0, 1, 1]],
    ["axis: 1 offset: 0 offset: 2 offset: 1", [0, 0, 2, 1]],
    ["axis: -1 offset: 2", [0, 0, 0, 2]],
  ] as const;
  for (const [param, offset] of cases) {
    const like = param.includes("-1") ? [9, 9, 9, 3] : [2, 3, 3, 4];
    const out = param.includes("-1") ? [2, 3, 6, 3] : [2, 3, 3, 4];
    await check({
      layer: `type: "Crop" crop_param { ${param} }`,
      inputs: [[2, 3, 6, 7], like],
      expected: ([x]) => [build(out, (...i) => at(x!, ...i.map((v, k) => v + offset[k]!)))],
    });
  }
});

Deno.test("Tile", async () => {
  await check({
    layer: `type: "Tile" tile_param { axis: 2 tiles: 3 }`,
    inputs: [[2, 3, 2]],
    expected: ([x]) => [build([2, 3, 6], (a, b, c) => at(x!, a, b, c % 2))],
  });
});
