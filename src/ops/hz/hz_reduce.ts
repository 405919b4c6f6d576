import { fn } from "../../ir/function.ts";
import { intAttr, intsAttr } from "../../ir/graph.ts";
import type { DType } from "../../ir/tensor.ts";
import { reduceMax, reduceMin, reduceSum } from "../../kernels/reduce.ts";
import type { View as ReduceView } from "../../kernels/reduce.ts";
import type { InferContext, OpDef, StepContext } from "../op.ts";
import { body, factor, settleAttrs } from "./fragments.ts";
import { forms, zeroAt } from "./forms.ts";
import { densely, writeDensely } from "./memory.ts";
import { rangeOf, toType } from "./types.ts";

const product = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);

/**
 * Runs a reduction over any axes of input 0: as [outer][reduce][inner] where the axes are neighbours in
 * memory, else on a copy with the reduced axes last. The kernel writes the kept axes in memory order,
 * which is then brought into the order of the output.
 */
export function reduceOver(
  c: StepContext,
  axes: readonly number[],
  run: (view: ReduceView, x: number, y: number) => void,
  resultType: DType = c.output(0).dtype,
): void {
  const x = c.need(0), y = c.output(0);
  const mark = c.arena.mark();
  const gone = new Set(axes);
  const order = x.shape.map((_, i) => i).filter((i) => x.shape[i] !== 1)
    .sort((i, j) => x.strides[j]! - x.strides[i]!);
  const sizes = (list: readonly number[]) => list.map((i) => x.shape[i]!);
  const kept = order.filter((i) => !gone.has(i)), reduced = order.filter((i) => gone.has(i));
  const first = reduced.length === 0 ? order.length : order.indexOf(reduced[0]!);
  const adjacent = reduced.every((a, k) => order[first + k] === a);
  let ptr = x.ptr;
  let view: ReduceView = {
    outer: product(sizes(order.slice(0, first))),
    reduce: product(sizes(reduced)),
    inner: product(sizes(order.slice(first + reduced.length))),
  };
  if (!adjacent) {
    const all = [...kept, ...reduced];
    ptr = densely(c, sizes(all), { ptr: x.ptr, strides: all.map((i) => x.strides[i]!) }, x.dtype);
    view = { outer: product(sizes(kept)), reduce: view.reduce, inner: 1 };
  }
  const keepdims = y.shape.length === x.shape.length;
  const at = (i: number) => keepdims ? i : i - axes.filter((a) => a < i).length;
  const strides = kept.map((i) => y.strides[at(i)]!);
  writeDensely(c, sizes(kept), { ptr: y.ptr, strides }, resultType, (to) => run(view, ptr, to));
  c.arena.release(mark);
}

/** Shape of a reduction with attributes axes (non-negative) and keepdims. */
export function reducedType(c: InferContext): number[] {
  const x = c.need(0).shape;
  const axes = new Set(intsAttr(c.node, "axes"));
  const keep = intAttr(c.node, "keepdims", 1) === 1;
  return x.map((d, i) => axes.has(i) ? 1 : d).filter((_, i) => keep || !axes.has(i));
}

/**
 * Sum over axes, requantized (section 7): inputs x, m, s. Mean has 1/n in m and s. GlobalAveragePool is
 * the mean over H and W.
 */
function sumOp(name: string): OpDef[] {
  return forms(name, (op, z) => ({
    op,
    domain: "horizon",
    infer: (c) => [{ dtype: toType(c.node), shape: reducedType(c) }],
    body: fn(
      op,
      ["x", "m", "s"],
      ["y"],
      ["axes:ints", "keepdims:int", ...settleAttrs, ...z.zeros("x_zero", "y_zero")],
      body(
        z.minus("x", "xi", "x_zero", "i64"),
        "acc=ReduceSum(xi, @axes){keepdims=@keepdims}",
        factor("k", "m", "s"),
        "d=Cast(acc){to=f64}; v=Mul(d, k)",
        z.settle("v"),
      ),
    ),
    run(c) {
      const x = c.need(0), y = c.output(0);
      reduceOver(c, intsAttr(c.node, "axes"), (view, from, to) =>
        reduceSum(c.arena, {
          ...view,
          x: from,
          y: to,
          xType: x.dtype as "int8" | "int16",
          yType: y.dtype as "int8" | "int16",
          m: Number(c.constant(1)!.data[0]),
          s: Number(c.constant(2)!.data[0]),
          xZero: zeroAt(c.node, "x_zero"),
          yZero: zeroAt(c.node, "y_zero"),
          ...rangeOf(c.node),
        }));
    },
  }));
}

export const hzReduceMean = sumOp("HzSQuantizedReduceMean");
export const hzReduceSum = sumOp("HzSQuantizedReduceSum");
export const hzGlobalAveragePool = sumOp("HzQuantizedGlobalAveragePool");

/** Largest or smallest element over axes, in the scale of x; through int32, which has all reductions. */
function extremeOp(op: string, standard: "ReduceMax" | "ReduceMin"): OpDef {
  const kernel = standard === "ReduceMax" ? reduceMax : reduceMin;
  return {
    op,
    domain: "horizon",
    infer: (c) => [{ dtype: c.need(0).dtype, shape: reducedType(c) }],
    body: fn(
      op,
      ["x"],
      ["y"],
      ["axes:ints", "keepdims:int", "to:int"],
      `xi=Cast(x){to=i32}; r=${standard}(xi){axes=@axes keepdims=@keepdims}; y=Cast(r){to=@to}`,
    ),
    run(c) {
      const type = c.need(0).dtype as "int8" | "int16";
      reduceOver(
        c,
        intsAttr(c.node, "axes"),
        (view, x, y) => kernel(c.arena, { ...view, x, y, type }),
      );
    },
  };
}

export const hzReduceMax = extremeOp("HzQuantizedReduceMax", "ReduceMax");
export const hzReduceMin = extremeOp("HzQuantizedReduceMin", "ReduceMin");
export const hzGlobalMaxPool = extremeOp("HzQuantizedGlobalMaxPool", "ReduceMax");
