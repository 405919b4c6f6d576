/**
 * Minimum cut of a small directed network.
 *
 * @module
 */

/** A capacity that is never cut. */
export const NEVER = 2 ** 50;

/**
 * A network between a source and a sink, cut where it is cheapest (Dinic's algorithm: shortest
 * augmenting paths in layers).
 *
 * ```ts
 * import { Network } from "./min_cut.ts";
 *
 * const net = new Network();
 * const a = net.vertex();
 * net.edge(net.source, a, 3);
 * net.edge(a, net.sink, 2);
 * console.assert(net.cut() === 2 && !net.onSinkSide(a));
 * ```
 */
export class Network {
  readonly source = 0;
  readonly sink = 1;
  /** Edge e and its reverse e ^ 1. */
  readonly #to: number[] = [];
  readonly #capacity: number[] = [];
  readonly #edges: number[][] = [[], []];
  #level = new Int32Array(0);

  vertex(): number {
    return this.#edges.push([]) - 1;
  }

  /** An edge that costs `capacity` when `from` stays with the source and `to` goes to the sink. */
  edge(from: number, to: number, capacity: number): void {
    if (from === to) return;
    this.#edges[from]!.push(this.#to.push(to) - 1);
    this.#capacity.push(capacity);
    this.#edges[to]!.push(this.#to.push(from) - 1);
    this.#capacity.push(0);
  }

  /** Whether a vertex is not connected to the source any more; after `cut`. */
  onSinkSide(v: number): boolean {
    return this.#level[v]! < 0;
  }

  /** Cost of the cheapest cut. */
  cut(): number {
    let total = 0;
    while (this.#layers()) {
      const next = new Int32Array(this.#edges.length);
      for (let f = this.#push(next); f > 0; f = this.#push(next)) total += f;
    }
    return total;
  }

  #layers(): boolean {
    this.#level = new Int32Array(this.#edges.length).fill(-1);
    this.#level[this.source] = 0;
    const queue = [this.source];
    for (let i = 0; i < queue.length; i++) {
      const v = queue[i]!;
      for (const e of this.#edges[v]!) {
        const to = this.#to[e]!;
        if (this.#capacity[e]! <= 0 || this.#level[to]! >= 0) continue;
        this.#level[to] = this.#level[v]! + 1;
        queue.push(to);
      }
    }
    return this.#level[this.sink]! >= 0;
  }

  /** One augmenting path, by an explicit stack: networks are deeper than the call stack. */
  #push(next: Int32Array): number {
    const path: number[] = [];
    let v = this.source;
    while (v !== this.sink) {
      const edges = this.#edges[v]!;
      let found = -1;
      for (; next[v]! < edges.length; next[v]!++) {
        const e = edges[next[v]!]!;
        if (this.#capacity[e]! > 0 && this.#level[this.#to[e]!] === this.#level[v]! + 1) {
          found = e;
          break;
        }
      }
      if (found >= 0) {
        path.push(found);
        v = this.#to[found]!;
        continue;
      }
      const back = path.pop();
      if (back === undefined) return 0;
      v = this.#to[back ^ 1]!;
      next[v]!++;
    }
    let flow = Infinity;
    for (const e of path) flow = Math.min(flow, this.#capacity[e]!);
    for (const e of path) {
      this.#capacity[e]! -= flow;
      this.#capacity[e ^ 1]! += flow;
    }
    return flow;
  }
}
