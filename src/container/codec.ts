/**
 * Program to JSON and back. Attributes, shapes and names are stored as they are; constants by their
 * place in the weights section.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { Attr, Node, Port } from "../ir/graph.ts";
import type { DType, TensorType } from "../ir/tensor.ts";
import type { Slot } from "../compile/program.ts";

/** JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | {
  readonly [k: string]: Json;
};

/** Place of a constant in the weights section. */
export interface StoredConstant extends TensorType {
  readonly offset: number;
  readonly bytes: number;
}

const dtypes: ReadonlySet<string> = new Set([
  "float32",
  "float64",
  "float16",
  "bfloat16",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "bool",
]);

/** Reads JSON fields with checks; every failure names the place. */
export class Reader {
  constructor(readonly file: string) {}

  fail(where: string): never {
    throw new BpuError("format", `the program section is malformed at ${where}`, {
      file: this.file,
    });
  }

  list(v: Json | undefined, where: string): readonly Json[] {
    return Array.isArray(v) ? v : this.fail(where);
  }

  record(v: Json | undefined, where: string): { readonly [k: string]: Json } {
    return typeof v === "object" && v !== null && !Array.isArray(v)
      ? v as { readonly [k: string]: Json }
      : this.fail(where);
  }

  text(v: Json | undefined, where: string): string {
    return typeof v === "string" ? v : this.fail(where);
  }

  /** A safe integer from `min` up. */
  int(v: Json | undefined, where: string, min = 0): number {
    return typeof v === "number" && Number.isSafeInteger(v) && v >= min ? v : this.fail(where);
  }

  texts(v: Json | undefined, where: string): string[] {
    return this.list(v, where).map((t) => this.text(t, where));
  }

  type(v: { readonly [k: string]: Json }, where: string, least = 0): TensorType {
    const dtype = this.text(v["dtype"], where);
    if (!dtypes.has(dtype)) this.fail(where);
    return {
      dtype: dtype as DType,
      shape: this.list(v["shape"], where).map((d) => this.int(d, where, least)),
    };
  }

  /** An input or output; outputs may have dimensions that only a run decides (-1). */
  port(v: Json, where: "inputs" | "outputs"): Port {
    const r = this.record(v, where);
    const least = where === "outputs" ? -1 : 0;
    return { name: this.text(r["name"], where), ...this.type(r, where, least) };
  }

  slot(v: Json, where: string): Slot {
    const r = this.record(v, where);
    return {
      ...this.type(r, where),
      offset: this.int(r["offset"], where),
      bytes: this.int(r["bytes"], where),
    };
  }

  constant(v: Json, where: string): StoredConstant {
    return this.slot(v, where);
  }

  node(v: Json): Node {
    const r = this.record(v, "a node");
    const name = this.text(r["name"], "a node name");
    const attrs = this.list(r["attrs"], name).map((a): [string, Attr] => {
      const [key, type, value] = this.list(a, name);
      return [this.text(key, name), this.attr(this.text(type, name), value, name)];
    });
    return {
      name,
      op: this.text(r["op"], name),
      domain: this.text(r["domain"], name),
      inputs: this.texts(r["inputs"], name),
      outputs: this.texts(r["outputs"], name),
      attrs: new Map(attrs),
    };
  }

  attr(type: string, v: Json | undefined, where: string): Attr {
    const number = (x: Json | undefined) => typeof x === "number" ? x : this.fail(where);
    if (type === "int") return { type, value: this.int(v, where, -Number.MAX_SAFE_INTEGER) };
    if (type === "float") return { type, value: number(v) };
    if (type === "string") return { type, value: this.text(v, where) };
    if (type === "ints") {
      return {
        type,
        value: this.list(v, where).map((x) => this.int(x, where, -Number.MAX_SAFE_INTEGER)),
      };
    }
    if (type === "floats") return { type, value: this.list(v, where).map(number) };
    if (type === "strings") return { type, value: this.texts(v, where) };
    return this.fail(where);
  }
}

/** A port as JSON. */
export function portJson(p: Port): Json {
  return { name: p.name, dtype: p.dtype, shape: [...p.shape] };
}

/** A node as JSON; attributes as [name, type, value], sorted by name. */
export function nodeJson(n: Node): Json {
  const attrs = [...n.attrs].sort(([a], [b]) => a < b ? -1 : 1).map(([key, a]): Json => {
    if (a.type === "tensor" || a.type === "tensors" || a.type === "graph" || a.type === "graphs") {
      throw new BpuError("internal", `attribute ${key} cannot be stored`, { node: n.name });
    }
    return [key, a.type, typeof a.value === "object" ? [...a.value] : a.value];
  });
  return {
    name: n.name,
    op: n.op,
    domain: n.domain,
    inputs: [...n.inputs],
    outputs: [...n.outputs],
    attrs,
  };
}
