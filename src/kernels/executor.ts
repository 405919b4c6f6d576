/**
 * Who runs the jobs of a convolution: the calling thread, or a pool (threads.ts).
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { type DenseJob, runDense } from "./conv_dense.ts";
import { type DepthwiseJob, runDepthwise } from "./conv_depthwise.ts";

/** Runs a job to its end. `work` is its number of multiply-adds. Scratch is taken from the arena. */
export interface Executor {
  dense(arena: Arena, job: DenseJob, work: number): void;
  depthwise(arena: Arena, job: DepthwiseJob, work: number): void;
}

/** The calling thread. */
export const inline: Executor = { dense: runDense, depthwise: runDepthwise };
