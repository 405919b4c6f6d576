/**
 * Integer facets of the float operators.
 *
 * @module
 */

import { clipBounds } from "../clip.ts";
import {
  runConcat,
  runDepthToSpace,
  runPad,
  runReshape,
  runSlice,
  runSpaceToDepth,
  runSplit,
  runTranspose,
} from "../movement_run.ts";
import type { OpDef, QuantSpec } from "../op.ts";
import type { UnaryDef } from "../unary.ts";
import { convQuant } from "./conv.ts";
import { convTransposeQuant } from "./conv_transpose.ts";
import { divQuant } from "./division.ts";
import { addQuant, mulQuant, preluQuant, subQuant } from "./elementwise.ts";
import { lutQuant } from "./lut.ts";
import type { Bounds } from "./lut.ts";
import { matmulQuant } from "./matmul.ts";
import { blockQuant, concatQuant, movementQuant, padQuant } from "./movement.ts";
import { averagePoolQuant, maxPoolQuant } from "./pool.ts";
import {
  globalAveragePoolQuant,
  globalMaxPoolQuant,
  reduceExtremeQuant,
  reduceSumQuant,
} from "./reduce.ts";
import { resizeQuant } from "./resize.ts";
import { softmaxQuant } from "./softmax.ts";
import { maxQuant, meanQuant, minQuant, sumQuant } from "./variadic.ts";
import { runExpand, runGather, runTile } from "../hz/index_run.ts";

type Facets = { readonly quant?: QuantSpec; readonly run?: OpDef["run"] };

const facets: ReadonlyMap<string, Facets> = new Map<string, Facets>([
  ["Conv", { quant: convQuant }],
  ["ConvTranspose", { quant: convTransposeQuant }],
  ["Add", { quant: addQuant }],
  ["Sub", { quant: subQuant }],
  ["Mul", { quant: mulQuant }],
  ["PRelu", { quant: preluQuant }],
  ["MaxPool", { quant: maxPoolQuant }],
  ["AveragePool", { quant: averagePoolQuant }],
  ["GlobalAveragePool", { quant: globalAveragePoolQuant }],
  ["GlobalMaxPool", { quant: globalMaxPoolQuant }],
  ["ReduceMean", { quant: reduceSumQuant("HzSQuantizedReduceMean", true) }],
  ["ReduceSum", { quant: reduceSumQuant("HzSQuantizedReduceSum", false) }],
  ["ReduceMax", { quant: reduceExtremeQuant("HzQuantizedReduceMax") }],
  ["ReduceMin", { quant: reduceExtremeQuant("HzQuantizedReduceMin") }],
  ["MatMul", { quant: matmulQuant }],
  ["Softmax", { quant: softmaxQuant }],
  ["Div", { quant: divQuant }],
  ["Max", { quant: maxQuant }],
  ["Min", { quant: minQuant }],
  ["Sum", { quant: sumQuant }],
  ["Mean", { quant: meanQuant }],
  ["Gather", { quant: movementQuant, run: runGather }],
  ["Expand", { quant: movementQuant, run: runExpand }],
  ["Tile", { quant: movementQuant, run: runTile }],
  ["Concat", { quant: concatQuant, run: runConcat }],
  ["Split", { quant: movementQuant, run: runSplit }],
  ["Slice", { quant: movementQuant, run: runSlice }],
  ["Pad", { quant: padQuant, run: runPad }],
  ["Reshape", { quant: movementQuant, run: runReshape }],
  ["Flatten", { quant: movementQuant, run: runReshape }],
  ["Squeeze", { quant: movementQuant, run: runReshape }],
  ["Unsqueeze", { quant: movementQuant, run: runReshape }],
  ["Transpose", { quant: movementQuant, run: runTranspose }],
  ["DepthToSpace", { quant: blockQuant, run: runDepthToSpace }],
  ["SpaceToDepth", { quant: blockQuant, run: runSpaceToDepth }],
  ["Resize", { quant: resizeQuant }],
]);

/** Largest magnitude of functions that have one. */
const bounds: ReadonlyMap<string, number> = new Map([
  ["Sigmoid", 1],
  ["HardSigmoid", 1],
  ["Tanh", 1],
  ["Softsign", 1],
  ["Erf", 1],
  ["Sin", 1],
  ["Cos", 1],
]);

function unaryQuant(def: UnaryDef): QuantSpec {
  const bound = bounds.get(def.op);
  const extra: Partial<QuantSpec> = {
    ...(bound === undefined ? {} : { outputBound: bound }),
    ...(def.op === "Relu" ? { clamp: () => ({ lo: 0, hi: Infinity }) } : {}),
    ...(def.op === "Clip"
      ? {
        clamp: (c) => {
          const open = [1, 2].some((i) => c.input(i) !== undefined && c.constant(i) === undefined);
          return open ? undefined : clipBounds(c.node, (i) => c.constant(i));
        },
        limits: (c) =>
          [1, 2].some((i) => c.input(i) !== undefined && c.constant(i) === undefined)
            ? "its bounds are computed, not constant"
            : undefined,
      }
      : {}),
  };
  const clamp: Bounds | undefined = def.op === "Relu"
    ? () => ({ lo: 0, hi: Infinity })
    : def.op === "Clip"
    ? clipBounds
    : undefined;
  return lutQuant(def.real, extra, clamp);
}

/** A float operator with its integer facets. */
export function withFacets(def: OpDef): OpDef {
  if (def.quant !== undefined || def.run !== undefined) return def;
  if (def.domain === undefined || def.domain === "") {
    const f = facets.get(def.op);
    if (f !== undefined) return { ...def, ...f };
  }
  const u = def as Partial<UnaryDef>;
  if (u.real === undefined) return def;
  return { ...def, quant: unaryQuant(def as UnaryDef) };
}
