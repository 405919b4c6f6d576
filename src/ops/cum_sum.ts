import { intAttr } from "../ir/graph.ts";
import { allocate, elementCount } from "../ir/tensor.ts";
import { axisOf, integerInput } from "./args.ts";
import { fromDoubles, isBig, toDoubles } from "./convert.ts";
import { foldable } from "./nd.ts";
import type { OpDef } from "./op.ts";
import { dtypeIn, onCpu, place } from "./rules.ts";

const axisDtype = dtypeIn(["int32"], "axis dtype int32 only", [1]);

/** Running sums along an axis. */
export const cumSum: OpDef = {
  op: "CumSum",
  place: place(
    onCpu(axisDtype),
    onCpu(dtypeIn(["float"], "x and output dtype float only"), axisDtype),
  ),
  infer(c) {
    const { dtype, shape } = c.need(0);
    return [{ dtype, shape }];
  },
  fold(c) {
    const x = c.constant(0);
    const axes = integerInput(c, 1, "axis");
    if (x === undefined || axes === undefined || x.dtype === "string") return undefined;
    if (!foldable(x.shape)) return undefined;
    const { dtype, shape } = x;
    const axis = axisOf(c.node, axes[0] ?? NaN, shape.length);
    const exclusive = intAttr(c.node, "exclusive", 0) !== 0;
    const reverse = intAttr(c.node, "reverse", 0) !== 0;
    const n = shape[axis]!;
    const inner = elementCount(shape.slice(axis + 1));
    const outer = elementCount(shape.slice(0, axis));
    const walk = (step: (to: number, before: number) => void) => {
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          const at = (j: number) => o * n * inner + (reverse ? n - 1 - j : j) * inner + i;
          for (let j = 0; j < n; j++) step(at(j), j === 0 ? -1 : at(j - 1));
        }
      }
    };
    if (isBig(dtype)) {
      const v = x.data as BigInt64Array;
      const out = allocate(dtype, v.length) as BigInt64Array;
      walk((to, before) => {
        const add = exclusive ? (before < 0 ? 0n : v[before]!) : v[to]!;
        out[to] = (before < 0 ? 0n : out[before]!) + add;
      });
      return [{ dtype, shape, data: out }];
    }
    const v = toDoubles(x);
    // Each partial sum is rounded to the element type, as a running sum is.
    const round = dtype === "float32" ? Math.fround : (s: number) => s;
    const out = new Float64Array(v.length);
    walk((to, before) => {
      const add = exclusive ? (before < 0 ? 0 : v[before]!) : v[to]!;
      out[to] = round((before < 0 ? 0 : out[before]!) + add);
    });
    return [{ dtype, shape, data: fromDoubles(dtype, out) }];
  },
};
