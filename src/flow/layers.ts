/**
 * `layer_out_dump`: what is needed to give out the results of convolutions as real numbers.
 *
 * @module
 */

import type { Json } from "../container/codec.ts";
import type { Graph, Node } from "../ir/graph.ts";
import { HORIZON } from "../ir/graph.ts";
import type { Conversion } from "./convert.ts";

/** Metadata key of the quantized stage. */
export const LAYERS_KEY = "bpukit_layer_out_dump";

/** A convolution's result: the integer tensor and what its integers mean. */
export interface DumpLayer {
  readonly node: string;
  readonly tensor: string;
  /** One scale, or one a channel (axis 1). */
  readonly scales: Float32Array;
  readonly zero: number;
}

/** Whether a node is a convolution, float or quantized. */
export function isConvolution(n: Node): boolean {
  if (n.domain === HORIZON) return n.op.startsWith("HzSQuantizedConv");
  return n.domain === "" && (n.op === "Conv" || n.op === "ConvTranspose");
}

/** Convolutions of the quantized graph with the scales of their results. */
export function dumpLayers(c: Conversion): DumpLayer[] {
  const byTensor = new Map([...c.quantized.tensors.values()].map((r) => [r.name, r]));
  return c.quantized.graph.nodes.filter((n) => n.domain === HORIZON && isConvolution(n))
    .flatMap((n): DumpLayer[] => {
      const r = byTensor.get(n.outputs[0]!);
      if (r === undefined) return [];
      return [{ node: n.name, tensor: r.name, scales: r.scales, zero: r.zero }];
    });
}

/** Layers as JSON. float32 scales survive the way through decimal numbers. */
export function layersJson(layers: readonly DumpLayer[]): Json {
  return layers.map((l): Json => ({
    node: l.node,
    tensor: l.tensor,
    scales: [...l.scales],
    zero: l.zero,
  }));
}

/** Layers from JSON; what is malformed is left out. */
export function layersFrom(v: Json | undefined): DumpLayer[] {
  if (!Array.isArray(v)) return [];
  return v.flatMap((x: Json): DumpLayer[] => {
    if (typeof x !== "object" || x === null || Array.isArray(x)) return [];
    const { node, tensor, scales, zero } = x as { readonly [k: string]: Json };
    const sound = typeof node === "string" && typeof tensor === "string" &&
      typeof zero === "number" && Array.isArray(scales) && scales.length > 0 &&
      scales.every((s: Json) => typeof s === "number");
    if (!sound) return [];
    return [{ node, tensor, zero, scales: Float32Array.from(scales as number[]) }];
  });
}

/** The quantized graph with the layers in its metadata. */
export function withLayers(graph: Graph, layers: readonly DumpLayer[]): Graph {
  const metadata = new Map(graph.metadata);
  metadata.set(LAYERS_KEY, JSON.stringify(layersJson(layers)));
  return { ...graph, metadata };
}
