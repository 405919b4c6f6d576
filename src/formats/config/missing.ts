/**
 * Groups and keys that a config must have and has not.
 *
 * @module
 */

import { suggest } from "./issues.ts";
import type { GroupName } from "./key_spec.ts";
import { quote, type Reader } from "./reader.ts";
import { groups } from "./schema.ts";
import type { Position, YamlMap } from "./yaml.ts";

/** A group or a key of a group that no schema knows. */
export interface Unknown {
  /** Undefined for a group. */
  readonly group: GroupName | undefined;
  readonly key: string;
  readonly at: Position;
}

/** What stands at the top of a config. */
export interface Groups {
  readonly maps: ReadonlyMap<GroupName, YamlMap>;
  readonly places: ReadonlyMap<string, Position>;
  readonly unknown: readonly Unknown[];
}

/** Reports missing groups and keys, in the original tool's words. */
export function reportMissing(reader: Reader, found: Groups, template: boolean): void {
  const { issues } = reader;
  const tflite = reader.text("model_parameters", "tflite_model") !== undefined;
  const start = { line: 1, column: 1 };
  const problems: { group?: GroupName; at: Position; keys: string[] }[] = [];
  const absent = groups.filter((g) => g.required && !found.places.has(g.name)).map((g) => g.name);
  if (absent.length > 0) problems.push({ at: start, keys: absent });
  for (const g of groups) {
    if (!found.maps.has(g.name)) continue;
    const keys = g.keys.filter((k) =>
      k.required !== undefined && k.required.holds(reader) &&
      reader.text(g.name, k.name) === undefined
    ).map((k) => k.name).sort();
    if (keys.length > 0) problems.push({ group: g.name, at: found.places.get(g.name)!, keys });
  }
  const message = (p: { group?: GroupName; keys: string[] }) => {
    const who = p.group === undefined ? "" : `Key '${p.group}' error: `;
    const clues = p.keys.flatMap((k) => clue(reader, found, p.group, k) ?? []);
    return [`${who}Missing keys: ${p.keys.map((k) => `'${k}'`).join(", ")}`, ...clues].join("; ");
  };
  if (template && isTemplate(reader, problems.flatMap((p) => p.keys), tflite)) {
    for (const p of problems) {
      issues.warn(undefined, p.at, `${message(p)} (a conversion needs them)`);
    }
    return;
  }
  for (const p of problems) issues.error(undefined, p.at, message(p));
}

/** Where the author may have meant to write the key: empty, misspelt, or in another group. */
function clue(
  reader: Reader,
  found: Groups,
  group: GroupName | undefined,
  key: string,
): string | undefined {
  const empty = group === undefined ? undefined : reader.at(group, key);
  if (empty !== undefined) return `'${key}' in line ${empty.line} has no value`;
  const near = found.unknown.find((u) => u.group === group && suggest(u.key, [key]) === key) ??
    found.unknown.find((u) => u.key === key);
  if (near === undefined) return undefined;
  return near.key === key
    ? `'${key}' in line ${near.at.line} belongs into ${group}`
    : `${quote(near.key)} in line ${near.at.line}: did you mean ${key}?`;
}

/** Keys that the command line, a random calibration or the model itself can stand in for. */
const FILLED_LATER = new Set([
  "onnx_model",
  "caffe_model",
  "prototxt",
  "march",
  "input_layout_train",
  "cal_data_dir",
  "calibration_parameters",
  "compiler_parameters",
]);

function isTemplate(reader: Reader, missing: readonly string[], tflite: boolean): boolean {
  if (tflite) return missing.every((k) => k === "onnx_model");
  const model = ["onnx_model", "caffe_model", "prototxt"].some((k) =>
    reader.text("model_parameters", k) !== undefined
  );
  const march = reader.text("model_parameters", "march") !== undefined;
  return !model && !march && missing.every((k) => FILLED_LATER.has(k));
}
