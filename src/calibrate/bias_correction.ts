/**
 * Bias correction: moves every bias by the mean error that quantization causes in its channel, layer
 * after layer, so that each layer is corrected behind layers that already are.
 *
 * Which form it is depends on the graph that is given: with the weights quantized only, it removes the
 * mean error of the weights and is safe on all models tried; with the activations quantized too, it
 * gains more on some models (MobileNet) and destroys others (detectors, where the background rules the
 * mean). Choose by measurement on samples that were not used here.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { Feeds } from "../ir/engine.ts";
import type { Graph, Node } from "../ir/graph.ts";
import { f32, type Tensor } from "../ir/tensor.ts";
import { ExactSum } from "./exact_sum.ts";
import { extract } from "./extract.ts";
import { type CalibrationEngine, runAll, type Samples } from "./observe.ts";

/** A node with a bias per channel (axis 1 of its output). */
export interface BiasTarget {
  readonly node: string;
  /** The node's output, before any activation; the same name in both graphs. */
  readonly tensor: string;
}

/** Options of {@linkcode biasCorrection}. */
export interface BiasCorrectionOptions {
  /**
   * Samples used, from the first; default 32. Results of the layers in progress are kept for all of
   * them, so memory grows with this number and not with the number of samples there are.
   */
  readonly samples?: number;
  /** Called after every level of layers. */
  readonly onLevel?: (done: number, levels: number) => void;
}

/** Mean per channel (axis 1) of a tensor, added up over samples whatever their order. */
class ChannelMeans {
  readonly #sums: ExactSum[] = [];
  #samples = 0;

  add(t: Tensor): void {
    const data = t.data;
    const channels = t.shape[1];
    if (!(data instanceof Float32Array) || channels === undefined) {
      throw new BpuError("internal", "a bias target must be a float tensor with a channel axis");
    }
    const outer = t.shape[0]!, inner = data.length / (outer * channels);
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let o = 0; o < outer; o++) {
        const from = (o * channels + c) * inner;
        for (let i = from; i < from + inner; i++) sum += data[i]!;
      }
      (this.#sums[c] ??= new ExactSum()).add(sum / (outer * inner));
    }
    this.#samples++;
  }

  value(): Float64Array {
    return Float64Array.from(this.#sums, (s) => s.value() / this.#samples);
  }
}

/** Targets by depth: those of one level do not depend on each other. */
function levelsOf(graph: Graph, targets: readonly BiasTarget[]): BiasTarget[][] {
  const wanted = new Map(targets.map((t) => [t.tensor, t]));
  const depth = new Map<string, number>();
  const levels: BiasTarget[][] = [];
  for (const n of graph.nodes) {
    const before = Math.max(0, ...n.inputs.map((i) => depth.get(i) ?? 0));
    for (const o of n.outputs) {
      const target = wanted.get(o);
      depth.set(o, target === undefined ? before : before + 1);
      if (target !== undefined) (levels[before] ??= []).push(target);
    }
  }
  for (const t of targets) {
    if (!depth.has(t.tensor)) {
      throw new BpuError("internal", "nothing computes this bias target", {
        node: t.node,
        tensor: t.tensor,
      });
    }
  }
  return levels;
}

/** The tensor with a number added to every channel. */
function shifted(t: Tensor, delta: Float32Array): Tensor {
  const data = t.data as Float32Array, channels = delta.length;
  const rows = t.shape[0]! * channels, inner = data.length / rows;
  const out = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    const d = delta[row % channels]!;
    for (let i = row * inner; i < (row + 1) * inner; i++) out[i] = data[i]! + d;
  }
  return { dtype: t.dtype, shape: t.shape, data: out };
}

/**
 * What to add to the bias of every target, per channel, so that its mean over the samples is that of
 * the float graph. `fake` is the float graph with fake quantization inserted; tensor names of the
 * targets are the same in both.
 *
 * Level by level, only the piece of `fake` between corrected layers and the next ones is run, on kept
 * results to which the correction has been added: one quantized evaluation per sample in all. Throws
 * BpuError("calibration") when there is no sample.
 */
export async function biasCorrection(
  float: Graph,
  fake: Graph,
  targets: readonly BiasTarget[],
  samples: Samples,
  engine: CalibrationEngine,
  options: BiasCorrectionOptions = {},
): Promise<Map<string, Float32Array>> {
  const limit = options.samples ?? 32;
  const kept: Map<string, Tensor>[] = [];
  const names = targets.map((t) => t.tensor);
  const means = new Map(names.map((name) => [name, new ChannelMeans()]));
  const first = async function* (): AsyncGenerator<Feeds> {
    for await (const feeds of samples) {
      kept.push(new Map(feeds));
      yield feeds;
      if (kept.length >= limit) return;
    }
  };
  const count = await runAll(engine, extract(float, names), names, first(), (_, out) => {
    for (const [name, t] of out) means.get(name)?.add(t);
  });
  if (count === 0) throw new BpuError("calibration", "there is no calibration sample");

  const levels = levelsOf(fake, targets);
  const deltas = new Map<string, Float32Array>();
  const done: string[] = [];
  let typed = fake;
  const pieces = levels.map((level) => {
    const outputs = level.map((t) => t.tensor);
    // What a piece reads is found before the shapes are known; the types are filled in when it runs.
    const cuts = [...done];
    const types = new Map(fake.types);
    for (const name of cuts) {
      if (!types.has(name)) types.set(name, { dtype: "float32", shape: [] });
    }
    const reads = extract({ ...fake, types }, outputs, cuts).inputs.map((p) => p.name);
    done.push(...outputs);
    return { level, outputs, cuts, reads };
  });
  for (const [k, piece] of pieces.entries()) {
    const graph = extract(typed, piece.outputs, piece.cuts);
    const own = new Map(piece.outputs.map((name) => [name, new ChannelMeans()]));
    const feeds = kept.map((all): Feeds =>
      new Map(piece.reads.map((name): [string, Tensor] => [name, all.get(name)!]))
    );
    await runAll(engine, graph, piece.outputs, feeds, (index, out) => {
      for (const [name, t] of out) {
        own.get(name)?.add(t);
        kept[index]!.set(name, t);
      }
    });
    const later = new Set(pieces.slice(k + 1).flatMap((p) => p.reads));
    const types = new Map(typed.types);
    for (const { node, tensor } of piece.level) {
      const want = means.get(tensor)!.value(), got = own.get(tensor)!.value();
      const delta = Float32Array.from(want, (m, c) => m - got[c]!);
      deltas.set(node, delta);
      const sample = kept[0]!.get(tensor)!;
      types.set(tensor, { dtype: sample.dtype, shape: sample.shape });
      for (const all of kept) all.set(tensor, shifted(all.get(tensor)!, delta));
    }
    for (const all of kept) for (const name of all.keys()) if (!later.has(name)) all.delete(name);
    typed = { ...typed, types };
    options.onLevel?.(k + 1, pieces.length);
  }
  return deltas;
}

/**
 * Adds corrections to the biases (input 2, Conv and Gemm) of nodes. A bias that several nodes share, or
 * that a node lacks, becomes a constant of its own.
 */
export function withBiases(graph: Graph, deltas: ReadonlyMap<string, Float32Array>): Graph {
  const constants = new Map(graph.constants);
  const uses = new Map<string, number>();
  for (const n of graph.nodes) for (const i of n.inputs) uses.set(i, (uses.get(i) ?? 0) + 1);
  const taken = new Set<string>([
    ...constants.keys(),
    ...graph.inputs.map((p) => p.name),
    ...graph.nodes.flatMap((n) => n.outputs),
  ]);
  const nodes = graph.nodes.map((n): Node => {
    const delta = deltas.get(n.name);
    if (delta === undefined) return n;
    const old = n.inputs[2] ?? "";
    const bias = old === "" ? undefined : graph.constants.get(old);
    if (old !== "" && !(bias?.data instanceof Float32Array)) {
      throw new BpuError("internal", "the bias is no float constant", { node: n.name, op: n.op });
    }
    const values = bias?.data as Float32Array | undefined;
    const sum = delta.map((d, c) => d + (values?.[c] ?? 0));
    let name = old;
    if (old === "" || (uses.get(old) ?? 0) > 1) {
      name = `${n.name}_bias`;
      for (let k = 1; taken.has(name); k++) name = `${n.name}_bias_${k}`;
      taken.add(name);
    }
    constants.set(name, f32([sum.length], sum));
    return { ...n, inputs: [n.inputs[0]!, n.inputs[1]!, name] };
  });
  return { ...graph, nodes, constants };
}
