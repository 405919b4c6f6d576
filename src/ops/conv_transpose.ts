import { intAttr } from "../ir/graph.ts";
import { elementCount, type TensorType } from "../ir/tensor.ts";
import { modelError } from "./context.ts";
import { checkBias } from "./conv.ts";
import { kernelOf, symmetricPads, weightKernelHW } from "./conv_rules.ts";
import { type InferContext, type OpDef, type Rule, type RuleContext, shapeError } from "./op.ts";
import {
  attrHW,
  attrList,
  attrsLimitedTo,
  channelsAtMost,
  dimOf,
  dtypeFloat,
  dtypeIn,
  first,
  inputRank,
  noAutoPad,
  noDilations,
  onBpu,
  outside,
  place,
  rule,
  sizeOf,
  strideHW,
} from "./rules.ts";
import { transposedShape, windowOf } from "./spatial.ts";
import { convTransposeQuant } from "./lower/conv_transpose.ts";

function infer(c: InferContext): TensorType[] {
  const [x, w] = [c.need(0), c.need(1)];
  const n = c.node;
  if (x.dtype !== w.dtype) modelError(n, `its input is ${x.dtype} and its weights ${w.dtype}`);
  if (x.shape.length < 3 || w.shape.length !== x.shape.length) {
    shapeError(n, `its input has rank ${x.shape.length} and its weights ${w.shape.length}`);
  }
  const group = intAttr(n, "group", 1);
  if (group < 1) modelError(n, `group ${group} is not possible`);
  const [channels, taken] = [x.shape[1]!, w.shape[0]!];
  if (channels >= 0 && taken >= 0 && channels !== taken) {
    shapeError(n, `its input has ${channels} channels, its weights take ${taken}`);
  }
  if (taken >= 0 && taken % group !== 0) {
    shapeError(n, `its ${taken} input channels do not divide into ${group} groups`);
  }
  const size = x.shape.slice(2);
  const outputs = w.shape[1]! < 0 ? -1 : w.shape[1]! * group;
  checkBias(c, 2, outputs);
  const spatial = transposedShape(n, size, windowOf(n, size, w.shape.slice(2)));
  return [{ dtype: x.dtype, shape: [x.shape[0]!, outputs, ...spatial] }];
}

const GIB = 2 ** 30;

/** One dimension of input 0 and of the output. */
function dims(letters: readonly string[], lo: number, hi: number, text: string): Rule {
  return rule(text, (c) =>
    first(
      ...letters.flatMap((l) => {
        const i = "NCHW".indexOf(l);
        return [
          outside(`input ${l}`, dimOf(c.need(0), i), lo, hi),
          outside(`output ${l}`, dimOf(c.output(0), i), lo, hi),
        ];
      }),
    ));
}

const strideOf = (c: RuleContext, i: number): number => attrList(c, "strides", 2, 1)[i % 2] ?? 1;

function padsByStride(parity: 0 | 1, text: string): Rule {
  return rule(text, (c) => {
    const kernel = kernelOf(c);
    return first(
      ...attrList(c, "pads", 4, 0).map((p, i) => {
        const stride = strideOf(c, i);
        if (stride % 2 !== parity) return undefined;
        const most = (kernel[i % 2] ?? 1) / stride;
        const holds = p >= 0 && (parity === 1 ? p < most : p <= most);
        return holds ? undefined : `pads ${"HW"[i % 2]} ${p} is outside 0..kernel/stride (${most})`;
      }),
    );
  });
}

const notBoth1 = (text: string, what: string, values: (c: RuleContext) => readonly number[]) =>
  rule(text, (c) => values(c).every((v) => v === 1) ? `${what} H and W are both 1` : undefined);

const bayes: readonly Rule[] = [
  dims(["N"], 1, 128, "input and output N in 1..128"),
  dims(["H", "W"], 1, 65536, "input and output H,W in 1..65536"),
  dims(["C"], 1, 2048, "input and output C in 1..2048"),
  rule("input and output size <= 1 GiB", (c) =>
    first(
      outside("input size", sizeOf(c.need(0)), undefined, GIB),
      outside("output size", sizeOf(c.output(0)), undefined, GIB),
    )),
  rule("weight N,C in 1..2048", (c) =>
    first(
      outside("weight N", dimOf(c.need(1), 0), 1, 2048),
      outside("weight C", dimOf(c.need(1), 1), 1, 2048),
    )),
  weightKernelHW(1, 14, "kernel_shape H,W in 1..14"),
  notBoth1("kernel_shape H and W not both 1", "kernel_shape", kernelOf),
  // As for Conv: the weights that make one output channel.
  rule("weight size in 1..65535", (c) => {
    const w = c.need(1);
    const group = Math.max(1, intAttr(c.node, "group", 1));
    return outside("weight size", sizeOf(w) / Math.max(1, dimOf(w, 1)) / group, 1, 65535);
  }),
  padsByStride(1, "odd stride: pads H,W >= 0 and < kernel/stride"),
  padsByStride(0, "even stride: pads H,W in 0..kernel/stride"),
  attrHW("output_padding", 0, 1, "output_padding H,W in {0,1}", 0),
  strideHW(1, 14),
  notBoth1("stride H and W not both 1", "stride", (c) => attrList(c, "strides", 2, 1)),
  noDilations("dilations (1,1) only"),
];

const bernoulli2: readonly Rule[] = [
  weightKernelHW(2, 14, "kernel_shape H,W in 2..14"),
  channelsAtMost(2048, "input and output C <= 2048"),
  rule("pads H in 0..(kernel_h-1)/2, pads W in 0..(kernel_w-1)/2", (c) => {
    const kernel = kernelOf(c);
    return first(
      ...attrList(c, "pads", 4, 0).map((p, i) =>
        outside(`pads ${"HW"[i % 2]}`, p, 0, Math.floor(((kernel[i % 2] ?? 1) - 1) / 2))
      ),
    );
  }),
  rule("strides in {2,4}", (c) => {
    const bad = attrList(c, "strides", 2, 1).find((s) => s !== 2 && s !== 4);
    return bad === undefined ? undefined : `stride ${bad} is not 2 or 4`;
  }),
  rule("stride H <= stride W", (c) => {
    const [h, w] = [strideOf(c, 0), strideOf(c, 1)];
    return h <= w ? undefined : `stride H ${h} is more than stride W ${w}`;
  }),
  noDilations("dilations (1,1) only"),
];

/** Transposed convolution: inputs X [N,C,...], W [C,M/group,...], optional B [M]. */
export const convTranspose: OpDef = {
  op: "ConvTranspose",
  quant: convTransposeQuant,
  infer,
  place: place(
    onBpu("unstated", bayes, [
      inputRank(4),
      dtypeFloat,
      // kernel_shape only repeats the weights, and NOTSET is the default.
      attrsLimitedTo(
        ["dilations", "group", "output_padding", "pads", "strides", "kernel_shape"],
        "attributes limited to {dilations,group,output_padding,pads,strides}",
        (c) => c.node.attrs.get("auto_pad")?.value === "NOTSET" ? ["auto_pad"] : [],
      ),
      symmetricPads("pads symmetric: hstart == hend, wstart == wend"),
    ], "rank4"),
    onBpu("no", bernoulli2, [noAutoPad(), dtypeIn(["float", "int32", "int8"])]),
  ),
  macs(c) {
    const w = c.need(1).shape;
    return elementCount(c.need(0).shape) * elementCount(w.slice(1));
  },
};
