import { dtypeFloat, onBpu, place, unrestricted } from "./rules.ts";
import { fusedIntoConv } from "./fusion.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** max(x, 0). */
export const relu: UnaryDef = unary({
  op: "Relu",
  clamp: () => ({ lo: 0, hi: Infinity }),
  takes: "number",
  real: () => (x) => x < 0 ? 0 : x,
  big: () => (x) => x < 0n ? 0n : x,
  place: place(
    onBpu("unstated", [unrestricted], [dtypeFloat], "sizes"),
    onBpu("no", [fusedIntoConv], [dtypeFloat]),
  ),
});
