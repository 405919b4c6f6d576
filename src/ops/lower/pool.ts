/**
 * Integer lowering of pooling (docs/arithmetic.md section 7).
 *
 * @module
 */

import { attr, intAttr, intsAttr } from "../../ir/graph.ts";
import { i64, tensor } from "../../ir/tensor.ts";
import { settleWith } from "../hz/types.ts";
import { windowOut } from "../hz/window.ts";
import type { LowerContext, QTensor, QuantSpec, RuleContext } from "../op.ts";
import { emitForm, multiplier, rank4 } from "./common.ts";
import { emitPad } from "./movement.ts";
import type { Node } from "../../ir/graph.ts";

/** Pads whose end side also covers what ceil_mode adds. */
function endPads(
  n: Node,
  x: readonly number[],
  y: readonly number[],
  kernel: readonly number[],
): number[] {
  const pads = [...intsAttr(n, "pads", [0, 0, 0, 0])];
  const strides = intsAttr(n, "strides", [1, 1]);
  const dilations = intsAttr(n, "dilations", [1, 1]);
  for (const a of [0, 1]) {
    const size = (end: number) =>
      windowOut(x[a + 2]!, kernel[a]!, strides[a]!, pads[a]!, end, dilations[a]!);
    while (size(pads[a + 2]!) < y[a + 2]!) pads[a + 2]!++;
  }
  return pads;
}

function padsFit(c: RuleContext): string | undefined {
  const kernel = intsAttr(c.node, "kernel_shape");
  const dilations = intsAttr(c.node, "dilations", [1, 1]);
  const pads = endPads(c.node, c.need(0).shape, c.output(0).shape, kernel);
  return pads.every((p, i) => p < (kernel[i % 2]! - 1) * dilations[i % 2]! + 1)
    ? undefined
    : "a pad is as large as the kernel";
}

export const maxPoolQuant: QuantSpec = {
  kind: "passive",
  scale: "input",
  limits(c) {
    if (c.node.outputs.length > 1 && c.node.outputs[1] !== "") return "its Indices output is used";
    return rank4(c) ?? padsFit(c);
  },
  lower(c) {
    const x = c.input(0), y = c.output();
    const kernel = intsAttr(c.node, "kernel_shape");
    c.emit(
      x.dtype === "int16" ? "HzQuantizedMaxPoolI16" : "HzQuantizedMaxPool",
      [x.name],
      [y.name],
      {
        kernel_shape: attr.ints(kernel),
        pads: attr.ints(endPads(c.node, x.shape, y.shape, kernel)),
        strides: attr.ints(intsAttr(c.node, "strides", [1, 1])),
        dilations: attr.ints(intsAttr(c.node, "dilations", [1, 1])),
      },
    );
  },
};

/** x with a border that stands for 0; pads as of a window. */
function padded(c: LowerContext, x: QTensor, pads: readonly number[]): QTensor {
  const [top, left, bottom, right] = pads as [number, number, number, number];
  const [n, d, h, w] = x.shape as [number, number, number, number];
  const shape = [n, d, h + top + bottom, w + left + right];
  const name = c.temp("padded", x.dtype, shape);
  emitPad(c, x, i64([0, 0, top, left, 0, 0, bottom, right]), x.zero, name);
  return { ...x, name, shape };
}

export const averagePoolQuant: QuantSpec = {
  kind: "active",
  scale: "own",
  limits(c) {
    const simple = rank4(c);
    if (simple !== undefined) return simple;
    if (intsAttr(c.node, "dilations", [1, 1]).some((d) => d !== 1)) {
      return "a dilated average has no integer form";
    }
    return padsFit(c);
  },
  lower(c) {
    const y = c.output();
    const kernel = intsAttr(c.node, "kernel_shape");
    const taps = kernel[0]! * kernel[1]!;
    let x = c.input(0), include = intAttr(c.node, "count_include_pad", 0) === 1;
    let pads = endPads(c.node, x.shape, y.shape, kernel);
    const own = intsAttr(c.node, "pads", [0, 0, 0, 0]);
    if (include && pads.some((p, i) => p !== own[i])) {
      // What ceil_mode adds behind the padding is not counted: with the padding as a part of the picture
      // that is what an average without padding does.
      include = false;
      pads = pads.map((p, i) => p - own[i]!);
      if (own.some((p) => p > 0)) x = padded(c, x, own);
    }
    const table = Array.from(
      { length: taps + 1 },
      (_, n) => multiplier(c, x.scale / ((include ? taps : Math.max(n, 1)) * y.scale)),
    );
    emitForm(
      c,
      x.dtype === "int16" ? "HzQuantizedAveragePoolI16" : "HzQuantizedAveragePool",
      [
        x.name,
        c.store("m", tensor("int16", [taps + 1], Int16Array.from(table, (k) => k.m))),
        c.store("s", tensor("int8", [taps + 1], Int8Array.from(table, (k) => k.s))),
      ],
      [y.name],
      {
        kernel_shape: attr.ints(kernel),
        pads: attr.ints(pads),
        strides: attr.ints(intsAttr(c.node, "strides", [1, 1])),
        ...settleWith(c.range, y.dtype),
      },
      { x_zero: x.zero, y_zero: y.zero },
    );
  },
};
