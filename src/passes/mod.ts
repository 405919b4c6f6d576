/**
 * The optimise stage: all passes in a fixed order, again and again until nothing changes.
 *
 * @module
 */

import type { Engine } from "../ir/engine.ts";
import type { Graph } from "../ir/graph.ts";
import { verify } from "../ir/verify.ts";
import type { March } from "../march/march.ts";
import { inferTypes } from "../ops/infer.ts";
import { batchNormToConv } from "./batch_norm_to_conv.ts";
import { commonSubexpressions } from "./common_subexpressions.ts";
import { conv1dToConv2d } from "./conv1d_to_conv2d.ts";
import { deadCode } from "./dead_code.ts";
import { dequantizeWeights } from "./dequantize_weights.ts";
import { einsumToMatmul } from "./einsum_to_matmul.ts";
import { explicitPads } from "./explicit_pads.ts";
import { focus } from "./focus.ts";
import { foldBatchNorm } from "./fold_batch_norm.ts";
import { foldConstants } from "./fold_constants.ts";
import { foldDepthwise } from "./fold_depthwise.ts";
import { foldPad } from "./fold_pad.ts";
import { foldScalarAffine } from "./fold_scalar_affine.ts";
import { foldShapes } from "./fold_shapes.ts";
import { fullRank } from "./full_rank.ts";
import { gelu } from "./gelu.ts";
import { gemmToConv } from "./gemm_to_conv.ts";
import { hoistPick } from "./hoist_pick.ts";
import { inlineIf } from "./inline_if.ts";
import { keepDims } from "./keep_dims.ts";
import { layerNorm } from "./layer_norm.ts";
import { legalTypes } from "./legal_types.ts";
import { mergeClip } from "./merge_clip.ts";
import { mergeTransposes } from "./merge_transposes.ts";
import { mish } from "./mish.ts";
import type { Pass, Reason } from "./pass.ts";
import { pixelShuffle } from "./pixel_shuffle.ts";
import { reduceMeanToPool } from "./reduce_mean_to_pool.ts";
import { removeIdentity } from "./remove_identity.ts";
import { simplifyArithmetic } from "./simplify_arithmetic.ts";
import { rmsNorm } from "./rms_norm.ts";
import { sinkReshape } from "./sink_reshape.ts";
import { squeezeToReshape } from "./squeeze_to_reshape.ts";
import { swapAffine } from "./swap_affine.ts";
import { swish } from "./swish.ts";
import { transposePairs } from "./transpose_pairs.ts";

export type { Pass, PassContext, PassResult, Reason } from "./pass.ts";

/** Makes patterns visible and takes them: runs to a fixpoint first. */
const RECOGNISE: readonly Pass[] = [
  foldShapes,
  explicitPads,
  dequantizeWeights,
  foldConstants,
  inlineIf,
  removeIdentity,
  commonSubexpressions,
  deadCode,
  mergeClip,
  swish,
  gelu,
  mish,
  layerNorm,
  rmsNorm,
  focus,
  hoistPick,
  pixelShuffle,
  reduceMeanToPool,
  einsumToMatmul,
];

/** Folds and lowers; each round starts with the passes above. */
const LOWER: readonly Pass[] = [
  foldPad,
  foldBatchNorm,
  foldScalarAffine,
  swapAffine,
  foldDepthwise,
  squeezeToReshape,
  gemmToConv,
  conv1dToConv2d,
  sinkReshape,
  mergeTransposes,
  transposePairs,
];

/** Only where nothing above finds anything any more. */
const LAST: readonly Pass[] = [
  batchNormToConv,
  simplifyArithmetic,
  keepDims,
  fullRank,
  legalTypes,
];

/** Every pass, in the order in which a round runs them. */
export const passes: readonly Pass[] = [...RECOGNISE, ...LOWER, ...LAST];

/** Rounds after which the fixpoint is given up (a defect: two passes undo each other). */
const MAX_ROUNDS = 40;

/** One run of one pass that changed the graph, or (`fired` 0, last round) its reasons not to. */
export interface Step {
  readonly pass: string;
  /** Number of nodes. */
  readonly before: number;
  readonly after: number;
  readonly fired: number;
  readonly reasons: readonly Reason[];
}

/** Options of {@linkcode optimize}. */
export interface OptimizeOptions {
  /** Evaluates constant nodes that the operators themselves do not fold. */
  readonly engine?: Engine;
  /** The march that the graph is for; see {@linkcode PassContext}. */
  readonly march?: March;
  readonly log?: (line: string) => void;
  /** Checks the graph, and the types that the passes note, after every pass. */
  readonly verify?: boolean;
}

/** What the optimise stage did. */
export interface Optimized {
  readonly graph: Graph;
  readonly steps: readonly Step[];
}

/**
 * Rewrites a float graph of opset 17 with static shapes until no pass finds anything. The outputs keep
 * their names and, but for rounding, their values.
 */
export async function optimize(graph: Graph, options: OptimizeOptions = {}): Promise<Optimized> {
  const steps: Step[] = [];
  let current = graph;
  const run = async (pass: Pass): Promise<number> => {
    const r = await pass.run(current, { engine: options.engine, march: options.march });
    const [before, after] = [current.nodes.length, r.graph.nodes.length];
    if (options.verify && r.fired > 0) check(r.graph);
    current = r.graph;
    if (r.fired > 0 || r.reasons.length > 0) {
      steps.push({ pass: pass.name, before, after, fired: r.fired, reasons: r.reasons });
    }
    if (r.fired > 0) {
      options.log?.(`${pass.name}: the number of nodes has changed from ${before} to ${after}`);
    }
    return r.fired;
  };
  const sweep = async (list: readonly Pass[]): Promise<number> => {
    let fired = 0;
    for (const pass of list) fired += await run(pass);
    return fired;
  };
  let lastRound = 0;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    lastRound = steps.length;
    let fired = await sweep(RECOGNISE);
    if (fired === 0) fired = await sweep(LOWER);
    if (fired === 0) fired = await sweep(LAST);
    if (fired === 0) break;
  }
  const alive = new Set(current.nodes.map((n) => n.name));
  const kept = steps.flatMap((s, i): Step[] => {
    const reasons = i < lastRound ? [] : s.reasons.filter((r) => alive.has(r.node));
    return s.fired > 0 || reasons.length > 0 ? [{ ...s, reasons }] : [];
  });
  return { graph: current, steps: kept };
}

/** Well formed, and inference agrees with every type that a pass noted. */
function check(g: Graph): void {
  verify(g);
  inferTypes(g, { declared: "check" });
}
