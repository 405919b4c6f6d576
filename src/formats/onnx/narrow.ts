/**
 * Element types that no runtime of ours computes in, and the wider type that holds each of their
 * values: float8 and bfloat16 are held as float32, 4-bit integers as int8 and uint8. What rounds to such
 * a type in the file rounds to its values here (`upgrade/narrow.ts`).
 *
 * @module
 */

import type { ErrorPlace } from "../../errors.ts";
import { bfloat16ToNumber, type DType } from "../../ir/tensor.ts";
import { dtypeFromOnnx } from "./dtypes.ts";

/** An eight-bit float: sign, exponent, mantissa. */
interface Float8 {
  readonly mantissa: number;
  readonly bias: number;
  /** `fn`: one NaN and no infinity; `fnuz`: that NaN is where -0 would be; `ieee`: as usual. */
  readonly kind: "fn" | "fnuz" | "ieee";
}

const floats: ReadonlyMap<number, Float8> = new Map<number, Float8>([
  [17, { mantissa: 3, bias: 7, kind: "fn" }],
  [18, { mantissa: 3, bias: 8, kind: "fnuz" }],
  [19, { mantissa: 2, bias: 15, kind: "ieee" }],
  [20, { mantissa: 2, bias: 16, kind: "fnuz" }],
]);

/** Smallest and largest value of the 4-bit integers. */
const nibbles: ReadonlyMap<number, readonly [number, number]> = new Map([
  [21, [0, 15]],
  [22, [-8, 7]],
]);

/** TensorProto.DataType of bfloat16. */
export const BFLOAT16 = 16;

/** Whether an ONNX element type is held in a wider one. */
export function isNarrow(code: number): boolean {
  return code === BFLOAT16 || floats.has(code) || nibbles.has(code);
}

/** Whether an ONNX element type is a float of eight bits. */
export function isFloat8(code: number): boolean {
  return floats.has(code);
}

/** Range of a 4-bit integer type; undefined for other types. */
export function nibbleRange(code: number): readonly [number, number] | undefined {
  return nibbles.get(code);
}

/** The dtype that holds values of an ONNX element type; throws where there is none. */
export function heldDtype(code: number, place: ErrorPlace = {}): DType {
  if (code === BFLOAT16 || floats.has(code)) return "float32";
  const range = nibbles.get(code);
  if (range !== undefined) return range[0] < 0 ? "int8" : "uint8";
  return dtypeFromOnnx(code, place);
}

/** Bits of one element in a file, for the narrow types. */
export function narrowBits(code: number): number {
  return code === BFLOAT16 ? 16 : floats.has(code) ? 8 : 4;
}

/** Value of the eight bits of a float8. */
export function float8Value(code: number, byte: number): number {
  const f = floats.get(code)!;
  const sign = byte & 0x80 ? -1 : 1;
  const e = (byte & 0x7f) >> f.mantissa;
  const m = byte & ((1 << f.mantissa) - 1);
  if (f.kind === "fnuz" && byte === 0x80) return NaN;
  if (f.kind === "fn" && (byte & 0x7f) === 0x7f) return NaN;
  if (f.kind === "ieee" && e === 31) return m === 0 ? sign * Infinity : NaN;
  const unit = 2 ** -f.mantissa;
  return sign * (e === 0 ? m * unit * 2 ** (1 - f.bias) : (1 + m * unit) * 2 ** (e - f.bias));
}

/** The float8 values that are not negative, in order. */
export function float8Grid(code: number): number[] {
  return Array.from({ length: 128 }, (_, b) => float8Value(code, b)).filter(Number.isFinite);
}

/** What becomes of a value beyond the largest that does not saturate. */
export function float8Overflow(code: number): number {
  return floats.get(code)!.kind === "ieee" ? Infinity : NaN;
}

/** Held values of `count` elements from their bits in the file. */
export function decodeNarrow(
  code: number,
  bytes: Uint8Array,
  count: number,
): Float32Array | Int8Array | Uint8Array {
  if (code === BFLOAT16) {
    return Float32Array.from(
      { length: count },
      (_, i) => bfloat16ToNumber(bytes[2 * i]! | bytes[2 * i + 1]! << 8),
    );
  }
  if (floats.has(code)) {
    const table = Float32Array.from({ length: 256 }, (_, b) => float8Value(code, b));
    return Float32Array.from({ length: count }, (_, i) => table[bytes[i]!]!);
  }
  const signed = nibbles.get(code)![0] < 0;
  const at = (i: number) => {
    const v = i % 2 === 0 ? bytes[i >> 1]! & 15 : bytes[i >> 1]! >> 4;
    return signed && v > 7 ? v - 16 : v;
  };
  return signed
    ? Int8Array.from({ length: count }, (_, i) => at(i))
    : Uint8Array.from({ length: count }, (_, i) => at(i));
}
