/**
 * DetectionOutput (SSD): boxes decoded from the priors, non-maximum suppression per class, the best
 * `keep_top_k` of each image.
 *
 * @module
 */

import { isFieldSet } from "../../../deps.ts";
import { attr } from "../../../ir/graph.ts";
import { type DType, elementCount, f32, i64Scalar, type Tensor } from "../../../ir/tensor.ts";
import type { Value } from "../build.ts";
import type { Converter, LayerContext } from "../context.ts";
import {
  type DetectionOutputParameter,
  DetectionOutputParameter_CodeType as Code,
  DetectionOutputParameterSchema,
} from "../gen/caffe_pb.ts";

const F = DetectionOutputParameterSchema.field;

/** Emits nodes with the names of their shapes worked out where they are elementwise. */
class Emitter {
  #count = 0;

  constructor(readonly ctx: LayerContext) {}

  #part(what: string): string {
    return `${what.toLowerCase()}${this.#count++}`;
  }

  op(op: string, inputs: readonly Value[], shape: readonly number[], dtype?: DType): Value {
    return this.ctx.op(op, inputs, shape, {}, this.#part(op), dtype ?? inputs[0]!.dtype);
  }

  /** Elementwise, the first input having the shape of the result. */
  map(op: string, ...inputs: readonly Value[]): Value {
    return this.op(op, inputs, inputs[0]!.shape);
  }

  with(
    op: string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly { readonly dtype: DType; readonly shape: readonly number[] }[],
    attrs: Readonly<Record<string, ReturnType<typeof attr.int>>> = {},
  ): Value[] {
    return this.ctx.ops(op, inputs, outputs, attrs, this.#part(op));
  }

  constant(t: Tensor): Value {
    return this.ctx.constant(this.#part("c"), t);
  }

  double(v: number): Value {
    return this.constant({ dtype: "float64", shape: [], data: Float64Array.of(v) });
  }

  cast(x: Value, dtype: DType): Value {
    const code = dtype === "float64" ? 11 : dtype === "int64" ? 7 : 1;
    return this.with("Cast", [x], [{ dtype, shape: x.shape }], { to: attr.int(code) })[0]!;
  }

  reshape(x: Value, shape: readonly number[]): Value {
    return this.ctx.reshape(x, shape, this.#part("reshape"));
  }

  /** Four slices of the last axis. */
  quarters(x: Value): [Value, Value, Value, Value] {
    const shape = [...x.shape.slice(0, -1), 1];
    const part = { dtype: x.dtype, shape };
    return this.with("Split", [x], [part, part, part, part], { axis: attr.int(-1) }) as [
      Value,
      Value,
      Value,
      Value,
    ];
  }

  concat(parts: readonly Value[]): Value {
    const shape = [...parts[0]!.shape.slice(0, -1), parts.length];
    return this.with("Concat", parts, [{ dtype: parts[0]!.dtype, shape }], {
      axis: attr.int(-1),
    })[0]!;
  }

  /** Rows of a 2-D tensor (or elements of a 1-D one) by index. */
  gather(x: Value, index: Value): Value {
    const shape = [...index.shape, ...x.shape.slice(1)];
    return this.with("Gather", [x, index], [{ dtype: x.dtype, shape }], { axis: attr.int(0) })[0]!;
  }

  topK(x: Value, k: number, largest: boolean): [Value, Value] {
    const shape = [...x.shape.slice(0, -1), k];
    return this.with("TopK", [x, this.ctx.ints(this.#part("k"), [k])], [
      { dtype: x.dtype, shape },
      { dtype: "int64", shape },
    ], { axis: attr.int(-1), largest: attr.int(largest ? 1 : 0) }) as [Value, Value];
  }

  /** `[0, step, 2 step, ...]` shaped to broadcast, as int64. */
  ramp(count: number, step: number, shape: readonly number[]): Value {
    const data = BigInt64Array.from({ length: count }, (_, i) => BigInt(i * step));
    return this.constant({ dtype: "int64", shape, data });
  }
}

/** Sizes of the layer. */
interface Sizes {
  readonly batch: number;
  readonly priors: number;
  readonly classes: number;
  /** Sets of boxes: one, or one per class. */
  readonly sets: number;
}

function sizesOf(ctx: LayerContext, p: DetectionOutputParameter): Sizes {
  const [loc, conf, prior] = [ctx.input(0), ctx.input(1), ctx.input(2)];
  const classes = p.numClasses;
  if (classes < 1) ctx.fail("num_classes must be at least 1", "detection_output_param");
  if (prior.shape.length !== 3 || prior.shape[1] !== 2 || prior.shape[2]! % 4 !== 0) {
    ctx.fail(`its third bottom ${prior.shape.join("x")} is not 1x2x(4 boxes)`, "bottom");
  }
  const batch = loc.shape[0] ?? 0;
  const priors = prior.shape[2]! / 4;
  const sets = p.shareLocation ? 1 : classes;
  for (const [i, v, want] of [[0, loc, priors * sets * 4], [1, conf, priors * classes]] as const) {
    if (elementCount(v.shape) === batch * want && v.shape[0] === batch) continue;
    ctx.fail(
      `bottom ${i} has ${elementCount(v.shape.slice(1))} values per image, ${priors} priors and ` +
        `${classes} classes need ${want}`,
      "bottom",
    );
  }
  return { batch, priors, classes, sets };
}

/** Corners of all boxes, [batch * priors * sets, 4] in float64. */
function decoded(e: Emitter, p: DetectionOutputParameter, s: Sizes): Value {
  const { batch, priors, sets } = s;
  const prior = e.cast(e.ctx.input(2), "float64");
  const half = { dtype: "float64", shape: [1, 1, 4 * priors] } as const;
  const [corners, variances] = e.with("Split", [prior], [half, half], {
    axis: attr.int(1),
  }) as [Value, Value];
  const each = [1, priors, 1, 4];
  const [x0, y0, x1, y1] = e.quarters(e.reshape(corners, each));
  const loc = e.reshape(e.cast(e.ctx.input(0), "float64"), [batch, priors, sets, 4]);
  const offset = p.varianceEncodedInTarget ? loc : e.map("Mul", loc, e.reshape(variances, each));
  const [dx, dy, dz, dw] = e.quarters(offset);
  const plus = (d: Value, at: Value) => e.map("Add", d, at);
  let boxes: Value[];
  if (p.codeType === Code.CORNER) {
    boxes = [plus(dx, x0), plus(dy, y0), plus(dz, x1), plus(dw, y1)];
  } else {
    const width = e.map("Sub", x1, x0), height = e.map("Sub", y1, y0);
    if (p.codeType === Code.CORNER_SIZE) {
      boxes = [[dx, width, x0], [dy, height, y0], [dz, width, x1], [dw, height, y1]]
        .map(([d, size, at]) => plus(e.map("Mul", d!, size!), at!));
    } else {
      const two = e.double(2);
      const middle = (a: Value, b: Value) => e.map("Div", e.map("Add", a, b), two);
      const cx = plus(e.map("Mul", dx, width), middle(x0, x1));
      const cy = plus(e.map("Mul", dy, height), middle(y0, y1));
      const w = e.map("Div", e.map("Mul", e.map("Exp", dz), width), two);
      const h = e.map("Div", e.map("Mul", e.map("Exp", dw), height), two);
      boxes = [e.map("Sub", cx, w), e.map("Sub", cy, h), e.map("Add", cx, w), e.map("Add", cy, h)];
    }
  }
  return e.reshape(e.concat(boxes), [batch * priors * sets, 4]);
}

/**
 * DetectionOutput as 1 x 1 x (images * rows) x 7, rows of image, label, confidence and corners, grouped
 * by label and falling in confidence. Caffe's result is as long as there are detections; here it always
 * has `keep_top_k` rows per image, the unused ones last: -1, then zeros. All of it is in float64 until
 * the suppression: the BPU's steps are no positions.
 */
export const detectionOutput: Converter = (ctx: LayerContext) => {
  ctx.arity(3, 1);
  const p = ctx.params.detectionOutputParam;
  if (p === undefined) ctx.fail("num_classes is missing");
  const sizes = sizesOf(ctx, p);
  const { batch, priors, classes, sets } = sizes;
  const nms = p.nmsParam;
  if (nms !== undefined && nms.eta !== 1) {
    ctx.fail("an adaptive threshold (eta) is not supported", "eta", "unsupported");
  }
  if (p.objectnessScore !== 0 && isFieldSet(p, F.objectnessScore)) {
    ctx.fail("objectness_score is not supported", "objectness_score", "unsupported");
  }
  if (p.codeType === Code.UNKNOWN) ctx.fail("this code_type does not exist", "code_type");
  const labels = Array.from({ length: classes }, (_, i) => i)
    .filter((label) => label !== p.backgroundLabelId);
  if (labels.length === 0) ctx.fail("the background is its only class", "num_classes");
  const most = (n: number) => nms !== undefined && nms.topK > 0 ? Math.min(n, nms.topK) : n;
  const k = most(priors);
  const lanes = batch * labels.length;
  const rows = p.keepTopK > 0 ? Math.min(p.keepTopK, labels.length * k) : labels.length * k;
  ctx.reserve(2 * lanes * k + batch * rows * 7);
  const e = new Emitter(ctx);

  const boxes = decoded(e, p, sizes);
  const conf = e.reshape(e.cast(ctx.input(1), "float64"), [batch, priors, classes]);
  const byClass = e.with("Transpose", [conf], [
    { dtype: "float64", shape: [batch, classes, priors] },
  ], { perm: attr.ints([0, 2, 1]) })[0]!;
  const wanted = e.with("Gather", [byClass, ctx.ints("labels", labels)], [
    { dtype: "float64", shape: [batch, labels.length, priors] },
  ], { axis: attr.int(1) })[0]!;
  const [scores, best] = e.topK(wanted, k, true);

  // Number of the box in `boxes`: (image * priors + prior) * sets + set.
  let number: Value = e.map("Add", best, e.ramp(batch, priors, [batch, 1, 1]));
  if (sets > 1) {
    const set = BigInt64Array.from(labels, BigInt);
    const own = e.constant({ dtype: "int64", shape: [1, labels.length, 1], data: set });
    number = e.map("Add", e.map("Mul", number, e.constant(i64Scalar(sets))), own);
  }
  const candidates = e.gather(boxes, number);
  const flatScores = e.reshape(e.cast(scores, "float32"), [lanes * k]);
  const threshold = isFieldSet(p, F.confidenceThreshold) ? p.confidenceThreshold : undefined;
  const selected = ctx.builder.emit(
    "NonMaxSuppression",
    `${ctx.spec.name}/nms`,
    [
      e.reshape(e.cast(candidates, "float32"), [lanes, k, 4]),
      e.reshape(flatScores, [lanes, 1, k]),
      e.constant(i64Scalar(k)),
      ctx.scalar("nms_threshold", nms?.nmsThreshold ?? Math.fround(0.3)),
      threshold === undefined ? undefined : ctx.scalar("confidence_threshold", threshold),
    ],
    [{ dtype: "int64", shape: [-1, 3] }],
  )[0]!;

  // As many rows as were selected: scattering them gives a static shape again.
  const open = (
    op: string,
    inputs: readonly Value[],
    dtype: DType,
    shape: readonly number[],
    attrs: Readonly<Record<string, ReturnType<typeof attr.int>>> = {},
  ): Value => ctx.builder.emit(op, `${ctx.spec.name}/kept`, inputs, [{ dtype, shape }], attrs)[0]!;
  const lanesOf = e.constant(
    { dtype: "int64", shape: [3], data: BigInt64Array.of(BigInt(k), 0n, 1n) },
  );
  const places = open(
    "ReduceSum",
    [open("Mul", [selected, lanesOf], "int64", [-1, 3]), ctx.ints("row", [1])],
    "int64",
    [-1],
    { keepdims: attr.int(0) },
  );
  const kept = e.with(
    "ScatterElements",
    [
      e.constant(f32([lanes * k], new Float32Array(lanes * k).fill(-Infinity))),
      places,
      open("Gather", [flatScores, places], "float32", [-1], { axis: attr.int(0) }),
    ],
    [{ dtype: "float32", shape: [lanes * k] }],
    { axis: attr.int(0) },
  )[0]!;

  const [top, at] = e.topK(e.reshape(kept, [batch, labels.length * k]), rows, true);
  const none = e.op("Less", [top, ctx.scalar("least", -3e38)], top.shape, "bool");
  const lane = e.map("Div", at, e.constant(i64Scalar(k)));
  const last = e.constant(i64Scalar(labels.length));
  const group = e.op("Where", [none, last, lane], top.shape, "int64");
  // By label, then as they are: in falling confidence.
  const order = e.map(
    "Add",
    e.map("Mul", group, e.constant(i64Scalar(rows))),
    e.ramp(rows, 1, [1, rows]),
  );
  const [, sorted] = e.topK(order, rows, false);
  const pick = (x: Value): Value =>
    e.reshape(
      e.with("GatherElements", [x, sorted], [{ dtype: x.dtype, shape: x.shape }], {
        axis: attr.int(1),
      })[0]!,
      [batch * rows, 1],
    );
  const place = e.reshape(
    e.map("Add", at, e.ramp(batch, labels.length * k, [batch, 1])),
    [batch, rows],
  );
  const image = e.constant(
    f32(
      [batch * rows, 1],
      Float32Array.from({ length: batch * rows }, (_, i) => Math.floor(i / rows)),
    ),
  );
  const names = e.constant(f32([labels.length + 1], [...labels, 0]));
  const corner = e.reshape(
    e.gather(
      e.reshape(e.cast(candidates, "float32"), [lanes * k, 4]),
      e.reshape(pick(place), [batch * rows]),
    ),
    [batch * rows, 4],
  );
  const all = e.with("Concat", [
    image,
    e.gather(names, e.reshape(pick(group), [batch * rows, 1])),
    pick(top),
    corner,
  ], [
    { dtype: "float32", shape: [batch * rows, 7] },
  ], { axis: attr.int(1) })[0]!;
  const unused = e.constant(f32([1, 7], [-1, 0, 0, 0, 0, 0, 0]));
  const missing = e.op("Less", [pick(top), ctx.scalar("least", -3e38)], [batch * rows, 1], "bool");
  const padded = e.op("Where", [missing, unused, all], [batch * rows, 7], "float32");
  const shape = [1, 1, batch * rows, 7];
  ctx.top(ctx.op("Reshape", [padded, ctx.ints("shape", shape)], shape));
};
