/**
 * Limits of convolutions per march, read off their weights and windows. Gemm states "same limits as
 * Conv" and asks through {@linkcode gemmLimits}.
 *
 * @module
 */

import { intAttr } from "../ir/graph.ts";
import { endsSubgraph } from "./context.ts";
import { featureBefore } from "./fusion.ts";
import type { Rule, RuleContext } from "./op.ts";
import {
  attrList,
  both,
  dimOf,
  dtypeIn,
  first,
  inputRank,
  noAutoPad,
  note,
  only,
  outside,
  padsHW,
  rule,
  sizeOf,
  strideHW,
} from "./rules.ts";

const GIB = 2 ** 30;
const is2d = (c: RuleContext): boolean => c.need(0).shape.length === 4;
const is3d = (c: RuleContext): boolean => c.need(0).shape.length === 5;
const conv2d = (r: Rule): Rule => only("conv2d", is2d, r);
const conv3d = (r: Rule): Rule => only("conv3d", is3d, r);

/** Kernel dimensions of a convolution: those of its weights. */
export function kernelOf(c: RuleContext): readonly number[] {
  return c.need(1).shape.slice(2);
}

/** Kernel H and W (their sizes along the last two axes of the weights). */
export function weightKernelHW(lo: number, hi: number, text: string): Rule {
  return rule(text, (c) => {
    const [h, w] = kernelOf(c).slice(-2);
    return first(
      outside("kernel_shape H", h ?? 1, lo, hi),
      outside("kernel_shape W", w ?? 1, lo, hi),
    );
  });
}

function weightDims(hi: number, text: string): Rule {
  return rule(text, (c) =>
    first(
      outside("weight N", dimOf(c.need(1), 0), 1, hi),
      outside("weight C", dimOf(c.need(1), 1), 1, hi),
    ));
}

/** C*H*W of one kernel. */
export function kernelVolume(hi: number, text: string): Rule {
  return rule(text, (c) => {
    const w = c.need(1);
    return outside("weight C*H*W", sizeOf(w) / Math.max(1, dimOf(w, 0)), undefined, hi);
  });
}

function channelsPerGroup(text: string, limit: (c: RuleContext) => number): Rule {
  return rule(text, (c) => {
    const group = Math.max(1, intAttr(c.node, "group", 1));
    const hi = limit(c);
    return first(
      outside("input C per group", dimOf(c.need(0), 1) / group, undefined, hi),
      outside("output C per group", dimOf(c.output(0), 1) / group, undefined, hi),
    );
  });
}

const readByAdd = (c: RuleContext): boolean => c.consumers.some((n) => n.op === "Add");

function strides1or2(text: string): Rule {
  return rule(text, (c) => {
    if (!readByAdd(c)) return undefined;
    const bad = attrList(c, "strides", 2, 1).find((s) => s !== 1 && s !== 2);
    return bad === undefined ? undefined : `stride ${bad} is not 1 or 2 and an Add follows`;
  });
}

const dilationsOf = (c: RuleContext): readonly number[] => attrList(c, "dilations", 2, 1);
const dilated = (c: RuleContext): boolean => dilationsOf(c).some((d) => d > 1);
const names3 = ["D", "H", "W"];

function conv2dRules(volume: number): Rule[] {
  return [
    weightDims(8192, "weight N,C in 1..8192"),
    weightKernelHW(1, 31, "kernel_shape H,W in 1..31"),
    kernelVolume(volume, `weight C*H*W <= ${volume}`),
    channelsPerGroup(
      "input and output C per group <= 8192; <= 65536 if Conv is the last op of the quantized subgraph",
      (c) => endsSubgraph(c) ? 65536 : 8192,
    ),
    strideHW(1, 256),
    strides1or2("strides in {1,2} if followed by Add (ResNet shortcut)"),
    rule(
      "strides 1 only if dilations > 1",
      (c) =>
        dilated(c) && attrList(c, "strides", 2, 1).some((s) => s !== 1)
          ? `strides ${attrList(c, "strides", 2, 1).join(",")} are not 1 and it is dilated`
          : undefined,
    ),
    rule("dilations H,W in 1..16", (c) =>
      first(
        ...dilationsOf(c).map((d, i) => outside(`dilations ${"HW"[i]}`, d, 1, 16)),
      )),
    note("int8 output only if dilation H or W > 1"),
    rule(
      "if dilation H or W > 1, input H divisible by dilation H and input W divisible by dilation W",
      (c) => {
        if (!dilated(c)) return undefined;
        return first(
          ...dilationsOf(c).map((d, i) => {
            const size = dimOf(c.need(0), i + 2);
            return size % d === 0
              ? undefined
              : `input ${"HW"[i]} ${size} is not a multiple of its dilation ${d}`;
          }),
        );
      },
    ),
    padsHW(0, 256, "pads H,W in 0..256"),
  ].map(conv2d);
}

const conv3dRules: readonly Rule[] = [
  rule("input N in 1..128", (c) => outside("input N", dimOf(c.need(0), 0), 1, 128)),
  rule("input H,W,D,C in 1..65536", (c) =>
    first(
      ...["C", "D", "H", "W"].map((l, i) =>
        outside(`input ${l}`, dimOf(c.need(0), i + 1), 1, 65536)
      ),
    )),
  weightDims(65536, "weight N,C in 1..65536"),
  rule("kernel_shape H,W in 1..31, D in 1..8191", (c) =>
    first(
      ...kernelOf(c).map((k, i) => outside(`kernel_shape ${names3[i]}`, k, 1, i === 0 ? 8191 : 31)),
    )),
  rule("pads H,W in 0..256, D in 0..kernel_d/2", (c) => {
    const depth = Math.floor((kernelOf(c)[0] ?? 1) / 2);
    return first(
      ...attrList(c, "pads", 6, 0).map((p, i) =>
        outside(`pads ${names3[i % 3]}`, p, 0, i % 3 === 0 ? depth : 256)
      ),
    );
  }),
  rule("strides, any of: (a) H and W both 1 (b) H and W both 2", (c) => {
    const [h, w] = attrList(c, "strides", 3, 1).slice(-2);
    return h === w && (h === 1 || h === 2)
      ? undefined
      : `strides H ${h} and W ${w} are not both 1 or both 2`;
  }),
  rule("group unsupported", (c) => {
    const group = intAttr(c.node, "group", 1);
    return group === 1 ? undefined : `group ${group} is not supported for conv3d`;
  }),
  rule("dilations unsupported", (c) => {
    const d = attrList(c, "dilations", 3, 1);
    return d.every((x) => x === 1) ? undefined : `dilations ${d.join(",")} are not supported`;
  }),
  rule("size <= 1 GiB", (c) =>
    first(
      outside("input size", sizeOf(c.need(0)), undefined, GIB),
      outside("output size", sizeOf(c.output(0)), undefined, GIB),
    )),
  rule("if D*C > 4096, H*align_up(W,256)*D*C < 1 GiB", (c) => {
    const [, ch, d, h, w] = c.need(0).shape;
    const dc = d! * ch!;
    if (dc <= 4096) return undefined;
    return outside("aligned input size", h! * Math.ceil(w! / 256) * 256 * dc, undefined, GIB - 1);
  }),
  rule(
    "weight D * input C <= 8192",
    (c) =>
      outside("weight D * input C", (kernelOf(c)[0] ?? 1) * dimOf(c.need(0), 1), undefined, 8192),
  ),
].map(conv3d);

const rank4or5 = rule("input rank in {4,5} (conv2d,conv3d)", (c) => {
  const rank = c.need(0).shape.length;
  return rank === 4 || rank === 5 ? undefined : `input rank ${rank} is not 4 or 5`;
});

/** Conv on bayes. */
export const convOnBayes: readonly Rule[] = [rank4or5, ...conv2dRules(65535), ...conv3dRules];

/** Conv on bayes_e: smaller kernels. */
export const convOnBayesE: readonly Rule[] = [rank4or5, ...conv2dRules(32767), ...conv3dRules];

/** Conv on bernoulli2. */
export const convOnBernoulli2: readonly Rule[] = [
  both("kernel_shape H,W in 1..7", inputRank(4), weightKernelHW(1, 7, "")),
  channelsPerGroup(
    "input and output C per group <= 2048; <= 4096 for plain Conv (not dilated, grouped or depthwise)",
    (c) => dilated(c) || intAttr(c.node, "group", 1) !== 1 ? 2048 : 4096,
  ),
  strides1or2("strides unrestricted; in {1,2} if followed by Add (ResNet shortcut)"),
  rule("dilations a power of 2", (c) => {
    const bad = dilationsOf(c).find((d) => !Number.isInteger(Math.log2(d)));
    return bad === undefined ? undefined : `dilation ${bad} is not a power of 2`;
  }),
  rule("dilations divisible by strides", (c) => {
    // Without dilation every stride is allowed, so only real dilations are meant.
    const s = attrList(c, "strides", 2, 1);
    const bad = dilationsOf(c).findIndex((d, i) => d > 1 && d % (s[i] ?? 1) !== 0);
    return bad < 0
      ? undefined
      : `dilation ${dilationsOf(c)[bad]} is not a multiple of stride ${s[bad]}`;
  }),
  rule("dilations H and W may differ, H <= W", (c) => {
    const [h, w] = dilationsOf(c);
    return (h ?? 1) <= (w ?? h ?? 1) ? undefined : `dilation H ${h} is more than dilation W ${w}`;
  }),
  kernelVolume(32768, "one kernel H*W*C <= 32768"),
];

/** What the original's CPU kernel of Conv states. */
export const convCpu: readonly Rule[] = [
  inputRank(4),
  noAutoPad(),
  dtypeIn(["float", "int32", "int8"]),
  rule("pads length 4, [Hstart,Wstart,Hend,Wend]", (c) => {
    const n = attrList(c, "pads", 4, 0).length;
    return n === 4 ? undefined : `pads has ${n} values, not 4`;
  }),
  symmetricPads("pads symmetric: Hstart == Hend, Wstart == Wend"),
];

/** Begin and end pads are equal. */
export function symmetricPads(text: string): Rule {
  return rule(text, (c) => {
    const p = attrList(c, "pads", 4, 0);
    const half = p.length / 2;
    const i = p.slice(0, half).findIndex((x, k) => x !== p[k + half]);
    return i < 0 ? undefined : `pads ${p[i]} and ${p[i + half]} of axis ${i + 2} differ`;
  });
}

/**
 * The limits of Conv for a Gemm, which becomes a convolution whose kernel covers the feature map that
 * was flattened before it.
 */
export function gemmLimits(volume: number): Rule {
  return rule("same limits as Conv", (c) => {
    const [ch, h, w] = featureBefore(c, 0);
    const out = c.output(0).shape;
    return first(
      outside("weight N", out[out.length - 1] ?? 1, 1, endsSubgraph(c) ? 65536 : 8192),
      outside("weight C", ch, 1, 8192),
      outside("kernel_shape H", h, 1, 31),
      outside("kernel_shape W", w, 1, 31),
      outside("weight C*H*W", ch * h * w, undefined, volume),
    );
  });
}
