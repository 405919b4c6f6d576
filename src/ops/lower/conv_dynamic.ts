/**
 * Integer lowering of Conv with computed weights (a template that is searched for in a picture): one
 * scale for all weights, sums in integers.
 *
 * @module
 */

import { attr, intAttr, intsAttr } from "../../ir/graph.ts";
import { numbersOf, tensor } from "../../ir/tensor.ts";
import { reachOf, roundAway } from "../arithmetic.ts";
import { settleWith } from "../hz/types.ts";
import type { LowerContext, QTensor } from "../op.ts";
import { emitForm } from "./common.ts";
import { storeMultipliers } from "./conv_store.ts";

/** Weights as the kernel takes them: int8 without a zero point. */
function symmetric(c: LowerContext, w: QTensor): { name: string; scale: number } {
  if (w.dtype === "int8" && w.zero === 0) return w;
  const reach = w.scale * reachOf(w.dtype === "int16" ? "int16" : "int8", w.zero);
  const scale = Math.fround(reach / 127);
  return { name: c.requantize(w, { scale, zero: 0, dtype: "int8" }), scale };
}

/** Emits a convolution in two dimensions whose input 1 is an activation; its bias is constant. */
export function emitDynamicConv(c: LowerContext): void {
  const x = c.input(0), y = c.output(), given = c.input(1);
  const channels = given.shape[0]!;
  const w = symmetric(c, given);
  const step = Math.fround(x.scale * w.scale);
  const bias = c.constant(2) === undefined ? undefined : numbersOf(c.constant(2)!);
  const units = Array.from({ length: channels }, (_, i) => roundAway((bias?.[i] ?? 0) / step));
  // Sums of int8 products over the largest kernel leave this much of int32.
  const taps = given.shape.slice(1).reduce((a, b) => a * b, 1);
  const room = 2 ** 31 - 1 - taps * 128 * (x.dtype === "int8" ? reachOf("int8", x.zero) : 0);
  if (units.some((v) => !(Math.abs(v) <= room))) c.refuse("its bias does not fit int32");
  const names = [
    x.name,
    w.name,
    c.store("bias", tensor("int32", [channels], Int32Array.from(units))),
  ];
  const window = {
    pads: attr.ints(intsAttr(c.node, "pads", [0, 0, 0, 0])),
    strides: attr.ints(intsAttr(c.node, "strides", [1, 1])),
    dilations: attr.ints(intsAttr(c.node, "dilations", [1, 1])),
    group: attr.int(intAttr(c.node, "group", 1)),
  };
  if (c.wantsInt32) {
    c.setInt32Output(new Float32Array(channels).fill(step));
    const range = { qmin: -(2 ** 31), qmax: 2 ** 31 - 1 };
    emitForm(c, "HzSQuantizedConvAccInt", names, [y.name], {
      ...window,
      ...settleWith(range, "int32"),
    }, { x_zero: x.zero });
    return;
  }
  const factors = storeMultipliers(c, new Array<number>(channels).fill(step / y.scale));
  emitForm(
    c,
    x.dtype === "int16" ? "HzSQuantizedConvI16Int" : "HzSQuantizedConvInt",
    [...names, ...factors],
    [y.name],
    { ...window, ...settleWith(c.range, y.dtype) },
    { x_zero: x.zero, y_zero: y.zero },
  );
}
