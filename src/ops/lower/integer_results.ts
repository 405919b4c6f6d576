/**
 * Integer lowering of operators whose results are no feature maps: indices and truth values. The kernel
 * gives int32 or int8; readers in float get the type that they expect by a Cast on the CPU.
 *
 * @module
 */

import { attr, intAttr } from "../../ir/graph.ts";
import { elementCount, i64 } from "../../ir/tensor.ts";
import { multipliersOf } from "../arithmetic.ts";
import { broadcastShape } from "../broadcast.ts";
import { codeOf } from "../hz/types.ts";
import type { LowerContext, QTensor, QuantSpec } from "../op.ts";
import { computedInput, emitForm, int32 } from "./common.ts";

function axisOf(c: LowerContext, x: QTensor, fallback: number): number {
  const axis = intAttr(c.node, "axis", fallback);
  return axis < 0 ? axis + x.shape.length : axis;
}

/** ArgMax and ArgMin. */
export function argQuant(op: "HzArgMax" | "HzArgMin"): QuantSpec {
  return {
    kind: "active",
    scale: "own",
    limits: (c) => elementCount(c.need(0).shape) === 0 ? "its input is empty" : undefined,
    lower(c) {
      const x = c.input(0), axis = axisOf(c, x, 0);
      const keep = intAttr(c.node, "keepdims", 1);
      const shape = x.shape.map((d, i) => i === axis ? 1 : d)
        .filter((_, i) => keep === 1 || i !== axis);
      const index = c.temp("index", "int32", shape);
      c.emit(op, [x.name], [index], {
        axis: attr.int(axis),
        axes: attr.ints([axis]),
        keepdims: attr.int(keep),
        select_last_index: attr.int(intAttr(c.node, "select_last_index", 0)),
      });
      c.setIntegerOutput(0, index);
    },
  };
}

/** Comparisons: on the CPU unless asked for, as the table says. */
export function compareQuant(op: string): QuantSpec {
  return {
    kind: "manual",
    scale: "own",
    limits: (c) =>
      c.constant(0) !== undefined && c.constant(1) !== undefined
        ? "both inputs are constants"
        : undefined,
    lower(c) {
      const a = c.input(0), b = c.input(1);
      const [k1, k2] = multipliersOf([a.scale, b.scale]);
      const truth = c.temp("truth", "int8", broadcastShape(c.node, [a.shape, b.shape]));
      emitForm(
        c,
        op,
        [a.name, b.name, c.store("m1", int32(k1!.m)), c.store("m2", int32(k2!.m))],
        [truth],
        {},
        { a_zero: a.zero, b_zero: b.zero },
      );
      c.setIntegerOutput(0, truth);
    },
  };
}

/** TopK: values keep their scale. */
export const topKQuant: QuantSpec = {
  kind: "passive",
  scale: "input",
  limits(c) {
    if ((c.node.outputs[0] ?? "") === "") return "its values are not used";
    return c.node.inputs.length > 1 ? computedInput(c) : "its k is an attribute";
  },
  lower(c) {
    const x = c.input(0), y = c.output();
    const indices = c.temp("indices", "int32", y.shape);
    const axis = axisOf(c, x, -1);
    c.emit("HzTopK", [x.name, c.store("k", i64([y.shape[axis]!]))], [y.name, indices], {
      axis: attr.int(axis),
      largest: attr.int(intAttr(c.node, "largest", 1)),
      to: attr.int(codeOf(y.dtype)),
    });
    c.setIntegerOutput(1, indices);
  },
};
