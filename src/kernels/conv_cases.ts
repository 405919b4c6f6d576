/**
 * Random convolutions.
 *
 * @module
 */

import { arrayOf, type Case, inArena, type KernelRow, type Random } from "./cases.ts";
import { conv, type ConvShape, convTranspose, packConv, packConvTranspose } from "./conv.ts";
import { convRef, convTransposeRef } from "./conv_ref.ts";

/** A small geometry; `form` steers towards a code path. */
function shapeOf(r: Random, form: "dense" | "depthwise" | "group", transposed: boolean): ConvShape {
  const kernelH = r.pick([1, 1, 2, 3, 3, 3, 5]), kernelW = r.chance(0.8) ? kernelH : r.int(1, 5);
  const strideH = r.pick([1, 1, 2, 3]), strideW = r.chance(0.8) ? strideH : r.int(1, 3);
  const dilationH = r.chance(0.8) ? 1 : r.int(1, 3), dilationW = r.chance(0.8) ? dilationH : 1;
  const pad = () => r.chance(0.3) ? 0 : r.int(0, 3);
  const [padTop, padLeft, padBottom, padRight] = [pad(), pad(), pad(), pad()];
  const reachH = (kernelH - 1) * dilationH + 1, reachW = (kernelW - 1) * dilationW + 1;
  let inH = r.int(1, 9), inW = r.int(1, 11);
  const group = form === "dense" ? 1 : r.int(1, form === "depthwise" ? 40 : 4);
  const inC = form === "depthwise" ? group : group * r.int(1, form === "dense" ? 40 : 9);
  const outC = group *
    r.int(1, form === "dense" ? 35 : form === "group" ? 12 : r.chance(0.8) ? 1 : 3);
  let outH: number, outW: number;
  if (transposed) {
    const size = (n: number, s: number, k: number, p: number) => (n - 1) * s + k - p;
    outH = Math.max(1, size(inH, strideH, reachH, padTop + padBottom) + r.int(0, strideH - 1));
    outW = Math.max(1, size(inW, strideW, reachW, padLeft + padRight) + r.int(0, strideW - 1));
  } else {
    inH = Math.max(inH, reachH - padTop - padBottom);
    inW = Math.max(inW, reachW - padLeft - padRight);
    outH = Math.floor((inH + padTop + padBottom - reachH) / strideH) + 1;
    outW = Math.floor((inW + padLeft + padRight - reachW) / strideW) + 1;
  }
  // deno-fmt-ignore
  return {
    batch: r.chance(0.8) ? 1 : 2, inH, inW, inC, outC, outH, outW, kernelH, kernelW, strideH, strideW,
    padTop, padLeft, padBottom, padRight, dilationH, dilationW, group,
  };
}

function make(r: Random, form: "dense" | "depthwise" | "group", transposed: boolean): Case {
  const shape = shapeOf(r, form, transposed);
  const xType = r.chance(0.8) ? "int8" : "int16";
  const yType = r.pick(["int8", "int8", "int8", "int16", "int32"] as const);
  const nonNegative = xType === "int8" && r.chance(0.35);
  const nx = shape.batch * shape.inH * shape.inW * shape.inC;
  const x = xType === "int16" ? r.int16(nx) : nonNegative ? r.int8(nx, 0, 127) : r.int8(nx);
  const xZero = xType === "int8" && !nonNegative && r.chance(0.3) ? r.int(-128, 127) : 0;
  const taps = shape.kernelH * shape.kernelW * shape.inC / shape.group;
  const weight = r.int8(
    transposed ? taps * shape.group * (shape.outC / shape.group) : taps * shape.outC,
    r.chance(0.1) ? -128 : -127,
  );
  // Biases up to the edge of what keeps the accumulator inside int32.
  const room = 2 ** 31 - 1 - taps * 128 * 255;
  const bias = r.chance(0.15)
    ? null
    : r.chance(0.2)
    ? r.int32(shape.outC, -room, room)
    : r.int32(shape.outC, -20000, 20000);
  const reach = Math.sqrt(taps) * 40 * (xType === "int16" ? 16000 : 60);
  const multiplier = new Int16Array(shape.outC), shift = new Int8Array(shape.outC);
  const common = r.chance(0.7);
  for (let c = 0; c < shape.outC; c++) {
    const f = r.factor(reach, yType === "int8" ? 100 : 20000);
    const mild = common && f.s > 62 ? 30 : f.s;
    multiplier[c] = f.m;
    shift[c] = mild;
  }
  const limits = r.limits(yType);
  if (yType === "int32") limits.yZero = 0;
  const ny = shape.batch * shape.outH * shape.outW * shape.outC;
  const params = { shape, xType, yType, xZero, nonNegative, ...limits };
  const inputs: Record<string, typeof x | Int32Array> = { x, weight, multiplier, shift };
  if (bias !== null) inputs["bias"] = bias;
  return {
    params,
    inputs,
    kernel: (arena, executor) =>
      inArena(
        arena,
        [x, multiplier, shift, ...(bias === null ? [] : [bias])],
        arrayOf(yType, ny),
        ([px, pm, ps, pb], y) => {
          const packed = (transposed ? packConvTranspose : packConv)(arena, weight, shape);
          const run = transposed ? convTranspose : conv;
          // deno-fmt-ignore
          run(arena, {
            x: px!, y, packed, bias: pb ?? 0, multiplier: pm!, shift: ps!, shape,
            xType, yType, xZero, nonNegative, ...limits,
          }, executor);
        },
      ),
    reference: () => {
      const y = arrayOf(yType, ny);
      const run = transposed ? convTransposeRef : convRef;
      run({ x, y, weight, bias, multiplier, shift, shape, xZero, ...limits });
      return y;
    },
  };
}

export const convRows: readonly KernelRow[] = [
  { name: "conv", section: 4, weight: 4, make: (r) => make(r, "dense", false) },
  { name: "depthwise", section: 4, weight: 4, make: (r) => make(r, "depthwise", false) },
  { name: "groupConv", section: 4, weight: 1, make: (r) => make(r, "group", false) },
  {
    name: "convTranspose",
    section: 4,
    weight: 2,
    make: (r) => make(r, r.pick(["dense", "depthwise", "group"] as const), true),
  },
];
