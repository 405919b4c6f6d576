import type { Node } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import { dtypeFloat, dtypeIn, note, onBpu, place, pointwiseRules, unrestricted } from "./rules.ts";
import { toDoubles } from "./convert.ts";
import { type ConstantInput, unary, type UnaryDef } from "./unary.ts";

/** Bounds of a Clip at opset 11 and later (inputs) or before (attributes); infinite where absent. */
export function clipBounds(n: Node, constant: ConstantInput): { lo: number; hi: number } {
  const value = (i: number, key: string, absent: number): number => {
    const t: Tensor | undefined = (n.inputs[i] ?? "") === "" ? undefined : constant(i);
    if (t !== undefined) return toDoubles(t)[0] ?? absent;
    const a = n.attrs.get(key);
    return a?.type === "float" ? a.value : absent;
  };
  return { lo: value(1, "min", -Infinity), hi: value(2, "max", Infinity) };
}

function bigBound(n: Node, constant: ConstantInput, i: number): bigint | undefined {
  const t = (n.inputs[i] ?? "") === "" ? undefined : constant(i);
  const v = t?.data[0];
  return typeof v === "bigint" ? v : undefined;
}

/** min(max(x, lo), hi). */
export const clip: UnaryDef = unary({
  op: "Clip",
  clamp: clipBounds,
  takes: "number",
  real(n, constant) {
    const { lo, hi } = clipBounds(n, constant);
    return (x) => x < lo ? Math.min(lo, hi) : x > hi ? hi : x;
  },
  big(n, constant) {
    const lo = bigBound(n, constant, 1);
    const hi = bigBound(n, constant, 2);
    return (x) => {
      const v = lo !== undefined && x < lo ? lo : x;
      return hi !== undefined && v > hi ? hi : v;
    };
  },
  place: place(
    onBpu("in+out", pointwiseRules, [
      note("opset 6: min,max are attributes"),
      note("opset 6: dtype float only"),
      note("opset 11: min,max are inputs"),
      note("opset 11: with 2 inputs the second is min"),
      dtypeIn(["float", "double"], "opset 11: dtype in {float,double}"),
    ]),
    onBpu("no", [unrestricted], [dtypeFloat, note("with 2 inputs the second is min")]),
  ),
});
