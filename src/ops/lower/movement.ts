/**
 * Integer lowering of data movement: the same operator on integers, in the scale of its input.
 *
 * @module
 */

import type { Attr } from "../../ir/graph.ts";
import { attr, intAttr, stringAttr } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { numbersOf, tensor } from "../../ir/tensor.ts";
import { qmaxOf, qminOf, quantizeValue } from "../arithmetic.ts";
import type { LowerContext, QTensor, QuantSpec } from "../op.ts";
import { computedInput, inScaleOf } from "./common.ts";

/** Emits the float node's own operator on input 0; constant inputs are copied. */
function same(c: LowerContext): void {
  const names = [c.input(0).name];
  for (let i = 1; i < c.inputCount; i++) {
    const t = c.constant(i);
    names.push(t === undefined ? "" : c.store(`input${i}`, t));
  }
  while (names[names.length - 1] === "") names.pop();
  const outputs = c.node.outputs.map((name, i) => name === "" ? "" : c.output(i).name);
  c.emit(c.node.op, names, outputs, Object.fromEntries(c.node.attrs), "");
}

/** Reshape, Flatten, Squeeze, Unsqueeze, Transpose, Slice, Split, Expand, Tile */
export const movementQuant: QuantSpec = {
  kind: "passive",
  scale: "input",
  limits: (c) => computedInput(c),
  lower: same,
};

/** Emits the form with computed indices on integer data of some rank. */
function lookUp(c: LowerContext, data: string, rank: number): void {
  const axis = intAttr(c.node, "axis", 0);
  c.emit(`Hz${c.node.op}`, [data, c.indices(1)], [c.output().name], {
    axis: attr.int(axis < 0 ? axis + rank : axis),
  });
}

/** GatherElements: computed indices have a form of their own. */
export const gatherElementsQuant: QuantSpec = {
  ...movementQuant,
  limits: (c) =>
    c.constant(0) === undefined ? undefined : "its data is a constant table, not a feature map",
  lower(c) {
    if (c.isConstant(1)) same(c);
    else lookUp(c, c.input(0).name, c.input(0).shape.length);
  },
};

/** Gather: the same, and rows of a constant table (an embedding), stored in the scale of the output. */
export const gatherQuant: QuantSpec = {
  ...gatherElementsQuant,
  limits: (c) =>
    c.constant(0) === undefined || numbersOf(c.constant(0)!).every((v) => Number.isFinite(v))
      ? undefined
      : "its constant table is not finite",
  lower(c) {
    if (c.isConstant(0)) lookUp(c, inScaleOf(c, 0, c.output()), c.constant(0)!.shape.length);
    else gatherElementsQuant.lower(c);
  },
};

/** DepthToSpace and SpaceToDepth: int16 has forms of its own. */
export const blockQuant: QuantSpec = {
  ...movementQuant,
  lower(c) {
    if (c.input(0).dtype === "int8") {
      same(c);
      return;
    }
    const attrs: Record<string, Attr> = { blocksize: attr.int(intAttr(c.node, "blocksize")) };
    if (c.node.op === "DepthToSpace") {
      attrs["mode"] = attr.string(stringAttr(c.node, "mode", "DCR"));
    }
    c.emit(`Hz${c.node.op}I16`, [c.input(0).name], [c.output().name], attrs);
  },
};

/** Emits the padding of x with a quantized value. */
export function emitPad(
  c: LowerContext,
  x: QTensor,
  pads: Tensor,
  value: number,
  out: string,
): void {
  const wide = x.dtype === "int16";
  const filler = wide
    ? tensor("int16", [], Int16Array.of(value))
    : tensor("int8", [], Int8Array.of(value));
  const names = [x.name, c.store("pads", pads), c.store("value", filler)];
  if (wide) c.emit("HzPadI16", names, [out]);
  else c.emit("Pad", names, [out], {}, "");
}

/** Pad with a constant; other modes stay in float. */
export const padQuant: QuantSpec = {
  kind: "passive",
  scale: "input",
  limits(c) {
    const mode = c.node.attrs.get("mode");
    if (mode !== undefined && mode.type === "string" && mode.value !== "constant") {
      return `mode ${mode.value} has no integer form`;
    }
    return computedInput(c);
  },
  lower(c) {
    const x = c.input(0), y = c.output();
    const value = c.constant(2);
    const v = value === undefined ? 0 : numbersOf(value)[0] ?? 0;
    const type = x.dtype === "int16" ? "int16" : "int8";
    const fill = quantizeValue(v, y.scale, y.zero, qminOf(type), qmaxOf(type));
    emitPad(c, x, c.constant(1)!, fill, y.name);
  },
};

/** Concat: every input in the scale of the output. */
export const concatQuant: QuantSpec = {
  kind: "passive",
  scale: "own",
  alignsInputs: true,
  lower(c) {
    const y = c.output();
    const names = Array.from({ length: c.inputCount }, (_, i) => inScaleOf(c, i, y));
    c.emit("Concat", names, [y.name], Object.fromEntries(c.node.attrs), "");
  },
};
