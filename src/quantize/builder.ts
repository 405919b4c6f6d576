/**
 * The quantized graph under construction.
 *
 * @module
 */

import type { Node } from "../ir/graph.ts";
import type { Tensor, TensorType } from "../ir/tensor.ts";

/** Collects the nodes, constants and types of the graph under construction. */
export class GraphBuilder {
  readonly nodes: Node[] = [];
  readonly constants = new Map<string, Tensor>();
  readonly types = new Map<string, TensorType>();
  readonly sources = new Map<string, string>();
  readonly #names = new Set<string>();
  readonly #tensors = new Set<string>();

  /** A node name that is not taken yet: `base`, `base_1`, ... */
  nodeName(base: string): string {
    let name = base;
    for (let i = 1; this.#names.has(name); i++) name = `${base}_${i}`;
    this.#names.add(name);
    return name;
  }

  /** A tensor name that is not taken yet. */
  tensorName(base: string): string {
    let name = base;
    for (let i = 1; this.#tensors.has(name); i++) name = `${base}_${i}`;
    this.#tensors.add(name);
    return name;
  }

  /** Keeps a name of the float graph out of reach of generated ones. */
  reserve(name: string): void {
    this.#tensors.add(name);
  }
}
