import { intAttr } from "../ir/graph.ts";
import { elementCount, i64, type Tensor, type TensorType } from "../ir/tensor.ts";
import { axisOf } from "./args.ts";
import { isBig, toDoubles } from "./convert.ts";
import { axisTables, foldable, permute, reshaped, take } from "./nd.ts";
import type { InferContext, OpDef } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

type Values = ArrayLike<number> | ArrayLike<bigint> | ArrayLike<string>;

/** Order of two slices, element by element. */
function compare(v: Values, a: number, b: number, n: number): number {
  for (let i = 0; i < n; i++) {
    const x = v[a * n + i]!;
    const y = v[b * n + i]!;
    if (x < y) return -1;
    if (x > y) return 1;
  }
  return 0;
}

/** The outputs where the input is a constant. */
function valuesOf(c: InferContext): Tensor[] | undefined {
  const input = c.constant(0);
  if (input === undefined || !foldable(input.shape)) return undefined;
  const whole = !c.node.attrs.has("axis");
  const x = whole ? reshaped(input, [elementCount(input.shape)]) : input;
  const axis = whole ? 0 : axisOf(c.node, intAttr(c.node, "axis"), x.shape.length);
  // Slices along the axis become rows.
  const front = [axis, ...x.shape.map((_, i) => i).filter((i) => i !== axis)];
  const rows: Tensor = permute(x, front);
  const count = x.shape[axis]!;
  const width = elementCount(rows.shape.slice(1));
  const values: Values = Array.isArray(rows.data)
    ? rows.data
    : isBig(rows.dtype)
    ? rows.data as BigInt64Array
    : toDoubles(rows);
  // A stable sort keeps the first occurrence of each row in front of its repeats.
  const order = Array.from({ length: count }, (_, i) => i)
    .sort((a, b) => compare(values, a, b, width));
  const groups: number[][] = [];
  order.forEach((row, i) => {
    const same = i > 0 && compare(values, order[i - 1]!, row, width) === 0;
    if (same) groups.at(-1)!.push(row);
    else groups.push([row]);
  });
  if (intAttr(c.node, "sorted", 1) === 0) groups.sort((a, b) => a[0]! - b[0]!);
  const inverse = new Array<number>(count).fill(0);
  groups.forEach((g, i) => g.forEach((row) => inverse[row] = i));
  const tables = axisTables(x.shape);
  const along = tables[axis]!;
  tables[axis] = Int32Array.from(groups, (g) => along[g[0]!]!);
  const all = [
    take(x, tables),
    i64(groups.map((g) => g[0]!)),
    i64(inverse),
    i64(groups.map((g) => g.length)),
  ];
  return all.slice(0, Math.max(1, c.node.outputs.length));
}

function infer(c: InferContext): readonly TensorType[] {
  const values = valuesOf(c);
  if (values !== undefined) return values;
  const { dtype, shape } = c.need(0);
  const y = c.node.attrs.has("axis")
    ? shape.map((d, i) => i === axisOf(c.node, intAttr(c.node, "axis"), shape.length) ? -1 : d)
    : [-1];
  const list = { dtype: "int64" as const, shape: [-1] };
  return [{ dtype, shape: y }, list, list, list].slice(0, Math.max(1, c.node.outputs.length));
}

/** Distinct elements or slices, where they first occur, and how often. */
export const unique: OpDef = {
  op: "Unique",
  place: everywhere(notIntegrated()),
  infer,
  fold: valuesOf,
};
