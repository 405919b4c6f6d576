/** Inference of shape and data movement operators: unknown dimensions, contradictions, hostile sizes. */

import assert from "node:assert/strict";
import { type Attr, attr } from "../ir/graph.ts";
import { f32, i64, i64Scalar, type Tensor, tensor, type TensorType } from "../ir/tensor.ts";
import { UnknownShape } from "./context.ts";
import { listB } from "./list_b.ts";
import { caseContext, foldOf, type OpCase, typesOf } from "./op_case.ts";

type Input = Tensor | TensorType | undefined;

const defs = new Map(listB.map((d) => [d.op, d]));

function of(
  op: string,
  inputs: readonly Input[],
  attrs?: Record<string, Attr>,
  outputs = 1,
): OpCase {
  return { def: defs.get(op)!, inputs, attrs, outputs };
}

function shape(
  op: string,
  inputs: readonly Input[],
  attrs?: Record<string, Attr>,
  outputs = 1,
): readonly number[] {
  return typesOf(of(op, inputs, attrs, outputs))[0]!.shape;
}

const x = (...s: number[]): TensorType => ({ dtype: "float32", shape: s });
const list = (n: number): TensorType => ({ dtype: "int64", shape: [n] });

Deno.test("Reshape infers what it can from open dimensions", () => {
  assert.deepEqual(shape("Reshape", [x(-1, 3, 4), i64([0, -1])]), [-1, 12]);
  assert.deepEqual(shape("Reshape", [x(-1, 3, 4), i64([-1, 12])]), [-1, 12]);
  assert.deepEqual(shape("Reshape", [x(2, -1, 4), i64([0, 0, -1, 2])]), [2, -1, 2, 2]);
  assert.deepEqual(shape("Reshape", [x(2, 3, 4), list(2)]), [-1, -1]);
  assert.throws(() => shape("Reshape", [x(2, 3), list(-1)]), UnknownShape);
  assert.deepEqual(shape("Reshape", [x(0, 3), i64([0, 5])], { allowzero: attr.int(1) }), [0, 5]);
});

Deno.test("Reshape refuses what does not fit, naming the shapes", () => {
  const wrong = (want: readonly number[], message: string, attrs = {}) =>
    assert.throws(() => shape("Reshape", [x(2, 3), i64(want)], attrs), { message });
  wrong([4, 2], "2x3 does not reshape to [4, 2]");
  wrong([-1, 4], "2x3 does not reshape to [-1, 4]");
  wrong([-1, -1], "shape [-1, -1] has more than one -1");
  wrong([-2, 3], "shape [-2, 3] is invalid");
  wrong([2, 3, 0], "shape [2, 3, 0] copies dimension 2, which is not there");
  wrong([0, -1], "shape [0, -1] has both 0 and -1", { allowzero: attr.int(1) });
});

Deno.test("shapes that depend on data have unknown dimensions or none", () => {
  assert.deepEqual(shape("NonZero", [x(2, 3)]), [2, -1]);
  assert.deepEqual(shape("NonZero", [f32([3], [0, 1, 1])]), [1, 2]);
  assert.deepEqual(shape("Unique", [x(4)], {}, 4), [-1]);
  assert.deepEqual(shape("Unique", [x(4, 2)], { axis: attr.int(1) }), [4, -1]);
  assert.deepEqual(
    shape("Compress", [x(4, 2), { dtype: "bool", shape: [2] }], { axis: attr.int(1) }),
    [
      4,
      -1,
    ],
  );
  assert.deepEqual(shape("NonMaxSuppression", [x(1, 9, 4), x(1, 2, 9)]), [-1, 3]);
  assert.deepEqual(shape("Slice", [x(4, 5), list(1), i64([2]), i64([1])]), [4, -1]);
  assert.deepEqual(shape("Slice", [x(4, 5), list(1), list(1), list(1)]), [-1, -1]);
  assert.deepEqual(shape("Slice", [x(-1, 5), i64([1]), i64([3]), i64([1])]), [-1, 2]);
  assert.deepEqual(shape("Pad", [x(-1, 5), i64([0, 1, 0, 1])]), [-1, 7]);
  assert.deepEqual(shape("Pad", [x(4, 5), list(4)]), [-1, -1]);
  assert.deepEqual(shape("Tile", [x(4, 5), list(2)]), [-1, -1]);
  assert.deepEqual(shape("Expand", [x(4, 5), list(3)]), [-1, -1, -1]);
  assert.deepEqual(shape("Expand", [x(-1, 5), i64([1, 1])]), [-1, 5]);
  assert.deepEqual(shape("ConstantOfShape", [list(3)]), [-1, -1, -1]);
  assert.deepEqual(shape("Range", [i64Scalar(0), list(1), i64Scalar(1)]), [-1]);
  assert.deepEqual(shape("Resize", [x(1, 3, 4, 4), undefined, x(4)]), [-1, -1, -1, -1]);
  assert.deepEqual(shape("Resize", [x(-1, 3, 4, 4), undefined, f32([4], [1, 1, 2, 2])]), [
    -1,
    3,
    8,
    8,
  ]);
  assert.deepEqual(shape("TopK", [x(4, 5), list(1)], {}, 2), [4, -1]);
  assert.throws(() => shape("Squeeze", [x(-1, 1)]), UnknownShape);
  assert.deepEqual(shape("Squeeze", [x(-1, 1), i64([1])]), [-1]);
  assert.deepEqual(shape("Flatten", [x(-1, 3, 4)]), [-1, 12]);
});

Deno.test("Shape and Size of partly known tensors", () => {
  const value = (op: string, t: TensorType, attrs = {}) => {
    const c = caseContext(of(op, [t], attrs));
    return defs.get(op)!.fold!(c)?.[0]?.data;
  };
  assert.equal(value("Shape", x(-1, 3)), undefined);
  assert.deepEqual(value("Shape", x(-1, 3), { start: attr.int(1) }), BigInt64Array.of(3n));
  assert.equal(value("Size", x(-1, 3)), undefined);
  assert.deepEqual(value("Size", x(2, 3)), BigInt64Array.of(6n));
});

Deno.test("Resize sizes: float scales are multiplied in float, sizes may keep the aspect ratio", () => {
  const resize = (s: readonly number[], attrs: Record<string, Attr> = {}) =>
    shape("Resize", [x(1, 3, 10, 20), undefined, f32([s.length], s)], attrs);
  assert.deepEqual(resize([1, 1, 1.5, 0.75]), [1, 3, 15, 15]);
  assert.deepEqual(resize([0.3, 2], { axes: attr.ints([3, 2]) }), [1, 3, 20, 6]);
  // 0.7 * 10 is 7 in binary32 and 6.99999988 exactly.
  assert.deepEqual(resize([1, 1, 0.7, 1]), [1, 3, 7, 20]);
  const sized = (policy: string) =>
    shape("Resize", [x(1, 3, 10, 20), undefined, undefined, i64([30, 30])], {
      axes: attr.ints([2, 3]),
      keep_aspect_ratio_policy: attr.string(policy),
    });
  assert.deepEqual(sized("stretch"), [1, 3, 30, 30]);
  assert.deepEqual(sized("not_larger"), [1, 3, 15, 30]);
  assert.deepEqual(sized("not_smaller"), [1, 3, 30, 60]);
  assert.throws(() => resize([1, 1, -2, 2]), { message: "scale -2 is not positive" });
  assert.throws(() => resize([1, 2]), { message: "scales has 2 values for 4 axes" });
});

Deno.test("Einsum output shapes", () => {
  const einsum = (equation: string, ...inputs: TensorType[]) =>
    shape("Einsum", inputs, { equation: attr.string(equation) });
  assert.deepEqual(einsum("bij,bjk->bik", x(2, 3, 4), x(2, 4, 5)), [2, 3, 5]);
  assert.deepEqual(einsum("b i j, b j k", x(2, 3, 4), x(2, 4, 5)), [3, 5]);
  assert.deepEqual(einsum("...ij->...ji", x(7, 2, 3, 4)), [7, 2, 4, 3]);
  assert.deepEqual(einsum("ii->i", x(3, 3)), [3]);
  assert.deepEqual(einsum("i,j->", x(3), x(4)), []);
  assert.throws(() => einsum("ij,jk->ik", x(2, 3), x(4, 5)), {
    message: /3 and 4 do not broadcast/,
  });
  assert.throws(() => einsum("ij->ik", x(2, 3)), { message: "'k' of 'ij->ik' is in no input" });
  assert.throws(() => einsum("i[->i", x(2)), { message: "'i[' is not a term of an equation" });
  assert.throws(() => einsum("ij->i", x(2)), { message: "input 0 has rank 1, its term ij" });
});

Deno.test("contradictions are errors of the node", () => {
  const cases: readonly (readonly [OpCase, string])[] = [
    [of("Transpose", [x(2, 3)], { perm: attr.ints([0, 0]) }), "perm [0, 0] does not order 2 axes"],
    [
      of("Transpose", [x(2, 3)], { perm: attr.ints([0, 1, 2]) }),
      "perm [0, 1, 2] does not order 2 axes",
    ],
    [
      of("Concat", [x(2, 3), x(3, 3)], { axis: attr.int(1) }),
      "dimension 0 of input 0 and input 1: 2 and 3 contradict",
    ],
    [of("Concat", [x(2, 3), x(2)], { axis: attr.int(1) }), "inputs have rank 2 and 1"],
    [of("Concat", [x(2), list(2)], { axis: attr.int(0) }), "inputs are float32 and int64"],
    [of("Concat", [x(2)], { axis: attr.int(1) }), "axis 1 is outside -1..0"],
    [of("Split", [x(5)], {}, 2), "dimension 0 of 5 does not split into 2 equal parts"],
    [of("Split", [x(5), i64([2, 2])], {}, 2), "split [2, 2] does not add up to 5"],
    [of("Split", [x(5), i64([5])], {}, 2), "split has 1 parts for 2 outputs"],
    [of("Slice", [x(5), i64([0]), i64([1]), i64([0]), i64([0])]), "a step is 0"],
    [of("Slice", [x(5), i64([0, 0]), i64([1])]), "2 starts for 1 axes"],
    [of("Pad", [x(5), i64([-3, -3])]), "pads leave -1 elements of dimension 0"],
    [of("Pad", [x(5), i64([1])]), "pads has 1 values for 1 axes"],
    [of("Squeeze", [x(2, 3), i64([1])]), "dimension 1 is 3, not 1"],
    [of("Unsqueeze", [x(2), i64([0, 0])]), "axes [0, 0] repeat an axis"],
    [of("Expand", [x(2, 3), i64([4, 3])]), "the input shapes 2x3 and 4x3 do not broadcast"],
    [of("Tile", [x(2, 3), i64([2])]), "repeats has 1 values for rank 2"],
    [of("Tile", [x(2), i64([-1])]), "repeats [-1] is invalid"],
    [of("ConstantOfShape", [i64([-1])]), "shape [-1] is invalid"],
    [of("Range", [i64Scalar(0), i64Scalar(5), i64Scalar(0)]), "delta is 0"],
    [
      of("DepthToSpace", [x(1, 6, 2, 2)], { blocksize: attr.int(2) }),
      "6 channels are not a multiple of 4",
    ],
    [
      of("SpaceToDepth", [x(1, 6, 3, 2)], { blocksize: attr.int(2) }),
      "3x2 is not a multiple of blocksize 2",
    ],
    [
      of("GatherND", [x(2), i64([0, 1])]),
      "index tuples of 2 with 0 batch dimensions do not fit rank 1",
    ],
    [of("TopK", [x(3), i64([4])], {}, 2), "K 4 is more than the 3 elements"],
    [
      of("GridSample", [x(1, 1, 4, 4), x(1, 4, 4, 3)]),
      "coordinates per grid point: 3 and 2 contradict",
    ],
    [of("EyeLike", [x(2)]), "the input must have rank 2, its shape is 2"],
    [
      of("Cast", [x(2)], { to: attr.int(17) }),
      "to=17 is not an element type that can be converted",
    ],
  ];
  for (const [k, message] of cases) {
    assert.throws(() => typesOf(k), { name: "BpuError", message }, message);
    assert.throws(() => typesOf(k), (e: { place: { node: string } }) => e.place.node === "n");
  }
});

Deno.test("indices outside the data are errors when folding", () => {
  const data = f32([3], [1, 2, 3]);
  const message = "index 3 is outside -3..2";
  assert.throws(() => foldOf(of("Gather", [data, i64([3])])), { message });
  assert.throws(() => foldOf(of("GatherElements", [data, i64([3])])), { message });
  const tuple = tensor("int64", [1, 1], BigInt64Array.of(3n));
  assert.throws(() => foldOf(of("GatherND", [data, tuple])), { message });
  assert.throws(() => foldOf(of("ScatterND", [data, tuple, f32([1], [0])])), { message });
});

Deno.test("what would grow beyond all measure is not folded", () => {
  const huge = 2 ** 40;
  const none = (k: OpCase) => assert.equal(k.def.fold?.(caseContext(k)), undefined, k.def.op);
  const one = f32([1], [1]);
  none(of("ConstantOfShape", [i64([huge, huge])]));
  none(of("Expand", [one, i64([huge])]));
  none(of("Tile", [one, i64([huge])]));
  none(of("Pad", [one, i64([0, huge])]));
  none(of("Range", [i64Scalar(0), i64Scalar(huge), i64Scalar(1)]));
  none(of("EyeLike", [x(huge, huge)]));
  none(of("OneHot", [i64([0]), i64Scalar(huge), f32([2], [0, 1])]));
  none(of("Resize", [f32([1], [1]), undefined, undefined, i64([huge])], {
    coordinate_transformation_mode: attr.string("asymmetric"),
  }));
  none(of("HannWindow", [i64Scalar(huge)]));
});

Deno.test("constants of every attribute form", () => {
  const value = (key: string, a: Attr) => foldOf(of("Constant", [], { [key]: a }))[0]!;
  assert.deepEqual(value("value_int", attr.int(3)), i64Scalar(3));
  assert.deepEqual(value("value_ints", attr.ints([1, 2])), i64([1, 2]));
  assert.deepEqual(value("value_float", attr.float(0.5)), f32([], [0.5]));
  assert.deepEqual(value("value_strings", attr.strings(["a"])), tensor("string", [1], ["a"]));
  assert.throws(() => typesOf(of("Constant", [])), { message: "it has no value" });
});

Deno.test("an empty constant with a huge dimension is refused or left alone at once", () => {
  const huge = 2 ** 40;
  const empty = tensor("float32", [huge, 0], new Float32Array(0));
  const front = tensor("float32", [0, huge], new Float32Array(0));
  const rest: Readonly<Record<string, readonly Input[]>> = {
    Slice: [i64([0]), i64([1])],
    Pad: [i64([0, 0, 0, 0])],
    Tile: [i64([1, 1])],
    Expand: [i64([1, 1])],
    Gather: [i64([])],
    CumSum: [i64Scalar(0)],
    TopK: [i64([0])],
    Split: [],
    Concat: [empty],
    ReduceSum: [i64([1])],
    Resize: [undefined, f32([2], [1, 1])],
    Compress: [tensor("bool", [0], new Uint8Array(0))],
  };
  const attrs = { axis: attr.int(1), axes: attr.ints([1]) };
  for (const x of [empty, front]) {
    for (
      const op of ["Transpose", "NonZero", "Trilu", "Unique", "ReduceMax", ...Object.keys(rest)]
    ) {
      const plain = ["Transpose", "NonZero", "Trilu", "Unique", "Resize"].includes(op);
      const k = of(op, [x, ...rest[op] ?? []], plain ? {} : attrs, op === "TopK" ? 2 : 1);
      try {
        k.def.fold!(caseContext(k));
      } catch (e) {
        assert.equal((e as Error).name, "BpuError", op);
      }
    }
  }
});
