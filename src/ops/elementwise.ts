/**
 * Elementwise operators with several inputs and broadcasting: types, folding and the rows of the
 * operator table that they share.
 *
 * @module
 */

import type { Node } from "../ir/graph.ts";
import {
  allocate,
  type DType,
  elementCount,
  type Tensor,
  type TensorData,
  type TensorType,
} from "../ir/tensor.ts";
import { broadcastIndex, broadcastShape } from "./broadcast.ts";
import { modelError } from "./context.ts";
import { fromDoubles, isBig, isFloat, toDoubles } from "./convert.ts";
import type { InferContext, MarchRules, OpDef } from "./op.ts";
import {
  broadcastCpu,
  foldsPlainDims,
  foldsToRank4,
  manualOnly,
  noBatchBroadcast,
  note,
  onBpu,
  onCpu,
  oneSidedBroadcast,
  ranks,
  rule,
} from "./rules.ts";

/** Element types an operator takes. */
export type Takes = "number" | "integer" | "bool" | "any";

/** What {@linkcode elementwise} needs. */
export interface ElementwiseSpec {
  readonly op: string;
  /** Any number of inputs (Max, Sum, ...), instead of exactly two. */
  readonly variadic?: boolean;
  readonly takes: Takes;
  /** Result type where it is not the inputs'. */
  readonly gives?: DType;
  /** Inputs after the first may have another type (Pow). */
  readonly mixed?: boolean;
  /** On numbers; undefined when a combination is not folded. Integer results wrap when stored. */
  readonly number: (n: Node, dtype: DType) => ((a: number, b: number) => number) | undefined;
  /** On 64-bit integers. */
  readonly big?: (n: Node) => ((a: bigint, b: bigint) => bigint) | undefined;
  /** On strings (Equal). */
  readonly text?: (a: string, b: string) => number;
  /** Applied to the result of a variadic fold (Mean). */
  readonly finish?: (value: number, inputs: number) => number;
  readonly place?: OpDef["place"];
  readonly quant?: OpDef["quant"];
}

const takesText: Readonly<Record<Takes, string>> = {
  number: "a number",
  integer: "an integer",
  bool: "bool",
  any: "",
};

function fits(takes: Takes, d: DType): boolean {
  if (takes === "any") return true;
  if (takes === "bool") return d === "bool";
  if (d === "bool" || d === "string") return false;
  return takes === "number" || !isFloat(d);
}

/** Builds the definition of an operator with broadcasting. */
export function elementwise(spec: ElementwiseSpec): OpDef {
  return {
    op: spec.op,
    infer: (c) => inferElementwise(c, spec),
    fold: (c) => foldElementwise(c, spec),
    ...(spec.place === undefined ? {} : { place: spec.place }),
    ...(spec.quant === undefined ? {} : { quant: spec.quant }),
  };
}

function inferElementwise(c: InferContext, spec: ElementwiseSpec): TensorType[] {
  const count = spec.variadic ? c.node.inputs.length : 2;
  if (count === 0) modelError(c.node, "it has no inputs");
  const types = Array.from({ length: count }, (_, i) => c.need(i));
  const { dtype } = types[0]!;
  for (const t of types) {
    if (!fits(spec.takes, t.dtype)) {
      modelError(c.node, `an input is ${t.dtype}, not ${takesText[spec.takes]}`);
    }
    if (t.dtype !== dtype && !spec.mixed) {
      modelError(c.node, `its inputs have different types, ${dtype} and ${t.dtype}`);
    }
  }
  return [{ dtype: spec.gives ?? dtype, shape: broadcastShape(c.node, types.map((t) => t.shape)) }];
}

function foldElementwise(c: InferContext, spec: ElementwiseSpec): Tensor[] | undefined {
  const parts: Tensor[] = [];
  for (let i = 0; i < c.node.inputs.length; i++) {
    const t = c.constant(i);
    if (t === undefined) return undefined;
    parts.push(t);
  }
  let acc = parts[0]!;
  if (parts.length === 1) {
    if (Array.isArray(acc.data) || isBig(acc.dtype) || !spec.finish) return [acc];
  }
  for (const b of parts.slice(1)) {
    const next = combine(c.node, spec, acc, b);
    if (next === undefined) return undefined;
    acc = next;
  }
  if (spec.finish !== undefined && parts.length > 1) {
    const { finish } = spec;
    const data = fromDoubles(acc.dtype, toDoubles(acc).map((v) => finish(v, parts.length)));
    acc = { dtype: acc.dtype, shape: acc.shape, data };
  }
  return [acc];
}

/** One step on two tensors of any types that the operator takes. */
function combine(n: Node, spec: ElementwiseSpec, a: Tensor, b: Tensor): Tensor | undefined {
  const shape = broadcastShape(n, [a.shape, b.shape]);
  const dtype = spec.gives ?? a.dtype;
  const data = zip(n, spec, a, b, shape, dtype);
  return data === undefined ? undefined : { dtype, shape, data };
}

function zip(
  n: Node,
  spec: ElementwiseSpec,
  a: Tensor,
  b: Tensor,
  shape: readonly number[],
  dtype: DType,
): TensorData | undefined {
  const count = elementCount(shape);
  const ia = broadcastIndex(a.shape, shape);
  const ib = broadcastIndex(b.shape, shape);
  const pa = (i: number) => ia === undefined ? i : ia[i]!;
  const pb = (i: number) => ib === undefined ? i : ib[i]!;
  if (Array.isArray(a.data) || Array.isArray(b.data)) {
    const [x, y, f] = [a.data, b.data, spec.text];
    if (f === undefined || !Array.isArray(x) || !Array.isArray(y)) return undefined;
    return Uint8Array.from({ length: count }, (_, i) => f(x[pa(i)]!, y[pb(i)]!));
  }
  if (isBig(a.dtype) && isBig(b.dtype)) {
    return zipBig(n, spec, a, b, count, pa, pb, dtype);
  }
  const f = spec.number(n, a.dtype);
  if (f === undefined) return undefined;
  const x = toDoubles(a);
  const y = toDoubles(b);
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) out[i] = f(x[pa(i)]!, y[pb(i)]!);
  return fromDoubles(dtype, out);
}

function zipBig(
  n: Node,
  spec: ElementwiseSpec,
  a: Tensor,
  b: Tensor,
  count: number,
  pa: (i: number) => number,
  pb: (i: number) => number,
  dtype: DType,
): TensorData | undefined {
  const x = a.data as BigInt64Array | BigUint64Array;
  const y = b.data as BigInt64Array | BigUint64Array;
  if (!isBig(dtype)) {
    // A comparison: only the order matters, so numbers stand for "less", "equal" and "greater".
    const compare = spec.number(n, "int32");
    if (compare === undefined) return undefined;
    const out = allocate(dtype, count) as Uint8Array;
    for (let i = 0; i < count; i++) {
      const [u, v] = [x[pa(i)]!, y[pb(i)]!];
      out[i] = compare(u < v ? -1 : u > v ? 1 : 0, 0);
    }
    return out;
  }
  const f = spec.big?.(n);
  if (f === undefined) return undefined;
  const out = allocate(dtype, count) as BigInt64Array | BigUint64Array;
  for (let i = 0; i < count; i++) out[i] = f(x[pa(i)]!, y[pb(i)]!);
  return out;
}

// ---------------------------------------------------------------- rows of the table

const features = rule("inputs are features or constants, at most 1 constant", (c) => {
  const constants = c.node.inputs.filter((name, i) => name !== "" && c.constant(i) !== undefined);
  return constants.length <= 1 ? undefined : `${constants.length} inputs are constants`;
});

/** Add, Sub and Mul on bayes. */
export const arithmeticRules = [
  features,
  noBatchBroadcast(
    "broadcast on any dim except the first; mutual broadcast allowed (NH1C with N1WC)",
  ),
  ranks(2, 5, "input/output rank 2..5, sizes within general limits", true),
  note("the 2 inputs may differ in rank"),
  foldsToRank4(
    "rank 5: must fold to rank 4 by merging adjacent dims (NHWD1 with N1WDC merges W,D)",
    1,
  ),
  foldsPlainDims(
    "rank 5: broadcast dims cannot be merged with neighbours (NHWD1 with N11DC fails)",
    1,
  ),
];

/** Comparisons, Max and Min on bayes. */
export const compareRules = [
  ranks(2, 5, "input/output rank 2..5", true),
  oneSidedBroadcast("broadcast on any dim, one of the inputs only; no mutual broadcast"),
  foldsToRank4(
    "rank 5 broadcast: must fold to rank 4 by merging adjacent dims, N included (NHWDC with NH1D1 merges N,H)",
    0,
  ),
  foldsPlainDims(
    "rank 5 broadcast: broadcast dims cannot be merged with neighbours (NHWDC with N1W1C fails)",
    0,
  ),
];

/** Equal and Greater on bayes. */
export const manualCompare: MarchRules = onBpu(
  "in",
  [...compareRules, manualOnly],
  [broadcastCpu],
  "sizes",
);

/** The row of operators that only the CPU broadcasts. */
export const broadcastOnCpu: MarchRules = onCpu(broadcastCpu);
