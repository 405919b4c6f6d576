/**
 * Placement rules about ranks, dimensions, element types and attributes.
 *
 * @module
 */

import type { DType, TensorType } from "../ir/tensor.ts";
import type { Rule, RuleContext } from "./op.ts";
import {
  dimOf,
  first,
  inputsOf,
  isFeature,
  outside,
  rule,
  sizeOf,
  tensorsOf,
} from "./rule_base.ts";

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
