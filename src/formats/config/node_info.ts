/**
 * node_info and the deprecated keys that it has taken over, merged into one list.
 *
 * @module
 */

import type { GroupName } from "./key_spec.ts";
import { suggest } from "./issues.ts";
import { type Item, quote, type Reader } from "./reader.ts";
import type { NodeDataType, NodeInfo } from "./types.ts";
import { isNull, parseYaml, type YamlMap, type YamlNode } from "./yaml.ts";

interface Draft {
  on?: "CPU" | "BPU";
  inputType?: NodeDataType;
  inputTypes: Map<number, NodeDataType>;
  outputType?: NodeDataType;
}

const MODEL: GroupName = "model_parameters";
const CALIBRATION: GroupName = "calibration_parameters";

/** Reads node_info, set_node_data_type, run_on_cpu and run_on_bpu; node_info wins where they meet. */
export function readNodeInfo(reader: Reader): NodeInfo[] {
  const drafts = new Map<string, Draft>();
  const draft = (name: string): Draft => {
    const d = drafts.get(name) ?? { inputTypes: new Map<number, NodeDataType>() };
    drafts.set(name, d);
    return d;
  };
  for (const [key, on] of [["run_on_cpu", "CPU"], ["run_on_bpu", "BPU"]] as const) {
    for (const name of reader.names(CALIBRATION, key)) draft(name).on = on;
  }
  for (const key of ["set_node_data_type", "node_info"]) {
    const node = reader.node(MODEL, key);
    if (node === undefined) continue;
    const map = asMap(node);
    if (map !== undefined) readMap(reader, key, map, draft);
    else readText(reader, key, draft);
  }
  return [...drafts].map(([name, d]) => ({ name, ...d }));
}

/** A mapping, also one that stands in a string. */
export function asMap(node: YamlNode): YamlMap | undefined {
  if (node.kind === "map") return node;
  if (node.kind !== "scalar" || !node.text.trim().startsWith("{")) return undefined;
  try {
    const { root } = parseYaml(node.text.trim(), "");
    // Places inside the string are not places of the file.
    return root?.kind === "map" ? relocate(root, node) : undefined;
  } catch {
    return undefined;
  }
}

function relocate(map: YamlMap, owner: YamlNode): YamlMap {
  return {
    kind: "map",
    at: owner.at,
    entries: map.entries.map((e) => ({
      key: e.key,
      keyAt: owner.at,
      value: e.value.kind === "map" ? relocate(e.value, owner) : { ...e.value, at: owner.at },
    })),
  };
}

function readMap(reader: Reader, key: string, map: YamlMap, draft: (n: string) => Draft): void {
  for (const entry of map.entries) {
    const d = draft(entry.key);
    const value = entry.value;
    if (isNull(value)) continue;
    if (value.kind === "scalar") {
      const type = dataType(reader, key, entry.key, { text: value.text, at: value.at });
      if (type !== undefined) d.outputType = type;
      continue;
    }
    if (value.kind === "list") {
      reader.wrong(
        MODEL,
        key,
        value.at,
        `node ${quote(entry.key)}: a list is not node information`,
      );
      continue;
    }
    for (const field of value.entries) readField(reader, key, entry.key, field.key, field.value, d);
  }
}

function readField(
  reader: Reader,
  key: string,
  node: string,
  field: string,
  value: YamlNode,
  d: Draft,
): void {
  if (value.kind !== "scalar") {
    reader.wrong(MODEL, key, value.at, `node ${quote(node)}: ${quote(field)} takes one word`);
    return;
  }
  const item: Item = { text: value.text.trim(), at: value.at };
  const name = field.toLowerCase();
  if (name === "on" || name === "true") {
    const on = item.text.toUpperCase();
    if (on === "CPU" || on === "BPU") d.on = on;
    else {
      reader.wrong(
        MODEL,
        key,
        item.at,
        `node ${quote(node)}: ON is ${quote(item.text)}, it must be CPU or BPU`,
      );
    }
    return;
  }
  const input = /^inputtype(\d*)$/.exec(name);
  if (input !== null) {
    const type = dataType(reader, key, node, item);
    if (type === undefined) return;
    if (input[1] === "") d.inputType = type;
    else if (Number(input[1]) < 65536) d.inputTypes.set(Number(input[1]), type);
    return;
  }
  if (name === "outputtype") {
    const type = dataType(reader, key, node, item);
    if (type !== undefined) d.outputType = type;
    return;
  }
  if (/^outputtype\d+$/.test(name)) {
    reader.wrong(
      MODEL,
      key,
      item.at,
      `node ${quote(node)}: ${field} is not supported, OutputType holds for all outputs`,
    );
    return;
  }
  const near = suggest(field, ["ON", "InputType", "OutputType"]);
  reader.issues.warn(
    `${MODEL}.${key}`,
    item.at,
    `node ${quote(node)}: ${quote(field)} is not known and ignored${
      near === undefined ? "" : `; did you mean ${near}?`
    }`,
    "ON, InputType, InputType0, InputType1, ..., OutputType",
  );
}

function dataType(reader: Reader, key: string, node: string, item: Item): NodeDataType | undefined {
  const t = item.text.trim().toLowerCase();
  if (t === "int8" || t === "int16") return t;
  reader.wrong(
    MODEL,
    key,
    item.at,
    `node ${quote(node)}: ${quote(item.text)} is not a type, it must be int8 or int16`,
  );
  return undefined;
}

/** `n1:int16;n2:int16`. A node's name may hold colons: the last one counts. */
function readText(reader: Reader, key: string, draft: (n: string) => Draft): void {
  for (const item of reader.items(MODEL, key)?.items ?? []) {
    if (item.text === "") continue;
    const colon = item.text.lastIndexOf(":");
    if (colon <= 0) {
      reader.wrong(MODEL, key, item.at, `${quote(item.text)} is not of the form node:int16`);
      continue;
    }
    const name = item.text.slice(0, colon).trim();
    const type = dataType(reader, key, name, { text: item.text.slice(colon + 1), at: item.at });
    if (type !== undefined) draft(name).outputType = type;
  }
}
