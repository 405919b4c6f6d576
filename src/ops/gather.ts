import { intAttr } from "../ir/graph.ts";
import { elementCount, type Tensor } from "../ir/tensor.ts";
import { axisOf, integersOf } from "./args.ts";
import { foldable, rampTable, reshaped, take } from "./nd.ts";
import { type InferContext, type OpDef, type RuleContext, shapeError } from "./op.ts";
import { isFeature, onBpu, onCpu, place, ranks } from "./rules.ts";
import { dtypeOfData, indexDtype } from "./rules_b.ts";
import { runGather } from "./hz/index_run.ts";
import { gatherQuant } from "./lower/movement.ts";

function axisFor(c: InferContext): number {
  return axisOf(c.node, intAttr(c.node, "axis", 0), c.need(0).shape.length);
}

/** Non-negative indices into `size` elements, times `stride`; an error when one is outside. */
export function indexTable(c: InferContext, t: Tensor, size: number, stride: number): Int32Array {
  return Int32Array.from(integersOf(c.node, t, "indices"), (v) => {
    const k = v < 0 ? v + size : v;
    return k >= 0 && k < size
      ? k * stride
      : shapeError(c.node, `index ${v} is outside -${size}..${size - 1}`);
  });
}

const words = ["float", "int64", "int32", "int8", "uint64", "uint32", "uint8"];

const computed = indexDtype(["int32"], "indices from another op: dtype int32 only");
const stored = indexDtype(["int32", "int64"], "indices constant: dtype in {int32,int64}");
const bpu = [
  ranks(0, 4, "input/indices/output rank <= 4"),
  {
    text: computed.text,
    check: (c: RuleContext) => isFeature(c, 1) ? computed.check(c) : undefined,
  },
  { text: stored.text, check: (c: RuleContext) => isFeature(c, 1) ? undefined : stored.check(c) },
];
const cpu = [
  dtypeOfData(words, `input and output dtype in {${words.join(",")}}`),
  indexDtype(["int32", "int64"], "indices dtype in {int32,int64}"),
];

/** Slices of the data by index along an axis. */
export const gather: OpDef = {
  op: "Gather",
  quant: gatherQuant,
  run: runGather,
  place: place(onBpu("unstated", bpu, cpu, "sizes"), onCpu(...cpu)),
  infer(c) {
    const { dtype, shape } = c.need(0);
    const axis = axisFor(c);
    const indices = c.need(1).shape;
    return [{ dtype, shape: [...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)] }];
  },
  fold(c) {
    const x = c.constant(0);
    const indices = c.constant(1);
    if (x === undefined || indices === undefined) return undefined;
    const axis = axisFor(c);
    const size = x.shape[axis]!;
    const inner = elementCount(x.shape.slice(axis + 1));
    const outer = elementCount(x.shape.slice(0, axis));
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    if (!foldable(shape)) return undefined;
    const tables = [
      rampTable(outer, size * inner),
      indexTable(c, indices, size, inner),
      rampTable(inner, 1),
    ];
    return [reshaped(take(x, tables), shape)];
  },
};
