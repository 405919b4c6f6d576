/**
 * Records of removed nodes in the `info` section.
 *
 * @module
 */

import type { Node } from "../ir/graph.ts";
import { HORIZON } from "../ir/graph.ts";
import { allocate, elementCount } from "../ir/tensor.ts";
import type { Tensor, TensorType } from "../ir/tensor.ts";
import { nodeJson, Reader } from "./codec.ts";
import type { Json } from "./codec.ts";

/** A removed node with everything that is needed to put it back. */
export interface Deleted {
  /** Type in the words of the original tool (`Dequantize`). */
  readonly type: string;
  readonly side: "input" | "output";
  /** The model's input or output that it stood at. */
  readonly port: string;
  /** The tensor on its other side, whose place the port took. */
  readonly inner: string;
  readonly innerType: TensorType;
  readonly portType: TensorType;
  readonly node: Node;
  /** Place of the node in execution order. */
  readonly index: number;
  readonly constants: ReadonlyMap<string, Tensor>;
  /** Its row of the node table. */
  readonly row: { readonly index: number; readonly json: Json } | undefined;
}

/** Scale and zero point of a Quantize or Dequantize node. */
export interface ScaleInfo {
  /** Name of the scale constant. */
  readonly name: string;
  /** One value, or one a channel. */
  readonly scale: Float32Array;
  readonly zero: number;
}

/** Scale and zero point of a removed node; undefined for nodes without. */
export function scaleInfo(d: Deleted): ScaleInfo | undefined {
  if (d.node.domain !== HORIZON) return undefined;
  const name = d.node.inputs[1] ?? "";
  const scale = d.constants.get(name)?.data;
  if (!(scale instanceof Float32Array)) return undefined;
  return { name, scale, zero: Number(d.constants.get(d.node.inputs[2] ?? "")?.data[0] ?? 0) };
}

const typeJson = (t: TensorType): Json => ({ dtype: t.dtype, shape: [...t.shape] });

/** A record as JSON. Constants are short (scales, shapes), so they are stored as numbers. */
export function recordJson(d: Deleted): Json {
  const s = scaleInfo(d);
  return {
    name: d.node.name,
    type: d.type,
    side: d.side,
    port: d.port,
    inner: d.inner,
    innerType: typeJson(d.innerType),
    portType: typeJson(d.portType),
    scale: s === undefined ? null : [...s.scale],
    zero_point: s === undefined ? null : s.zero,
    node: nodeJson(d.node),
    index: d.index,
    constants: [...d.constants].map(([name, t]): Json => ({
      name,
      dtype: t.dtype,
      shape: [...t.shape],
      values: Array.from(t.data as ArrayLike<number | bigint>, Number),
    })),
    row: d.row === undefined ? null : { index: d.row.index, json: d.row.json },
  };
}

/**
 * The removed nodes of a model, in the order of removal.
 *
 * @throws BpuError("format") for records that are malformed
 */
export function recordsOf(
  info: { readonly [k: string]: Json },
  file = "the model",
): readonly Deleted[] {
  const all = info["deleted"];
  if (all === undefined) return [];
  const r = new Reader(file);
  return r.list(all, "deleted").map((v): Deleted => {
    const d = r.record(v, "deleted");
    const side = r.text(d["side"], "deleted");
    if (side !== "input" && side !== "output") r.fail("deleted");
    const row = d["row"] === null ? undefined : r.record(d["row"], "deleted");
    return {
      type: r.text(d["type"], "deleted"),
      side: side as "input" | "output",
      port: r.text(d["port"], "deleted"),
      inner: r.text(d["inner"], "deleted"),
      innerType: r.type(r.record(d["innerType"], "deleted"), "deleted"),
      portType: r.type(r.record(d["portType"], "deleted"), "deleted"),
      node: r.node(d["node"] ?? null),
      index: r.int(d["index"], "deleted"),
      constants: new Map(r.list(d["constants"], "deleted").map((c) => constantOf(r, c))),
      row: row === undefined
        ? undefined
        : { index: r.int(row["index"], "deleted"), json: row["json"] ?? null },
    };
  });
}

function constantOf(r: Reader, v: Json): [string, Tensor] {
  const c = r.record(v, "deleted");
  const type = r.type(c, "deleted");
  const values = r.list(c["values"], "deleted");
  const count = elementCount(type.shape);
  if (values.length !== count || type.dtype === "string") r.fail("deleted");
  const data = allocate(type.dtype, count);
  values.forEach((x, i) => {
    if (typeof x !== "number") r.fail("deleted");
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(x);
    else data[i] = x;
  });
  return [r.text(c["name"], "deleted"), { ...type, data }];
}
