/**
 * Placement rules of shape, data movement and reduction operators.
 *
 * @module
 */

import { listArg } from "./args.ts";
import { padShape } from "./broadcast.ts";
import { given } from "./context.ts";
import type { MarchRules, Rule, RuleContext } from "./op.ts";
import { reducedAxes } from "./reduce.ts";
import { dtypeIn, dtypeWord, first, note, outputDtypeIn, outside, ranks, rule } from "./rules.ts";

/** Nothing is left of the node: what it computes is known when the model is converted. */
export const foldedShape: Rule = rule(
  "constant-folded to a stored value",
  (c) =>
    c.need(0).shape.includes(-1) ? "the input has unknown dimensions: it is not folded" : undefined,
);

/** The same for an operator that computes from the value of input 0. */
export const foldedValue: Rule = rule(
  "constant-folded to a stored value",
  (c) => c.constant(0) === undefined ? "the input is not a constant: it is not folded" : undefined,
);

/** What Reshape states; Flatten, Squeeze and Unsqueeze share it. */
export const reshapeRanks: Rule = dataRanks(1, 10, "input/output rank 1..10");

/** The row of Squeeze and Unsqueeze on a march without Reshape. */
export const foldedOnly: MarchRules = {
  on: "CPU",
  int16: "no",
  bpu: [note("removed by constant folding inside a constant subgraph")],
  cpu: [],
};

/** Rank of input 0 and output 0, whatever the other inputs are. */
export function dataRanks(lo: number, hi: number, text: string): Rule {
  return rule(text, (c) =>
    first(
      outside("input rank", c.need(0).shape.length, lo, hi),
      outside("output rank", c.output(0).shape.length, lo, hi),
    ));
}

/** Rank of input 0, of the indices and of output 0. */
export const indexRanks: Rule = ranks(1, 10, "input/indices/output rank 1..10");

/** Dtype of data inputs and of output 0. */
export function dtypeOfData(
  words: readonly string[],
  text: string,
  inputs: readonly number[] = [0],
): Rule {
  const a = dtypeIn(words, text, inputs);
  const b = outputDtypeIn(words, text);
  return { text, check: (c) => a.check(c) ?? b.check(c) };
}

/** Dtype of the index input. */
export function indexDtype(words: readonly string[], text: string): Rule {
  return rule(text, (c) => {
    const t = c.input(1);
    return t === undefined || words.includes(dtypeWord(t.dtype))
      ? undefined
      : `indices dtype ${dtypeWord(t.dtype)} is not ${words.join(", ")}`;
  });
}

/** Expand and Tile on the BPU change one dimension. */
export const oneDimDiffers: Rule = rule("input and output shapes may differ in 1 dim only", (c) => {
  const out = c.output(0).shape;
  const from = padShape(c.need(0).shape, out.length);
  const differ = out.flatMap((d, i) => d === from[i] ? [] : [i]);
  return differ.length <= 1 ? undefined : `input and output differ in dims ${differ.join(", ")}`;
});

// ---------------------------------------------------------------- reductions

const known = (c: RuleContext): number[] => reducedAxes(c) ?? [];

/** Reduction over named axes. */
export const axesRequired: Rule = rule("axes attribute required", (c) => {
  const list = listArg(c, 1, "axes");
  if (list === "dynamic") return "axes is not a constant";
  return list === "absent" || list.length === 0 ? "axes are not given" : undefined;
});

/** Reduction over one axis. */
export const oneAxis: Rule = rule("exactly 1 reduced axis", (c) => {
  const n = known(c).length;
  return n === 1 ? undefined : `${n} axes are reduced, not 1`;
});

/** Size of the reduced axes. */
export const reducedSize: Rule = rule("reduced axis size in 1..8192", (c) =>
  first(
    ...known(c).map((a) => outside(`reduced axis ${a} of size`, c.need(0).shape[a]!, 1, 8192)),
  ));

/** One axis, or H and W together. */
export const oneAxisOrHW: Rule = rule(
  "any of: (a) exactly 1 reduced axis (b) exactly 2 reduced axes, being H,W",
  (c) => {
    const axes = known(c);
    return axes.length === 1 || axes.join() === "2,3"
      ? undefined
      : `the reduced axes [${axes.join(", ")}] are neither 1 axis nor H,W`;
  },
);

/** H and W only. */
export const axesHW: Rule = rule("axes in {[2,3]}", (c) => {
  const axes = known(c);
  return axes.join() === "2,3" ? undefined : `axes [${axes.join(", ")}] are not [2,3]`;
});

/** What the original's CPU reductions state. */
export const axesCount: Rule = rule("number of axes in {0,1,input rank}", (c) => {
  const list = listArg(c, 1, "axes");
  const n = typeof list === "string" ? 0 : list.length;
  const rank = c.need(0).shape.length;
  return n <= 1 || n === rank ? undefined : `${n} axes are neither 0, 1 nor the input rank ${rank}`;
});

// ---------------------------------------------------------------- depth and space

/** Attributes that DepthToSpace and SpaceToDepth cannot break. */
export const rearrangesHW: Rule = note("rearranges H,W only");

/** Rank 4 with blocks of 2, as the table's shape map says. */
export function shapeMap(text: string, up: boolean): Rule {
  return rule(text, (c) => {
    const a = c.need(0).shape;
    const b = c.output(0).shape;
    if (a.length !== 4) return `input rank ${a.length} is not 4`;
    const want = up ? [a[0]!, a[1]! / 4, a[2]! * 2, a[3]! * 2] : [
      a[0]!,
      a[1]! * 4,
      a[2]! / 2,
      a[3]! / 2,
    ];
    const wrong = want.findIndex((d, i) => b[i]! >= 0 && a[i]! >= 0 && d !== b[i]);
    return wrong < 0 ? undefined : `output dim ${wrong} is ${b[wrong]}, not ${want[wrong]}`;
  });
}

// ---------------------------------------------------------------- input presence

/** Whether input i is given and has elements. */
export function filledInput(c: RuleContext, i: number): boolean {
  return given(c, i) && c.input(i)?.shape[0] !== 0;
}
