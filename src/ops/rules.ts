/**
 * Placement rules as building blocks: each carries the sentence of the operator table and decides it,
 * so that an operator's file reads like its row of the table.
 *
 * A check answers in the user's terms with the march: "kernel_shape H 33 is outside 1..31 on bayes".
 *
 * @module
 */

import type { DType, TensorType } from "../ir/tensor.ts";
import { elementCount, shapeText } from "../ir/tensor.ts";
import type { MarchName } from "../march/march.ts";
import { broadcastKinds, padShape, tryBroadcast } from "./broadcast.ts";
import { endsSubgraph, given } from "./context.ts";
import type { MarchRules, Rule, RuleContext } from "./op.ts";

export { endsSubgraph };

type Check = (c: RuleContext) => string | undefined;
type Int16 = MarchRules["int16"];

// ---------------------------------------------------------------- building rules

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

/** Holds when one of the rules does; says what is wrong with the sentence as a whole. */
export function anyOf(
  text: string,
  wrong: string,
  ...ways: readonly ((c: RuleContext) => boolean)[]
) {
  return rule(text, (c) => ways.some((w) => w(c)) ? undefined : wrong);
}

// ---------------------------------------------------------------- values

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
  return [...inputsOf(c), { name: "output", type: c.output(0) }];
}

/** Input i is an activation: given and not a constant. */
export function isFeature(c: RuleContext, i: number): boolean {
  return given(c, i) && c.constant(i) === undefined;
}

// ---------------------------------------------------------------- rank and dimensions

/**
 * Rank of all inputs and of output 0. With `constantsBroadcast`, constants may have any lower rank:
 * they are stored in whatever shape the activation needs.
 */
export function ranks(
  lo: number,
  hi: number,
  text = `input/output rank ${lo}..${hi}`,
  constantsBroadcast = false,
): Rule {
  return rule(text, (c) =>
    first(
      ...inputsOf(c).map(({ name, index, type }) =>
        outside(
          `${name} rank`,
          type.shape.length,
          constantsBroadcast && !isFeature(c, index) ? 0 : lo,
          hi,
        )
      ),
      outside("output rank", c.output(0).shape.length, lo, hi),
    ));
}

/** Rank of input 0. */
export function inputRank(n: number, text = `input rank ${n}`): Rule {
  return rule(text, (c) => {
    const rank = c.need(0).shape.length;
    return rank === n ? undefined : `input rank ${rank} is not ${n}`;
  });
}

/** Rank of input 0 within lo..hi. */
export function inputRankIn(lo: number, hi: number, text = `input rank ${lo}..${hi}`): Rule {
  return rule(text, (c) => outside("input rank", c.need(0).shape.length, lo, hi));
}

/** One dimension of input 0, by its NCHW letter. */
export function inputDim(
  letter: "N" | "C" | "H" | "W",
  lo: number | undefined,
  hi: number,
  text: string,
): Rule {
  const i = "NCHW".indexOf(letter);
  return rule(text, (c) => outside(`input ${letter}`, dimOf(c.need(0), i), lo, hi));
}

/** C of all activations within a limit. */
export function channelsAtMost(hi: number, text: string, withOutput = true): Rule {
  return rule(text, (c) =>
    first(
      ...(withOutput ? tensorsOf(c) : inputsOf(c)).map(({ name, type }) =>
        type.shape.length < 2 ? undefined : outside(`${name} C`, dimOf(type, 1), undefined, hi)
      ),
    ));
}

/** H and W of input 0. */
export function inputHW(lo: number, hi: number, text: string): Rule {
  return rule(text, (c) =>
    first(
      outside("input H", dimOf(c.need(0), 2), lo, hi),
      outside("input W", dimOf(c.need(0), 3), lo, hi),
    ));
}

/** C*H*W of input 0, with N = 1. */
export function volumeAtMost(hi: number, text = `input 1,C,H,W: C*H*W <= ${hi}`): Rule {
  return rule(text, (c) => {
    const t = c.need(0);
    const n = t.shape.length === 4 ? dimOf(t, 0) : 1;
    return first(outside("input N", n, 1, 1), outside("input C*H*W", sizeOf(t), undefined, hi));
  });
}

const dimsOfLuts = rule("outermost dim in 1..4096, other dims in 1..65536", (c) =>
  first(
    ...tensorsOf(c).flatMap(({ name, type }) =>
      type.shape.map((_, i) =>
        outside(`${name} dim ${i}`, dimOf(type, i), 1, i === 0 ? 4096 : 65536)
      )
    ),
  ));

/** What every one-input function (and a few more) states on bayes. */
export const pointwiseRules: readonly Rule[] = [
  ranks(1, 10, "input/output rank 1..10", true),
  dimsOfLuts,
];

// ---------------------------------------------------------------- dtypes and attributes

const saidAs: Readonly<Partial<Record<DType, string>>> = { float32: "float", float64: "double" };

/** A dtype in the table's words (`float`, `double`, `int8`). */
export function dtypeWord(d: DType): string {
  return saidAs[d] ?? d;
}

function wrongDtype(what: string, t: TensorType | undefined, words: readonly string[]) {
  if (t === undefined || words.includes(dtypeWord(t.dtype))) return undefined;
  return `${what} dtype ${dtypeWord(t.dtype)} is not ${words.join(", ")}`;
}

/** Dtype of input 0 (or of the inputs listed) among the table's words. */
export function dtypeIn(
  words: readonly string[],
  text = `dtype in {${words.join(",")}}`,
  inputs: readonly number[] = [0],
): Rule {
  return rule(text, (c) =>
    first(
      ...inputs.map((i) =>
        wrongDtype(inputs.length > 1 ? `input ${i}` : "input", c.input(i), words)
      ),
    ));
}

/** Dtype of output 0. */
export function outputDtypeIn(words: readonly string[], text: string): Rule {
  return rule(text, (c) => wrongDtype("output", c.output(0), words));
}

/** float32 only. */
export const dtypeFloat: Rule = dtypeIn(["float"], "dtype float only");

/** Both rules under one sentence. */
export function both(text: string, ...rules: readonly Rule[]): Rule {
  const joined: Rule = { text, check: (c) => first(...rules.map((r) => r.check(c))) };
  if (rules.some((r) => manual.has(r))) manual.add(joined);
  return joined;
}

/** Attribute `key` (integer or string) is one of `values`; absent counts as `absent`. */
export function attrOneOf(
  key: string,
  values: readonly (number | string)[],
  absent: number | string,
  text = `${key} in {${values.join(",")}}`,
): Rule {
  return rule(text, (c) => {
    const a = c.node.attrs.get(key);
    const v = a === undefined ? absent : a.type === "int" || a.type === "string" ? a.value : "?";
    return values.includes(v) ? undefined : `${key} ${v} is not one of ${values.join(", ")}`;
  });
}

/** The axis attribute, negative ones counted from the end. */
export function axisIn(axes: readonly number[], absent: number, text?: string): Rule {
  return rule(text ?? `axis in {${axes.join(",")}}`, (c) => {
    const a = c.node.attrs.get("axis");
    const raw = a?.type === "int" ? a.value : absent;
    const axis = raw < 0 ? raw + c.need(0).shape.length : raw;
    return axes.includes(axis) ? undefined : `axis ${axis} is not one of ${axes.join(", ")}`;
  });
}

/** Only these attributes may be given, and what `more` adds for a node. */
export function attrsLimitedTo(
  keys: readonly string[],
  text: string,
  more: (c: RuleContext) => readonly string[] = () => [],
): Rule {
  return rule(text, (c) => {
    const also = more(c);
    const other = [...c.node.attrs.keys()].find((k) => !keys.includes(k) && !also.includes(k));
    return other === undefined ? undefined : `attribute ${other} is not supported`;
  });
}

/** The attribute may not be given. */
export function attrUnsupported(key: string, text = `${key} unsupported`): Rule {
  return rule(text, (c) => c.node.attrs.has(key) ? `${key} is not supported` : undefined);
}

/** auto_pad must be NOTSET (which is its default). */
export function noAutoPad(text = "auto_pad unsupported"): Rule {
  return rule(text, (c) => {
    const a = c.node.attrs.get("auto_pad");
    return a?.type !== "string" || a.value === "NOTSET" || a.value === ""
      ? undefined
      : `auto_pad ${a.value} is not supported`;
  });
}

// ---------------------------------------------------------------- kernels, strides, pads

/** An integer list attribute, or `fill` repeated. */
export function attrList(
  c: RuleContext,
  key: string,
  count: number,
  fill: number,
): readonly number[] {
  const a = c.node.attrs.get(key);
  return a?.type === "ints" && a.value.length > 0 ? a.value : new Array<number>(count).fill(fill);
}

/** H and W of an integer list attribute (`kernel_shape`, `strides`, `dilations`). */
export function attrHW(
  key: string,
  lo: number | undefined,
  hi: number | undefined,
  text: string,
  fill = 1,
  word = key,
): Rule {
  return rule(text, (c) => {
    const v = attrList(c, key, 2, fill);
    return first(
      ...v.slice(-2).map((x, i) => outside(`${word} ${v.length === 1 ? "W" : "HW"[i]}`, x, lo, hi)),
    );
  });
}

/** `kernel_shape` of H and W. */
export function kernelHW(lo: number | undefined, hi: number, text?: string): Rule {
  const range = lo === undefined ? `<= ${hi}` : `in ${lo}..${hi}`;
  return attrHW("kernel_shape", lo, hi, text ?? `kernel_shape H,W ${range}`);
}

/** Strides of H and W. */
export function strideHW(lo: number | undefined, hi: number, text?: string): Rule {
  const range = lo === undefined ? `<= ${hi}` : `in ${lo}..${hi}`;
  return attrHW("strides", lo, hi, text ?? `stride H,W ${range}`, 1, "stride");
}

const padNames = ["H begin", "W begin", "H end", "W end"];

/** Pads of H and W, both sides. */
export function padsHW(lo: number | undefined, hi: number | undefined, text: string): Rule {
  return rule(text, (c) => {
    const v = attrList(c, "pads", 4, 0);
    return first(
      ...v.map((x, i) => outside(`pads ${v.length === 4 ? padNames[i] : i}`, x, lo, hi)),
    );
  });
}

/** Dilations of H and W all 1. */
export function noDilations(text: string): Rule {
  return rule(text, (c) => {
    const d = attrList(c, "dilations", 2, 1);
    return d.every((x) => x === 1) ? undefined : `dilations ${d.join(",")} are not supported`;
  });
}

// ---------------------------------------------------------------- broadcasting

const upTo5 =
  "any of: (a) inputs of equal shape (b) input 1 or input 2 scalar (c) broadcast up to rank 5";

/** What every broadcasting operator states for the CPU. */
export const broadcastCpu: Rule = rule(upTo5, (c) => {
  const shapes = inputsOf(c).map(({ type }) => type.shape);
  const [a, b] = shapes;
  if (a === undefined || b === undefined) return undefined;
  const equal = shapes.every((s) => s.length === a.length && s.every((d, i) => d === a[i]));
  if (equal) return undefined;
  if (shapes.some((s) => elementCount(s) === 1)) return undefined;
  const rank = Math.max(...shapes.map((s) => s.length));
  return rank <= 5 ? undefined : `the inputs broadcast at rank ${rank}, which is more than 5`;
});

function pairs(c: RuleContext): { a: readonly number[]; b: readonly number[] }[] {
  const all = inputsOf(c).map(({ type }) => type.shape);
  const list: { a: readonly number[]; b: readonly number[] }[] = [];
  let acc = all[0];
  for (const b of all.slice(1)) {
    if (acc !== undefined) list.push({ a: acc, b });
    acc = acc === undefined ? b : tryBroadcast([acc, b]) ?? acc;
  }
  return list;
}

const shapesText = (a: readonly number[], b: readonly number[]): string =>
  `${shapeText(a)} with ${shapeText(b)}`;

/** Broadcast along N is not possible. Constants and missing leading dimensions have no N. */
export function noBatchBroadcast(text: string): Rule {
  return rule(text, (c) => {
    for (const { a, b } of pairs(c)) {
      const anyConstant = c.node.inputs.some((_, i) => given(c, i) && !isFeature(c, i));
      if (a.length !== b.length || anyConstant) continue;
      if (broadcastKinds(a, b)[0] !== "none") {
        return `the first dimension of ${shapesText(a, b)} is broadcast`;
      }
    }
    return undefined;
  });
}

/** Only one of the inputs may be stretched. */
export function oneSidedBroadcast(text: string): Rule {
  return rule(text, (c) => {
    for (const { a, b } of pairs(c)) {
      const kinds = broadcastKinds(a, b);
      if (kinds.includes("a") && kinds.includes("b")) {
        return `both inputs are broadcast (${shapesText(a, b)})`;
      }
    }
    return undefined;
  });
}

/** Adjacent dimensions of a rank 5 pair that could be merged, from dimension `from`. */
function mergeable(a: readonly number[], b: readonly number[], from: number, stretched: boolean) {
  const kinds = broadcastKinds(a, b);
  for (let i = from; i + 1 < kinds.length; i++) {
    if (kinds[i] === kinds[i + 1] && (stretched || kinds[i] === "none")) return true;
  }
  return false;
}

function rank5(c: RuleContext) {
  return pairs(c).filter(({ a, b }) =>
    Math.max(a.length, b.length) === 5 && broadcastKinds(a, b).some((k) => k !== "none")
  );
}

/** Rank 5 operands fold to rank 4; `from` 1 keeps N by itself. */
export function foldsToRank4(text: string, from: 0 | 1): Rule {
  return rule(text, (c) => {
    for (const { a, b } of rank5(c)) {
      if (!mergeable(a, b, from, true)) return `${shapesText(a, b)} do not fold to rank 4`;
    }
    return undefined;
  });
}

/** The dimensions that fold are not broadcast themselves. */
export function foldsPlainDims(text: string, from: 0 | 1): Rule {
  return rule(text, (c) => {
    for (const { a, b } of rank5(c)) {
      if (mergeable(a, b, from, true) && !mergeable(a, b, from, false)) {
        return `${shapesText(a, b)} fold to rank 4 only along broadcast dimensions`;
      }
    }
    return undefined;
  });
}

// ---------------------------------------------------------------- general limits and rows

const activations = (c: RuleContext): { name: string; type: TensorType }[] => [
  ...inputsOf(c).filter(({ index }) => isFeature(c, index)),
  { name: "output", type: c.output(0) },
];

const rank4Activations = rule(
  "inputs and outputs rank 4 unless the op says otherwise",
  (c) =>
    first(
      ...activations(c).map(({ name, type }) =>
        type.shape.length === 4 ? undefined : `${name} rank ${type.shape.length} is not 4`
      ),
    ),
);

const sizes = rule("H,W,C in 1..65536; N <= 4096; N*C*H*W <= 1 GiB", (c) =>
  first(
    ...activations(c).flatMap(({ name, type }) => {
      const s = padShape(type.shape, 4);
      return [
        s.length === type.shape.length ? outside(`${name} N`, s[0]!, undefined, 4096) : undefined,
        ...s.slice(1).map((d, i) =>
          d < 0
            ? undefined
            : outside(`${name} ${s.length === 4 ? "CHW"[i] : `dim ${i + 1}`}`, d, 1, 65536)
        ),
        sizeOf(type) <= 2 ** 30 ? undefined : `${name} has ${sizeOf(type)} elements, over 1 GiB`,
      ];
    }),
  ));

const general: ReadonlySet<Rule> = new Set([rank4Activations, sizes]);

/** Whether a rule is one of the general limits of the march, not of the operator's own row. */
export function isGeneral(r: Rule): boolean {
  return general.has(r);
}

/**
 * Which general limits of bayes an operator takes over: `rank4` (also its rank), `sizes` (it states its
 * rank, or none), `none` (it states all by itself, or never reaches the BPU as it is).
 */
export type General = "rank4" | "sizes" | "none";

/**
 * A row of the table for an operator on the BPU.
 *
 * ```ts
 * import { dtypeFloat, onBpu, pointwiseRules } from "./rules.ts";
 *
 * const abs = onBpu("in+out", pointwiseRules, [dtypeFloat], "none");
 * console.assert(abs.bpu.length === 2);
 * ```
 */
export function onBpu(
  int16: Int16,
  bpu: readonly Rule[],
  cpu: readonly Rule[],
  limits: General = "none",
): MarchRules {
  const extra = limits === "none" ? [] : limits === "sizes" ? [sizes] : [rank4Activations, sizes];
  return { on: "BPU", int16, bpu: [...bpu, ...extra], cpu };
}

/** A row for an operator that only the CPU runs. */
export function onCpu(...cpu: readonly Rule[]): MarchRules {
  return { on: "CPU", int16: "no", bpu: [], cpu };
}

/** A row for an operator that is not integrated; the table may say why. */
export function notIntegrated(...why: readonly Rule[]): MarchRules {
  return { on: "none", int16: "no", bpu: why, cpu: [] };
}

/** The rows of all marches; bayes_e is as bayes unless given. */
export function place(
  bayes: MarchRules,
  bernoulli2: MarchRules,
  bayesE: MarchRules = bayes,
): Readonly<Record<MarchName, MarchRules>> {
  return { bayes, bernoulli2, bayes_e: bayesE };
}

/** The same row on all marches. */
export function everywhere(rules: MarchRules): Readonly<Record<MarchName, MarchRules>> {
  return place(rules, rules);
}

/** Everything that is wrong with a node for a list of rules. */
export function broken(rules: readonly Rule[], c: RuleContext): string[] {
  return rules.flatMap((r) => r.check(c) ?? []);
}
