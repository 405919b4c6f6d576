/**
 * For tests only: one node in a graph, what its placement rules say about it, and lists of cases.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Attr, attr, type Graph, HORIZON, node, OPSET } from "../ir/graph.ts";
import { allocate, type DType, elementCount, tensor } from "../ir/tensor.ts";
import type { MarchName } from "../march/march.ts";
import { marchOf } from "../march/mod.ts";
import { ruleContext } from "./context.ts";
import { inferTypes } from "./infer.ts";
import type { Rule } from "./op.ts";
import { opNamed } from "./registry.ts";
import { broken } from "./rules.ts";

/** One input: a shape, perhaps another dtype, perhaps a constant with this value everywhere. */
export interface In {
  readonly shape: readonly number[];
  readonly dtype?: DType;
  readonly value?: number;
}

export type Input = In | readonly number[] | undefined;

export interface Case {
  readonly inputs: readonly Input[];
  readonly attrs?: Readonly<Record<string, number | string | readonly number[]>>;
  /** Operators that read the output. */
  readonly after?: readonly string[];
  /** Operator that makes input 0 from `x` (itself of shape `fed`). */
  readonly before?: string;
  readonly fed?: readonly number[];
  readonly outputs?: readonly string[];
}

/** A constant input. */
export const K = (shape: readonly number[], value = 1): In => ({ shape, value });

function attrOf(v: number | string | readonly number[]): Attr {
  if (typeof v === "string") return attr.string(v);
  return typeof v === "number" ? attr.int(v) : attr.ints(v);
}

function graphOf(op: string, k: Case): Graph {
  const domain = op.startsWith("Hz") ? HORIZON : "";
  const constants = new Map();
  const inputs: { name: string; dtype: DType; shape: readonly number[] }[] = [];
  const names = k.inputs.map((given, i) => {
    if (given === undefined) return "";
    const t: In = "shape" in given ? given : { shape: given };
    const dtype = t.dtype ?? "float32";
    const name = `x${i}`;
    if (t.value !== undefined) {
      const data = allocate(dtype, elementCount(t.shape));
      if (data instanceof BigInt64Array) data.fill(BigInt(t.value));
      else (data as Float32Array).fill(t.value);
      constants.set(name, tensor(dtype, t.shape, data));
    } else inputs.push({ name, dtype, shape: t.shape });
    return name;
  });
  const nodes = [];
  if (k.before !== undefined) {
    const shape = k.fed ?? inputs[0]!.shape;
    inputs[0] = { name: "before", dtype: "float32", shape };
    const weights = k.before === "Conv" ? ["w"] : [];
    if (weights.length > 0) {
      constants.set("w", tensor("float32", [shape[1]!, 1, 1, 1], new Float32Array(shape[1]!)));
    }
    const attrs = new Map<string, Attr>();
    if (k.before === "Conv") attrs.set("group", attr.int(shape[1]!));
    nodes.push(node(k.before, "before", ["before", ...weights], ["x0"], attrs));
  }
  const attrs = Object.entries(k.attrs ?? {}).map(([key, v]): [string, Attr] => [key, attrOf(v)]);
  const outputs = k.outputs ?? ["y"];
  nodes.push(node(op, "it", names, outputs, new Map(attrs), domain));
  (k.after ?? []).forEach((next, i) => {
    nodes.push(node(next, `z${i}`, next === "Add" ? ["y", "y"] : ["y"], [`z${i}`]));
  });
  return {
    name: "g",
    opset: OPSET,
    domains: new Map(),
    nodes,
    inputs,
    outputs: [],
    constants,
    types: new Map(),
    metadata: new Map(),
  };
}

/** What is wrong with a node; `seen` collects the rules that spoke. */
export function wrongs(
  op: string,
  march: MarchName,
  side: "bpu" | "cpu",
  k: Case,
  seen?: Set<Rule>,
): string[] {
  const graph = inferTypes(graphOf(op, k));
  const it = graph.nodes.find((n) => n.name === "it")!;
  const rules = opNamed(op, op.startsWith("Hz") ? HORIZON : "")!.place![march][side];
  const float = new Set(["Softmax", "Cast"]);
  const c = ruleContext(graph, it, marchOf(march), { mayRunOnBpu: (n) => !float.has(n.op) });
  for (const r of rules) if (r.check(c) !== undefined) seen?.add(r);
  return broken(rules, c);
}

/** A change to a node that breaks a constraint, and what is then said. */
export type Break = readonly [Partial<Case>, RegExp];

/** A node that fits, and changes to it that each break one constraint. */
export interface PlacementCase {
  readonly op: string;
  readonly march: MarchName;
  readonly side: "bpu" | "cpu";
  readonly good: Case;
  readonly breaks: readonly Break[];
}

/** A list of cases and the function that adds one to it. */
export function caseList() {
  const list: PlacementCase[] = [];
  const cases = (
    op: string,
    march: MarchName,
    side: "bpu" | "cpu",
    good: Case,
    breaks: readonly Break[] = [],
  ) => {
    list.push({ op, march, side, good, breaks });
  };
  return { list, cases };
}

/** Checks one case. */
export function runCase(k: PlacementCase, seen?: Set<Rule>): void {
  assert.deepEqual(wrongs(k.op, k.march, k.side, k.good, seen), [], `${k.op} on ${k.march}`);
  for (const [change, sentence] of k.breaks) {
    const found = wrongs(k.op, k.march, k.side, { ...k.good, ...change }, seen);
    assert.ok(
      found.some((w) => sentence.test(w) && w.endsWith(`on ${k.march}`)),
      `${k.op} ${JSON.stringify(change)}: ${sentence} is not among ${JSON.stringify(found)}`,
    );
  }
}

/** Inputs that many cases share. */
export const image: readonly number[] = [1, 8, 16, 16];
export const F64: Input = { shape: image, dtype: "float64" };
export const I32: Input = { shape: image, dtype: "int32" };
export const rank11: readonly number[] = new Array<number>(11).fill(1);
export const notFloat: Break = [{ inputs: [F64] }, /input dtype double is not float/];
/** A node with two inputs of these shapes. */
export const mm = (a: readonly number[], b: readonly number[]): Case => ({ inputs: [a, b] });
