/**
 * Integer lowering of data movement: the same operator on integers, in the scale of its input.
 *
 * @module
 */

import { tensor } from "../../ir/tensor.ts";
import { quantizeValue } from "../arithmetic.ts";
import { numbersOf } from "../../ir/tensor.ts";
import type { LowerContext, QuantSpec, RuleContext } from "../op.ts";

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

function constantsOnly(c: RuleContext): string | undefined {
  for (let i = 1; i < c.node.inputs.length; i++) {
    if (c.node.inputs[i] !== "" && c.constant(i) === undefined) {
      return `input ${i} is computed, not constant`;
    }
  }
  return undefined;
}

/** Reshape, Flatten, Squeeze, Unsqueeze, Transpose, Slice, Split, Gather, DepthToSpace, ... */
export const movementQuant: QuantSpec = {
  kind: "passive",
  scale: "input",
  limits: constantsOnly,
  lower: same,
};

/** Pad with a constant; other modes stay in float. */
export const padQuant: QuantSpec = {
  kind: "passive",
  scale: "input",
  limits(c) {
    const mode = c.node.attrs.get("mode");
    if (mode !== undefined && mode.type === "string" && mode.value !== "constant") {
      return `mode ${mode.value} has no integer form`;
    }
    return constantsOnly(c);
  },
  lower(c) {
    const x = c.input(0), y = c.output();
    if (x.dtype !== "int8") c.refuse("an int16 Pad is not available yet");
    const value = c.constant(2);
    const v = value === undefined ? 0 : numbersOf(value)[0] ?? 0;
    const fill = quantizeValue(v, y.scale, y.zero, -128, 127);
    c.emit("Pad", [
      x.name,
      c.store("pads", c.constant(1)!),
      c.store("value", tensor("int8", [], Int8Array.of(fill))),
    ], [y.name], {}, "");
  },
};

/** Concat: every input in the scale of the output. */
export const concatQuant: QuantSpec = {
  kind: "passive",
  scale: "own",
  alignsInputs: true,
  lower(c) {
    const y = c.output();
    const names: string[] = [];
    for (let i = 0; i < c.inputCount; i++) {
      names.push(c.requantize(c.input(i), { scale: y.scale, zero: y.zero, dtype: y.dtype as "int8" }));
    }
    c.emit("Concat", names, [y.name], Object.fromEntries(c.node.attrs), "");
  },
};
