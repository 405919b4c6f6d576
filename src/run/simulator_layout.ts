/**
 * Memory layouts of activations, and conversions between them around operators that do not care.
 *
 * @module
 */

import type { KernelSegment, Program } from "../compile/program.ts";
import type { Node } from "../ir/graph.ts";
import { byteSize, stridesOf } from "../ir/tensor.ts";
import { copyStrided } from "../kernels/copy.ts";
import type { OpDef, StepContext, View } from "../ops/op.ts";
import { opOf } from "../ops/registry.ts";

/** Element strides of an activation: rank 4 is NHWC in memory, all else row-major. */
export function activationStrides(shape: readonly number[]): number[] {
  if (shape.length !== 4) return stridesOf(shape);
  const [, c, h, w] = shape as [number, number, number, number];
  return [h * w * c, 1, w * c, c];
}

/** Copies a tensor between two layouts. */
export function relayout(
  c: Pick<StepContext, "arena">,
  src: number,
  srcStrides: readonly number[],
  dst: number,
  dstStrides: readonly number[],
  t: Pick<View, "dtype" | "shape">,
): void {
  if (t.shape.includes(0)) return;
  copyStrided(c.arena, {
    src,
    dst,
    elementBytes: byteSize(t.dtype) as 1 | 2 | 4 | 8,
    dims: t.shape,
    srcStrides,
    dstStrides,
  });
}

/**
 * Rank-4 tensors that stay row-major: those that only enter or leave the kernel segments through an
 * operator that takes any order (Quantize, Dequantize). The conversion then moves bytes instead of floats.
 */
export function rowMajorTensors(program: Program): Set<string> {
  const segments = program.segments.filter((s): s is KernelSegment => s.kind === "bpu");
  const readers = new Map<string, Node[]>();
  const makers = new Map<string, Node>();
  for (const n of segments.flatMap((s) => s.nodes)) {
    for (const t of new Set(n.inputs)) readers.set(t, [...readers.get(t) ?? [], n]);
    for (const t of n.outputs) makers.set(t, n);
  }
  const orderless = (n: Node | undefined) =>
    n !== undefined && n.outputs.length === 1 &&
    opOf(n)?.orderless?.((i) => program.constants.get(n.inputs[i] ?? "")) === true;
  const rank4 = (t: string) => program.slots.get(t)?.shape.length === 4;
  const found = new Set<string>();
  for (const s of segments) {
    for (const t of s.inputs) {
      const r = readers.get(t) ?? [];
      const fits = r.every((n) => orderless(n) && n.inputs[0] === t && rank4(n.outputs[0]!));
      if (rank4(t) && makers.get(t) === undefined && fits) found.add(t);
    }
  }
  for (const s of segments) {
    for (const t of s.outputs) {
      const n = makers.get(t);
      const fits = orderless(n) && rank4(n!.inputs[0]!) && !found.has(n!.inputs[0]!);
      if (rank4(t) && !readers.has(t) && fits) found.add(t);
    }
  }
  return found;
}

type Run = NonNullable<OpDef["run"]>;

/** Runs an operator on row-major input 0 and brings what it makes into the layout of `y`. */
export function fromRowMajor(c: StepContext, y: View, run: Run, state: unknown): void {
  const mark = c.arena.mark(), strides = stridesOf(y.shape);
  const ptr = c.arena.alloc(y.count * byteSize(y.dtype));
  run({ ...c, output: () => ({ ...y, ptr, strides }) }, state);
  relayout(c, ptr, strides, y.ptr, y.strides, y);
  c.arena.release(mark);
}

/** Brings `x`, which is input 0, into row-major order and runs an operator with a row-major output. */
export function toRowMajor(c: StepContext, x: View, run: Run, state: unknown): void {
  const mark = c.arena.mark(), strides = stridesOf(x.shape);
  const ptr = c.arena.alloc(x.count * byteSize(x.dtype));
  relayout(c, x.ptr, x.strides, ptr, strides, x);
  const view = { ...x, ptr, strides };
  const from = (i: number) => i === 0 ? view : c.input(i);
  run({ ...c, input: from, need: (i) => i === 0 ? view : c.need(i) }, state);
  c.arena.release(mark);
}
