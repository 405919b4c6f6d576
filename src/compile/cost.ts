/**
 * Time of one node on a core: a roofline.
 *
 * A node takes the longest of three times: multiplying (padded channels over the sustained rate),
 * writing its elements (tables, requantization) and moving what does not stay on the chip. int16 inputs
 * halve the rate of multiplication, int16 outputs that of writing. The rates were fitted to published
 * compiler estimates of YOLOv8s (bayes), YOLOv8n and YOLOv8n-cls (bayes-e), and to measured YOLOv8n and
 * MobileNetV1 (bernoulli2); programs come out within a factor of 1.7 (see the test of estimate.ts).
 *
 * Two callers: `estimate.ts` knows a program and what stays on the chip between its nodes; the accuracy
 * search asks {@linkcode nodeMicroseconds} for nodes of a float graph, each by itself.
 *
 * @module
 */

import { typeOf } from "../ir/graph.ts";
import type { Graph, Node } from "../ir/graph.ts";
import { elementCount } from "../ir/tensor.ts";
import type { Tensor, TensorType } from "../ir/tensor.ts";
import type { March, MarchName } from "../march/march.ts";
import { inferContext } from "../ops/context.ts";
import { opOf } from "../ops/registry.ts";

/** Sustained rates of one core. */
export interface Rates {
  /** Share of the peak multiply rate that padded convolutions reach. */
  readonly sustained: number;
  /** Output elements per second of everything that is not a product. */
  readonly elementsPerSecond: number;
  /** Tensors larger than this leave the chip between two nodes, in bytes. */
  readonly onChip: number;
}

export const rates: Readonly<Record<MarchName, Rates>> = {
  bayes: { sustained: 0.5, elementsPerSecond: 26e9, onChip: 4 * 2 ** 20 },
  bayes_e: { sustained: 0.45, elementsPerSecond: 13e9, onChip: 1.5 * 2 ** 20 },
  bernoulli2: { sustained: 0.3, elementsPerSecond: 1e9, onChip: 2 ** 20 },
};

/** Fixed cost of starting a node, in microseconds. */
const START_US = 1;

/** A node and what is known of its tensors. */
export interface Priced {
  readonly node: Node;
  type(tensor: string): TensorType | undefined;
  value(tensor: string): Tensor | undefined;
  /** Bytes of one element of an activation as it is stored. */
  bytes(tensor: string): number;
  /** Bytes that the node moves between the chip and memory. */
  readonly ddrBytes: number;
}

/** What {@linkcode priceOf} says. */
export interface Price {
  /** Time in microseconds, and the same without padding. */
  readonly us: number;
  readonly idealUs: number;
  /** Multiply-accumulates, without padding. */
  readonly macs: number;
  /** Shape of output 0, and what the core computes. */
  readonly shape: readonly number[];
  readonly aligned: readonly number[];
}

/** The roofline. A node of unknown shape costs its start and its traffic only. */
export function priceOf(p: Priced, march: March): Price {
  const { node } = p, rate = rates[march.name];
  const shape = p.type(node.outputs[0] ?? "")?.shape ?? [];
  const aligned = alignedShape(shape, march.channelAlign);
  const macs = macsOf(p);
  const activation = (t: string) => t !== "" && p.value(t) === undefined;
  const wideIn = node.inputs.some((t) => activation(t) && p.bytes(t) === 2);
  const wideOut = node.outputs.some((t) => activation(t) && p.bytes(t) === 2);
  const steps = opOf(node)?.steps ?? 0;
  const time = (m: number, e: number) =>
    Math.max(
        m * (wideIn ? 2 : 1) / (march.macsPerSecond * rate.sustained),
        e * ((wideOut ? 2 : 1) + steps * 2) / rate.elementsPerSecond,
        p.ddrBytes / march.bytesPerSecond,
      ) * 1e6 + START_US * (1 + steps);
  const elements = (s: readonly number[]) => s.some((d) => d < 0) ? 0 : elementCount(s);
  return {
    us: time(macs * paddingOf(p, march), elements(aligned)),
    idealUs: time(macs, elements(shape)),
    macs,
    shape,
    aligned,
  };
}

/** How a float graph's tensors would be stored. */
export interface CostOptions {
  /** Bytes of one element of an activation; default 1 (int8). */
  bytes?(tensor: string): number;
}

/**
 * Microseconds of one node of a float graph, by itself: constants come from memory with a byte each,
 * activations stay on the chip where they fit.
 */
export function nodeMicroseconds(
  graph: Graph,
  node: Node,
  march: March,
  options: CostOptions = {},
): number {
  const type = (t: string): TensorType | undefined =>
    typeOf(graph, t) ?? graph.inputs.find((p) => p.name === t);
  const bytes = (t: string) => options.bytes?.(t) ?? 1;
  let ddrBytes = 0;
  for (const t of [...node.inputs, ...node.outputs]) {
    const constant = graph.constants.get(t);
    const shape = type(t)?.shape;
    if (t === "" || shape === undefined || shape.some((d) => d < 0)) continue;
    const size = elementCount(shape) * (constant === undefined ? bytes(t) : 1);
    if (constant !== undefined || size > rates[march.name].onChip) ddrBytes += size;
  }
  const value = (t: string) => graph.constants.get(t);
  return priceOf({ node, type, value, bytes, ddrBytes }, march).us;
}

const up = (n: number, to: number) => Math.ceil(n / to) * to;

/** Rank 4 with channels brought to the core's multiple; other ranks as they are. */
function alignedShape(shape: readonly number[], align: number): number[] {
  if (shape.length !== 4) return [...shape];
  const [n, c, h, w] = shape as [number, number, number, number];
  return [n, up(c, align), h, w];
}

function macsOf(p: Priced): number {
  const macs = opOf(p.node)?.macs;
  const open = (t: string) => {
    const shape = p.type(t)?.shape;
    return t !== "" && (shape === undefined || shape.some((d) => d < 0));
  };
  if (macs === undefined || p.node.outputs.some(open)) return 0;
  if (p.node.inputs.some((t) => p.value(t) === undefined && open(t))) return 0;
  const c = inferContext(p.node, { type: p.type, value: p.value });
  return macs({ ...c, output: (i) => p.type(p.node.outputs[i]!)! });
}

/** Multiplications of the padded convolution over those of the one that was asked for. */
function paddingOf(p: Priced, march: March): number {
  const of = (t = "") => p.value(t) ?? p.type(t);
  const x = of(p.node.inputs[0]), w = of(p.node.inputs[1]);
  if (w === undefined || x === undefined || w.shape.length !== 4 || x.shape.length !== 4) return 1;
  const [o, i] = w.shape as [number, number, number, number];
  const group = (x.shape[1]! / i) | 0;
  // Depthwise convolutions use one of the multipliers that stand side by side for input channels.
  if (i === 1 && group > 1) return up(o, march.channelAlign) / o * 4;
  // Pictures are packed by four channels.
  const inputs = i <= 4 ? 4 : up(i, march.channelAlign);
  return (up(o / Math.max(group, 1), march.channelAlign) * inputs) / (o / Math.max(group, 1) * i);
}
