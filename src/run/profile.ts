/**
 * Where the time of a model goes: milliseconds of every node on the kernels, and of every CPU part.
 *
 * @module
 */

import type { Engine, Feeds } from "../ir/engine.ts";
import type { Graph } from "../ir/graph.ts";

/** Times of one node or CPU part over all frames, milliseconds. */
export interface ProfileRow {
  readonly name: string;
  readonly type: string;
  readonly on: "BPU" | "CPU";
  readonly count: number;
  readonly average: number;
  readonly min: number;
  readonly max: number;
  readonly total: number;
}

/** Collects times. Frames must not overlap. */
export class Profile {
  readonly #rows = new Map<string, { -readonly [K in keyof ProfileRow]: ProfileRow[K] }>();
  #last = 0;

  /** A frame begins. */
  begin(): void {
    this.#last = performance.now();
  }

  /** A node or part has ended: its time is that since the last event. */
  mark(on: ProfileRow["on"], type: string, name: string): void {
    const now = performance.now(), ms = now - this.#last;
    this.#last = now;
    const key = `${on} ${name}`;
    const row = this.#rows.get(key);
    if (row === undefined) {
      const first = { name, type, on, count: 1, average: ms, min: ms, max: ms, total: ms };
      this.#rows.set(key, first);
      return;
    }
    row.count++;
    row.total += ms;
    row.average = row.total / row.count;
    row.min = Math.min(row.min, ms);
    row.max = Math.max(row.max, ms);
  }

  /** In the order of the first frame. */
  get rows(): readonly ProfileRow[] {
    return [...this.#rows.values()];
  }

  /** An engine whose sessions count as CPU parts, each named by its first and last node. */
  engine(engine: Engine): Engine {
    return {
      name: engine.name,
      open: async (graph: Graph, fetch) => {
        const session = await engine.open(graph, fetch);
        const first = graph.nodes[0], last = graph.nodes.at(-1);
        const name = first === undefined || first === last
          ? first?.name ?? graph.name
          : `${first.name}..${last!.name}`;
        const type = first === last ? first?.op ?? "" : `${graph.nodes.length} nodes`;
        return {
          run: async (feeds: Feeds) => {
            this.#last = performance.now();
            const out = await session.run(feeds);
            this.mark("CPU", type, name);
            return out;
          },
          close: () => session.close(),
        };
      },
    };
  }
}

const cell = (text: string) => /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/** `profiler.csv`: one row a node, in execution order. */
export function profileCsv(rows: readonly ProfileRow[]): string {
  const six = (v: number) => v.toFixed(6);
  const lines = rows.map((r) =>
    [
      ...[cell(r.name), cell(r.type), r.on, r.count],
      ...[six(r.average), six(r.min), six(r.max), six(r.total)],
    ].join(",")
  );
  return ["name,type,on,count,average_ms,min_ms,max_ms,total_ms", ...lines, ""].join("\n");
}

/** `profiler.log`: sums, then the nodes that take most. */
export function profileLog(model: string, rows: readonly ProfileRow[]): string {
  const total = rows.reduce((sum, r) => sum + r.total, 0);
  const of = (on: ProfileRow["on"]) =>
    rows.filter((r) => r.on === on).reduce((sum, r) => sum + r.total, 0);
  const frames = Math.max(0, ...rows.map((r) => r.count));
  const share = (ms: number) => `${(total === 0 ? 0 : 100 * ms / total).toFixed(1)} %`;
  const worst = [...rows].sort((a, b) => b.total - a.total || (a.name < b.name ? -1 : 1));
  const width = Math.max(4, ...worst.map((r) => r.name.length));
  const type = Math.max(4, ...worst.map((r) => r.type.length));
  return [
    `model: ${model}`,
    `frames: ${frames}`,
    `time in nodes: ${total.toFixed(3)} ms`,
    `BPU part (simulated on this host): ${of("BPU").toFixed(3)} ms, ${share(of("BPU"))}`,
    `CPU part: ${of("CPU").toFixed(3)} ms, ${share(of("CPU"))}`,
    "",
    `${"node".padEnd(width)}  ${"type".padEnd(type)}  on   average ms    share`,
    ...worst.map((r) =>
      `${r.name.padEnd(width)}  ${r.type.padEnd(type)}  ${r.on}  ${
        r.average.toFixed(6).padStart(10)
      }  ${share(r.total).padStart(7)}`
    ),
    "",
  ].join("\n");
}
