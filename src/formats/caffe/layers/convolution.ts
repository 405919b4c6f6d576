/**
 * Convolution, Deconvolution and the depthwise forms of forks.
 *
 * @module
 */

import { type DescField, isFieldSet } from "../../../deps.ts";
import { attr } from "../../../ir/graph.ts";
import { elementCount, type Tensor } from "../../../ir/tensor.ts";
import type { Value } from "../build.ts";
import type { BlobSpec, Converter, LayerContext } from "../context.ts";
import { type ConvolutionParameter, ConvolutionParameterSchema } from "../gen/caffe_pb.ts";

const F = ConvolutionParameterSchema.field;

/** Kernel, stride, pad and dilation per spatial axis. */
interface Window {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly pad: readonly number[];
  readonly dilation: readonly number[];
}

/**
 * One parameter per spatial axis: `x: 3` for all, `x: 3 x: 5` for each, or `x_h`, `x_w` in 2-D.
 */
function perAxis(
  ctx: LayerContext,
  p: ConvolutionParameter,
  field: string,
  list: readonly number[],
  axes: number,
  fallback: number | undefined,
  pair?: readonly [DescField, DescField, number, number],
): number[] {
  if (pair !== undefined && (isFieldSet(p, pair[0]) || isFieldSet(p, pair[1]))) {
    if (list.length > 0) ctx.fail(`give ${field} or ${pair[0].name}, not both`, pair[0].name);
    if (axes !== 2) ctx.fail(`${pair[0].name} and ${pair[1].name} are for 2-D only`, pair[0].name);
    return [pair[2], pair[3]];
  }
  if (list.length === 0) {
    if (fallback === undefined) ctx.fail(`${field} is missing`, "convolution_param");
    return new Array<number>(axes).fill(fallback);
  }
  if (list.length !== 1 && list.length !== axes) {
    ctx.fail(`${field} is given ${list.length} times for ${axes} spatial axes`, field);
  }
  return Array.from({ length: axes }, (_, i) => list[list.length === 1 ? 0 : i]!);
}

function windowOf(ctx: LayerContext, p: ConvolutionParameter, axes: number): Window {
  const kernel = perAxis(ctx, p, "kernel_size", p.kernelSize, axes, undefined, [
    F.kernelH,
    F.kernelW,
    p.kernelH,
    p.kernelW,
  ]);
  const stride = perAxis(ctx, p, "stride", p.stride, axes, 1, [
    F.strideH,
    F.strideW,
    p.strideH,
    p.strideW,
  ]);
  const pad = perAxis(ctx, p, "pad", p.pad, axes, 0, [F.padH, F.padW, p.padH, p.padW]);
  const dilation = perAxis(ctx, p, "dilation", p.dilation, axes, 1);
  for (const [field, values] of [["kernel_size", kernel], ["stride", stride]] as const) {
    if (values.some((v) => v < 1)) ctx.fail(`${field} must be at least 1`, field);
  }
  if (dilation.some((v) => v < 1)) ctx.fail("dilation must be at least 1", "dilation");
  return { kernel, stride, pad, dilation };
}

function attrsOf(w: Window, group: number) {
  return {
    kernel_shape: attr.ints(w.kernel),
    strides: attr.ints(w.stride),
    pads: attr.ints([...w.pad, ...w.pad]),
    dilations: attr.ints(w.dilation),
    group: attr.int(group),
  };
}

/** What both directions share. `depthwise` takes the group from the channels. */
function convert(ctx: LayerContext, transposed: boolean, depthwise: boolean): void {
  ctx.arity([1, Infinity], [1, Infinity]);
  if (ctx.inputs.length !== ctx.spec.tops.length) {
    ctx.fail("it needs as many tops as bottoms", "top");
  }
  const p = ctx.params.convolutionParam;
  if (p === undefined) ctx.fail("convolution_param is missing");
  const first = ctx.input();
  const rank = first.shape.length;
  const axis = ctx.axis(p.axis, rank);
  const axes = rank - axis - 1;
  if (axes < 1) ctx.fail(`its input of ${rank} axes has no spatial axis behind axis ${axis}`);
  const w = windowOf(ctx, p, axes);
  const channels = first.shape[axis]!;
  const outputs = depthwise && !isFieldSet(p, F.numOutput) ? channels : p.numOutput;
  const group = depthwise ? channels : p.group;
  if (outputs < 1) ctx.fail("num_output must be at least 1", "num_output");
  if (group < 1) ctx.fail("group must be at least 1", "group");
  if (channels % group !== 0) {
    ctx.fail(`its ${channels} input channels do not divide into ${group} groups`, "group");
  }
  if (outputs % group !== 0) {
    ctx.fail(`its ${outputs} output channels do not divide into ${group} groups`, "num_output");
  }
  const specs: BlobSpec[] = [{
    what: "weights",
    shape: transposed
      ? [channels, outputs / group, ...w.kernel]
      : [outputs, channels / group, ...w.kernel],
    filler: p.weightFiller,
  }];
  if (p.biasTerm) specs.push({ what: "bias", shape: [outputs], filler: p.biasFiller });
  const [weights, bias] = ctx.weights(specs) as [Tensor, Tensor | undefined];
  const constants = [
    ctx.constant("weights", weights),
    bias === undefined ? undefined : ctx.constant("bias", bias),
  ];
  ctx.inputs.forEach((x, i) => {
    ctx.top(apply(ctx, x, { i, axis, channels, outputs, transposed, group, w, constants }), i);
  });
}

function apply(
  ctx: LayerContext,
  x: Value,
  c: {
    i: number;
    axis: number;
    channels: number;
    outputs: number;
    transposed: boolean;
    group: number;
    w: Window;
    constants: (Value | undefined)[];
  },
): Value {
  const { axis, w } = c;
  if (x.shape[axis] !== c.channels) {
    ctx.fail(`bottom ${c.i} has ${x.shape[axis]} channels, the first one ${c.channels}`, "bottom");
  }
  const size = x.shape.slice(axis + 1).map((d, k) => {
    const reach = w.dilation[k]! * (w.kernel[k]! - 1) + 1;
    return c.transposed
      ? w.stride[k]! * (d - 1) + reach - 2 * w.pad[k]!
      : Math.floor((d + 2 * w.pad[k]! - reach) / w.stride[k]!) + 1;
  });
  if (size.some((d) => d < 1)) {
    ctx.fail(
      `the kernel does not fit its input of ${x.shape.slice(axis + 1).join("x")}`,
      "kernel_size",
    );
  }
  const part = c.i === 0 ? undefined : `${c.i}`;
  const batch = elementCount(x.shape.slice(0, axis));
  const flat = axis === 1
    ? x
    : ctx.reshape(x, [batch, ...x.shape.slice(axis)], `${part ?? "0"}/in`);
  const y = ctx.op(
    c.transposed ? "ConvTranspose" : "Conv",
    [flat, ...c.constants],
    [batch, c.outputs, ...size],
    attrsOf(w, c.group),
    part,
  );
  return axis === 1
    ? y
    : ctx.reshape(y, [...x.shape.slice(0, axis), c.outputs, ...size], `${part ?? "0"}/out`);
}

/** Convolution, any number of spatial axes. */
export const convolution: Converter = (ctx: LayerContext) => convert(ctx, false, false);

/** Deconvolution: ConvTranspose. */
export const deconvolution: Converter = (ctx: LayerContext) => convert(ctx, true, false);

/** ConvolutionDepthwise, DepthwiseConvolution: one group per channel. */
export const depthwise: Converter = (ctx: LayerContext) => convert(ctx, false, true);
