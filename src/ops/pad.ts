import { intsAttr, stringAttr } from "../ir/graph.ts";
import { stridesOf, type TensorData } from "../ir/tensor.ts";
import { axesOf, integerInput, listArg, unknownDims } from "./args.ts";
import { given, modelError } from "./context.ts";
import { castTensor } from "./convert.ts";
import { foldable, take } from "./nd.ts";
import { type InferContext, type OpDef, type Rule, type RuleContext, shapeError } from "./op.ts";
import {
  attrOneOf,
  dtypeFloat,
  dtypeIn,
  inputRank,
  note,
  onBpu,
  only,
  place,
  rule,
} from "./rules.ts";
import { dtypeOfData } from "./rules_b.ts";
import { padQuant } from "./lower/movement.ts";
import { runPad } from "./movement_run.ts";

/** Elements added before and after each axis (negative: removed); undefined when not constant. */
export function padsOf(c: InferContext): { begin: number[]; end: number[] } | undefined {
  const rank = c.need(0).shape.length;
  const key = c.node.attrs.has("paddings") ? "paddings" : "pads";
  const pads = listArg(c, 1, key);
  if (pads === "absent") return modelError(c.node, "pads are missing");
  if (pads === "dynamic") return undefined;
  const list = given(c, 3) ? integerInput(c, 3, "axes") : undefined;
  if (given(c, 3) && list === undefined) return undefined;
  const axes = list === undefined
    ? Array.from({ length: rank }, (_, i) => i)
    : axesOf(c.node, list, rank);
  if (pads.length !== 2 * axes.length || !pads.every(Number.isSafeInteger)) {
    shapeError(c.node, `pads has ${pads.length} values for ${axes.length} axes`);
  }
  const begin = new Array<number>(rank).fill(0);
  const end = new Array<number>(rank).fill(0);
  axes.forEach((a, i) => {
    begin[a] = pads[i]!;
    end[a] = pads[axes.length + i]!;
  });
  return { begin, end };
}

function target(c: InferContext): number[] {
  const { shape } = c.need(0);
  const pads = padsOf(c);
  if (pads === undefined) return unknownDims(shape.length);
  return shape.map((d, i) => {
    if (d < 0) return pads.begin[i] === 0 && pads.end[i] === 0 ? d : -1;
    const out = d + pads.begin[i]! + pads.end[i]!;
    return out >= 0 ? out : shapeError(c.node, `pads leave ${out} elements of dimension ${i}`);
  });
}

/** Source index along one axis for padded position i of a kept range of n elements; -1: the value. */
function sourceIndex(mode: string, i: number, n: number): number {
  if (i >= 0 && i < n) return i;
  switch (mode) {
    case "edge":
      return i < 0 ? 0 : n - 1;
    case "wrap":
      return ((i % n) + n) % n;
    case "reflect": {
      if (n === 1) return 0;
      const period = 2 * (n - 1);
      const m = ((i % period) + period) % period;
      return m < n ? m : period - m;
    }
    default:
      return -1;
  }
}

const constantMode = attrOneOf("mode", ["constant"], "constant");

/** pads on H and W of a rank 4 tensor, nothing elsewhere. */
function onlyHW(text: string): Rule {
  return rule(text, (c) => {
    const pads = padsOf(c);
    if (pads === undefined) return "pads is not a constant";
    const a = pads.begin.findIndex((b, i) => (b !== 0 || pads.end[i] !== 0) && i !== 2 && i !== 3);
    return a < 0 ? undefined : `dimension ${a} is padded`;
  });
}

const attribute = (c: RuleContext): boolean => c.node.attrs.has("pads");
const inputs = (c: RuleContext): boolean => !attribute(c);
const padsHW = onlyHW("pads on H,W only");
const cpu = [
  only("opset 10", attribute, dtypeFloat),
  only("opset 10", attribute, inputRank(4, "input rank 4 NCHW")),
  only(
    "opset 10",
    attribute,
    rule("pads length 8, all >= 0, zero at indices 0,1,4,5", (c) => {
      const pads = intsAttr(c.node, "pads");
      if (pads.length !== 8) return `pads has ${pads.length} values, not 8`;
      const i = pads.findIndex((p, k) => p < 0 || (p !== 0 && k % 4 < 2));
      return i < 0 ? undefined : `pads has ${pads[i]} at index ${i}`;
    }),
  ),
  only(
    "opset 11",
    inputs,
    dtypeOfData(["float"], "data, constant_value (optional) and output dtype float only", [0, 2]),
  ),
  only("opset 11", inputs, dtypeIn(["int64"], "pads dtype int64", [1])),
  only("opset 11", inputs, inputRank(4)),
  only("opset 11", inputs, onlyHW("pads on dims 2,3 only")),
];

/** Elements added (or removed) around a tensor. */
export const pad: OpDef = {
  op: "Pad",
  quant: padQuant,
  run: runPad,
  place: place(
    onBpu("in+out", [constantMode, note("pads on any dim")], cpu, "rank4"),
    onBpu("no", [constantMode, padsHW], cpu),
  ),
  infer: (c) => [{ dtype: c.need(0).dtype, shape: target(c) }],
  fold(c) {
    const x = c.constant(0);
    if (x === undefined) return undefined;
    const pads = padsOf(c);
    const shape = target(c);
    if (pads === undefined || !foldable(shape)) return undefined;
    const mode = stringAttr(c.node, "mode", "constant");
    let fill: TensorData | undefined;
    const value = c.constant(2);
    if (given(c, 2) && value === undefined) return undefined;
    if (value !== undefined) fill = castTensor(value, x.dtype).data;
    const attrValue = c.node.attrs.get("value");
    if (attrValue?.type === "float") {
      const f = { dtype: "float32" as const, shape: [], data: Float32Array.of(attrValue.value) };
      fill = castTensor(f, x.dtype).data;
    }
    if (fill !== undefined && fill.length !== 1) {
      modelError(c.node, "the pad value is not a scalar");
    }
    const strides = stridesOf(x.shape);
    const tables = shape.map((count, a) => {
      const b = pads.begin[a]!;
      const first = Math.max(0, -b);
      const kept = x.shape[a]! - first - Math.max(0, -pads.end[a]!);
      if (kept <= 0 && count > 0 && mode !== "constant") {
        shapeError(c.node, `dimension ${a} has nothing to pad from in mode ${mode}`);
      }
      const t = new Int32Array(count);
      for (let i = 0; i < count; i++) {
        const s = sourceIndex(mode, i - Math.max(0, b), kept);
        t[i] = s < 0 ? -1 : (first + s) * strides[a]!;
      }
      return t;
    });
    return [take(x, tables, fill)];
  },
};
