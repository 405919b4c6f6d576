import { intAttr } from "../ir/graph.ts";
import { elementCount } from "../ir/tensor.ts";
import { axisOf, countInput } from "./args.ts";
import { given, modelError } from "./context.ts";
import { isBig, toDoubles } from "./convert.ts";
import { foldable, permute, reshaped, take } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { axesLast } from "./reduce.ts";
import { attrOneOf, dtypeFloat, onBpu, onCpu, place, rule } from "./rules.ts";
import { indexRanks } from "./rules_b.ts";
import { topKQuant } from "./lower/integer_results.ts";

function parts(c: InferContext): { axis: number; k: number; shape: number[] } {
  const { shape } = c.need(0);
  const axis = axisOf(c.node, intAttr(c.node, "axis", -1), shape.length);
  const k = given(c, 1) ? countInput(c, 1, "K") : intAttr(c.node, "k");
  if (!given(c, 1) && k < 0) modelError(c.node, `k ${k} is not a count`);
  const size = shape[axis]!;
  if (k > size && size >= 0) shapeError(c.node, `K ${k} is more than the ${size} elements`);
  return { axis, k, shape: shape.map((d, i) => i === axis ? k : d) };
}

const indices = rule("indices dtype in {int16,int32,int64}", (c) => {
  if ((c.node.outputs[1] ?? "") === "") return undefined;
  const { dtype } = c.output(1);
  return ["int16", "int32", "int64"].includes(dtype)
    ? undefined
    : `indices dtype ${dtype} is not int16, int32, int64`;
});
// `largest` and `sorted` came with opset 11.
const opset10 = rule("opset 10 only", (c) => {
  const other = ["largest", "sorted"].find((k) => intAttr(c.node, k, 1) !== 1);
  return other && `${other} 0 is not of opset 10`;
});

/** The k largest or smallest elements along an axis, and their indices. */
export const topK: OpDef = {
  op: "TopK",
  quant: topKQuant,
  place: place(
    onBpu("in+out", [indexRanks, indices, attrOneOf("sorted", [1], 1, "sorted true only")], [
      dtypeFloat,
    ]),
    onCpu(dtypeFloat, opset10),
  ),
  infer(c) {
    const { shape } = parts(c);
    return [{ dtype: c.need(0).dtype, shape }, { dtype: "int64", shape }];
  },
  fold(c) {
    const x = c.constant(0);
    const { axis, k, shape } = parts(c);
    if (x === undefined || k < 0 || x.dtype === "string" || !foldable(x.shape)) {
      return undefined;
    }
    const sign = intAttr(c.node, "largest", 1) !== 0 ? 1 : -1;
    const sorted = intAttr(c.node, "sorted", 1) !== 0;
    const run = axesLast(x, [axis]);
    const n = x.shape[axis]!;
    const rows = n === 0 ? 0 : elementCount(x.shape) / n;
    const v: ArrayLike<number | bigint> = isBig(x.dtype)
      ? run.data as BigInt64Array
      : toDoubles(run);
    const from = new Int32Array(rows * k);
    const order = Array.from({ length: n }, (_, i) => i);
    for (let r = 0; r < rows; r++) {
      const base = r * n;
      // Equal values: the lower index first.
      const best = [...order].sort((i, j) => {
        const a = v[base + i]!;
        const b = v[base + j]!;
        return a === b ? i - j : (a > b ? -sign : sign);
      }).slice(0, k);
      // Without an order of values the order of positions is as good as any.
      if (!sorted) best.sort((i, j) => i - j);
      best.forEach((i, j) => from[r * k + j] = base + i);
    }
    const rest = x.shape.filter((_, i) => i !== axis);
    const perm = rest.map((_, i) => i);
    perm.splice(axis, 0, rest.length);
    const back = [...rest, k];
    const indices = {
      dtype: "int64" as const,
      shape: back,
      data: BigInt64Array.from(from, (o) => BigInt(o % Math.max(1, n))),
    };
    return [
      reshaped(permute(reshaped(take(run, [from]), back), perm), shape),
      reshaped(permute(indices, perm), shape),
    ];
  },
};
