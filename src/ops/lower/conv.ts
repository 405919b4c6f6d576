/**
 * Integer lowering of Conv (docs/arithmetic.md section 4).
 *
 * @module
 */

import { attr, intAttr, intsAttr } from "../../ir/graph.ts";
import { numbersOf } from "../../ir/tensor.ts";
import type { QuantSpec } from "../op.ts";
import { emitDynamicConv } from "./conv_dynamic.ts";
import { emitConv } from "./conv_store.ts";

/** Conv -> HzSQuantizedConv (or its accumulator form when only float operators read it). */
export const convQuant: QuantSpec = {
  kind: "active",
  scale: "own",
  heavy: true,
  fusesActivation: true,
  int32Output: true,
  weights: [{ input: 1, axis: 0 }],
  limits(c) {
    const rank = c.need(0).shape.length;
    if (rank !== 4 && rank !== 5) {
      return "only convolutions in 2 and 3 dimensions have integer forms";
    }
    if (c.constant(0) !== undefined) return "its picture is a constant";
    if (c.constant(1) === undefined && rank === 5) {
      return "computed weights of a convolution in 3 dimensions have no integer form";
    }
    if (c.input(2) !== undefined && c.constant(2) === undefined) {
      return "its bias is computed, not constant";
    }
    if (rank === 5) {
      const one = (key: string) => intsAttr(c.node, key, [1, 1, 1]).every((v) => v === 1);
      if (intAttr(c.node, "group", 1) !== 1 || !one("dilations")) {
        return "a grouped or dilated convolution in 3 dimensions has no integer form";
      }
    }
    return intsAttr(c.node, "pads", []).some((p) => p < 0) ? "it has negative pads" : undefined;
  },
  lower(c) {
    if (!c.isConstant(1)) return emitDynamicConv(c);
    const x = c.input(0);
    const w = c.constant(1)!;
    const bias = c.constant(2), thresholds = c.weightThresholds(1);
    const deep = x.shape.length === 5;
    const fill = (n: number, v: number) => new Array<number>(n).fill(v);
    const n = x.shape.length - 2;
    emitConv(c, {
      x,
      weight: { shape: w.shape, values: numbersOf(w) },
      ...(bias === undefined ? {} : { bias: numbersOf(bias) }),
      ...(thresholds === undefined ? {} : { thresholds }),
      window: {
        pads: attr.ints(intsAttr(c.node, "pads", fill(2 * n, 0))),
        strides: attr.ints(intsAttr(c.node, "strides", fill(n, 1))),
        ...(deep ? {} : {
          dilations: attr.ints(intsAttr(c.node, "dilations", [1, 1])),
          group: attr.int(intAttr(c.node, "group", 1)),
        }),
      },
      out: c.output(),
      range: c.range,
      op: deep ? "HzSQuantizedConv3d" : "HzSQuantizedConv",
    });
  },
};
