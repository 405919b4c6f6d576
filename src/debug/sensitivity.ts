/**
 * What an error in one tensor does to the outputs, everything else being float. Only what lies behind
 * the tensor is run again: the rest comes from one run of the whole graph that is kept.
 *
 * @module
 */

import { extract } from "../calibrate/extract.ts";
import type { Engine, Feeds } from "../ir/engine.ts";
import { consumers } from "../ir/graph.ts";
import type { Graph } from "../ir/graph.ts";
import { byteSize, elementCount, isStatic } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import { noiseOf, type Reference, reference } from "./similarity.ts";

/** A change of a tensor's values, such as fake quantization. */
export type Change = (values: Float32Array) => Float32Array;

/** quantizeValue and back (docs/arithmetic.md section 2), in one loop: millions of values pass here. */
export function fakeQuantization(scale: number, qmin: number, qmax: number, zero = 0): Change {
  const low = qmin - zero, high = qmax - zero;
  return (values) => {
    const out = new Float32Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const v = values[i]! / scale;
      const q = v < 0 ? -Math.floor(0.5 - v) : Math.floor(v + 0.5);
      out[i] = (q < low ? low : q > high ? high : q === q ? q : 0) * scale;
    }
    return out;
  };
}

/** Answers for one graph and a few samples. */
export interface Replay {
  /**
   * Error power over signal power at the outputs, added up over the outputs, for every change of one
   * tensor, on the first `samples` that are kept (default: all). A tensor that no output depends on
   * gives 0.
   */
  noise(tensor: string, changes: readonly Change[], samples?: number): Promise<number[]>;
}

/** Most bytes of activations that are kept. */
const KEPT = 2 ** 29;

/**
 * Runs the samples once and keeps all activations; as many samples as fit in half a GiB, at least one.
 */
export async function openReplay(
  graph: Graph,
  samples: readonly Feeds[],
  engine: Engine,
): Promise<Replay> {
  const tensors = graph.nodes.flatMap((n) => n.outputs).filter((t) => t !== "");
  const bytes = tensors.reduce((s, t) => {
    const type = graph.types.get(t);
    return s +
      (type !== undefined && isStatic(type.shape)
        ? elementCount(type.shape) * byteSize(type.dtype)
        : 0);
  }, 0);
  const used = samples.slice(0, Math.max(1, Math.floor(KEPT / Math.max(1, bytes))));
  const known = tensors.filter((t) => graph.types.has(t));
  const session = await engine.open(graph, known);
  const kept: ReadonlyMap<string, Tensor>[] = [];
  for (const s of used) kept.push(new Map([...s, ...await session.run(s)]));
  await session.close();
  const names = graph.outputs.map((o) => o.name);
  const wanted = kept.map((m) => new Map(names.map((n): [string, Tensor] => [n, m.get(n)!])));
  const references = new Map<number, Reference>();
  const referenceOf = (samples: number): Reference => {
    let known = references.get(samples);
    if (known === undefined) references.set(samples, known = reference(wanted.slice(0, samples)));
    return known;
  };
  const readers = consumers(graph);

  /** Tensors that depend on one. */
  const behind = (tensor: string): Set<string> => {
    const found = new Set<string>();
    const queue = [tensor];
    for (let t = queue.pop(); t !== undefined; t = queue.pop()) {
      for (const n of readers.get(t) ?? []) {
        for (const o of n.outputs) {
          if (o !== "" && !found.has(o)) {
            found.add(o);
            queue.push(o);
          }
        }
      }
    }
    return found;
  };

  return {
    async noise(tensor, changes, samples = kept.length) {
      const used = kept.slice(0, samples), compared = referenceOf(used.length);
      const changed = behind(tensor);
      const reached = names.filter((n) => changed.has(n));
      const own = names.includes(tensor);
      if (reached.length === 0 && !own) return changes.map(() => 0);
      const cuts = [tensor, ...known.filter((t) => t !== tensor && !changed.has(t))];
      const piece = reached.length === 0 ? undefined : extract(graph, reached, cuts);
      const open = piece === undefined ? undefined : await engine.open(piece, reached);
      try {
        const out: number[] = [];
        for (const change of changes) {
          const found: Map<string, Tensor>[] = [];
          for (const [i, all] of used.entries()) {
            const x = all.get(tensor)!;
            const y: Tensor = { ...x, data: change(x.data as Float32Array) };
            const result = new Map(wanted[i]);
            if (own) result.set(tensor, y);
            if (open !== undefined) {
              const feeds = new Map(
                piece!.inputs.map((p): [string, Tensor] => [
                  p.name,
                  p.name === tensor ? y : all.get(p.name)!,
                ]),
              );
              for (const [name, t] of await open.run(feeds)) result.set(name, t);
            }
            found.push(result);
          }
          const s = compared.compare(found);
          out.push(s.parts.reduce((sum, p) => sum + noiseOf(p.fidelity), 0) / s.parts.length);
        }
        return out;
      } finally {
        await open?.close();
      }
    },
  };
}
