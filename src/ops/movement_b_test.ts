/** Folding of shape and data movement operators against stock onnxruntime-web, on random cases. */

import { random } from "../formats/onnx/test_models.ts";
import { attr } from "../ir/graph.ts";
import {
  type DType,
  elementCount,
  f32,
  i64,
  i64Scalar,
  type Tensor,
  tensor,
} from "../ir/tensor.ts";
import { compress } from "./compress.ts";
import { concat } from "./concat.ts";
import { constantOfShape } from "./constant_of_shape.ts";
import { fromDoubles } from "./convert.ts";
import { cumSum } from "./cum_sum.ts";
import { depthToSpace } from "./depth_to_space.ts";
import { expand } from "./expand.ts";
import { eyeLike } from "./eye_like.ts";
import { flatten } from "./flatten.ts";
import { gather } from "./gather.ts";
import { gatherElements } from "./gather_elements.ts";
import { gatherND } from "./gather_nd.ts";
import { nonZero } from "./non_zero.ts";
import { oneHot } from "./one_hot.ts";
import { sameAsOrt } from "./op_case.ts";
import { pad } from "./pad.ts";
import { range } from "./range.ts";
import { reshape } from "./reshape.ts";
import { resize } from "./resize.ts";
import { reverseSequence } from "./reverse_sequence.ts";
import { scatterElements } from "./scatter_elements.ts";
import { scatterND } from "./scatter_nd.ts";
import { shape } from "./shape.ts";
import { size } from "./size.ts";
import { slice } from "./slice.ts";
import { spaceToDepth } from "./space_to_depth.ts";
import { split } from "./split.ts";
import { squeeze } from "./squeeze.ts";
import { tile } from "./tile.ts";
import { topK } from "./top_k.ts";
import { transpose } from "./transpose.ts";
import { trilu } from "./trilu.ts";
import { unique } from "./unique.ts";
import { unsqueeze } from "./unsqueeze.ts";

/** Reproducible integers. */
function integers(seed: number): (lo: number, hi: number) => number {
  const next = random(seed);
  return (lo, hi) => lo + Math.floor((next() + 1) / 2 * (hi - lo + 1));
}

/** Distinct values in random order, so that every misplaced element shows. */
function data(shape: readonly number[], seed: number, dtype: DType = "float32"): Tensor {
  const n = elementCount(shape);
  const values = Array.from({ length: n }, (_, i) => i - (n >> 1));
  const pick = integers(seed);
  for (let i = n - 1; i > 0; i--) {
    const j = pick(0, i);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  return tensor(dtype, shape, fromDoubles(dtype, values));
}

const shuffled = (list: readonly number[], pick: (lo: number, hi: number) => number): number[] => {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const j = pick(0, i);
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
};

const axesOf = (rank: number): number[] => Array.from({ length: rank }, (_, i) => i);

/** `count` random shapes of rank lo..hi with dimensions 1..5. */
function* shapes(count: number, lo: number, hi: number) {
  const pick = integers(count * 31 + lo * 7 + hi);
  for (let i = 0; i < count; i++) {
    const s = Array.from({ length: pick(lo, hi) }, () => pick(1, 5));
    yield {
      s,
      pick,
      seed: i + 1,
      dtype: (["float32", "int64", "int32", "float64"] as const)[i % 4]!,
    };
  }
}

Deno.test("Transpose", async () => {
  for (const { s, pick, seed, dtype } of shapes(16, 1, 5)) {
    const perm = shuffled(axesOf(s.length), pick);
    await sameAsOrt({
      def: transpose,
      inputs: [data(s, seed, dtype)],
      attrs: { perm: attr.ints(perm) },
    });
  }
  await sameAsOrt({ def: transpose, inputs: [data([2, 3, 4], 1, "uint8")] });
});

Deno.test("Slice with any start, end and step", async () => {
  for (const { s, pick, seed, dtype } of shapes(60, 1, 4)) {
    const axes = shuffled(axesOf(s.length), pick).slice(0, pick(1, s.length));
    const of = (f: (d: number) => number) => i64(axes.map((a) => f(s[a]!)));
    const steps = axes.map(() => [1, 1, 2, 3, -1, -2][pick(0, 5)]!);
    await sameAsOrt({
      def: slice,
      inputs: [
        data(s, seed, dtype),
        of((d) => pick(-d - 2, d + 2)),
        of((d) => pick(-d - 2, d + 2)),
        i64(axes.map((a) => pick(0, 1) ? a : a - s.length)),
        i64(steps),
      ],
    });
  }
  const far = 2 ** 62;
  const x = data([5, 4], 1);
  await sameAsOrt({ def: slice, inputs: [x, i64([1]), i64([far])] });
  const flip = [i64([-1]), i64([-far]), i64([0]), i64([-1])];
  await sameAsOrt({ def: slice, inputs: [x, ...flip] });
});

Deno.test("Pad in every mode, with removal", async () => {
  for (const mode of ["constant", "reflect", "edge"]) {
    for (const { s, pick, seed, dtype } of shapes(16, 1, 4)) {
      const limit = (d: number) => mode === "reflect" ? d - 1 : 3;
      const pads = [...s, ...s].map((d) => pick(mode === "constant" && d > 2 ? -1 : 0, limit(d)));
      const value = mode === "constant" && dtype === "float32" ? [f32([], [7.5])] : [];
      await sameAsOrt({
        def: pad,
        inputs: [data(s, seed, dtype), i64(pads), ...value],
        attrs: { mode: attr.string(mode) },
      });
    }
  }
});

Deno.test("Expand and Tile", async () => {
  for (const { s, pick, seed, dtype } of shapes(20, 0, 4)) {
    const x = data(s, seed, dtype);
    await sameAsOrt({ def: tile, inputs: [x, i64(s.map(() => pick(1, 3)))] });
    const ones = data(s.map((d) => pick(0, 1) ? d : 1), seed, dtype);
    await sameAsOrt({
      def: expand,
      inputs: [
        ones,
        i64([...pick(0, 1) ? [2] : [], ...ones.shape.map((d) => d === 1 ? pick(1, 4) : d)]),
      ],
    });
  }
  await sameAsOrt({ def: expand, inputs: [data([2, 3], 1), i64([1, 1])] });
});

Deno.test("Concat and Split are inverse to each other", async () => {
  for (const { s, pick, seed, dtype } of shapes(16, 1, 4)) {
    const axis = pick(-s.length, s.length - 1);
    const a = axis < 0 ? axis + s.length : axis;
    const parts = [pick(0, 3), pick(1, 3), pick(1, 3)];
    const inputs = parts.map((p, i) => data(s.map((d, k) => k === a ? p : d), seed + i, dtype));
    await sameAsOrt({ def: concat, inputs, attrs: { axis: attr.int(axis) } });
    const whole = data(
      s.map((d, k) => k === a ? parts[0]! + parts[1]! + parts[2]! : d),
      seed,
      dtype,
    );
    await sameAsOrt({
      def: split,
      inputs: [whole, i64(parts)],
      attrs: { axis: attr.int(axis) },
      outputs: 3,
    });
  }
  await sameAsOrt({
    def: split,
    inputs: [data([2, 6], 1)],
    attrs: { axis: attr.int(1) },
    outputs: 3,
  });
});

Deno.test("Reshape, Flatten, Squeeze, Unsqueeze", async () => {
  const x = data([2, 3, 4], 1);
  for (
    const to of [[24], [-1], [0, -1], [4, 0, 2], [2, 0, 4], [1, 24, 1], [0, 0, 0], [3, -1, 2, 2]]
  ) {
    await sameAsOrt({ def: reshape, inputs: [x, i64(to)] });
  }
  await sameAsOrt({
    def: reshape,
    inputs: [data([0, 3], 1), i64([3, 0])],
    attrs: { allowzero: attr.int(1) },
  });
  await sameAsOrt({ def: reshape, inputs: [data([1], 1), i64([])] });
  for (const axis of [0, 1, 2, 3, -1, -3]) {
    await sameAsOrt({ def: flatten, inputs: [x], attrs: { axis: attr.int(axis) } });
  }
  const ones = data([1, 3, 1, 2, 1], 1);
  for (const axes of [[0], [2, 4], [-1, 0], [-3]]) {
    await sameAsOrt({ def: squeeze, inputs: [ones, i64(axes)] });
  }
  await sameAsOrt({ def: squeeze, inputs: [ones] });
  for (const axes of [[0], [1, 3], [-1], [4, 0], [-5, -1]]) {
    await sameAsOrt({ def: unsqueeze, inputs: [x, i64(axes)] });
  }
});

Deno.test("Shape, Size, ConstantOfShape, EyeLike, Range", async () => {
  const x = data([2, 3, 4], 1);
  for (const [start, end] of [[0, 3], [1, 2], [-1, 3], [-9, 9], [2, 1], [0, -1]]) {
    await sameAsOrt({
      def: shape,
      inputs: [x],
      attrs: { start: attr.int(start!), end: attr.int(end!) },
    });
  }
  await sameAsOrt({ def: size, inputs: [x] });
  const values = [
    f32([1], [2.5]),
    i64([7]),
    tensor("uint8", [1], Uint8Array.of(9)),
    tensor("bool", [1], Uint8Array.of(1)),
  ];
  for (const v of values) {
    await sameAsOrt({
      def: constantOfShape,
      inputs: [i64([2, 3])],
      attrs: { value: attr.tensor(v) },
    });
  }
  await sameAsOrt({ def: constantOfShape, inputs: [i64([0, 3])] });
  for (const k of [0, 1, -2, 9]) {
    await sameAsOrt({
      def: eyeLike,
      inputs: [data([3, 4], 1)],
      attrs: { k: attr.int(k), dtype: attr.int(6) },
    });
  }
  for (const [a, b, d] of [[0, 5, 1], [10, 4, -2], [3, 3, 1], [5, 0, 1], [-2, 9, 4]] as const) {
    await sameAsOrt({ def: range, inputs: [i64Scalar(a), i64Scalar(b), i64Scalar(d)] });
  }
  await sameAsOrt({ def: range, inputs: [f32([], [0]), f32([], [3]), f32([], [0.1])] });
});

Deno.test("Gather, GatherElements, GatherND", async () => {
  for (const { s, pick, seed, dtype } of shapes(24, 1, 4)) {
    const axis = pick(-s.length, s.length - 1);
    const a = axis < 0 ? axis + s.length : axis;
    const x = data(s, seed, dtype);
    const index = (shape: number[], d: number) =>
      tensor(
        seed % 2 ? "int64" : "int32",
        shape,
        fromDoubles(
          seed % 2 ? "int64" : "int32",
          Array.from({ length: elementCount(shape) }, () => pick(-d, d - 1)),
        ),
      );
    for (const shape of [[], [3], [2, 2]]) {
      await sameAsOrt({
        def: gather,
        inputs: [x, index(shape, s[a]!)],
        attrs: { axis: attr.int(axis) },
      });
    }
    const part = s.map((d, i) => i === a ? pick(1, 6) : pick(1, d));
    await sameAsOrt({
      def: gatherElements,
      inputs: [x, index(part, s[a]!)],
      attrs: { axis: attr.int(axis) },
    });
    for (const batch of [0, 1]) {
      if (batch >= s.length) continue;
      const k = pick(1, s.length - batch);
      const tuples = Array.from(
        { length: (batch ? s[0]! : 1) * 2 },
        () => Array.from({ length: k }, (_, j) => pick(-s[batch + j]!, s[batch + j]! - 1)),
      ).flat();
      const shape = batch ? [s[0]!, 2, k] : [2, k];
      await sameAsOrt({
        def: gatherND,
        inputs: [x, tensor("int64", shape, fromDoubles("int64", tuples))],
        attrs: { batch_dims: attr.int(batch) },
      });
    }
  }
});

Deno.test("ScatterElements and ScatterND, with reductions", async () => {
  for (const { s, pick, seed, dtype } of shapes(24, 1, 4)) {
    const axis = pick(0, s.length - 1);
    const x = data(s, seed, dtype);
    const how = ["none", "add", "mul"][seed % 3]!;
    const part = s.map((d, i) => i === axis && how === "none" ? d : pick(1, d));
    // Without a reduction the places must be distinct, or the winner is anyone's.
    const along = shuffled(axesOf(s[axis]!), pick);
    const inner = elementCount(part.slice(axis + 1));
    const index = Array.from(
      { length: elementCount(part) },
      (_, i) => along[Math.floor(i / inner) % part[axis]!]!,
    );
    const updates = data(part, seed + 99, dtype);
    const attrs = { reduction: attr.string(how) };
    await sameAsOrt({
      def: scatterElements,
      inputs: [x, tensor("int64", part, fromDoubles("int64", index)), updates],
      attrs: { axis: attr.int(axis), ...attrs },
    });
    const k = pick(1, s.length);
    const tuple = s.slice(0, k).map((d) => pick(-d, d - 1));
    await sameAsOrt({
      def: scatterND,
      inputs: [
        x,
        tensor("int64", [1, k], fromDoubles("int64", tuple)),
        data([1, ...s.slice(k)], seed, dtype),
      ],
      attrs,
    });
  }
});

Deno.test("DepthToSpace, SpaceToDepth, ReverseSequence, Trilu, Compress", async () => {
  for (const mode of ["DCR", "CRD"]) {
    for (const b of [2, 3]) {
      await sameAsOrt({
        def: depthToSpace,
        inputs: [data([2, 2 * b * b, 3, 2], 1)],
        attrs: { blocksize: attr.int(b), mode: attr.string(mode) },
      });
    }
  }
  await sameAsOrt({
    def: spaceToDepth,
    inputs: [data([2, 3, 4, 6], 1)],
    attrs: { blocksize: attr.int(2) },
  });
  for (const [batch, time] of [[0, 1], [1, 0]]) {
    await sameAsOrt({
      def: reverseSequence,
      inputs: [data([3, 3, 2], 1), i64([1, 3, 2])],
      attrs: { batch_axis: attr.int(batch!), time_axis: attr.int(time!) },
    });
  }
  for (const upper of [0, 1]) {
    for (const k of [-2, 0, 1]) {
      await sameAsOrt({
        def: trilu,
        inputs: [data([2, 3, 4], 1), i64Scalar(k)],
        attrs: { upper: attr.int(upper) },
      });
    }
  }
  const keep = tensor("bool", [3], Uint8Array.of(1, 0, 1));
  await sameAsOrt({ def: compress, inputs: [data([2, 3], 1), keep], attrs: { axis: attr.int(1) } });
  await sameAsOrt({ def: compress, inputs: [data([2, 3], 1), keep] });
});

Deno.test("NonZero, Unique, OneHot, TopK, CumSum", async () => {
  const zeros = f32([2, 3, 2], [0, 1, -0, 2, 0, 0, 3, 0, 4, 0, NaN, 0]);
  await sameAsOrt({ def: nonZero, inputs: [zeros] });
  const few = tensor("int64", [2, 5], fromDoubles("int64", [3, 1, 3, 2, 1, 0, 1, 0, 9, 1]));
  for (const sorted of [0, 1]) {
    const attrs = { sorted: attr.int(sorted) };
    await sameAsOrt({ def: unique, inputs: [few], attrs, outputs: 4 });
    await sameAsOrt({
      def: unique,
      inputs: [few],
      attrs: { ...attrs, axis: attr.int(1) },
      outputs: 4,
    });
  }
  for (const axis of [0, 1, -1]) {
    await sameAsOrt({
      def: oneHot,
      inputs: [
        tensor("int64", [2, 2], fromDoubles("int64", [0, 2, -1, 5])),
        i64Scalar(3),
        f32([2], [0.5, 4]),
      ],
      attrs: { axis: attr.int(axis) },
    });
  }
  for (const { s, pick, seed } of shapes(16, 1, 4)) {
    const axis = pick(-s.length, s.length - 1);
    const d = s.at(axis)!;
    await sameAsOrt({
      def: topK,
      inputs: [data(s, seed), i64([pick(1, d)])],
      attrs: { axis: attr.int(axis), largest: attr.int(pick(0, 1)) },
      outputs: 2,
    });
    await sameAsOrt({
      def: cumSum,
      inputs: [data(s, seed), tensor("int32", [], Int32Array.of(axis))],
      attrs: { exclusive: attr.int(pick(0, 1)), reverse: attr.int(pick(0, 1)) },
    });
  }
  const ties = f32([6], [1, 3, 3, 2, 3, 1]);
  await sameAsOrt({ def: topK, inputs: [ties, i64([4])], outputs: 2 });
});

Deno.test("Resize nearest, by scales and by sizes", async () => {
  const x = data([1, 2, 5, 7], 1);
  for (const mode of ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]) {
    const attrs = { coordinate_transformation_mode: attr.string(mode) };
    for (const scales of [[1, 1, 2, 2], [1, 1, 0.5, 1.3], [1, 1, 3.7, 0.9]]) {
      await sameAsOrt({ def: resize, inputs: [x, undefined, f32([4], scales)], attrs });
    }
    await sameAsOrt({ def: resize, inputs: [x, undefined, undefined, i64([1, 2, 9, 3])], attrs });
  }
});
