/** Placement of shape, data movement and reduction operators: every constraint kept, every one broken. */

import assert from "node:assert/strict";
import { type Attr, attr, type Graph, node, OPSET } from "../ir/graph.ts";
import { type DType, f32, i64, type Tensor, tensor, type TensorType } from "../ir/tensor.ts";
import { marchOf } from "../march/mod.ts";
import type { MarchName } from "../march/march.ts";
import { inferContext, ruleContext } from "./context.ts";
import { listB } from "./list_b.ts";
import type { MarchRules, RuleContext } from "./op.ts";
import { broken, isGeneral } from "./rules.ts";

type Input = Tensor | TensorType | undefined;

const defs = new Map(listB.map((d) => [d.op, d]));

function feature(shape: readonly number[], dtype: DType = "float32"): TensorType {
  return { dtype, shape };
}

/** The rule context of one node: features by type, constants by value. */
function contextOf(
  op: string,
  march: MarchName,
  inputs: readonly Input[],
  attrs: Readonly<Record<string, Attr>> = {},
  outputs = 1,
): RuleContext {
  const names = inputs.map((t, i) => t === undefined ? "" : `x${i}`);
  const outs = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const n = node(op, "n", names, outs, attrs);
  const constants = new Map<string, Tensor>();
  const types = new Map<string, TensorType>();
  inputs.forEach((t, i) => {
    if (t === undefined) return;
    if ("data" in t) constants.set(names[i]!, t);
    else types.set(names[i]!, t);
  });
  const lookup = {
    type: (name: string) => constants.get(name) ?? types.get(name),
    value: (name: string) => constants.get(name),
  };
  defs.get(op)!.infer(inferContext(n, lookup)).forEach((t, i) => types.set(`y${i}`, t));
  const g: Graph = {
    name: "g",
    opset: OPSET,
    domains: new Map(),
    nodes: [n],
    inputs: [],
    outputs: [],
    constants,
    types,
    metadata: new Map(),
  };
  return ruleContext(g, n, marchOf(march));
}

interface Row {
  readonly op: string;
  readonly march?: MarchName;
  readonly side?: "bpu" | "cpu";
  readonly inputs: readonly Input[];
  readonly attrs?: Readonly<Record<string, Attr>>;
  readonly outputs?: number;
}

/** What a row breaks: sentences by the text of the rule. */
function wrongs(r: Row): Map<string, string> {
  const march = r.march ?? "bayes";
  const c = contextOf(r.op, march, r.inputs, r.attrs, r.outputs);
  const rules = defs.get(r.op)!.place![march][r.side ?? "bpu"];
  const found = new Map<string, string>();
  for (const rule of rules) {
    const wrong = rule.check(c);
    if (wrong !== undefined) found.set(rule.text, wrong);
  }
  return found;
}

const x4 = feature([1, 8, 16, 16]);
const resize = (scales: readonly number[], more: Readonly<Record<string, Attr>> = {}, x = x4) => ({
  op: "Resize",
  inputs: [x, undefined, f32([scales.length], scales)],
  attrs: { coordinate_transformation_mode: attr.string("asymmetric"), ...more },
});
const pad = (pads: readonly number[], x: TensorType = x4) => ({
  op: "Pad",
  inputs: [x, i64(pads)],
});
const split = (parts: readonly number[], axis: number, x: TensorType = x4) => ({
  op: "Split",
  inputs: [x, i64(parts)],
  attrs: { axis: attr.int(axis) },
  outputs: parts.length,
});
const reduce = (op: string, axes: readonly number[], x: TensorType = x4, keep = 1) => ({
  op,
  inputs: [x],
  attrs: { axes: attr.ints(axes), keepdims: attr.int(keep) },
});
const topK = (attrs: Readonly<Record<string, Attr>> = {}) => ({
  op: "TopK",
  inputs: [x4, i64([2])],
  attrs,
  outputs: 2,
});
const grid = (n: number) => feature([n, 4, 4, 2]);

const kept: readonly Row[] = [
  { op: "ArgMax", inputs: [x4], attrs: { axis: attr.int(1) } },
  { op: "ArgMax", inputs: [x4], attrs: { axis: attr.int(-3) } },
  { op: "ArgMin", inputs: [x4], attrs: { axis: attr.int(1) } },
  { op: "Concat", inputs: [x4, x4], attrs: { axis: attr.int(1) } },
  { op: "DepthToSpace", inputs: [feature([1, 16, 3, 3])], attrs: { blocksize: attr.int(2) } },
  { op: "SpaceToDepth", inputs: [x4], attrs: { blocksize: attr.int(2) } },
  { op: "Expand", inputs: [feature([1, 8, 1, 16]), i64([1, 8, 16, 16])] },
  { op: "Flatten", inputs: [x4] },
  { op: "Gather", inputs: [x4, i64([0, 1])], attrs: { axis: attr.int(2) } },
  { op: "Gather", inputs: [x4, feature([2], "int32")], attrs: { axis: attr.int(2) } },
  {
    op: "GatherElements",
    inputs: [x4, feature([1, 8, 2, 16], "int64")],
    attrs: { axis: attr.int(2) },
  },
  { op: "GridSample", inputs: [x4, grid(1)] },
  pad([0, 0, 1, 1, 0, 0, 1, 1]),
  reduce("ReduceMax", [1]),
  reduce("ReduceMean", [2, 3]),
  reduce("ReduceMean", [-1]),
  { op: "ReduceSum", inputs: [x4, i64([1])] },
  { op: "Reshape", inputs: [x4, i64([0, -1])] },
  resize([1, 1, 2, 4]),
  resize([1, 1, 1.5, 1.5], { mode: attr.string("linear") }),
  resize([1, 1, 0.5, 0.25]),
  { op: "Slice", inputs: [feature([7, 9]), i64([1]), i64([3])] },
  split([4, 4], 1),
  { op: "Squeeze", inputs: [feature([1, 8, 1, 1]), i64([2, 3])] },
  { op: "Unsqueeze", inputs: [feature([1, 8]), i64([2, 3])] },
  { op: "Tile", inputs: [x4, i64([1, 1, 2, 1])] },
  topK(),
  { op: "Transpose", inputs: [feature([2, 3])] },
  { op: "Shape", inputs: [x4] },
  { op: "Size", inputs: [x4] },
  { op: "Constant", inputs: [], attrs: { value: attr.tensor(f32([], [1])) } },
  { op: "ConstantOfShape", inputs: [i64([2, 3])] },
  { op: "Upsample", inputs: [x4, f32([4], [1, 1, 2, 2])] },
];

/** A row that breaks a rule: the rule's text and the sentence. */
type Broken = readonly [Row, string, string];

const wide = feature([1, 65, 4, 4]);
const crop = {
  coordinate_transformation_mode: attr.string("tf_crop_and_resize"),
  mode: attr.string("linear"),
};
const cropped = (roi: Tensor | TensorType) => ({
  op: "Resize",
  inputs: [x4, roi, f32([4], [1, 1, 2, 2])],
  attrs: crop,
});
const power = "mode nearest: upscale factor a power of 2 (2,4,8,16,32,...)";
const factor = "mode nearest: H and W upscale factors may differ, H factor <= W factor";
const roiText = "opset 11: roi input allowed, constant only, H,W only";
const roiInts = "tf_crop_and_resize: box coordinates derived from roi must be integers";
const ctm = "coordinate_transformation_mode in";
const eleven = feature(new Array<number>(11).fill(1));
const shapeOf: TensorType = feature([-1, 4]);

const brokenBpu: readonly Broken[] = [
  ...["ArgMax", "ArgMin"].flatMap((op): Broken[] => [
    [
      { op, inputs: [feature([1, 8])], attrs: { axis: attr.int(1) } },
      "input rank 4 NCHW",
      "input rank 2 is not 4 on bayes",
    ],
    [
      { op, inputs: [x4], attrs: { axis: attr.int(2) } },
      "axis in {1}",
      "axis 2 is not one of 1 on bayes",
    ],
    [
      { op, inputs: [wide], attrs: { axis: attr.int(1) }, march: "bayes_e" },
      "C <= 64",
      "input C 65 is more than 64 on bayes_e",
    ],
  ]),
  [
    { op: "Concat", inputs: [x4, x4], attrs: { axis: attr.int(-4) } },
    "concat axis cannot be N",
    "the concat axis is N on bayes",
  ],
  [
    {
      op: "Concat",
      inputs: [feature([1, 2000, 2, 2]), feature([1, 49, 2, 2])],
      attrs: { axis: attr.int(1) },
      march: "bernoulli2",
    },
    "input and output C <= 2048",
    "output C 2049 is more than 2048 on bernoulli2",
  ],
  [
    {
      op: "DepthToSpace",
      inputs: [feature([1, 16, 2, 2])],
      attrs: { blocksize: attr.int(2), mode: attr.string("XYZ") },
    },
    "mode in {DCR,CRD}",
    "mode XYZ is not one of DCR, CRD on bayes",
  ],
  [
    { op: "DepthToSpace", inputs: [feature([1, 36, 2, 2])], attrs: { blocksize: attr.int(3) } },
    "blocksize in {2}",
    "blocksize 3 is not one of 2 on bayes",
  ],
  [
    { op: "DepthToSpace", inputs: [feature([1, 36, 2, 2])], attrs: { blocksize: attr.int(3) } },
    "shape map N,C,H,W -> N,C/4,2H,2W",
    "output dim 1 is 4, not 9 on bayes",
  ],
  [
    { op: "DepthToSpace", inputs: [feature([1, 12, 2, 2])], attrs: { blocksize: attr.int(2) } },
    "output C a multiple of 4",
    "output C 3 is not a multiple of 4 on bayes",
  ],
  [
    { op: "SpaceToDepth", inputs: [x4], attrs: { blocksize: attr.int(4) } },
    "blocksize in {2}",
    "blocksize 4 is not one of 2 on bayes",
  ],
  [
    { op: "SpaceToDepth", inputs: [x4], attrs: { blocksize: attr.int(4) } },
    "shape map N,C,H,W -> N,4C,H/2,W/2",
    "output dim 1 is 128, not 32 on bayes",
  ],
  [
    {
      op: "SpaceToDepth",
      inputs: [x4],
      attrs: { blocksize: attr.int(2), mode: attr.string("A") },
      march: "bernoulli2",
    },
    "mode in {DCR,CRD}",
    "mode A is not one of DCR, CRD on bernoulli2",
  ],
  [
    { op: "Expand", inputs: [feature([]), i64([2])] },
    "input/output rank 1..10",
    "input rank 0 is outside 1..10 on bayes",
  ],
  [
    { op: "Expand", inputs: [feature([1, 8, 1, 1]), i64([1, 8, 4, 4])] },
    "input and output shapes may differ in 1 dim only",
    "input and output differ in dims 2, 3 on bayes",
  ],
  [
    { op: "Tile", inputs: [x4, i64([1, 2, 2, 1])] },
    "input and output shapes may differ in 1 dim only",
    "input and output differ in dims 1, 2 on bayes",
  ],
  [
    { op: "Flatten", inputs: [eleven] },
    "same limits as Reshape",
    "input rank 11 is outside 1..10 on bayes",
  ],
  [
    { op: "Reshape", inputs: [feature([1]), i64([])] },
    "input/output rank 1..10",
    "output rank 0 is outside 1..10 on bayes",
  ],
  [
    { op: "Squeeze", inputs: [feature([1]), i64([0])] },
    "same limits as Reshape",
    "output rank 0 is outside 1..10 on bayes",
  ],
  [
    { op: "Unsqueeze", inputs: [feature([]), i64([0])] },
    "same limits as Reshape",
    "input rank 0 is outside 1..10 on bayes",
  ],
  [
    { op: "Gather", inputs: [x4, feature([2, 2], "int32")], attrs: { axis: attr.int(2) } },
    "input/indices/output rank <= 4",
    "output rank 5 is outside 0..4 on bayes",
  ],
  [
    { op: "Gather", inputs: [x4, feature([2], "int64")] },
    "indices from another op: dtype int32 only",
    "indices dtype int64 is not int32 on bayes",
  ],
  [
    { op: "Gather", inputs: [x4, tensor("int16", [1], Int16Array.of(0))] },
    "indices constant: dtype in {int32,int64}",
    "indices dtype int16 is not int32, int64 on bayes",
  ],
  [
    { op: "GatherElements", inputs: [eleven, { ...eleven, dtype: "int64" }] },
    "input/indices/output rank 1..10",
    "first input rank 11 is outside 1..10 on bayes",
  ],
  [
    {
      op: "GatherElements",
      inputs: [x4, feature([1, 8, 2, 16], "int8")],
      attrs: { axis: attr.int(2) },
    },
    "indices dtype in {int16,int32,int64}",
    "indices dtype int8 is not int16, int32, int64 on bayes",
  ],
  [
    { op: "GridSample", inputs: [feature([1, 2, 3]), feature([1, 4, 1])] },
    "input rank 4",
    "input rank 3 is not 4 on bayes",
  ],
  [
    { op: "GridSample", inputs: [feature([4097, 1, 1, 1]), grid(4097)] },
    "input 1 N in 1..4096",
    "input N 4097 is outside 1..4096 on bayes",
  ],
  [
    { op: "GridSample", inputs: [feature([1, 65537, 1, 1]), grid(1)] },
    "input 1 C in 1..65536",
    "input C 65537 is outside 1..65536 on bayes",
  ],
  [
    { op: "GridSample", inputs: [feature([1, 1, 4, 1025]), grid(1)] },
    "input 1 H,W in 1..1024",
    "input W 1025 is outside 1..1024 on bayes",
  ],
  [
    { op: "GridSample", inputs: [feature([1, 1, 1024, 721]), grid(1)] },
    "input 1 H*W <= 720*1024",
    "input H*W 738304 is more than 720*1024 on bayes",
  ],
  [
    { op: "GridSample", inputs: [x4, grid(1)], attrs: { mode: attr.string("bicubic") } },
    "mode in {bilinear,nearest}",
    "mode bicubic is not one of bilinear, nearest on bayes",
  ],
  [
    { op: "GridSample", inputs: [x4, grid(1)], attrs: { padding_mode: attr.string("reflection") } },
    "padding_mode in {zeros,border}",
    "padding_mode reflection is not one of zeros, border on bayes",
  ],
  [
    { ...pad([0, 0, 1, 1, 0, 0, 1, 1]), attrs: { mode: attr.string("reflect") } },
    "mode in {constant}",
    "mode reflect is not one of constant on bayes",
  ],
  [
    { ...pad([0, 1, 0, 0, 0, 0, 0, 0]), march: "bernoulli2" },
    "pads on H,W only",
    "dimension 1 is padded on bernoulli2",
  ],
  [
    reduce("ReduceMax", [0], feature([4])),
    "input rank 2..5",
    "input rank 1 is outside 2..5 on bayes",
  ],
  [{ op: "ReduceMax", inputs: [x4] }, "axes attribute required", "axes are not given on bayes"],
  [reduce("ReduceMax", [2, 3]), "exactly 1 reduced axis", "2 axes are reduced, not 1 on bayes"],
  [
    reduce("ReduceMax", [1], feature([1, 8193, 1, 1])),
    "reduced axis size in 1..8192",
    "reduced axis 1 of size 8193 is outside 1..8192 on bayes",
  ],
  [reduce("ReduceMax", [1], x4, 0), "keepdims in {1}", "keepdims 0 is not one of 1 on bayes"],
  [
    reduce("ReduceMean", [1, 2]),
    "any of: (a) exactly 1 reduced axis (b) exactly 2 reduced axes, being H,W",
    "the reduced axes [1, 2] are neither 1 axis nor H,W on bayes",
  ],
  [
    { ...reduce("ReduceMean", [2, 3], feature([1, 2, 3, 4, 5])), march: "bernoulli2" },
    "input rank 4",
    "input rank 5 is not 4 on bernoulli2",
  ],
  [
    { ...reduce("ReduceMean", [3]), march: "bernoulli2" },
    "axes in {[2,3]}",
    "axes [3] are not [2,3] on bernoulli2",
  ],
  [
    reduce("ReduceMean", [0], feature([4])),
    "input rank 2..5",
    "input rank 1 is outside 2..5 on bayes",
  ],
  [{ op: "ReduceMean", inputs: [x4] }, "axes attribute required", "axes are not given on bayes"],
  [reduce("ReduceMean", [1], x4, 0), "keepdims in {1}", "keepdims 0 is not one of 1 on bayes"],
  [
    { op: "ReduceSum", inputs: [feature([3]), i64([0])] },
    "input rank 2..5",
    "input rank 1 is outside 2..5 on bayes",
  ],
  [
    { op: "ReduceSum", inputs: [x4, feature([1], "int64")] },
    "axes attribute required",
    "axes is not a constant on bayes",
  ],
  [
    { op: "ReduceSum", inputs: [x4, i64([1, 2])] },
    "exactly 1 reduced axis",
    "2 axes are reduced, not 1 on bayes",
  ],
  [
    { ...resize([1, 1, 2], {}, feature([1, 1, 4])) },
    "input rank 4 NCHW",
    "input rank 3 is not 4 on bayes",
  ],
  [resize([1, 2, 2, 2]), "resize over H,W only", "dimension C is resized on bayes"],
  [
    resize([1, 1, 2, 2], { mode: attr.string("cubic") }),
    "mode in {nearest,linear}",
    "mode cubic is not one of nearest, linear on bayes",
  ],
  [
    { ...resize([1, 1, 1.5, 2]), march: "bernoulli2" },
    power,
    "scales H 1.5 is not a power of two on bernoulli2",
  ],
  [resize([1, 1, 4, 2]), factor, "scales H 4 is more than W 2 on bayes"],
  [
    resize([1, 1, 2, 2], { coordinate_transformation_mode: attr.string("tf_half_pixel_for_nn") }),
    `opset 11: ${ctm} {half_pixel,pytorch_half_pixel,asymmetric,align_corners,tf_crop_and_resize}`,
    "coordinate_transformation_mode tf_half_pixel_for_nn is not one of half_pixel, " +
    "pytorch_half_pixel, asymmetric, align_corners, tf_crop_and_resize on bayes",
  ],
  [cropped(feature([8])), roiText, "roi is not a constant on bayes"],
  [cropped(f32([8], [0, 0.5, 0, 0, 1, 1, 1, 1])), roiText, "roi crops dimension 1 on bayes"],
  [
    cropped(f32([8], [0, 0, 0.25, 0, 1, 1, 1, 1])),
    roiInts,
    "roi gives the box coordinate 3.75 on dimension 2, which is not an integer on bayes",
  ],
  [
    { op: "Upsample", inputs: [x4, f32([4], [1, 1, 3, 3])] },
    "handled as Resize",
    "scales H 3 is not a power of two on bayes",
  ],
  [
    split([2, 6], 1),
    "input length a multiple of each split length",
    "the length 8 is not a multiple of 6 on bayes",
  ],
  [split([1, 1], 0, feature([2, 4])), "any axis except N", "the split axis is N on bayes"],
  [
    split([2, 2, 4], 1),
    "split count divides evenly",
    "3 parts do not divide the length 8 evenly on bayes",
  ],
  [
    { ...split([2, 2], 1, feature([1, 4])), march: "bernoulli2" },
    "input NCHW only",
    "input rank 2 is not 4 on bernoulli2",
  ],
  [
    { ...split([1, 1], 0, feature([2, 4, 1, 1])), march: "bernoulli2" },
    "axis in {1,2,3}",
    "axis 0 is not one of 1, 2, 3 on bernoulli2",
  ],
  [
    { op: "TopK", inputs: [eleven, i64([1])], outputs: 2 },
    "input/indices/output rank 1..10",
    "first input rank 11 is outside 1..10 on bayes",
  ],
  [
    topK({ sorted: attr.int(0) }),
    "sorted true only",
    "sorted 0 is not one of 1 on bayes",
  ],
  [
    { op: "Shape", inputs: [shapeOf] },
    "constant-folded to a stored value",
    "the input has unknown dimensions: it is not folded on bayes",
  ],
  [
    { op: "ConstantOfShape", inputs: [feature([2], "int64")], march: "bernoulli2" },
    "constant-folded to a stored value",
    "the input is not a constant: it is not folded on bernoulli2",
  ],
];

const f64 = feature([1, 8, 16, 16], "float64");
const text = (t: string) => tensor("string", [1], [t]);
const cpu = (op: string, inputs: readonly Input[], attrs = {}, outputs = 1): Row => ({
  op,
  inputs,
  attrs,
  outputs,
  side: "cpu",
});
const casts = "{double,float,bool,int64,uint32,int32,uint16,int16,uint8,int8}";
const padF64 = [f64, i64([0, 0, 1, 1, 0, 0, 1, 1])];
const kernel = "opset 11 kernel";
const cpuModes = "half_pixel, asymmetric, align_corners, pytorch_half_pixel";

const brokenCpu: readonly Broken[] = [
  [cpu("ArgMax", [f64]), "dtype float only", "input dtype double is not float on bayes"],
  [cpu("ArgMin", [f64]), "dtype float only", "input dtype double is not float on bayes"],
  [
    cpu("Cast", [text("1")], { to: attr.int(1) }),
    `input dtype in ${casts}`,
    "input dtype string is not double, float, bool, int64, uint32, int32, uint16, int16, uint8, " +
    "int8 on bayes",
  ],
  [
    cpu("Cast", [x4], { to: attr.int(10) }),
    `output dtype in ${casts}`,
    "output dtype float16 is not double, float, bool, int64, uint32, int32, uint16, int16, uint8, " +
    "int8 on bayes",
  ],
  [
    { ...cpu("Constant", [], { value: attr.tensor(i64([1])) }), march: "bernoulli2" },
    "dtype float only",
    "output dtype int64 is not float on bernoulli2",
  ],
  [
    cpu("ConstantOfShape", [i64([1])], { value: attr.tensor(i64([1])) }),
    "dtype in {float,int32,int8}",
    "output dtype int64 is not float, int32, int8 on bayes",
  ],
  [
    cpu("CumSum", [x4, feature([], "int64")]),
    "axis dtype int32 only",
    "input dtype int64 is not int32 on bayes",
  ],
  [
    { ...cpu("CumSum", [f64, feature([], "int32")]), march: "bernoulli2" },
    "x and output dtype float only",
    "input dtype double is not float on bernoulli2",
  ],
  [
    cpu("DepthToSpace", [f64], { blocksize: attr.int(2) }),
    "input and output dtype float only",
    "input dtype double is not float on bayes",
  ],
  [
    cpu("SpaceToDepth", [f64], { blocksize: attr.int(2) }),
    "dtype float only",
    "input dtype double is not float on bayes",
  ],
  [
    cpu("Gather", [f64, i64([0])]),
    "input and output dtype in {float,int64,int32,int8,uint64,uint32,uint8}",
    "input dtype double is not float, int64, int32, int8, uint64, uint32, uint8 on bayes",
  ],
  [
    cpu("Gather", [x4, feature([1], "int16")]),
    "indices dtype in {int32,int64}",
    "indices dtype int16 is not int32, int64 on bayes",
  ],
  [
    cpu("GatherND", [f64, i64([0])]),
    "input and output dtype in {float,int32,int8}",
    "input dtype double is not float, int32, int8 on bayes",
  ],
  [
    cpu("GatherND", [x4, feature([1], "int32")]),
    "indices dtype int64 only",
    "indices dtype int32 is not int64 on bayes",
  ],
  [
    { ...cpu("NonZero", [f64]), march: "bernoulli2" },
    "dtype in {float,int32,int8}",
    "input dtype double is not float, int32, int8 on bernoulli2",
  ],
  [
    { ...cpu("NonZero", [feature([2, 2])]), march: "bernoulli2" },
    "input rank in {1,4}",
    "input rank 2 is not 1 or 4 on bernoulli2",
  ],
  [
    cpu("Pad", [f64], { pads: attr.ints([0, 0, 0, 0, 0, 0, 0, 0]) }),
    "opset 10: dtype float only",
    "input dtype double is not float on bayes",
  ],
  [
    cpu("Pad", [feature([2])], { pads: attr.ints([0, 0]) }),
    "opset 10: input rank 4 NCHW",
    "input rank 1 is not 4 on bayes",
  ],
  [
    cpu("Pad", [x4], { pads: attr.ints([0, 1, 0, 0, 0, 0, 0, 0]) }),
    "opset 10: pads length 8, all >= 0, zero at indices 0,1,4,5",
    "pads has 1 at index 1 on bayes",
  ],
  [
    cpu("Pad", padF64),
    "opset 11: data, constant_value (optional) and output dtype float only",
    "input 0 dtype double is not float on bayes",
  ],
  [
    cpu("Pad", [x4, tensor("int32", [8], new Int32Array(8))]),
    "opset 11: pads dtype int64",
    "input dtype int32 is not int64 on bayes",
  ],
  [
    cpu("Pad", [feature([2]), i64([0, 0])]),
    "opset 11: input rank 4",
    "input rank 1 is not 4 on bayes",
  ],
  [
    cpu("Pad", [x4, i64([1, 0, 0, 0, 0, 0, 0, 0])]),
    "opset 11: pads on dims 2,3 only",
    "dimension 0 is padded on bayes",
  ],
  [
    cpu("Range", [feature([], "float64"), feature([], "float64"), feature([], "float64")]),
    "dtype in {float,int64,int32,int16}",
    "input dtype double is not float, int64, int32, int16 on bayes",
  ],
  [
    cpu("ReduceLogSumExp", [feature([2], "int32")]),
    "dtype in {float,double}",
    "input dtype int32 is not float, double on bayes",
  ],
  [
    { ...cpu("ReduceLogSum", [feature([2], "int32")]), march: "bernoulli2" },
    "dtype in {float,double}",
    "input dtype int32 is not float, double on bernoulli2",
  ],
  ...["ReduceMax", "ReduceMean", "ReduceSumSquare", "ReduceSum"].map((op): Broken => [
    { ...reduce(op, [1, 2]), side: "cpu" },
    "number of axes in {0,1,input rank}",
    "2 axes are neither 0, 1 nor the input rank 4 on bayes",
  ]),
  ...["Resize", "Upsample"].map((op): Broken => [
    cpu(op, [feature([1, 1, 4]), f32([3], [1, 1, 2])]),
    "opset 10 kernel (2 inputs): input rank 4",
    "input rank 3 is not 4 on bayes",
  ]),
  [
    { ...resize([1, 1, 2], {}, feature([1, 1, 4])), side: "cpu" },
    `${kernel} (> 2 inputs): input rank 4`,
    "input rank 3 is not 4 on bayes",
  ],
  [
    {
      ...resize([1, 1, 2, 2], {
        coordinate_transformation_mode: attr.string("tf_crop_and_resize"),
      }),
      side: "cpu",
    },
    `${kernel}, mode nearest or linear: ${ctm} {${cpuModes.replaceAll(", ", ",")}}`,
    `coordinate_transformation_mode tf_crop_and_resize is not one of ${cpuModes} on bayes`,
  ],
  [
    { ...resize([1, 1, 2, 2], { mode: attr.string("cubic") }), side: "cpu" },
    `${kernel}, mode cubic: ${ctm} {half_pixel}`,
    "coordinate_transformation_mode asymmetric is not one of half_pixel on bayes",
  ],
  [
    { ...resize([1, 1, 2, 2], { extrapolation_value: attr.float(1) }), side: "cpu" },
    `${kernel}: extrapolation_value unsupported`,
    "extrapolation_value is not supported on bayes",
  ],
  [
    cpu("ScatterElements", [f64, feature([1, 1, 1, 1], "int32"), feature([1, 1, 1, 1], "float64")]),
    "data, updates and output dtype in {float,int32,int8}",
    "input 0 dtype double is not float, int32, int8 on bayes",
  ],
  [
    cpu("ScatterElements", [x4, feature([1, 1, 1, 1], "int64"), feature([1, 1, 1, 1])]),
    "indices dtype int32 only",
    "indices dtype int64 is not int32 on bayes",
  ],
  [
    cpu("ScatterND", [f64, i64([0]), feature([8, 16, 16], "float64")]),
    "data, updates and output dtype in {float,int32,int8}",
    "input 0 dtype double is not float, int32, int8 on bayes",
  ],
  [
    { ...split([4, 4], 1, f64), side: "cpu" },
    "dtype float only",
    "input dtype double is not float on bayes",
  ],
  [
    cpu("Tile", [feature([1], "int8"), i64([2])]),
    "dtype in {float,int64,int32,uint64,uint32}",
    "input dtype int8 is not float, int64, int32, uint64, uint32 on bayes",
  ],
  [
    { ...cpu("TopK", [f64, i64([1])], {}, 2) },
    "dtype float only",
    "input dtype double is not float on bayes",
  ],
  [
    { ...topK({ largest: attr.int(0) }), side: "cpu", march: "bernoulli2" },
    "opset 10 only",
    "largest 0 is not of opset 10 on bernoulli2",
  ],
  [
    cpu("Transpose", [f64], { perm: attr.ints([1, 0, 2, 3]) }),
    "any of: (a) NHWC to NCHW, perm [0,3,1,2] (b) NCHW to NHWC, perm [0,2,3,1] " +
    "(c) given perm, dtype in {float,int8,int32}",
    "the dtype is not float, int8 or int32 on bayes",
  ],
];

Deno.test("rows of the table that hold are on the BPU", () => {
  const marches: readonly MarchName[] = ["bayes", "bernoulli2", "bayes_e"];
  const seen = new Set<string>();
  for (const r of kept) {
    for (const march of marches) {
      const row = defs.get(r.op)!.place![march];
      if (row.on !== "BPU") continue;
      // A tensor of another rank is one of the things that bernoulli2 does not take.
      if (
        march === "bernoulli2" && r.op === "ReduceMean" && r.attrs?.axes?.value.toString() === "-1"
      ) {
        continue;
      }
      const c = contextOf(r.op, march, r.inputs, r.attrs, r.outputs);
      assert.deepEqual(broken(row.bpu, c), [], `${r.op} on ${march}`);
      seen.add(`${r.op} ${march}`);
    }
  }
  for (const d of listB) {
    for (const march of marches) {
      if (d.place?.[march].on === "BPU") {
        assert.ok(seen.has(`${d.op} ${march}`), `${d.op} ${march}`);
      }
    }
  }
});

/** Sentences of the table that say how an operator is treated, not what it must be. */
const notes = new Set([
  "unrestricted",
  "rearranges H,W only",
  "converted to Reshape",
  "pads on any dim",
  "upscale and downscale allowed",
  "roi has effect only with tf_crop_and_resize",
  "PyTorch-exported model: roi input must be added by hand",
  "input/output rank other than 4 allowed",
  "any input rank",
  "opset 16 op, exposed at opset 11 as a custom op",
  "export with horizon_nn.torch.export_onnx in place of torch.onnx.export, same arguments",
  "removed by constant folding inside a constant subgraph",
  "not listed for this march",
  // By definition of the operators: the rank is 4, the indices are int64, Constant is a value.
  "input and output rank 4",
  "indices dtype in {int16,int32,int64}",
  "constant-folded to a stored value",
  "sparse_tensor attribute unsupported",
]);

Deno.test("every constraint can be broken, and says how", () => {
  const seen = new Set<string>();
  for (const [row, rule, sentence] of [...brokenBpu, ...brokenCpu]) {
    const side = row.side ?? "bpu";
    assert.equal(wrongs(row).get(rule), sentence, `${row.op}: ${rule}`);
    seen.add(`${row.op} ${side} ${rule}`);
  }
  const missing: string[] = [];
  for (const d of listB) {
    for (const rules of Object.values(d.place ?? {})) {
      for (const side of ["bpu", "cpu"] as const) {
        for (const r of rules[side]) {
          // Upsample has two inputs: the forms of opset 11 are none of its own.
          if (d.op === "Upsample" && r.text.startsWith("opset 11")) continue;
          const key = `${d.op} ${side} ${r.text}`;
          if (!isGeneral(r) && !notes.has(r.text) && !seen.has(key)) missing.push(key);
        }
      }
    }
  }
  assert.deepEqual([...new Set(missing)], []);
});

Deno.test("a general limit sends a node of another rank to the CPU", () => {
  const row: Row = {
    op: "Concat",
    inputs: [feature([1, 4]), feature([1, 4])],
    attrs: { axis: attr.int(1) },
  };
  assert.match([...wrongs(row).values()].join(), /rank 2 is not 4 on bayes/);
});

interface TableRow {
  readonly on: string;
  readonly int16: string;
  readonly bpu: readonly string[];
  readonly cpu: readonly string[];
}

Deno.test("rows are those of the operator table, word for word", async () => {
  let json: string;
  try {
    json = await Deno.readTextFile(
      new URL("../../../shared/reference/operators.json", import.meta.url),
    );
  } catch (e) {
    if (!(e instanceof Deno.errors.NotFound)) throw e;
    console.log("skipped: the operator table is not here");
    return;
  }
  const table: { onnx: ({ op: string } & Record<"bayes" | "bernoulli2", TableRow>)[] } = JSON.parse(
    json,
  );
  let rows = 0;
  for (const r of table.onnx) {
    const d = defs.get(r.op);
    if (d === undefined) continue;
    for (const march of ["bayes", "bernoulli2"] as const) {
      const have: MarchRules = d.place![march];
      const words = (side: "bpu" | "cpu") =>
        have[side].filter((x) => !isGeneral(x)).map((x) => x.text);
      assert.deepEqual(
        { on: have.on, int16: have.int16, bpu: words("bpu"), cpu: words("cpu") },
        r[march],
        `${r.op} on ${march}`,
      );
      rows++;
    }
  }
  console.log(`${rows} rows compared`);
  assert.ok(rows > 0);
});
