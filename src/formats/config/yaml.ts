/**
 * YAML text as a tree whose every value knows its line and column. Built from the parser's events, so
 * that a number keeps its spelling, keys never become object properties, and an alias costs a reference.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import {
  EVENT_ALIAS,
  EVENT_DOCUMENT,
  EVENT_MAPPING,
  EVENT_POP,
  EVENT_SCALAR,
  EVENT_SEQUENCE,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE_PLAIN,
  YAMLException,
} from "../../deps.ts";
import { joinFlowLines } from "./flow.ts";
import { findCulprit } from "./syntax.ts";

/** Where a value stands, both 1-based. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A scalar as written: `text` is decoded, `plain` says that it had no quotes. */
export interface YamlScalar {
  readonly kind: "scalar";
  readonly text: string;
  readonly plain: boolean;
  readonly at: Position;
}

/** One `key: value` of a mapping. */
export interface YamlEntry {
  readonly key: string;
  readonly keyAt: Position;
  readonly value: YamlNode;
}

/** A mapping; entries in the order of the file, each key once. */
export interface YamlMap {
  readonly kind: "map";
  readonly entries: readonly YamlEntry[];
  readonly at: Position;
}

/** A sequence. */
export interface YamlList {
  readonly kind: "list";
  readonly items: readonly YamlNode[];
  readonly at: Position;
}

/** Any YAML value. */
export type YamlNode = YamlScalar | YamlMap | YamlList;

/** A key that stands twice in one mapping; the later value counts. */
export interface DuplicateKey {
  readonly key: string;
  readonly first: Position;
  readonly second: Position;
}

/** What {@linkcode parseYaml} returns. */
export interface YamlDocument {
  readonly root: YamlNode | undefined;
  readonly duplicates: readonly DuplicateKey[];
}

/** Limits on configs: real ones are below 20 kB, a node_info of a large model below 1 MB. */
export const yamlLimits = { bytes: 8 << 20, depth: 32, aliases: 256, merged: 20_000 } as const;

const NULLS = new Set(["", "~", "null", "Null", "NULL"]);

/** Whether a node is YAML's null (an empty value, `~`, `null`). */
export function isNull(node: YamlNode): boolean {
  return node.kind === "scalar" && node.plain && NULLS.has(node.text);
}

/**
 * Parses one YAML document.
 *
 * @throws {BpuError} `config` with file, line and column on a syntax error, an unknown alias, a second
 * document; `limit` on size, depth or alias limits.
 *
 * @example
 * ```ts
 * import { parseYaml } from "./yaml.ts";
 * const { root } = parseYaml("a:\n  b: 010\n", "x.yaml");
 * if (root?.kind === "map") console.log(root.entries[0]!.value.at); // { line: 2, column: 3 }
 * ```
 */
export function parseYaml(text: string, file: string): YamlDocument {
  if (text.length > yamlLimits.bytes) {
    throw new BpuError(
      "limit",
      `a config of ${text.length} characters is larger than the limit of ${yamlLimits.bytes}`,
      { file },
    );
  }
  return new Builder(text, file).build();
}

type Events = ReturnType<typeof parseEvents>;

class Builder {
  private at = 0;
  private aliases = 0;
  private merged = 0;
  private readonly lines: number[] = [0];
  private readonly anchors = new Map<string, YamlNode>();
  private readonly duplicates: DuplicateKey[] = [];
  private readonly events: Events;

  constructor(private text: string, private readonly file: string) {
    for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === 10) this.lines.push(i + 1);
    this.events = this.parse();
  }

  private parse(): Events {
    const options = { filename: this.file, maxDepth: yamlLimits.depth };
    try {
      return parseEvents(this.text, options);
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error;
      if (error.reason.includes("indentation")) {
        try {
          const joined = joinFlowLines(this.text);
          const events = parseEvents(joined, options);
          this.text = joined;
          return events;
        } catch (second) {
          if (!(second instanceof YAMLException)) throw second;
          // The first error speaks of the file as it is written.
        }
      }
      const { mark } = error;
      const found = mark === undefined ? undefined : findCulprit(this.text, mark.line + 1);
      const where = found?.column !== undefined
        ? found
        : mark === undefined
        ? {}
        : { line: mark.line + 1, column: mark.column + 1 };
      throw new BpuError("config", `this is not valid YAML: ${found?.reason ?? error.reason}`, {
        file: this.file,
        ...(where.line === undefined ? {} : { line: where.line, column: where.column }),
        hint: found?.hint ?? hintFor(error.reason),
        cause: error,
      });
    }
  }

  build(): YamlDocument {
    let root: YamlNode | undefined;
    let documents = 0;
    while (this.at < this.events.length) {
      const event = this.events[this.at]!;
      if (event.type === EVENT_DOCUMENT || event.type === EVENT_POP) {
        this.at++;
        if (event.type === EVENT_DOCUMENT && ++documents > 1) {
          throw new BpuError("config", "this file holds more than one YAML document (---)", {
            file: this.file,
            hint: "Keep one document a file.",
          });
        }
        continue;
      }
      root = this.node({ line: 1, column: 1 });
    }
    return { root, duplicates: this.duplicates };
  }

  /** Position of an offset, by binary search over the line starts. */
  private position(offset: number): Position {
    let lo = 0, hi = this.lines.length - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >> 1;
      if (this.lines[mid]! <= offset) lo = mid;
      else hi = mid - 1;
    }
    return { line: lo + 1, column: offset - this.lines[lo]! + 1 };
  }

  /** `fallback` is the place of the key, for a value that is not written at all. */
  private node(fallback: Position): YamlNode {
    const event = this.events[this.at++]!;
    if (event.type === EVENT_ALIAS) return this.alias(event.anchorStart, event.anchorEnd);
    if (event.type === EVENT_SCALAR) {
      const plain = event.style === SCALAR_STYLE_PLAIN;
      const at = event.valueStart < 0
        ? fallback
        : this.position(plain ? event.valueStart : Math.max(0, event.valueStart - 1));
      const node: YamlNode = {
        kind: "scalar",
        text: event.valueStart < 0 ? "" : getScalarValue(this.text, event),
        plain,
        at,
      };
      this.anchor(event.anchorStart, event.anchorEnd, node);
      return node;
    }
    if (event.type === EVENT_SEQUENCE) {
      const items: YamlNode[] = [];
      const node: YamlNode = { kind: "list", items, at: this.position(event.start) };
      while (this.events[this.at]!.type !== EVENT_POP) items.push(this.node(node.at));
      this.at++;
      // Only now: a value that contains itself is refused as an unknown alias.
      this.anchor(event.anchorStart, event.anchorEnd, node);
      return node;
    }
    if (event.type === EVENT_MAPPING) {
      const entries: YamlEntry[] = [];
      const node: YamlNode = { kind: "map", entries, at: this.position(event.start) };
      this.fill(entries, node.at);
      this.anchor(event.anchorStart, event.anchorEnd, node);
      return node;
    }
    throw new BpuError("internal", "unexpected YAML event");
  }

  private fill(entries: YamlEntry[], fallback: Position): void {
    const index = new Map<string, number>();
    const merges: YamlNode[] = [];
    while (this.events[this.at]!.type !== EVENT_POP) {
      const key = this.node(fallback);
      const value = this.node(key.at);
      if (key.kind !== "scalar") {
        throw this.error("a key must be a plain word, not a list or a mapping", key.at);
      }
      if (key.plain && key.text === "<<") {
        merges.push(value);
        continue;
      }
      const before = index.get(key.text);
      if (before !== undefined) {
        this.duplicates.push({ key: key.text, first: entries[before]!.keyAt, second: key.at });
        entries[before] = { key: key.text, keyAt: key.at, value };
        continue;
      }
      index.set(key.text, entries.length);
      entries.push({ key: key.text, keyAt: key.at, value });
    }
    this.at++;
    for (const source of merges) this.merge(entries, index, source);
  }

  /** `<<: *other`: keys that the mapping does not have itself. */
  private merge(entries: YamlEntry[], index: Map<string, number>, source: YamlNode): void {
    const maps = source.kind === "list" ? source.items : [source];
    for (const map of maps) {
      if (map.kind !== "map") throw this.error("<< takes a mapping", map.at);
      for (const entry of map.entries) {
        if (index.has(entry.key)) continue;
        if (++this.merged > yamlLimits.merged) {
          throw new BpuError("limit", "merge keys (<<) expand to too many entries", {
            file: this.file,
            ...map.at,
          });
        }
        index.set(entry.key, entries.length);
        entries.push(entry);
      }
    }
  }

  private anchor(start: number, end: number, node: YamlNode): void {
    if (start >= 0) this.anchors.set(this.text.slice(start, end), node);
  }

  private alias(start: number, end: number): YamlNode {
    const name = this.text.slice(start, end);
    const at = this.position(Math.max(0, start - 1));
    if (++this.aliases > yamlLimits.aliases) {
      throw new BpuError("limit", `more than ${yamlLimits.aliases} aliases in one config`, {
        file: this.file,
        ...at,
      });
    }
    const node = this.anchors.get(name);
    if (node === undefined) throw this.error(`the alias *${name} has no anchor before it`, at);
    return node;
  }

  private error(message: string, at: Position): BpuError {
    return new BpuError("config", message, { file: this.file, ...at });
  }
}

function hintFor(reason: string): string {
  if (reason.includes("tab")) return "Indent with spaces.";
  if (reason.includes("indentation")) return "Keys of one group start in the same column.";
  if (reason.includes("maxDepth")) return "A config nests at most four levels.";
  return "Check quotes, colons and indentation near this line.";
}
