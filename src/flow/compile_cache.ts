/**
 * `cache.json`: schedules that a search found before, by what they were searched for.
 *
 * @module
 */

import type { Graph } from "../ir/graph.ts";
import { typeOf } from "../ir/graph.ts";
import type { MarchName } from "../march/march.ts";
import { checkedSchedule, searchSchedule } from "../compile/schedule.ts";
import type { Level, Schedule } from "../compile/schedule.ts";
import { version } from "./version.ts";

/** Schedules that a file keeps; the oldest goes first. */
const KEPT = 16;

interface Entry {
  readonly key: string;
  readonly schedule: Schedule;
}

/** What {@linkcode scheduleWithCache} gives. */
export interface CachedSchedule {
  readonly schedule: Schedule;
  /** Whether the file had it. */
  readonly hit: boolean;
  /** New text of the file; undefined when it has not changed. */
  readonly text: string | undefined;
  /** What was wrong with the file that was given. */
  readonly warning: string | undefined;
}

/**
 * SHA-256 of all that a schedule depends on: version, march, level, and the nodes and tensor types of
 * the quantized graph. Values of constants do not matter.
 */
async function keyOf(graph: Graph, march: MarchName, level: Level): Promise<string> {
  const text = JSON.stringify([
    version,
    march,
    level,
    graph.nodes.map((n) => [
      n.op,
      n.domain,
      n.name,
      n.inputs,
      n.outputs,
      n.outputs.map((t) => {
        const type = typeOf(graph, t);
        return type === undefined ? null : [type.dtype, type.shape];
      }),
    ]),
    graph.inputs.map((p) => [p.name, p.dtype, p.shape]),
    graph.outputs.map((p) => p.name),
  ]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((b) => b.toString(16).padStart(2, "0")).join("");
}

function entriesOf(text: string): Entry[] | undefined {
  try {
    const v = JSON.parse(text) as { version?: unknown; entries?: unknown } | null;
    if (v === null || v.version !== 1 || !Array.isArray(v.entries)) return undefined;
    const entries = v.entries as unknown[];
    const sound = entries.every((e) =>
      typeof e === "object" && e !== null && typeof (e as Entry).key === "string" && "schedule" in e
    );
    return sound ? entries as Entry[] : undefined;
  } catch {
    return undefined;
  }
}

/** The schedule of a graph, from the file's text or by a search. A damaged file is left aside. */
export async function scheduleWithCache(
  graph: Graph,
  march: MarchName,
  level: Level,
  text: string | undefined,
): Promise<CachedSchedule> {
  const key = await keyOf(graph, march, level);
  const read = text === undefined ? [] : entriesOf(text);
  let warning = read === undefined ? "cache.json is damaged and is not used" : undefined;
  const entries = read ?? [];
  const found = entries.find((e) => e.key === key);
  if (found !== undefined) {
    const schedule = checkedSchedule(graph, found.schedule);
    if (schedule !== undefined) return { schedule, hit: true, text: undefined, warning };
    warning = "cache.json has a damaged entry for this model; it is compiled anew";
  }
  const schedule = searchSchedule(graph, level);
  const kept = [...entries.filter((e) => e.key !== key), { key, schedule }].slice(-KEPT);
  return { schedule, hit: false, text: JSON.stringify({ version: 1, entries: kept }), warning };
}
