/**
 * The convolutions of MobileNetV2 (224 x 224) one after another, without residual additions on either side: what the
 * kernels alone give, before an executor. The real graph is the simulator's row (`mobilenetv2`).
 *
 * @module
 */

import { loadOnnxRuntime } from "../src/deps.ts";
import { Arena } from "../src/kernels/arena.ts";
import { conv, packConv } from "../src/kernels/conv.ts";
import { type Contender, interleave, type Results } from "./measure.ts";
import { type Constant, type Element, model, type Node } from "./onnx.ts";
import { type Layer, layer } from "./shapes.ts";

interface Step extends Layer {
  /** Followed by ReLU6: the output is non-negative. */
  readonly relu: boolean;
}

function steps(): Step[] {
  const out: Step[] = [];
  let size = 224, channels = 3;
  const add = (outC: number, k: number, s: number, group: number, relu: boolean) => {
    out.push({ ...layer(`conv${out.length}`, size, channels, outC, k, s, group), relu });
    size = Math.ceil(size / s);
    channels = outC;
  };
  add(32, 3, 2, 1, true);
  // expansion, channels, repeats, stride
  // deno-fmt-ignore
  const blocks = [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1]] as const;
  for (const [t, c, n, s] of blocks) {
    for (let i = 0; i < n; i++) {
      const wide = channels * t;
      if (t > 1) add(wide, 1, 1, 1, true);
      add(wide, 3, i === 0 ? s : 1, wide, true);
      add(c, 1, 1, 1, false);
    }
  }
  add(1280, 1, 1, 1, true);
  return out;
}

function weights(n: number): Int8Array {
  return new Int8Array(n).map((_, i) => (i * 2654435761 >>> 9) % 255 - 127);
}

function ours(all: readonly Step[]): Contender {
  const arena = Arena.create({ initialBytes: 2 ** 26 });
  const most = Math.max(
    ...all.map((s) =>
      Math.max(s.shape.inH * s.shape.inW * s.shape.inC, s.shape.outH * s.shape.outW * s.shape.outC)
    ),
  );
  const buffers = [arena.alloc(most), arena.alloc(most)] as const;
  const calls = all.map((step, i) => {
    const s = step.shape, nonNegative = i > 0 && all[i - 1]!.relu;
    const packed = packConv(arena, weights(s.outC * s.inC / s.group * s.kernelH * s.kernelW), s, {
      nonNegative,
    });
    // deno-fmt-ignore
    return {
      x: buffers[i % 2 === 0 ? 0 : 1], y: buffers[i % 2 === 0 ? 1 : 0], packed, nonNegative, shape: s,
      bias: arena.put(new Int32Array(s.outC)), multiplier: arena.put(new Int16Array(s.outC).fill(20000)),
      shift: arena.put(new Int8Array(s.outC).fill(s.group > 1 ? 22 : 24)), xType: "int8", yType: "int8", xZero: 0, yZero: 0,
      qmin: step.relu ? 0 : -128, qmax: 127,
    } as const;
  });
  return { name: "ours", run: () => calls.forEach((c) => conv(arena, c)) };
}

async function other(all: readonly Step[], kind: "u8" | "s8" | "f32"): Promise<Contender> {
  const ort = await loadOnnxRuntime();
  ort.env.wasm.numThreads = 1;
  const type: Element = kind === "u8" ? "uint8" : kind === "s8" ? "int8" : "float";
  const constants: Constant[] = [{
    name: "zero",
    type: "int64",
    shape: [1],
    data: BigInt64Array.of(0n),
  }];
  if (kind !== "f32") {
    const zero = kind === "u8" ? Uint8Array.of(128) : Int8Array.of(0);
    constants.push({ name: "s", type: "float", shape: [], data: Float32Array.of(0.05) });
    constants.push({ name: "z", type, shape: [], data: zero });
  }
  const nodes: Node[] = [];
  let from = "x";
  all.forEach((step, i) => {
    const s = step.shape, shape = [s.outC, s.inC / s.group, s.kernelH, s.kernelW];
    const w = weights(shape.reduce((p, d) => p * d, 1)), y = `y${i}`;
    const attributes = {
      kernel_shape: [s.kernelH, s.kernelW],
      strides: [s.strideH, s.strideW],
      pads: [s.padTop, s.padLeft, s.padBottom, s.padRight],
      group: s.group,
    };
    if (kind === "f32") {
      constants.push({
        name: `w${i}`,
        type: "float",
        shape,
        data: Float32Array.from(w, (v) => v / 2000),
      });
      constants.push({
        name: `b${i}`,
        type: "float",
        shape: [s.outC],
        data: new Float32Array(s.outC),
      });
      nodes.push({
        op: "Conv",
        inputs: [from, `w${i}`, `b${i}`],
        output: step.relu ? `c${i}` : y,
        attributes,
      });
      if (step.relu) nodes.push({ op: "Relu", inputs: [`c${i}`], output: y });
    } else {
      constants.push({ name: `w${i}`, type: "int8", shape, data: w });
      constants.push({
        name: `ws${i}`,
        type: "float",
        shape: [s.outC],
        data: new Float32Array(s.outC).fill(0.001),
      });
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
      const inputs = [from, "s", "z", `w${i}`, `ws${i}`, `wz${i}`, "s", "z", `b${i}`];
      nodes.push({ op: "QLinearConv", inputs, output: y, attributes });
    }
    from = y;
  });
  nodes.push({ op: "Gather", inputs: [from, "zero"], output: "out", attributes: { axis: 2 } });
  const dims = [1, 3, 224, 224], n = 3 * 224 * 224;
  const bytes = model(
    [{ name: "x", type, shape: dims }],
    [{ name: "out", type, shape: [1, 1280, 1, 7] }],
    constants,
    nodes,
  );
  const session = await ort.InferenceSession.create(bytes, {
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  });
  const x = kind === "u8"
    ? new ort.Tensor("uint8", new Uint8Array(n).map((_, i) => i * 7), dims)
    : kind === "s8"
    ? new ort.Tensor("int8", new Int8Array(n).map((_, i) => i * 7), dims)
    : new ort.Tensor("float32", new Float32Array(n).map((_, i) => i * 7 % 256 - 128), dims);
  return { name: kind, run: () => session.run({ x }) };
}

export async function benchMobilenet(results: Results): Promise<void> {
  const all = steps();
  const others = [await other(all, "u8"), await other(all, "s8"), await other(all, "f32")];
  const t = await interleave([ours(all), ...others], { budgetMs: 5000, least: 7 });
  const mine = t.get("ours")!;
  results.add({
    kernel: "mobilenetv2Layers",
    shape: `${all.length} convolutions`,
    value: mine,
    unit: "ms",
    ratios: Object.fromEntries(others.map((o) => [`ort-web ${o.name}`, t.get(o.name)! / mine])),
  });
}
