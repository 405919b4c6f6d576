/**
 * What one operator says about itself. `src/ops/<op>.ts` exports one {@linkcode OpDef}; `registry.ts`
 * lists them; nothing else in the project branches on operator types.
 *
 * A float (ONNX) operator has `infer`, perhaps `fold`, its placement per march and its integer
 * lowering. A quantized (`horizon`) operator has `infer`, its ONNX function body and its integer
 * evaluation. Data movement (Transpose, Slice, ...) has both: it runs on integers as it is.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { FunctionDef } from "../ir/function.ts";
import type { Attr, Node } from "../ir/graph.ts";
import type { DType, Tensor, TensorType } from "../ir/tensor.ts";
import type { Arena } from "../kernels/arena.ts";
import type { Executor } from "../kernels/executor.ts";
import type { March, MarchName } from "../march/march.ts";

/** What shape inference, folding and placement rules see of a node. */
export interface InferContext {
  readonly node: Node;
  /** Type of input i; undefined when the input is not given. */
  input(i: number): TensorType | undefined;
  /** Type of input i; an error that names the node when it is missing or unknown. */
  need(i: number): TensorType;
  /** Value of input i where it is a constant. */
  constant(i: number): Tensor | undefined;
}

/** What a placement rule sees. */
export interface RuleContext extends InferContext {
  readonly march: March;
  output(i: number): TensorType;
  /** Nodes that read output 0. */
  readonly consumers: readonly Node[];
}

/**
 * One constraint of the operator table. `text` is the table's row for `docs/operators.md`; `check`
 * returns undefined when it holds, else what is wrong in the user's terms ("kernel_shape H 33 is
 * outside 1..31"), to which the caller adds the node and the consequence.
 */
export interface Rule {
  readonly text: string;
  check(c: RuleContext): string | undefined;
}

/** One march's row of the operator table. */
export interface MarchRules {
  /** `none`: not integrated at all: the model is refused unless the node is folded away. */
  readonly on: "BPU" | "CPU" | "none";
  readonly int16: "no" | "unstated" | "in" | "out" | "in+out";
  /** All must hold for the BPU. */
  readonly bpu: readonly Rule[];
  /** All must hold for the CPU (facts of the original's CPU kernels; ours run more). */
  readonly cpu: readonly Rule[];
}

/** A quantized tensor as a lowering sees it. */
export interface QTensor {
  /** Name in the quantized graph. */
  readonly name: string;
  readonly dtype: "int8" | "int16" | "int32";
  readonly shape: readonly number[];
  /** float32 value. For int32 outputs see `channelScales`. */
  readonly scale: number;
  readonly zero: number;
}

/** Range of a quantized output. */
export interface QRange {
  readonly qmin: number;
  readonly qmax: number;
}

/** What a lowering works with. All names are those of the quantized graph. */
export interface LowerContext {
  readonly node: Node;
  readonly march: March;
  /** Number of inputs of the float node. */
  readonly inputCount: number;
  /** Whether input i is a constant of the float graph. */
  isConstant(i: number): boolean;
  /** Float value of constant input i; undefined when not given; error when it is an activation. */
  constant(i: number): Tensor | undefined;
  /** Quantized activation i. A constant is quantized with its own max-abs scale and stored. */
  input(i: number): QTensor;
  /** The quantized tensor that output i must become. */
  output(i?: number): QTensor;
  /** Type range of output 0, narrowed by a fused Relu or Clip. */
  readonly range: QRange;
  /**
   * Declares output 0 to be int32 accumulators with a scale per channel (axis 1). Only allowed when
   * `wantsInt32` is true.
   */
  setInt32Output(scales: Float32Array): void;
  /** Whether all readers of output 0 are float, so that accumulators may be handed out. */
  readonly wantsInt32: boolean;
  /**
   * Input i that holds indices: as the operator before it hands them out (int32), else in the type and
   * under the name of the float graph.
   */
  indices(i: number): string;
  /**
   * Output i is no feature map: `name` holds it as integers (indices int32, truth values int8). Readers
   * in float get it in the float graph's type and under its name.
   */
  setIntegerOutput(i: number, name: string): void;
  /** Calibrated weight threshold per output channel, where calibration set one. */
  weightThresholds(i: number): Float32Array | undefined;
  /** Adds a node; the first node emitted carries the float node's name, later ones a suffix. */
  emit(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attrs?: Readonly<Record<string, Attr>>,
    domain?: string,
  ): void;
  /** Stores a constant under a name that starts with the node's and returns the name. */
  store(hint: string, t: Tensor): string;
  /** Declares an intermediate tensor and returns its name. */
  temp(hint: string, dtype: DType, shape: readonly number[]): string;
  /** `q` in the scale of `target`: emits HzRequantize unless the scales are equal. */
  requantize(q: QTensor, target: { scale: number; zero: number; dtype: "int8" | "int16" }): string;
  /** Throws: the node cannot be lowered; it will run on the CPU with this sentence. */
  refuse(why: string): never;
}

/** Integer side of a float operator. */
export interface QuantSpec {
  /**
   * active: quantized on its own. passive: on the BPU only next to an active operator. manual: float
   * unless the user asks (`node_info`).
   */
  readonly kind: "active" | "passive" | "manual";
  /** Scale of the outputs: `own` is calibrated; `input` is that of input 0 (data movement, max). */
  readonly scale: "own" | "input";
  /** Whether a following Relu or Clip becomes the output range of this operator. */
  readonly fusesActivation?: boolean;
  /** Whether it can hand out int32 accumulators to float readers. */
  readonly int32Output?: boolean;
  /** Convolution family: the last of these on a path ends the quantized part of a network. */
  readonly heavy?: boolean;
  /** Inputs that carry weights, calibrated per output channel along `axis`. */
  readonly weights?: readonly { readonly input: number; readonly axis: number }[];
  /** All inputs must have the scale of output 0 (Concat): their producers take it where they can. */
  readonly alignsInputs?: boolean;
  /** Fixed output range of the function, where it has one (Sigmoid: 1): caps the threshold. */
  readonly outputBound?: number;
  /**
   * For a pure clamp (Relu, Clip with constant bounds): its bounds. Such a node becomes the output
   * range of the operator before it where that one fuses activations.
   */
  clamp?(c: InferContext): { readonly lo: number; readonly hi: number } | undefined;
  /** Limits of the lowering beyond the operator table; the sentence that the user reads. */
  limits?(c: RuleContext): string | undefined;
  /** Emits the quantized nodes. */
  lower(c: LowerContext): void;
}

/** Memory view of a tensor inside the arena. */
export interface View {
  readonly ptr: number;
  readonly dtype: DType;
  /** Logical (ONNX) shape. */
  readonly shape: readonly number[];
  /** Element strides in logical dimension order. Rank-4 activations are NHWC in memory. */
  readonly strides: readonly number[];
  readonly count: number;
}

/** What the simulator hands to an operator. */
export interface StepContext {
  readonly arena: Arena;
  /** Who runs convolutions and products; absent: the calling thread. */
  readonly executor?: Executor;
  readonly node: Node;
  /** View of input i (activation or stored constant); undefined when not given. */
  input(i: number): View | undefined;
  /** View of input i, which must be given. */
  need(i: number): View;
  output(i: number): View;
  /** Constant input i as a tensor. */
  constant(i: number): Tensor | undefined;
}

/** Everything about one operator. */
export interface OpDef {
  readonly op: string;
  /** `""` (ONNX) when absent. */
  readonly domain?: string;
  /** Output types, one per output. Throws BpuError("shape") when they contradict or are unknown. */
  infer(c: InferContext): readonly TensorType[];
  /** Value of the outputs where all inputs that matter are constants; undefined: not folded here. */
  fold?(c: InferContext): readonly Tensor[] | undefined;
  /** Row of the operator table per march. Absent: not in the tables; float only. */
  readonly place?: Readonly<Record<MarchName, MarchRules>>;
  readonly quant?: QuantSpec;
  /** Type name in the node table; the op's own name when absent. */
  readonly table?: string;
  /** Definition of a horizon operator by standard operators (opset 17). */
  readonly body?: FunctionDef;
  /** Constant inputs that `prepare` packs itself and that need no plain copy in the arena. */
  readonly packs?: readonly number[];
  /** Once per loaded program: packs weights into the arena. Views stay the same for every run. */
  prepare?(c: StepContext): unknown;
  /** Integer evaluation. */
  run?(c: StepContext, state: unknown): void;
  /**
   * Whether `run` treats input 0 and output 0 as lists of elements in one memory order, whatever it is, for a
   * node's constants. The simulator then moves the smaller elements where layouts differ.
   */
  orderless?(constant: (i: number) => Tensor | undefined): boolean;
  /** Integer evaluation of non-negative inputs gives non-negative outputs, whatever the scales. */
  readonly keepsSign?: boolean;
  /** Whether the integer outputs are never negative, for a node's constants (a table). */
  nonNegative?(constant: (i: number) => Tensor | undefined): boolean;
  /** Multiply-accumulates of one run. */
  macs?(c: InferContext & { output(i: number): TensorType }): number;
  /** int16 tensors of the size of output 0 that a core writes between the steps of the operator. */
  readonly steps?: number;
}

/** Throws BpuError("shape") for a node. */
export function shapeError(n: Node, message: string): never {
  throw new BpuError("shape", message, { node: n.name, op: n.op });
}
