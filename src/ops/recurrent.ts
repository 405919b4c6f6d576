/**
 * What RNN, GRU and LSTM share: output types and rows of the operator table.
 *
 * @module
 */

import { intAttr, stringAttr } from "../ir/graph.ts";
import { elementCount, type TensorType } from "../ir/tensor.ts";
import { given, modelError } from "./context.ts";
import { type InferContext, type OpDef, type Rule, type RuleContext, shapeError } from "./op.ts";
import { needFloat } from "./pool.ts";
import { rule } from "./rules.ts";

/** Sizes of a recurrent node. */
export interface RecurrentSizes {
  readonly steps: number;
  readonly batch: number;
  readonly directions: number;
  readonly hidden: number;
  /** 0: [steps, batch, ...]; 1: [batch, steps, ...]. */
  readonly layout: number;
}

/** Reads the sizes off X, W and R; `gates` is the number of gates stacked in the weights. */
export function recurrentSizes(c: InferContext, gates: number): RecurrentSizes {
  needFloat(c);
  const [x, w, r] = [c.need(0).shape, c.need(1).shape, c.need(2).shape];
  if (x.length !== 3 || w.length !== 3 || r.length !== 3) {
    shapeError(c.node, "X, W and R must have rank 3");
  }
  const direction = stringAttr(c.node, "direction", "forward");
  if (direction !== "forward" && direction !== "reverse" && direction !== "bidirectional") {
    modelError(c.node, `direction ${direction} is not forward, reverse or bidirectional`);
  }
  const directions = direction === "bidirectional" ? 2 : 1;
  const hidden = intAttr(c.node, "hidden_size", r[2]!);
  const layout = intAttr(c.node, "layout", 0);
  const [steps, batch] = layout === 1 ? [x[1]!, x[0]!] : [x[0]!, x[1]!];
  const expect = (what: string, have: number, want: number) => {
    if (have >= 0 && want >= 0 && have !== want) {
      shapeError(c.node, `${what} is ${have}, its attributes ask for ${want}`);
    }
  };
  expect("dimension 0 of W", w[0]!, directions);
  expect("dimension 0 of R", r[0]!, directions);
  expect("dimension 1 of W", w[1]!, gates * hidden);
  expect("dimension 1 of R", r[1]!, gates * hidden);
  expect("dimension 2 of R", r[2]!, hidden);
  expect("dimension 2 of W", w[2]!, x[2]!);
  return { steps, batch, directions, hidden, layout };
}

/** A recurrent operator with `states` state outputs (Y_h, Y_c) behind Y. */
export function recurrent(
  op: string,
  gates: number,
  states: number,
  place: OpDef["place"],
  quant?: OpDef["quant"],
): OpDef {
  return {
    op,
    infer(c) {
      const s = recurrentSizes(c, gates);
      const { dtype } = c.need(0);
      const y: TensorType = {
        dtype,
        shape: s.layout === 1
          ? [s.batch, s.steps, s.directions, s.hidden]
          : [s.steps, s.directions, s.batch, s.hidden],
      };
      const state: TensorType = {
        dtype,
        shape: s.layout === 1
          ? [s.batch, s.directions, s.hidden]
          : [s.directions, s.batch, s.hidden],
      };
      return [y, ...new Array<TensorType>(states).fill(state)].slice(0, c.node.outputs.length);
    },
    ...(place === undefined ? {} : { place }),
    ...(quant === undefined ? {} : { quant }),
    macs(c) {
      const s = recurrentSizes(c, gates);
      const weights = elementCount(c.need(1).shape) + elementCount(c.need(2).shape);
      return s.steps * s.batch * weights;
    },
  };
}

/** direction in {forward}. */
export const forwardOnly: Rule = rule("direction in {forward}", (c) => {
  const d = stringAttr(c.node, "direction", "forward");
  return d === "forward" ? undefined : `direction ${d} is not forward`;
});

/** Number of inputs, trailing empty ones left out. */
export function inputCount(c: RuleContext): number {
  let n = c.node.inputs.length;
  while (n > 0 && !given(c, n - 1)) n--;
  return n;
}

/** Number of inputs among `counts`. */
export function inputCountIn(counts: readonly number[]): Rule {
  return rule(`input count in {${counts.join(",")}}`, (c) => {
    const n = inputCount(c);
    return counts.includes(n) ? undefined : `${n} inputs are not one of ${counts.join(", ")}`;
  });
}

/** Exactly this many outputs. */
export function outputCount(count: number): Rule {
  return rule(`output count ${count}`, (c) => {
    const n = c.node.outputs.filter((o) => o !== "").length;
    return n === count ? undefined : `${n} outputs are not ${count}`;
  });
}

/** sequence_lens is not given, or says the full length for every sample. */
export function wholeSequences(c: RuleContext): boolean {
  if (!given(c, 4)) return true;
  const t = c.constant(4);
  const x = c.need(0).shape;
  const steps = intAttr(c.node, "layout", 0) === 1 ? x[1] : x[0];
  return t !== undefined && Array.from(t.data, Number).every((n) => n === steps);
}
