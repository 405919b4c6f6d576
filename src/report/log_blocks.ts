/**
 * Blocks of the conversion log: the configuration as sorted YAML, the model's inputs and outputs.
 *
 * @module
 */

import type { Json } from "../formats/config/mod.ts";
import type { Graph } from "../ir/graph.ts";

/** `[1, 3, '?', 224]` as Python prints it. */
export function pythonShape(shape: readonly number[]): string {
  return `[${shape.map((d) => d < 0 ? "'?'" : String(d)).join(", ")}]`;
}

/** `['a', 'b']` as Python prints it. */
export function pythonNames(names: readonly string[]): string {
  return `[${names.map((n) => `'${n}'`).join(", ")}]`;
}

function scalar(v: Json): string {
  if (v === null) return "null";
  if (typeof v !== "string") return JSON.stringify(v);
  const plain = /^[A-Za-z_./][\w./-]*$/.test(v) && !/^(true|false|null|yes|no|on|off)$/i.test(v);
  return plain ? v : JSON.stringify(v);
}

/** A JSON value as YAML lines, keys sorted; empty lists and open values are left out. */
export function yamlLines(v: Json, indent = ""): string[] {
  if (Array.isArray(v)) {
    return v.flatMap((item: Json) => {
      const lines = typeof item === "object" && item !== null
        ? yamlLines(item, `${indent}  `)
        : [`${indent}  ${scalar(item)}`];
      return lines.map((l, i) => i === 0 ? `${indent}- ${l.slice(indent.length + 2)}` : l);
    });
  }
  if (typeof v !== "object" || v === null) return [`${indent}${scalar(v)}`];
  const record = v as { readonly [k: string]: Json };
  return Object.keys(record).sort().flatMap((key) => {
    const value = record[key]!;
    if (value === null || (Array.isArray(value) && value.length === 0)) return [];
    const flat = Array.isArray(value) && value.every((x: Json) => typeof x !== "object");
    if (flat) return [`${indent}${key}: [${(value as Json[]).map(scalar).join(", ")}]`];
    if (typeof value !== "object") return [`${indent}${key}: ${scalar(value)}`];
    return [`${indent}${key}:`, ...yamlLines(value, Array.isArray(value) ? indent : `${indent}  `)];
  });
}

/** The model block of the log. */
export function modelLines(g: Graph, kind: "onnx" | "caffe"): string[] {
  const row = (name: string, value: string) => `${name.padEnd(26)}${value}`;
  return [
    `Input ${kind === "onnx" ? "ONNX" : "Caffe"} model information:`,
    row("Opset version:", `${g.opset} (after loading)`),
    row("Nodes:", String(g.nodes.length)),
    ...g.inputs.map((p) => row("Input name:", `${p.name}, ${pythonShape(p.shape)}`)),
    ...g.outputs.map((p) => row("Output name:", `${p.name}, ${pythonShape(p.shape)}`)),
  ];
}
