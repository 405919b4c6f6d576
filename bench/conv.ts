/**
 * Convolutions against onnxruntime-web, the register peak and the scalar reference.
 *
 * @module
 */

import { loadOnnxRuntime } from "../src/deps.ts";
import { Arena } from "../src/kernels/arena.ts";
import { conv, type ConvShape, packConv } from "../src/kernels/conv.ts";
import { convRef } from "../src/kernels/conv_ref.ts";
import { type Contender, interleave, type Results } from "./measure.ts";
import { type Constant, type Element, model, type Node } from "./onnx.ts";
import { type Layer, operations } from "./shapes.ts";

/** Layers per competitor graph: distinct weights, one call. */
const copies = 4;

type Kind = "u8" | "s8" | "ConvInteger" | "f32";

function fill<T extends Int8Array | Uint8Array | Float32Array | Int32Array>(
  a: T,
  seed: number,
  low: number,
  high: number,
): T {
  let s = seed * 2654435761 >>> 0;
  for (let i = 0; i < a.length; i++) {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    a[i] = low + (s >>> 8) % (high - low + 1);
  }
  return a;
}

/** `copies` convolutions of one input, each followed by a Gather so that little leaves the runtime. */
function graph(s: ConvShape, kind: Kind): { bytes: Uint8Array; type: Element } {
  const wShape = [s.outC, s.inC / s.group, s.kernelH, s.kernelW],
    n = wShape.reduce((p, d) => p * d, 1);
  const type: Element = kind === "u8" ? "uint8" : kind === "f32" ? "float" : "int8";
  const outType: Element = kind === "ConvInteger" ? "int32" : type;
  const constants: Constant[] = [
    { name: "zero", type: "int64", shape: [1], data: BigInt64Array.of(0n) },
  ];
  const scalar = (name: string, t: Element, data: ArrayBufferView) =>
    constants.push({ name, type: t, shape: [], data });
  scalar("xs", "float", Float32Array.of(0.02));
  scalar("ys", "float", Float32Array.of(0.05));
  const zp = type === "uint8" ? Uint8Array.of(128) : Int8Array.of(0);
  scalar("xz", type === "uint8" ? "uint8" : "int8", zp);
  const nodes: Node[] = [], outputs = [];
  const attributes = {
    kernel_shape: [s.kernelH, s.kernelW],
    strides: [s.strideH, s.strideW],
    pads: [s.padTop, s.padLeft, s.padBottom, s.padRight],
    group: s.group,
  };
  for (let i = 0; i < copies; i++) {
    const w = `w${i}`, y = `y${i}`;
    if (kind === "f32") {
      const data = fill(new Float32Array(n), i + 1, -127, 127).map((v) => v / 1000);
      constants.push({ name: w, type: "float", shape: wShape, data });
      constants.push({
        name: `b${i}`,
        type: "float",
        shape: [s.outC],
        data: new Float32Array(s.outC),
      });
      nodes.push({ op: "Conv", inputs: ["x", w, `b${i}`], output: y, attributes });
    } else {
      constants.push({
        name: w,
        type: "int8",
        shape: wShape,
        data: fill(new Int8Array(n), i + 1, -127, 127),
      });
      if (kind === "ConvInteger") {
        nodes.push({ op: "ConvInteger", inputs: ["x", w], output: y, attributes });
      } else {
        const scales = new Float32Array(s.outC).map((_, c) => 0.001 * (1 + c % 7));
        constants.push({ name: `ws${i}`, type: "float", shape: [s.outC], data: scales });
        constants.push({
          name: `wz${i}`,
          type: "int8",
          shape: [s.outC],
          data: new Int8Array(s.outC),
        });
        constants.push({
          name: `b${i}`,
          type: "int32",
          shape: [s.outC],
          data: new Int32Array(s.outC),
        });
        const inputs = ["x", "xs", "xz", w, `ws${i}`, `wz${i}`, "ys", "xz", `b${i}`];
        nodes.push({ op: "QLinearConv", inputs, output: y, attributes });
      }
    }
    nodes.push({ op: "Gather", inputs: [y, "zero"], output: `z${i}`, attributes: { axis: 2 } });
    outputs.push({ name: `z${i}`, type: outType, shape: [1, s.outC, 1, s.outW] });
  }
  const x = { name: "x", type, shape: [1, s.inC, s.inH, s.inW] };
  return { bytes: model([x], outputs, constants, nodes), type };
}

/** onnxruntime-web on the same layers, one thread. */
export async function competitor(
  s: ConvShape,
  kind: Kind,
): Promise<Contender & { close(): Promise<void> }> {
  const ort = await loadOnnxRuntime();
  ort.env.wasm.numThreads = 1;
  const { bytes, type } = graph(s, kind);
  const session = await ort.InferenceSession.create(bytes, {
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  });
  const n = s.inC * s.inH * s.inW, dims = [1, s.inC, s.inH, s.inW];
  const x = type === "uint8"
    ? new ort.Tensor("uint8", fill(new Uint8Array(n), 9, 0, 255), dims)
    : type === "float"
    ? new ort.Tensor("float32", fill(new Float32Array(n), 9, -100, 100), dims)
    : new ort.Tensor("int8", fill(new Int8Array(n), 9, -128, 127), dims);
  return {
    name: kind,
    run: () => session.run({ x }),
    close: () => session.release(),
  };
}

/** Our int8 convolution of `copies` layers, requantization included. */
function ours(arena: Arena, s: ConvShape, name: string, nonNegative: boolean): Contender {
  const n = s.outC * s.inC / s.group * s.kernelH * s.kernelW;
  const packed = Array.from({ length: copies }, (_, i) => {
    return packConv(arena, fill(new Int8Array(n), i + 1, -127, 127), s, { nonNegative });
  });
  const x = arena.put(fill(new Int8Array(s.inC * s.inH * s.inW), 9, nonNegative ? 0 : -128, 127));
  const y = arena.alloc(s.outC * s.outH * s.outW);
  const bias = arena.put(new Int32Array(s.outC));
  const multiplier = arena.put(new Int16Array(s.outC).map((_, c) => 16384 + 37 * c % 16384));
  const shift = arena.put(new Int8Array(s.outC).map((_, c) => 23 + c % 4));
  // deno-fmt-ignore
  const args = {
    x, y, bias, multiplier, shift, shape: s, xType: "int8", yType: "int8", xZero: 0, yZero: 0, qmin: -128, qmax: 127,
    nonNegative,
  } as const;
  return { name, run: () => packed.forEach((p) => conv(arena, { ...args, packed: p })) };
}

/** GOPS of the scalar reference, on two rows of the output. */
function scalarRate(s: ConvShape): number {
  const shape = { ...s, outH: 2, outC: s.group === 1 ? Math.min(16, s.outC) : s.outC };
  const x = fill(new Int8Array(s.inC * s.inH * s.inW), 9, -128, 127);
  const weight = fill(
    new Int8Array(shape.outC * s.inC / s.group * s.kernelH * s.kernelW),
    1,
    -127,
    127,
  );
  const y = new Int8Array(shape.outH * shape.outW * shape.outC);
  const multiplier = new Int16Array(shape.outC).fill(20000),
    shift = new Int8Array(shape.outC).fill(24);
  const run = () =>
    convRef({
      x,
      y,
      weight,
      bias: null,
      multiplier,
      shift,
      shape,
      xZero: 0,
      yZero: 0,
      qmin: -128,
      qmax: 127,
    });
  run();
  const from = performance.now();
  run();
  return operations(shape) / (performance.now() - from) / 1e6;
}

/** Milliseconds of the register loops for as many operations. */
function peaks(arena: Arena, work: number): Contender[] {
  const out = arena.alloc(256);
  arena.u8(out, 256).fill(1);
  return [
    { name: "peak", run: () => arena.micro.peakDot(work / 64, out) },
    { name: "peakRelaxed", run: () => arena.micro.peakRelaxed(work / 128, out) },
  ];
}

/** Rows for every layer. */
export async function benchConv(
  results: Results,
  layers: readonly Layer[],
  kernel: "dense" | "depthwise",
): Promise<void> {
  for (const { name, shape } of layers) {
    const arena = Arena.create({ initialBytes: 2 ** 24 });
    const work = copies * operations(shape);
    const all = [ours(arena, shape, "int8", false)];
    if (kernel === "dense") {
      all.push(ours(arena, shape, "nonNegative", true), ...peaks(arena, work));
    }
    const others = await Promise.all(
      (["u8", "s8", "ConvInteger", "f32"] as const).map((k) => competitor(shape, k)),
    );
    const slow = others.filter((o) => o.name === "s8" || o.name === "ConvInteger");
    const quick = others.filter((o) => !slow.includes(o));
    const t = await interleave([...all, ...quick], { budgetMs: 1500, least: 7 });
    const late = await interleave([all[0]!, ...slow], { budgetMs: 300, least: 3 });
    const ratio = (mine: string, other: string) =>
      late.has(other)
        ? late.get(other)! / late.get("int8")! * (t.get("int8")! / t.get(mine)!)
        : t.get(other)! / t.get(mine)!;
    const scalar = scalarRate(shape);
    for (const mine of all.filter((c) => !c.name.startsWith("peak"))) {
      const gops = work / t.get(mine.name)! / 1e6;
      const peak = mine.name === "int8" ? "peak" : "peakRelaxed";
      results.add({
        kernel: mine.name === "int8" ? kernel : "denseNonNegative",
        shape: name,
        value: gops,
        unit: "GOPS",
        ratios: {
          "ort-web u8": ratio(mine.name, "u8"),
          "ort-web s8": ratio(mine.name, "s8"),
          "ort-web ConvInteger": ratio(mine.name, "ConvInteger"),
          "ort-web f32": ratio(mine.name, "f32"),
          "scalar reference": gops / scalar,
          ...(t.has(peak) ? { "register peak": t.get(peak)! / t.get(mine.name)! } : {}),
        },
      });
    }
    for (const o of others) await o.close();
  }
}
