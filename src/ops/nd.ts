/**
 * One primitive for all data movement on N-d arrays: {@linkcode takeAxes} reads the source through one
 * table of element offsets per output axis. Transpose, Slice, Expand, Tile, Pad, Gather, nearest
 * Resize and their relatives differ only in the tables they build.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import {
  allocate,
  type DType,
  elementCount,
  stridesOf,
  type Tensor,
  type TensorData,
} from "../ir/tensor.ts";

/** Values that growing operators (Tile, Expand, ...) still compute when folding; more is left as a node. */
export const FOLD_LIMIT = 1 << 24;

/** Whether a folded result of that shape is acceptable for an operator that can grow its input. */
export function foldable(shape: readonly number[]): boolean {
  let n = 1;
  for (const d of shape) {
    // Even where another dimension is 0: the tables are as long as each of them.
    if (d < 0 || d > FOLD_LIMIT) return false;
    n *= d;
  }
  return n <= FOLD_LIMIT;
}

/** Element moves look at bits, not values: three unsigned widths keep the inner loops monomorphic. */
type Raw = Uint8Array | Uint16Array | Uint32Array;

/** The same memory as unsigned words of 1, 2 or 4 bytes; 8-byte elements count as two words. */
function rawOf(data: Exclude<TensorData, string[]>): { raw: Raw; words: 1 | 2 } {
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: size } = data;
  if (size === 1) return { raw: new Uint8Array(buffer, byteOffset, byteLength), words: 1 };
  if (size === 2) return { raw: new Uint16Array(buffer, byteOffset, byteLength >> 1), words: 1 };
  const raw = new Uint32Array(buffer, byteOffset, byteLength / 4);
  return { raw, words: size === 8 ? 2 : 1 };
}

/** Longest axis; only an empty tensor can claim a longer one. */
const MAX_AXIS = 1 << 30;

/** `[start, start + step, ...]` with `count` entries. */
export function rampTable(count: number, step: number, start = 0): Int32Array {
  if (count > MAX_AXIS) {
    throw new BpuError("limit", `a dimension of ${count} is too large`);
  }
  const t = new Int32Array(count);
  for (let i = 0, v = start; i < count; i++, v += step) t[i] = v;
  return t;
}

/** One table per axis that reads an array of that shape in order. */
export function axisTables(shape: readonly number[]): Int32Array[] {
  const strides = stridesOf(shape);
  return shape.map((d, i) => rampTable(d, strides[i]!));
}

/** Table over two axes together, the second one innermost; a negative entry stays negative. */
function mergeTables(a: Int32Array, b: Int32Array): Int32Array {
  const out = new Int32Array(a.length * b.length);
  let at = 0;
  for (let i = 0; i < a.length; i++) {
    const base = a[i]!;
    for (let j = 0; j < b.length; j++) {
      const o = b[j]!;
      out[at++] = base < 0 || o < 0 ? -1 : base + o;
    }
  }
  return out;
}

/** Offsets of all output elements, row-major: the sum of the tables' entries. */
export function offsetsOf(tables: readonly Int32Array[]): Int32Array {
  let out = new Int32Array(1);
  for (const t of tables) out = mergeTables(out, t) as Int32Array<ArrayBuffer>;
  return out;
}

function isRun(t: Int32Array): boolean {
  if (t.length === 0 || t[0]! < 0) return false;
  for (let i = 1; i < t.length; i++) if (t[i] !== t[0]! + i) return false;
  return true;
}

/** One run of the innermost axis; small functions of their own, which the engine compiles well. */
function moveAll(dst: Raw, at: number, src: Raw, base: number, inner: Int32Array): void {
  for (let j = 0; j < inner.length; j++) dst[at + j] = src[base + inner[j]!]!;
}

/** The same where some elements keep what is there. */
function moveSome(dst: Raw, at: number, src: Raw, base: number, inner: Int32Array): void {
  for (let j = 0; j < inner.length; j++) {
    const o = inner[j]!;
    if (o >= 0) dst[at + j] = src[base + o]!;
  }
}

/** Inner tables shorter than this are merged with the next axis. */
const SHORT = 64;

/** Largest merged table. */
const MERGED = 1 << 22;

/**
 * `out[i0, i1, ...] = data[tables[0][i0] + tables[1][i1] + ...]`, for any element type. An output
 * element with a negative table entry on any axis takes `fill` (a one-element array; zero when absent).
 */
export function takeAxes(
  data: TensorData,
  dtype: DType,
  tables: readonly Int32Array[],
  fill?: TensorData,
): TensorData {
  const count = elementCount(tables.map((t) => t.length));
  const out = allocate(dtype, count);
  if (count === 0) return out;
  let src: Raw;
  let dst: Raw;
  let fills: Raw | undefined;
  let use = tables.length === 0 ? [new Int32Array(1)] : [...tables];
  let blocks = true;
  if (Array.isArray(out)) {
    if (!Array.isArray(data)) throw new BpuError("internal", "string data expected");
    // Only indexed reads and writes follow, which arrays and typed arrays share.
    src = data as unknown as Raw;
    dst = out as unknown as Raw;
    fills = fill as unknown as Raw | undefined;
    blocks = false;
  } else {
    if (Array.isArray(data)) throw new BpuError("internal", "numeric data expected");
    const s = rawOf(data);
    src = s.raw;
    dst = rawOf(out).raw;
    fills = fill === undefined || Array.isArray(fill) ? undefined : rawOf(fill).raw;
    if (s.words === 2) {
      use = use.map((t) => t.map((v) => v < 0 ? -1 : 2 * v));
      use.push(Int32Array.of(0, 1));
    }
  }
  if (use.some((t) => t.some((v) => v < 0)) && fills !== undefined) {
    const w = fills.length;
    for (let i = 0; i < dst.length; i++) dst[i] = fills[i % w]!;
  }
  while (
    use.length > 1 && use.at(-1)!.length < SHORT &&
    use.at(-1)!.length * use.at(-2)!.length <= MERGED
  ) {
    const b = use.pop()!;
    const a = use.pop()!;
    use.push(mergeTables(a, b));
  }
  const inner = use.pop()!;
  const n = inner.length;
  const run = blocks && isRun(inner);
  const whole = !inner.some((o) => o < 0);
  const first = inner[0]!;
  const index = new Int32Array(use.length);
  const total = blocks ? dst.length : count;
  for (let at = 0; at < total; at += n) {
    let base = 0;
    for (let k = 0; k < use.length; k++) {
      const o = use[k]![index[k]!]!;
      if (o < 0) {
        base = -1;
        break;
      }
      base += o;
    }
    if (base >= 0) {
      if (run) {
        dst.set(src.subarray(base + first, base + first + n), at);
      } else {
        (whole ? moveAll : moveSome)(dst, at, src, base, inner);
      }
    }
    for (let k = use.length - 1; k >= 0; k--) {
      if (++index[k]! < use[k]!.length) break;
      index[k] = 0;
    }
  }
  return out;
}

/** `takeAxes` on a tensor: the result has the tables' lengths as its shape. */
export function take(t: Tensor, tables: readonly Int32Array[], fill?: TensorData): Tensor {
  const shape = tables.map((v) => v.length);
  return { dtype: t.dtype, shape, data: takeAxes(t.data, t.dtype, tables, fill) };
}

/** Axes in a new order (values moved). */
export function permute(t: Tensor, perm: readonly number[]): Tensor {
  const tables = axisTables(t.shape);
  return take(t, perm.map((p) => tables[p]!));
}

/** The same values under another shape of as many elements (no copy). */
export function reshaped(t: Tensor, shape: readonly number[]): Tensor {
  return { dtype: t.dtype, shape: [...shape], data: t.data };
}

/** Copy of the data, to be written to by the caller. */
export function copyOf(data: TensorData): TensorData {
  return data.slice();
}

/** `dst[at[i]] = src[i]` for every i, in order; both of the same element type. */
export function put(dst: TensorData, at: Int32Array, src: TensorData): void {
  if (Array.isArray(dst)) {
    if (!Array.isArray(src)) throw new BpuError("internal", "string data expected");
    for (let i = 0; i < at.length; i++) dst[at[i]!] = src[i]!;
    return;
  }
  if (Array.isArray(src)) throw new BpuError("internal", "numeric data expected");
  const d = rawOf(dst);
  const s = rawOf(src).raw;
  if (d.words === 1) {
    for (let i = 0; i < at.length; i++) d.raw[at[i]!] = s[i]!;
    return;
  }
  for (let i = 0; i < at.length; i++) {
    d.raw[2 * at[i]!] = s[2 * i]!;
    d.raw[2 * at[i]! + 1] = s[2 * i + 1]!;
  }
}

/** Tensors one after the other along an axis; shapes agree elsewhere. */
export function concat(parts: readonly Tensor[], axis: number): Tensor {
  const p0 = parts[0]!;
  const shape = p0.shape.map((d, i) => i === axis ? parts.reduce((s, p) => s + p.shape[i]!, 0) : d);
  const outer = elementCount(shape.slice(0, axis));
  const data = allocate(p0.dtype, elementCount(shape));
  const inner = elementCount(shape.slice(axis));
  if (data.length === 0) return { dtype: p0.dtype, shape, data };
  let start = 0;
  for (const p of parts) {
    const n = elementCount(p.shape.slice(axis));
    if (Array.isArray(data)) {
      const src = p.data as string[];
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < n; i++) data[o * inner + start + i] = src[o * n + i]!;
      }
    } else if (n > 0) {
      const dst = rawOf(data);
      const { raw: src, words: w } = rawOf(p.data as Exclude<TensorData, string[]>);
      for (let o = 0; o < outer; o++) {
        dst.raw.set(src.subarray(o * n * w, (o + 1) * n * w), (o * inner + start) * w);
      }
    }
    start += n;
  }
  return { dtype: p0.dtype, shape, data };
}
