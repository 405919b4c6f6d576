import { fn } from "../../ir/function.ts";
import { intAttr, intsAttr } from "../../ir/graph.ts";
import { reduceSum } from "../../kernels/reduce.ts";
import { shapeError } from "../op.ts";
import type { OpDef, StepContext } from "../op.ts";
import { body, factor, settle, settleAttrs } from "./fragments.ts";
import { rangeOf, toType } from "./types.ts";

/** [outer][reduce][inner] view of a reduction over memory-adjacent axes. */
function view(c: StepContext): { outer: number; reduce: number; inner: number } {
  const x = c.need(0);
  const axes = intsAttr(c.node, "axes").filter((a) => x.shape[a] !== 1);
  // Axes in memory order (largest stride first); the reduced ones must be neighbours there.
  const order = x.shape.map((_, i) => i).filter((i) => x.shape[i] !== 1)
    .sort((i, j) => x.strides[j]! - x.strides[i]!);
  const where = axes.map((a) => order.indexOf(a)).sort((i, j) => i - j);
  const product = (list: readonly number[]) => list.reduce((n, i) => n * x.shape[i]!, 1);
  if (where.length === 0) return { outer: 1, reduce: 1, inner: product(order) };
  const first = where[0]!, last = where[where.length - 1]!;
  if (last - first + 1 !== where.length) {
    shapeError(c.node, "the reduced axes are not neighbours in memory");
  }
  return {
    outer: product(order.slice(0, first)),
    reduce: product(order.slice(first, last + 1)),
    inner: product(order.slice(last + 1)),
  };
}

/**
 * Sum over axes, requantized (section 7): inputs x, m, s. Mean has 1/n in m and s. GlobalAveragePool is
 * the mean over H and W.
 */
function reduceOp(op: string): OpDef {
  return {
    op,
    domain: "horizon",
    infer(c) {
      const x = c.need(0).shape;
      const axes = new Set(intsAttr(c.node, "axes"));
      const keep = intAttr(c.node, "keepdims", 1) === 1;
      const shape = x.map((d, i) => axes.has(i) ? 1 : d).filter((_, i) => keep || !axes.has(i));
      return [{ dtype: toType(c.node), shape }];
    },
    body: fn(
      op,
      ["x", "m", "s"],
      ["y"],
      ["axes:ints", "keepdims:int", ...settleAttrs],
      body(
        "xi=Cast(x){to=i64}; acc=ReduceSum(xi, @axes){keepdims=@keepdims}",
        factor("k", "m", "s"),
        "d=Cast(acc){to=f64}; v=Mul(d, k)",
        settle("v"),
      ),
    ),
    run(c) {
      const x = c.need(0), y = c.output(0);
      reduceSum(c.arena, {
        x: x.ptr,
        y: y.ptr,
        xType: x.dtype as "int8" | "int16",
        yType: y.dtype as "int8" | "int16",
        ...view(c),
        m: Number(c.constant(1)!.data[0]),
        s: Number(c.constant(2)!.data[0]),
        xZero: 0,
        yZero: 0,
        ...rangeOf(c.node),
      });
    },
  };
}

export const hzReduceMean = reduceOp("HzSQuantizedReduceMean");
export const hzReduceSum = reduceOp("HzSQuantizedReduceSum");
export const hzGlobalAveragePool = reduceOp("HzQuantizedGlobalAveragePool");
