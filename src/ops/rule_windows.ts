/**
 * Placement rules about kernels, strides, pads and dilations.
 *
 * @module
 */

import type { Rule, RuleContext } from "./op.ts";
import { first, outside, rule } from "./rule_base.ts";

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
