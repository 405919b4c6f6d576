/**
 * What placement rules are made of: a sentence, a decision, and values for messages.
 *
 * @module
 */

import type { TensorType } from "../ir/tensor.ts";
import { elementCount } from "../ir/tensor.ts";
import { given } from "./context.ts";
import type { MarchRules, Rule, RuleContext } from "./op.ts";

type Check = (c: RuleContext) => string | undefined;

/** A rule from its sentence and its decision; the march is added to what the decision says. */
export function rule(text: string, check: Check): Rule {
  return {
    text,
    check(c) {
      const wrong = check(c);
      return wrong === undefined ? undefined : `${wrong} on ${c.march.name}`;
    },
  };
}

const notes = new WeakSet<Rule>();

/** A fact of the table that no single node can break (how it is executed, what is meant). */
export function note(text: string): Rule {
  const r: Rule = { text, check: () => undefined };
  notes.add(r);
  return r;
}

/** Whether a rule is only a fact, see {@linkcode note}. */
export function isNote(r: Rule): boolean {
  return notes.has(r);
}

/** The source states no limit. */
export const unrestricted: Rule = note("unrestricted");

/** On the BPU only when the user asks for it; see {@linkcode isManual}. */
export const manualOnly: Rule = note("runs on CPU by default; BPU only via run_on_bpu");

const manual = new WeakSet<Rule>([manualOnly]);

/** Whether the row says that the operator is on the BPU only at the user's request. */
export function isManual(rules: MarchRules): boolean {
  return rules.bpu.some((r) => manual.has(r));
}

/** The same decision under another sentence. */
export function worded(text: string, r: Rule): Rule {
  return { text, check: (c) => r.check(c) };
}

/** A rule that only speaks about nodes for which `when` holds; `label: ` goes before its sentence. */
export function only(label: string, when: (c: RuleContext) => boolean, r: Rule): Rule {
  if (isNote(r)) return note(`${label}: ${r.text}`);
  return { text: `${label}: ${r.text}`, check: (c) => when(c) ? r.check(c) : undefined };
}

/** All rules under one sentence. */
export function both(text: string, ...rules: readonly Rule[]): Rule {
  const joined: Rule = { text, check: (c) => first(...rules.map((r) => r.check(c))) };
  if (rules.some((r) => manual.has(r))) manual.add(joined);
  return joined;
}

/** Holds when one of the rules does; says what is wrong with the sentence as a whole. */
export function anyOf(
  text: string,
  wrong: string,
  ...ways: readonly ((c: RuleContext) => boolean)[]
) {
  return rule(text, (c) => ways.some((w) => w(c)) ? undefined : wrong);
}

const closed = (lo: number | undefined, hi: number | undefined): string =>
  lo === undefined ? `..${hi}` : hi === undefined ? `${lo}..` : `${lo}..${hi}`;

/** `name 33 is outside 1..31`, or undefined when it is inside. */
export function outside(
  name: string,
  value: number,
  lo: number | undefined,
  hi: number | undefined,
): string | undefined {
  if ((lo === undefined || value >= lo) && (hi === undefined || value <= hi)) return undefined;
  if (lo === undefined) return `${name} ${value} is more than ${hi}`;
  return `${name} ${value} is outside ${closed(lo, hi)}`;
}

/** The first thing that is wrong, if any. */
export function first(...wrongs: readonly (string | undefined)[]): string | undefined {
  return wrongs.find((w) => w !== undefined);
}

/** Dimension i of a shape; unknown ones count as 1 (they are decided when they are known). */
export function dimOf(t: TensorType, i: number): number {
  const d = t.shape[i];
  return d === undefined || d < 0 ? 1 : d;
}

/** Product of the known dimensions. */
export function sizeOf(t: TensorType): number {
  return elementCount(t.shape.map((d) => d < 0 ? 1 : d));
}

const order = ["first", "second", "third", "fourth"];

/** Types of all inputs that are given, with their names for messages. */
export function inputsOf(c: RuleContext): { name: string; index: number; type: TensorType }[] {
  const all: { name: string; index: number; type: TensorType }[] = [];
  const several = c.node.inputs.length > 1;
  c.node.inputs.forEach((_, i) => {
    const type = c.input(i);
    if (type !== undefined) {
      all.push({ name: several ? `${order[i] ?? `${i + 1}th`} input` : "input", index: i, type });
    }
  });
  return all;
}

/** All inputs and output 0. */
export function tensorsOf(c: RuleContext): { name: string; type: TensorType }[] {
  return [...inputsOf(c), ...outputsOf(c)];
}

/** Output 0, which an LSTM may leave out. */
export function outputsOf(c: RuleContext): { name: string; type: TensorType }[] {
  return (c.node.outputs[0] ?? "") === "" ? [] : [{ name: "output", type: c.output(0) }];
}

/** Input i is an activation: given and not a constant. */
export function isFeature(c: RuleContext, i: number): boolean {
  return given(c, i) && c.constant(i) === undefined;
}
