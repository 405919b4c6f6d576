/**
 * Rounding of weights by their effect (`optimization: adaround`).
 *
 * @module
 */

import { chooseRounding, PatchMoments } from "../../calibrate/adaround.ts";
import { runAll } from "../../calibrate/observe.ts";
import type { Samples } from "../../calibrate/observe.ts";
import { extract } from "../../calibrate/extract.ts";
import { typeOf } from "../../ir/graph.ts";
import type { Node } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { biasTargets } from "./bias.ts";
import type { SearchTools } from "./default_search.ts";
import type { Recipe } from "./recipe.ts";

/** Samples that the moments are taken from. */
const SAMPLES = 16;
/** Larger layers are rounded to the nearest: time and memory grow with the square. */
const MOST_TAPS = 2304;
/** Most bytes of moments and of activations of one sample that are held at a time. */
const BYTES = 2 ** 28;

/** What {@linkcode withRounding} did. */
export interface RoundingReport {
  readonly recipe: Recipe;
  readonly layers: number;
  readonly skipped: readonly string[];
  /** Weights that are not rounded to the nearest. */
  readonly flipped: number;
}

interface Layer {
  readonly node: Node;
  readonly weight: string;
  /** Tensor of the calibrated graph that the node reads. */
  readonly input: string;
  readonly moments: PatchMoments;
}

/** The recipe with chosen rounding of the weights of all convolutions in two dimensions. */
export async function withRounding(t: SearchTools, recipe: Recipe): Promise<RoundingReport> {
  const w = t.workshop;
  const { rounding: _, bias: __, ...plain } = recipe;
  const { graph } = w.formOf(plain);
  const fake = w.fake(plain);
  const inFake = new Map(fake.nodes.map((n) => [n.name, n]));
  const skipped: string[] = [];
  const weights = new Map<string, Tensor>(), thresholds = new Map<string, Float32Array>();
  const readers = new Map<string, number>();
  for (const n of graph.nodes) for (const i of n.inputs) readers.set(i, (readers.get(i) ?? 0) + 1);
  let flipped = 0;

  const waiting = biasTargets(w).flatMap(({ node: name }): Node[] => {
    const node = inFake.get(name);
    const origin = w.layout.groups.get(name)?.node;
    if (node === undefined || origin === undefined || origin.op !== "Conv") return [];
    const k = graph.constants.get(origin.inputs[1]!)!;
    const taps = k.shape.slice(1).reduce((a, b) => a * b, 1);
    const lone = readers.get(origin.inputs[1]!) === 1;
    if (k.shape.length !== 4 || taps > MOST_TAPS || !lone) {
      skipped.push(name);
      return [];
    }
    return [origin];
  });
  const total = waiting.length;
  while (waiting.length > 0) {
    const batch: Layer[] = [];
    let bytes = 0;
    while (waiting.length > 0) {
      const node = waiting[0]!, weight = node.inputs[1]!;
      const { shape } = graph.constants.get(weight)!;
      const taps = shape.slice(1).reduce((a, b) => a * b, 1);
      const size = typeOf(graph, node.inputs[0]!)?.shape.reduce((a, b) => a * b, 1) ?? 0;
      const groups = shape.length > 0
        ? Math.max(1, (channelsOf(w.graph, node) ?? 1) / shape[1]!)
        : 1;
      bytes += 8 * taps * taps * groups + 4 * size;
      if (batch.length > 0 && bytes > BYTES) break;
      waiting.shift();
      batch.push({
        node,
        weight,
        input: inFake.get(node.name)!.inputs[0]!,
        moments: new PatchMoments(node, shape),
      });
    }
    const names = [...new Set(batch.map((l) => l.input))];
    const inputs = new Set(fake.inputs.map((p) => p.name));
    const computed = names.filter((n) => !inputs.has(n));
    const kept: ReadonlyMap<string, Tensor>[] = [];
    const add = (values: ReadonlyMap<string, Tensor>) => {
      for (const l of batch) {
        const x = values.get(l.input), out = typeOf(graph, l.node.outputs[0]!)?.shape;
        if (x !== undefined && out !== undefined) l.moments.add(x, [out[2]!, out[3]!]);
      }
    };
    await runAll(
      t.engine,
      extract(fake, computed),
      computed,
      first(t.observed(), kept),
      (i, out) => {
        add(new Map([...kept[i]!, ...out]));
      },
    );
    for (const l of batch) {
      const r = chooseRounding(graph.constants.get(l.weight)!, l.moments);
      weights.set(l.weight, r.weights);
      thresholds.set(l.weight, r.thresholds);
      flipped += r.flipped;
    }
    t.progress?.(total - waiting.length, total);
  }
  const report = { layers: weights.size, skipped, flipped };
  if (weights.size === 0) return { ...report, recipe: plain };
  return { ...report, recipe: { ...plain, rounding: { weights, thresholds } } };
}

const channelsOf = (graph: SearchTools["workshop"]["graph"], n: Node) =>
  typeOf(graph, n.inputs[0]!)?.shape[1];

/** The first samples; they are kept for layers that read an input of the graph. */
async function* first(
  samples: Samples,
  kept: ReadonlyMap<string, Tensor>[],
): AsyncGenerator<ReadonlyMap<string, Tensor>> {
  for await (const s of samples) {
    kept.push(s);
    yield s;
    if (kept.length >= SAMPLES) return;
  }
}
