/**
 * Just enough of the ONNX wire format to write the competitors' graphs.
 *
 * @module
 */

type Bytes = number[] | Uint8Array;

function varint(v: number): number[] {
  const out: number[] = [];
  for (; v > 127; v = Math.floor(v / 128)) out.push((v % 128) | 128);
  out.push(v);
  return out;
}

function concat(parts: readonly Bytes[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

const int = (field: number, v: number): Bytes => [...varint(field * 8), ...varint(v)];
const bytes = (field: number, b: Bytes): Bytes =>
  concat([varint(field * 8 + 2), varint(b.length), b]);
const text = (field: number, s: string): Bytes => bytes(field, new TextEncoder().encode(s));

/** ONNX element types. */
export const elements = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;
export type Element = keyof typeof elements;

/** A graph input or output. */
export interface Value {
  readonly name: string;
  readonly type: Element;
  readonly shape: readonly number[];
}

/** A constant. */
export interface Constant extends Value {
  readonly data: ArrayBufferView;
}

/** A node; attributes are integers or lists of integers. */
export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

function value(v: Value): Bytes {
  const dims = v.shape.map((d) => bytes(1, int(1, d)));
  const tensor = concat([int(1, elements[v.type]), bytes(2, concat(dims))]);
  return concat([text(1, v.name), bytes(2, bytes(1, tensor))]);
}

function constant(c: Constant): Bytes {
  const raw = new Uint8Array(c.data.buffer, c.data.byteOffset, c.data.byteLength);
  return concat([
    ...c.shape.map((d) => int(1, d)),
    int(2, elements[c.type]),
    text(8, c.name),
    bytes(9, raw),
  ]);
}

function node(n: Node): Bytes {
  const attributes = Object.entries(n.attributes ?? {}).map(([name, v]) =>
    bytes(
      5,
      typeof v === "number"
        ? concat([text(1, name), int(3, v), int(20, 2)])
        : concat([text(1, name), ...v.map((i) => int(8, i)), int(20, 7)]),
    )
  );
  return concat([
    ...n.inputs.map((i) => text(1, i)),
    text(2, n.output),
    text(4, n.op),
    ...attributes,
  ]);
}

/** The bytes of a model, opset 17. */
export function model(
  inputs: readonly Value[],
  outputs: readonly Value[],
  constants: readonly Constant[],
  nodes: readonly Node[],
): Uint8Array {
  const graph = concat([
    ...nodes.map((n) => bytes(1, node(n))),
    text(2, "bench"),
    ...constants.map((c) => bytes(5, constant(c))),
    ...inputs.map((v) => bytes(11, value(v))),
    ...outputs.map((v) => bytes(12, value(v))),
  ]);
  return concat([int(1, 8), bytes(7, graph), bytes(8, concat([text(1, ""), int(2, 17)]))]);
}
