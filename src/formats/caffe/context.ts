/**
 * What a layer converter sees: the layer, its inputs and weights, and the means to emit nodes and to
 * fail with the line.
 *
 * @module
 */

import { BpuError, type ErrorCode } from "../../errors.ts";
import type { Attr } from "../../ir/graph.ts";
import {
  type DType,
  elementCount,
  f32,
  i64,
  sameShape,
  shapeText,
  type Tensor,
  tensor,
  type TensorType,
} from "../../ir/tensor.ts";
import { checkShape, type GraphBuilder, type Value } from "./build.ts";
import { fill } from "./fillers.ts";
import type { FillerParameter } from "./gen/caffe_pb.ts";
import type { LayerSpec } from "./net.ts";
import type { Blob, Caffemodel } from "./weights.ts";

/** Turns one layer into nodes: reads `ctx.inputs`, sets every top. */
export type Converter = (ctx: LayerContext) => void;

/** A blob that a layer has, as Caffe would create it. */
export interface BlobSpec {
  /** `weights`, `bias`, ... for errors and names. */
  readonly what: string;
  readonly shape: readonly number[];
  /** Used when the caffemodel has no blobs for the layer. */
  readonly filler?: FillerParameter;
}

/** See the module. */
export class LayerContext {
  readonly tops: (Value | undefined)[];

  constructor(
    readonly spec: LayerSpec,
    readonly builder: GraphBuilder,
    readonly inputs: readonly Value[],
    readonly model: Caffemodel,
    readonly files: { readonly prototxt: string; readonly model: string },
    /** Pooling masks by id, with the indices that they were made from. */
    readonly masks: Map<string, { readonly indices: Value; readonly plane: number }>,
    /** Weights by the name that `param { name: ... }` gives them: layers with one name share them. */
    readonly named: Map<string, Tensor>,
  ) {
    this.tops = spec.tops.map(() => undefined);
  }

  get params(): LayerSpec["params"] {
    return this.spec.params;
  }

  /** Fails at the line of `field`, or of the layer. */
  fail(message: string, field?: string, code: ErrorCode = "model", hint?: string): never {
    throw new BpuError(code, message, {
      node: this.spec.name,
      op: this.spec.type,
      file: this.files.prototxt,
      line: field === undefined ? this.spec.line : this.spec.lineOf(field),
      hint,
    });
  }

  /** Checks the number of bottoms and tops, `[least, most]` or exactly. */
  arity(
    bottoms: number | readonly [number, number],
    tops: number | readonly [number, number],
  ): void {
    for (
      const [what, want, got] of [
        ["bottom", bottoms, this.spec.bottoms.length],
        ["top", tops, this.spec.tops.length],
      ] as const
    ) {
      const [least, most] = typeof want === "number" ? [want, want] : want;
      if (got >= least && got <= most) continue;
      const range = least === most
        ? `${least}`
        : most === Infinity
        ? `at least ${least}`
        : `${least} to ${most}`;
      this.fail(`it has ${got} ${what}(s), but needs ${range}`, what);
    }
  }

  /** The `i`-th bottom. */
  input(i = 0): Value {
    const v = this.inputs[i];
    if (v === undefined) this.fail(`it has no bottom ${i}`, "bottom");
    return v;
  }

  /** Sets the `i`-th top. */
  top(value: Value, i = 0): void {
    this.tops[i] = value;
  }

  /** Emits a node with one output. Without `part` it carries the layer's name. */
  op(
    op: string,
    inputs: readonly (Value | undefined)[],
    shape: readonly number[],
    attrs: Readonly<Record<string, Attr>> = {},
    part?: string,
    dtype: DType = "float32",
  ): Value {
    return this.ops(op, inputs, [{ dtype, shape }], attrs, part)[0]!;
  }

  /** Emits a node with several outputs. */
  ops(
    op: string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly TensorType[],
    attrs: Readonly<Record<string, Attr>> = {},
    part?: string,
    domain = "",
  ): Value[] {
    for (const o of outputs) this.check(o.shape);
    return this.builder.emit(op, this.#called(part), inputs, outputs, attrs, domain);
  }

  /** Fails unless a blob can have this shape. */
  check(shape: readonly number[]): void {
    checkShape(shape, {
      file: this.files.prototxt,
      line: this.spec.line,
      node: this.spec.name,
      op: this.spec.type,
    });
  }

  #called(part: string | undefined): string {
    return part === undefined ? this.spec.name : `${this.spec.name}/${part}`;
  }

  /** Fails when the constants that the net makes up would get too large. Call before allocating. */
  reserve(elements: number): void {
    if (this.builder.reserve(elements)) return;
    this.fail(`its ${elements} computed values are too many`, undefined, "limit");
  }

  constant(part: string, t: Tensor): Value {
    return this.builder.constant(this.#called(part), t);
  }

  /** A float32 scalar constant. */
  scalar(part: string, value: number): Value {
    return this.constant(part, f32([], [value]));
  }

  /** An int64 vector constant. */
  ints(part: string, values: readonly number[]): Value {
    return this.constant(part, i64(values));
  }

  /** Emits a Reshape, or returns the value when it has the shape already. */
  reshape(x: Value, shape: readonly number[], part?: string): Value {
    if (sameShape(x.shape, shape)) return x;
    const to = this.ints(part === undefined ? "shape" : `${part}/shape`, shape);
    return this.op("Reshape", [x, to], shape, {}, part, x.dtype);
  }

  /** An axis between 0 and rank - 1 from one that may count from the end. */
  axis(axis: number, rank: number, field = "axis"): number {
    const a = axis < 0 ? axis + rank : axis;
    if (a < 0 || a >= rank) {
      this.fail(`${field} ${axis} is outside of the ${rank} axes of its input`, field);
    }
    return a;
  }

  /** Number of blobs in the caffemodel, 0 without any. */
  get blobCount(): number {
    return this.model.count(this.spec.name) ?? 0;
  }

  /** Blobs as the caffemodel has them, for layers that take their shapes from there. */
  rawBlobs(): Blob[] {
    return this.model.blobs(this.spec.name);
  }

  /**
   * The layer's weights, checked against what Caffe would create: number and shapes. A layer without
   * any takes those that an earlier one has under the same `param` names.
   *
   * @throws BpuError when the caffemodel does not fit
   */
  weights(specs: readonly BlobSpec[]): Tensor[] {
    const found = this.#weights(specs);
    found.forEach((t, i) => {
      const name = this.params.param[i]?.name ?? "";
      if (name !== "" && !this.named.has(name)) this.named.set(name, t);
    });
    return found;
  }

  #weights(specs: readonly BlobSpec[]): Tensor[] {
    for (const s of specs) this.check(s.shape);
    const { name, type } = this.spec;
    const wrong = (message: string, hint?: string): never => {
      throw new BpuError("model", message, { node: name, op: type, file: this.files.model, hint });
    };
    const count = this.model.count(name);
    if (count === undefined || count === 0) {
      return specs.map((s, i) => {
        const owner = this.named.get(this.params.param[i]?.name ?? "");
        if (owner !== undefined && sameShape(owner.shape, s.shape)) return owner;
        if (s.filler !== undefined) this.reserve(elementCount(s.shape));
        const data = s.filler === undefined ? undefined : fill(s.filler, s.shape);
        if (data !== undefined) return tensor("float32", s.shape, data);
        return wrong(
          `the caffemodel has no weights for this layer (line ${this.spec.line} of ${this.files.prototxt})`,
          "Do prototxt and caffemodel belong together? Weights are matched by layer name.",
        );
      });
    }
    if (count !== specs.length) {
      wrong(
        `the caffemodel has ${count} blob(s) for this layer, line ${this.spec.line} of ` +
          `${this.files.prototxt} asks for ${specs.length} (${
            specs.map((s) => s.what).join(", ")
          })`,
      );
    }
    return this.rawBlobs().map((blob, i) => {
      const s = specs[i]!;
      if (!fits(blob, s.shape)) {
        wrong(
          `${s.what} in the caffemodel is ${shapeText(blob.shape)}, line ${this.spec.line} of ` +
            `${this.files.prototxt} asks for ${shapeText(s.shape)}`,
        );
      }
      return tensor("float32", s.shape, blob.data);
    });
  }
}

/** Shapes are equal but for ones, which old files and scalar blobs have or lack. */
function fits(blob: Blob, shape: readonly number[]): boolean {
  const bare = (s: readonly number[]): number[] => s.filter((d) => d !== 1);
  return sameShape(bare(blob.shape), bare(shape));
}
