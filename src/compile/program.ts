/**
 * The compiled program: what the `.bin` holds and the simulator runs.
 *
 * @module
 */

import type { Graph, Node, Port } from "../ir/graph.ts";
import type { Tensor, TensorType } from "../ir/tensor.ts";
import type { MarchName } from "../march/march.ts";

/** Integer operators (and the Quantize and Dequantize around them), run by kernels. */
export interface KernelSegment {
  readonly kind: "bpu";
  /** Number in the node table, `id(0)`. */
  readonly id: number;
  readonly nodes: readonly Node[];
  /** Float tensors that come from outside (graph inputs, CPU segments). */
  readonly inputs: readonly string[];
  /** Tensors that CPU segments or the caller read. */
  readonly outputs: readonly string[];
}

/** A float part of the model, run by a float engine. */
export interface CpuSegment {
  readonly kind: "cpu";
  readonly graph: Graph;
}

export type Segment = KernelSegment | CpuSegment;

/** An activation that lives in the arena. Rank 4 is NHWC in memory, all other ranks row-major. */
export interface Slot extends TensorType {
  /** Byte offset in the activation arena, 64-aligned. */
  readonly offset: number;
  readonly bytes: number;
}

/** A compiled model. */
export interface Program {
  readonly name: string;
  readonly march: MarchName;
  /**
   * Samples of one run (`input_batch`): inputs and outputs hold that many along their first dimension.
   * Everything else here describes one sample. Absent: 1.
   */
  readonly batch?: number;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly segments: readonly Segment[];
  /** Constants that kernel segments read. */
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly slots: ReadonlyMap<string, Slot>;
  /** Bytes of the activation arena. */
  readonly arenaBytes: number;
}
