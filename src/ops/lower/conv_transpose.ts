/**
 * Integer lowering of ConvTranspose (docs/arithmetic.md section 4).
 *
 * @module
 */

import { attr, intAttr, intsAttr, stringAttr } from "../../ir/graph.ts";
import { numbersOf, tensor } from "../../ir/tensor.ts";
import { settleWith } from "../hz/types.ts";
import type { InferContext, QuantSpec } from "../op.ts";
import { emitForm, rank4 } from "./common.ts";
import { convConstants, storeMultipliers } from "./conv_store.ts";

/**
 * Pads that give the output its size. With output_shape or auto_pad SAME the total is what is left
 * over, the odd one at the end (SAME_UPPER) or at the begin.
 */
function padsOf(
  n: InferContext["node"],
  x: readonly number[],
  w: readonly number[],
  y: readonly number[],
) {
  const strides = intsAttr(n, "strides", [1, 1]);
  const extra = intsAttr(n, "output_padding", [0, 0]);
  const auto = stringAttr(n, "auto_pad", "NOTSET");
  const pads = [...intsAttr(n, "pads", [0, 0, 0, 0])];
  const fixed = n.attrs.has("output_shape") && intsAttr(n, "output_shape").length > 0;
  if (auto === "VALID") pads.fill(0);
  if (!fixed && !auto.startsWith("SAME")) return pads;
  for (const i of [0, 1]) {
    const total = strides[i]! * (x[i + 2]! - 1) + extra[i]! + w[i + 2]! - y[i + 2]!;
    const small = Math.floor(total / 2);
    pads[i] = auto === "SAME_UPPER" ? small : total - small;
    pads[i + 2] = total - pads[i]!;
  }
  return pads;
}

/** ConvTranspose -> HzSQuantizedConvTranspose. */
export const convTransposeQuant: QuantSpec = {
  kind: "active",
  scale: "own",
  heavy: true,
  fusesActivation: true,
  int32Output: true,
  weights: [{ input: 1, axis: 1 }],
  limits(c) {
    const rank = rank4(c);
    if (rank !== undefined) return rank;
    const w = c.constant(1);
    if (w === undefined) return "its weights are computed, not constant";
    if (c.input(2) !== undefined && c.constant(2) === undefined) {
      return "its bias is computed, not constant";
    }
    if (intsAttr(c.node, "dilations", [1, 1]).some((d) => d !== 1)) {
      return "a dilated transposed convolution has no integer form";
    }
    const pads = padsOf(c.node, c.need(0).shape, w.shape, c.output(0).shape);
    const outside = pads.some((p, i) => p < 0 || p >= w.shape[i % 2 + 2]!);
    return outside ? "its pads are negative or as large as the kernel" : undefined;
  },
  lower(c) {
    const x = c.input(0), y = c.output();
    const w = c.constant(1)!;
    const group = intAttr(c.node, "group", 1);
    const [inC, per, kh, kw] = w.shape as [number, number, number, number];
    const channels = per * group, taps = kh * kw;
    const given = c.weightThresholds(1);
    // One threshold per output channel of a group serves that channel of every group.
    const thresholds = given === undefined
      ? undefined
      : Float32Array.from({ length: channels }, (_, o) => given[o % given.length]!);
    const bias = c.constant(2);
    const k = convConstants(
      c,
      x,
      numbersOf(w),
      bias === undefined ? undefined : numbersOf(bias),
      channels,
      (i) => Math.floor(i / (per * taps * (inC / group))) * per + Math.floor(i / taps) % per,
      thresholds,
    );
    const names = [
      x.name,
      c.store("weight", tensor("int8", w.shape, k.weight)),
      c.store("bias", tensor("int32", [channels], k.bias)),
    ];
    const attrs = {
      strides: attr.ints(intsAttr(c.node, "strides", [1, 1])),
      pads: attr.ints(padsOf(c.node, x.shape, w.shape, y.shape)),
      output_padding: attr.ints(intsAttr(c.node, "output_padding", [0, 0])),
      group: attr.int(group),
    };
    const wide = x.dtype === "int16";
    const exact = k.reach <= 2 ** 24 ? "" : "Int";
    if (c.wantsInt32) {
      c.setInt32Output(k.accScales);
      emitForm(c, `HzSQuantizedConvTransposeAcc${exact}`, names, [y.name], {
        ...attrs,
        ...settleWith({ qmin: -(2 ** 31), qmax: 2 ** 31 - 1 }, "int32"),
      }, { x_zero: x.zero });
      return;
    }
    const factors = storeMultipliers(c, Array.from(k.accScales, (a) => a / y.scale));
    emitForm(
      c,
      `HzSQuantizedConvTranspose${wide ? "I16" : ""}${exact}`,
      [...names, ...factors],
      [y.name],
      { ...attrs, ...settleWith(c.range, y.dtype) },
      { x_zero: x.zero, y_zero: y.zero },
    );
  },
};
