/**
 * Reads single values of a config by their declaration: nulls and empty strings mean "use the default",
 * numbers may stand for strings, booleans may be quoted, wrong values become issues with their place.
 *
 * @module
 */

import { allowedText, type GroupName, keyPath, type KeySpec, type Lookup } from "./key_spec.ts";
import { type Issues, suggest } from "./issues.ts";
import { keySpec } from "./schema.ts";
import type { ModelType } from "./types.ts";
import { isNull, type Position, type YamlEntry, type YamlMap, type YamlNode } from "./yaml.ts";

/** One word of a value, with its place. */
export interface Item {
  readonly text: string;
  readonly at: Position;
}

/** A value that may have several parts. */
export interface Items {
  readonly items: readonly Item[];
  readonly at: Position;
  /** Whether a `;` stood behind the last part. */
  readonly trailing: boolean;
  /** Whether the value is a YAML list. */
  readonly list: boolean;
}

const TRUE = new Set(["true", "yes", "on", "y", "1"]);
const FALSE = new Set(["false", "no", "off", "n", "0"]);
const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/;

/** Whether a text stands for "not given". */
export function isAbsent(text: string): boolean {
  return text === "" || text === "None" || text === "none" || text === "null" || text === "~";
}

/** Reads values of the groups of one file. */
export class Reader implements Lookup {
  private readonly entries = new Map<string, YamlEntry>();

  constructor(
    readonly issues: Issues,
    groups: ReadonlyMap<GroupName, YamlMap>,
    public modelType: ModelType = "onnx",
  ) {
    for (const [group, map] of groups) {
      for (const e of map.entries) this.entries.set(`${group}.${e.key}`, e);
    }
  }

  /** The value of a key, or undefined when it is absent, null, empty or None. */
  node(group: GroupName, key: string): YamlNode | undefined {
    const value = this.entries.get(`${group}.${key}`)?.value;
    if (value === undefined || isNull(value)) return undefined;
    if (value.kind === "scalar") return isAbsent(value.text.trim()) ? undefined : value;
    if (value.kind === "list") return value.items.length === 0 ? undefined : value;
    return value.entries.length === 0 ? undefined : value;
  }

  /** Place of the value, or of the key where the value is not written. */
  at(group: GroupName, key: string): Position | undefined {
    return this.entries.get(`${group}.${key}`)?.value.at;
  }

  /** Places of the declared keys that the file has. */
  places(): Map<string, Position> {
    const out = new Map<string, Position>();
    for (const [path, e] of this.entries) {
      const dot = path.indexOf(".");
      if (keySpec(path.slice(0, dot) as GroupName, path.slice(dot + 1)) === undefined) continue;
      out.set(path, e.value.at);
    }
    return out;
  }

  text(group: GroupName, key: string): string | undefined {
    const items = this.items(group, key, ";", false);
    const words = items?.items.map((i) => i.text).filter((t) => !isAbsent(t));
    return words === undefined || words.length === 0 ? undefined : words.join("; ");
  }

  /** Parts of a value, split at `;` (or another separator); undefined when it is not given. */
  items(
    group: GroupName,
    key: string,
    separator: string | RegExp = ";",
    report = true,
  ): Items | undefined {
    const node = this.node(group, key);
    if (node === undefined) return undefined;
    if (node.kind === "scalar") {
      const items = split(node.text, separator, node.at, node.plain);
      let trailing = false;
      while (items.length > 1 && items.at(-1)!.text === "") {
        items.pop();
        trailing = true;
      }
      return { items, at: node.at, trailing, list: false };
    }
    const items: Item[] = [];
    if (node.kind === "list") {
      for (const item of node.items) {
        if (item.kind === "scalar") {
          items.push({ text: isNull(item) ? "" : item.text.trim(), at: item.at });
        } else if (item.kind === "list" && item.items.every((i) => i.kind === "scalar")) {
          const words = item.items.map((i) => i.kind === "scalar" ? i.text.trim() : "");
          items.push({ text: words.join(" "), at: item.at });
        } else if (report) {
          this.wrong(group, key, item.at, "a mapping stands where a value is expected");
        }
      }
      return { items, at: node.at, trailing: false, list: true };
    }
    // {name} is a mapping with an empty value in YAML; its author meant a name.
    for (const e of node.entries) {
      if (isNull(e.value)) items.push({ text: e.key, at: e.keyAt });
      else if (report) {
        this.wrong(group, key, e.keyAt, "a mapping stands where a value is expected");
      }
    }
    return { items, at: node.at, trailing: false, list: true };
  }

  /** One text, or undefined. */
  one(group: GroupName, key: string): Item | undefined {
    const node = this.node(group, key);
    if (node === undefined) return undefined;
    if (node.kind === "scalar") return { text: node.text.trim(), at: node.at };
    if (node.kind === "list" && node.items.length === 1) {
      const item = node.items[0]!;
      if (item.kind === "scalar") return { text: item.text.trim(), at: item.at };
    }
    this.wrong(
      group,
      key,
      node.at,
      `a ${node.kind === "map" ? "mapping" : "list"} is not one value`,
    );
    return undefined;
  }

  /** One text; a value with a control character is refused. */
  word(group: GroupName, key: string): string | undefined {
    const item = this.one(group, key);
    if (item === undefined) return undefined;
    if (hasControl(item.text)) {
      this.wrong(group, key, item.at, "the value has control characters or line breaks");
      return undefined;
    }
    return item.text;
  }

  flag(group: GroupName, key: string, fallback: boolean): boolean {
    const item = this.one(group, key);
    if (item === undefined) return fallback;
    const t = item.text.toLowerCase();
    if (TRUE.has(t)) return true;
    if (FALSE.has(t)) return false;
    this.wrong(group, key, item.at, `${quote(item.text)} is not True or False`);
    return fallback;
  }

  /** A number of the declared kind and range. */
  number(group: GroupName, key: string): number | undefined {
    const item = this.one(group, key);
    if (item === undefined) return undefined;
    const spec = spelled(group, key);
    const value = NUMBER.test(item.text) ? Number(item.text) : NaN;
    const kind = spec.kind === "integer" ? "a whole number" : "a number";
    if (!Number.isFinite(value) || spec.kind === "integer" && !Number.isInteger(value)) {
      this.wrong(group, key, item.at, `${quote(item.text)} is not ${kind}`);
      return undefined;
    }
    if (spec.orZero === true && value === 0) return 0;
    if (value < (spec.min ?? -Infinity) || value > (spec.max ?? Infinity)) {
      this.wrong(group, key, item.at, `${item.text} is out of range`);
      return undefined;
    }
    return value;
  }

  /** One of the declared values. */
  choice(group: GroupName, key: string): string | undefined {
    const item = this.one(group, key);
    return item === undefined ? undefined : this.choose(group, key, item);
  }

  /** Matches one item against the declared values. */
  choose(group: GroupName, key: string, item: Item): string | undefined {
    const spec = spelled(group, key);
    const values = spec.values ?? [];
    const exact = values.find((v) => v === item.text);
    if (exact !== undefined) return exact;
    const lower = item.text.toLowerCase();
    const same = values.find((v) => v.toLowerCase() === lower) ??
      spec.spellings?.find(([w]) => w === lower)?.[1];
    if (same !== undefined) {
      this.issues.warn(keyPath(spec), item.at, `${quote(item.text)} is read as ${same}`);
      return same;
    }
    const near = suggest(item.text, values);
    if (near !== undefined && spec.forgiving === true) {
      this.issues.warn(
        keyPath(spec),
        item.at,
        `${quote(item.text)} is not a value; it is read as ${near}`,
        allowedText(spec),
      );
      return near;
    }
    const hint = near === undefined ? "" : `; did you mean ${near}?`;
    this.wrong(group, key, item.at, `${quote(item.text)} is not a value${hint}`);
    return undefined;
  }

  /** Names separated by `;`, without empty ones. */
  names(group: GroupName, key: string): string[] {
    return (this.items(group, key)?.items ?? []).map((i) => i.text).filter((t) => !isAbsent(t));
  }

  /** Numbers of one part: separated by spaces or commas, brackets allowed. */
  numbers(group: GroupName, key: string, item: Item): number[] | undefined {
    const out: number[] = [];
    for (const w of item.text.replace(/^[[(]|[\])]$/g, "").split(/[\s,]+/)) {
      if (w === "") continue;
      const value = NUMBER.test(w) ? Number(w) : NaN;
      if (!Number.isFinite(value)) {
        const fraction = /^[\d.]+\/[\d.]+$/.test(w) ? "; write the result of the division" : "";
        this.wrong(group, key, item.at, `${quote(w)} is not a number${fraction}`);
        return undefined;
      }
      out.push(value);
    }
    if (out.length > 65536) {
      this.wrong(group, key, item.at, `${out.length} numbers are too many`);
      return undefined;
    }
    return out;
  }

  /** A shape such as 1x3x224x224; `?`, -1 and 0 are unknown (-1). */
  shape(group: GroupName, key: string, item: Item): number[] | undefined {
    const words = item.text.replace(/^[[(]|[\])]$/g, "").split(/[xX*,\s]+/).filter((w) => w !== "");
    const dims = words.map((w) => w === "?" || w === "-1" ? -1 : /^\d+$/.test(w) ? Number(w) : NaN);
    if (dims.length === 0 || dims.length > 16 || !dims.every((d) => d <= 2147483647)) {
      this.wrong(group, key, item.at, `${quote(item.text)} is not a shape`);
      return undefined;
    }
    return dims.map((d) => d === 0 ? -1 : d);
  }

  /** Reports a wrong value with what is allowed. */
  wrong(group: GroupName, key: string, at: Position | undefined, message: string): void {
    const spec = spelled(group, key);
    this.issues.error(keyPath(spec), at, message, allowedText(spec));
  }
}

function spelled(group: GroupName, key: string): KeySpec {
  const spec = keySpec(group, key);
  if (spec === undefined) throw new Error(`${group}.${key} is not declared`);
  return spec;
}

/** Splits at a separator and keeps the place of each part (exact for values on one line). */
function split(text: string, separator: string | RegExp, at: Position, plain: boolean): Item[] {
  const one = !text.includes("\n");
  const items: Item[] = [];
  const pattern = typeof separator === "string" ? separator : new RegExp(separator, "g");
  let from = 0;
  const push = (part: string, offset: number) => {
    const lead = part.length - part.trimStart().length;
    const column = at.column + (plain ? 0 : 1) + offset + lead;
    const first = offset === 0 && lead === 0;
    items.push({ text: part.trim(), at: one && !first ? { line: at.line, column } : at });
  };
  if (typeof pattern === "string") {
    for (const part of text.split(pattern)) {
      push(part, from);
      from += part.length + pattern.length;
    }
    return items;
  }
  for (const m of text.matchAll(pattern)) {
    push(text.slice(from, m.index), from);
    from = m.index + m[0].length;
  }
  push(text.slice(from), from);
  return items;
}

/** A text for a message: quoted, shortened, control characters shown as ?. */
export function quote(text: string): string {
  // deno-lint-ignore no-control-regex
  const clean = text.replace(/[\u0000-\u001f\u007f]/g, "?");
  return `'${clean.length > 60 ? `${clean.slice(0, 57)}...` : clean}'`;
}

/** Whether a text has control characters, which no path or name has. */
export function hasControl(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return /[\u0000-\u001f\u007f]/.test(text);
}
