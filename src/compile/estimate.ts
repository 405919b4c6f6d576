/**
 * Static estimate of what a program costs on the accelerator: a roofline per node.
 *
 * A node takes the longest of three times: multiplying (padded channels over the sustained rate),
 * writing its elements (tables, requantization) and moving what does not stay on the chip. The rates
 * were fitted to published compiler estimates of YOLOv8s (bayes), YOLOv8n and YOLOv8n-cls (bayes-e),
 * and to measured YOLOv8n and MobileNetV1 (bernoulli2); they come out within a factor of 1.7 (see the test). Float
 * parts (CPU segments, Quantize, Dequantize) are not counted, as in the original tools.
 *
 * @module
 */

import type { Node } from "../ir/graph.ts";
import { byteSize, elementCount } from "../ir/tensor.ts";
import type { TensorType } from "../ir/tensor.ts";
import type { March, MarchName } from "../march/march.ts";
import { inferContext } from "../ops/context.ts";
import { opOf } from "../ops/registry.ts";
import type { KernelSegment, Program } from "./program.ts";

/** Sustained rates of one core. */
interface Rates {
  /** Share of the peak multiply rate that padded convolutions reach. */
  readonly sustained: number;
  /** Output elements per second of everything that is not a product. */
  readonly elementsPerSecond: number;
  /** Tensors larger than this leave the chip between two nodes, in bytes. */
  readonly onChip: number;
}

const rates: Readonly<Record<MarchName, Rates>> = {
  bayes: { sustained: 0.5, elementsPerSecond: 26e9, onChip: 4 * 2 ** 20 },
  bayes_e: { sustained: 0.45, elementsPerSecond: 13e9, onChip: 1.5 * 2 ** 20 },
  bernoulli2: { sustained: 0.3, elementsPerSecond: 1e9, onChip: 2 ** 20 },
};

/** Fixed cost of starting a node, in microseconds. */
const START_US = 1;

/** Cost of one node. */
export interface NodeCost {
  readonly name: string;
  readonly op: string;
  /** Number of the BPU subgraph. */
  readonly subgraph: number;
  /** Estimated time in microseconds. */
  readonly us: number;
  /** The same without padding. */
  readonly idealUs: number;
  /** Multiply-accumulates, without padding. */
  readonly macs: number;
  /** Bytes that the node moves between the chip and memory. */
  readonly ddrBytes: number;
  /** Shape of output 0, and what the core computes. */
  readonly shape: readonly number[];
  readonly aligned: readonly number[];
}

/** Cost of a program on one core. */
export interface Estimate {
  /** Microseconds of one run of the whole batch; 0 when nothing runs on the BPU. */
  readonly latencyUs: number;
  /** Samples per second; 0 when nothing runs on the BPU. */
  readonly fps: number;
  /** Bytes between chip and memory of one run. */
  readonly ddrBytes: number;
  readonly macs: number;
  /** Per node and sample. */
  readonly nodes: readonly NodeCost[];
}

const up = (n: number, to: number) => Math.ceil(n / to) * to;
const bytesOf = (t: TensorType) => elementCount(t.shape) * byteSize(t.dtype);

/** Rank 4 with channels brought to the core's multiple; other ranks as they are. */
function alignedShape(shape: readonly number[], align: number): number[] {
  if (shape.length !== 4) return [...shape];
  const [n, c, h, w] = shape as [number, number, number, number];
  return [n, up(c, align), h, w];
}

/**
 * Estimates a program.
 *
 * @example
 * ```ts
 * import { estimate } from "./estimate.ts";
 * import { bayes } from "../march/bayes.ts";
 * const empty = { name: "m", march: "bayes", inputs: [], outputs: [], segments: [],
 *   constants: new Map(), slots: new Map(), arenaBytes: 0 } as const;
 * console.assert(estimate(empty, bayes).latencyUs === 0);
 * ```
 */
export function estimate(program: Program, march: March): Estimate {
  const nodes = program.segments.flatMap((s) =>
    s.kind === "bpu" ? segmentCosts(s, program, march) : []
  );
  const sum = (f: (n: NodeCost) => number) => nodes.reduce((a, n) => a + f(n), 0);
  const batch = program.batch ?? 1;
  const latencyUs = sum((n) => n.us) * batch;
  return {
    latencyUs,
    fps: latencyUs === 0 ? 0 : batch * 1e6 / latencyUs,
    ddrBytes: sum((n) => n.ddrBytes) * batch,
    macs: sum((n) => n.macs) * batch,
    nodes,
  };
}

function segmentCosts(s: KernelSegment, program: Program, march: March): NodeCost[] {
  const rate = rates[march.name];
  const type = (t: string): TensorType | undefined =>
    program.slots.get(t) ?? program.constants.get(t);
  const integer = (t: string) => {
    const d = type(t)?.dtype;
    return d !== undefined && d !== "float32" && d !== "float64";
  };
  // Float at either end: Quantize and Dequantize, which the original runs on the CPU.
  const onCore = s.nodes.filter((n) =>
    [...n.inputs.slice(0, 1), ...n.outputs].every((t) => t === "" || integer(t))
  );
  const inside = new Set(onCore);
  const readers = new Map<string, Node[]>();
  for (const n of s.nodes) {
    for (const t of n.inputs) {
      if (t !== "") readers.set(t, [...readers.get(t) ?? [], n]);
    }
  }
  const made = new Set(onCore.flatMap((n) => n.outputs));
  // A pointwise node follows its only producer tile by tile: nothing leaves the chip between them.
  const follows = (t: string) => {
    const r = readers.get(t) ?? [];
    const n = r.length === 1 ? r[0]! : undefined;
    if (n === undefined || !inside.has(n)) return false;
    const y = type(n.outputs[0] ?? "");
    return y !== undefined && opOf(n)?.macs === undefined && n.inputs[0] === t &&
      elementCount(y.shape) === elementCount(type(t)!.shape);
  };
  const leaves = (t: string) =>
    (readers.get(t) ?? []).some((n) => !inside.has(n)) || s.outputs.includes(t);
  const spilled = (t: string) => bytesOf(type(t)!) > rate.onChip && !follows(t);

  return onCore.map((n): NodeCost => {
    const y = type(n.outputs[0] ?? "");
    const shape = y?.shape ?? [];
    const aligned = alignedShape(shape, march.channelAlign);
    let ddr = 0;
    for (const t of new Set(n.inputs)) {
      const x = t === "" ? undefined : type(t);
      if (x === undefined) continue;
      if (program.constants.has(t) || !made.has(t) || spilled(t)) ddr += bytesOf(x);
    }
    for (const t of n.outputs) {
      const x = t === "" ? undefined : type(t);
      if (x !== undefined && (leaves(t) || spilled(t))) ddr += bytesOf(x);
    }
    const macs = macsOf(n, type, program);
    const time = (m: number, e: number) =>
      Math.max(
          m / (march.macsPerSecond * rate.sustained),
          e / rate.elementsPerSecond,
          ddr / march.bytesPerSecond,
        ) * 1e6 + START_US;
    const padding = paddingOf(n, type, march);
    return {
      name: n.name,
      op: n.op,
      subgraph: s.id,
      us: time(macs * padding, elementCount(aligned)),
      idealUs: time(macs, elementCount(shape)),
      macs,
      ddrBytes: ddr,
      shape,
      aligned,
    };
  });
}

function macsOf(
  n: Node,
  type: (t: string) => TensorType | undefined,
  program: Program,
): number {
  const macs = opOf(n)?.macs;
  if (macs === undefined || n.outputs.some((t) => t !== "" && type(t) === undefined)) return 0;
  const c = inferContext(n, { type, value: (t) => program.constants.get(t) });
  return macs({ ...c, output: (i) => type(n.outputs[i]!)! });
}

/** Multiplications of the padded convolution over those of the one that was asked for. */
function paddingOf(
  n: Node,
  type: (t: string) => TensorType | undefined,
  march: March,
): number {
  const w = type(n.inputs[1] ?? ""), x = type(n.inputs[0] ?? "");
  if (w === undefined || x === undefined || w.shape.length !== 4 || x.shape.length !== 4) return 1;
  const [o, i] = w.shape as [number, number, number, number];
  const group = (x.shape[1]! / i) | 0;
  // Depthwise convolutions use one of the multipliers that stand side by side for input channels.
  if (i === 1 && group > 1) return up(o, march.channelAlign) / o * 4;
  // Pictures are packed by four channels.
  const inputs = i <= 4 ? 4 : up(i, march.channelAlign);
  return (up(o / Math.max(group, 1), march.channelAlign) * inputs) / (o / Math.max(group, 1) * i);
}

/** `FPS=316.91, latency = 3155.4 us`, and the memory traffic where the march prints it. */
export function latencyLine(e: Estimate, march: March): string {
  const ddr = march.printsDdr ? `, DDR = ${e.ddrBytes} bytes` : "";
  return `FPS=${e.fps.toFixed(2)}, latency = ${e.latencyUs.toFixed(1)} us${ddr}`;
}
