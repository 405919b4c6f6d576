/**
 * What an upgrade sees of the graph around its node.
 *
 * @module
 */

import { BpuError } from "../../../errors.ts";
import { type Attr, type Attrs, type Node, node } from "../../../ir/graph.ts";
import { type DType, i64, numbersOf, type Tensor } from "../../../ir/tensor.ts";

/** What is known about a tensor before shapes are inferred. */
export interface Fact {
  readonly dtype?: DType;
  readonly rank?: number;
  /** With -1 for what is not known. */
  readonly shape?: readonly number[];
}

/**
 * Rewrites one node of an older or newer opset as nodes of opset 17. The last output names stay those of
 * the node. Undefined: the node is the same in opset 17.
 */
export type Upgrade = (n: Node, c: Context) => readonly Node[] | undefined;

/** The graph around a node that is being upgraded. */
export interface Context {
  /** Opset the node is written in. */
  readonly opset: number;
  /** Value of a constant, of this graph or of one around it. */
  constant(name: string): Tensor | undefined;
  /** What is known about a tensor. */
  fact(name: string): Fact;
  /** ONNX element type of a tensor that is held in a wider type (`narrow.ts`). */
  narrow(name: string): number | undefined;
  /** Whether anything reads a tensor. */
  isUsed(name: string): boolean;
  /** Adds a constant and returns its name. */
  addConstant(hint: string, value: Tensor): string;
  /** A tensor or node name that is not taken. */
  unique(hint: string): string;
}

/** Refuses a node with a sentence. */
export function refuse(n: Node, message: string, hint?: string): BpuError {
  return new BpuError("unsupported", message, { node: n.name, op: n.op, hint });
}

/** Attributes without some of them. */
export function without(attrs: Attrs, ...keys: readonly string[]): Map<string, Attr> {
  return new Map([...attrs].filter(([key]) => !keys.includes(key)));
}

/** The node with other inputs and attributes. */
export function rewired(n: Node, inputs: readonly string[], attrs: Attrs = n.attrs): Node {
  return { ...n, inputs, attrs };
}

/** Adds a 1-D int64 constant that belongs to a node. */
export function addInts(n: Node, c: Context, what: string, values: readonly number[]): string {
  return c.addConstant(`${n.name}_${what}`, i64(values));
}

/** A helper node before or behind the node; `what` names it and its output. */
export function helper(
  n: Node,
  c: Context,
  op: string,
  what: string,
  inputs: readonly string[],
  attrs: Readonly<Record<string, Attr>> = {},
): Node {
  return node(
    op,
    c.unique(`${n.name}_${what}`),
    inputs,
    [c.unique(`${n.name}_${what}_out`)],
    attrs,
  );
}

/** The numbers of a constant input; undefined when the input is not given, an error when it is no constant. */
export function constantInput(
  n: Node,
  c: Context,
  index: number,
  what: string,
): number[] | undefined {
  const name = n.inputs[index] ?? "";
  if (name === "") return undefined;
  const t = c.constant(name);
  if (t === undefined) {
    throw refuse(n, `${what} is computed at run time`, `${what} must be a constant.`);
  }
  return Array.from(numbersOf(t));
}

/** A float scalar constant of the dtype of a tensor (float32 when that is not known). */
export function addScalarLike(
  n: Node,
  c: Context,
  what: string,
  value: number,
  like: string,
): string {
  const dtype = c.fact(like).dtype ?? "float32";
  return c.addConstant(`${n.name}_${what}`, scalarOf(n, dtype, value));
}

/** A scalar of a dtype. */
export function scalarOf(n: Node, dtype: DType, value: number): Tensor {
  switch (dtype) {
    case "float32":
      return { dtype, shape: [], data: Float32Array.of(value) };
    case "float64":
      return { dtype, shape: [], data: Float64Array.of(value) };
    case "float16":
      return { dtype, shape: [], data: Uint16Array.of(toFloat16(value)) };
    case "int8":
      return { dtype, shape: [], data: Int8Array.of(value) };
    case "uint8":
      return { dtype, shape: [], data: Uint8Array.of(value) };
    case "int32":
      return { dtype, shape: [], data: Int32Array.of(value) };
    case "int64":
      return { dtype, shape: [], data: BigInt64Array.of(BigInt(value)) };
    default:
      throw refuse(n, `the operator on ${dtype} is not supported`);
  }
}

/** Bits of the nearest IEEE 754 binary16 number, ties to even. */
export function toFloat16(value: number): number {
  return new Uint16Array(new Float16Array([value]).buffer)[0]!;
}

/** Most elements of a constant that an upgrade makes up. */
const MOST_ELEMENTS = 1 << 24;

/** Refuses a node whose constants would be too large: sizes come from the file. */
export function reserve(n: Node, elements: number): void {
  if (elements <= MOST_ELEMENTS) return;
  throw new BpuError("limit", `its ${elements} computed values are too many`, {
    node: n.name,
    op: n.op,
  });
}
