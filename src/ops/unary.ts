/**
 * Functions of one input, element by element. Each is given by its real function, from which folding
 * and the lookup tables of the integer form both follow.
 *
 * @module
 */

import type { Node } from "../ir/graph.ts";
import type { DType, Tensor, TensorData } from "../ir/tensor.ts";
import { modelError } from "./context.ts";
import { fromDoubles, isBig, isFloat, toDoubles } from "./convert.ts";
import type { InferContext, OpDef } from "./op.ts";
import { lutQuant } from "./lower/lut.ts";
import type { Bounds } from "./lower/lut.ts";
import { dtypeFloat, onBpu, pointwiseRules, volumeAtMost } from "./rules.ts";

/** Reads constant input i of a node. */
export type ConstantInput = (i: number) => Tensor | undefined;

/** Real function of a node; its attributes and constant inputs are read once. */
export type RealFunction = (n: Node, constant: ConstantInput) => (x: number) => number;

/** An operator that is a real function of its first input. */
export interface UnaryDef extends OpDef {
  /** In binary64. Undefined values are NaN. */
  readonly real: RealFunction;
}

/** What {@linkcode unary} needs. */
export interface UnarySpec {
  readonly op: string;
  readonly domain?: string;
  readonly real: RealFunction;
  /** `float` (default), `number` (integers too), `any` type. */
  readonly takes?: "float" | "number" | "any";
  /** Output type where it is not the input's. */
  readonly gives?: DType;
  /** The function on 64-bit integers, for `takes: "number"`. */
  readonly big?: (n: Node, constant: ConstantInput) => (x: bigint) => bigint;
  readonly place?: OpDef["place"];
  readonly body?: OpDef["body"];
  /** Largest magnitude of the function, where it has one: caps calibrated thresholds. */
  readonly bound?: number;
  /** Bounds of a pure clamp (Relu, Clip), which an operator before it can take over. */
  readonly clamp?: Bounds;
}

/**
 * Builds the definition of a one-input function.
 *
 * ```ts
 * import { unary } from "./unary.ts";
 * import { node } from "../ir/graph.ts";
 *
 * const square = unary({ op: "Square", real: () => (x) => x * x });
 * console.assert(square.real(node("Square", "s", ["x"], ["y"]), () => undefined)(3) === 9);
 * ```
 */
export function unary(spec: UnarySpec): UnaryDef {
  const takes = spec.takes ?? "float";
  return {
    op: spec.op,
    ...(spec.domain === undefined ? {} : { domain: spec.domain }),
    real: spec.real,
    infer(c) {
      const { dtype, shape } = c.need(0);
      if (takes === "float" && !isFloat(dtype)) {
        modelError(c.node, `its input is ${dtype}, not float`);
      }
      if (takes === "number" && (dtype === "string" || dtype === "bool")) {
        modelError(c.node, `its input is ${dtype}, not a number`);
      }
      return [{ dtype: spec.gives ?? dtype, shape }];
    },
    fold: (c) => foldUnary(c, spec),
    ...(spec.place === undefined ? {} : { place: spec.place }),
    ...(spec.body === undefined ? {} : { body: spec.body }),
    // By table; a function with another output type (IsNaN) has no integer form.
    ...(spec.gives === undefined ? { quant: lutQuant(spec) } : {}),
  };
}

function foldUnary(c: InferContext, spec: UnarySpec): Tensor[] | undefined {
  const x = c.constant(0);
  if (x === undefined || Array.isArray(x.data)) return undefined;
  // Other inputs (bounds of Clip) must be values too.
  if (c.node.inputs.some((name, i) => name !== "" && c.constant(i) === undefined)) return undefined;
  const dtype = spec.gives ?? x.dtype;
  const constant = (i: number) => c.constant(i);
  if (isBig(x.dtype)) {
    if (spec.big === undefined) return undefined;
    const f = spec.big(c.node, constant);
    const from = x.data as BigInt64Array | BigUint64Array;
    const data = from.slice() as BigInt64Array | BigUint64Array;
    for (let i = 0; i < data.length; i++) data[i] = f(from[i]!);
    return [{ dtype, shape: x.shape, data }];
  }
  const f = spec.real(c.node, constant);
  const values = toDoubles(x);
  const out = new Float64Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = f(values[i]!);
  const data: TensorData = fromDoubles(dtype, out);
  return [{ dtype, shape: x.shape, data }];
}

/** The row that bayes has for every function it runs by table. */
export const lutOnBayes = onBpu("in+out", pointwiseRules, [dtypeFloat]);

/** The row that bernoulli2 has for the functions it runs by table. */
export const lutOnBernoulli2 = onBpu("no", [volumeAtMost(8192)], [dtypeFloat]);
