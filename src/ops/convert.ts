/**
 * Element types of tensor data: to and from JavaScript numbers and big integers, and ONNX Cast.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { allocate, bfloat16ToNumber, type DType, float16ToNumber } from "../ir/tensor.ts";
import type { Tensor, TensorData } from "../ir/tensor.ts";

/** ONNX `TensorProto.DataType` numbers of our element types. */
const codes: ReadonlyMap<number, DType> = new Map([
  [1, "float32"],
  [2, "uint8"],
  [3, "int8"],
  [4, "uint16"],
  [5, "int16"],
  [6, "int32"],
  [7, "int64"],
  [8, "string"],
  [9, "bool"],
  [10, "float16"],
  [11, "float64"],
  [12, "uint32"],
  [13, "uint64"],
  [16, "bfloat16"],
]);

/** Element type of an ONNX data type number; undefined for complex, 4-bit and 8-bit float types. */
export function dtypeOfCode(code: number): DType | undefined {
  return codes.get(code);
}

/** Whether elements are held as BigInt. */
export function isBig(dtype: DType): boolean {
  return dtype === "int64" || dtype === "uint64";
}

/** Whether the type is a floating-point one. */
export function isFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64" || dtype === "float16" || dtype === "bfloat16";
}

const bits = new DataView(new ArrayBuffer(8));

function roundEven(x: number): number {
  const r = Math.floor(x);
  const d = x - r;
  return d > 0.5 || (d === 0.5 && r % 2 !== 0) ? r + 1 : r;
}

/** binary16 bits of a number: round to nearest even, overflow to infinity. */
export function numberToFloat16(x: number): number {
  if (Number.isNaN(x)) return 0x7e00;
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const a = Math.abs(x);
  if (a >= 65520) return sign | 0x7c00;
  if (a < 2 ** -14) return sign | roundEven(a * 2 ** 24);
  bits.setFloat64(0, a);
  const e = (bits.getUint16(0) >> 4) - 1023;
  // The mantissa may round up to 1024, which carries into the exponent as it should.
  return sign | (((e + 15) << 10) + roundEven((a * 2 ** -e - 1) * 1024));
}

/** bfloat16 bits of a number: round to nearest even. */
export function numberToBfloat16(x: number): number {
  if (Number.isNaN(x)) return 0x7fc0;
  bits.setFloat64(0, x);
  const sign = bits.getUint8(0) & 0x80 ? 0x8000 : 0;
  const a = Math.abs(x);
  if (a === Infinity) return sign | 0x7f80;
  if (a < 2 ** -126) return sign | roundEven(a * 2 ** 133);
  const e = ((bits.getUint16(0) >> 4) & 0x7ff) - 1023;
  const b = ((e + 127) << 7) + roundEven((a * 2 ** -e - 1) * 128);
  return sign | Math.min(b, 0x7f80);
}

/** Elements as binary64 values; big integers are rounded. Not for strings. */
export function toDoubles(t: Tensor): Float64Array {
  const d = t.data;
  if (d instanceof Float64Array) return d;
  if (Array.isArray(d)) throw new BpuError("model", "a string tensor has no numbers");
  if (d instanceof BigInt64Array || d instanceof BigUint64Array) {
    const out = new Float64Array(d.length);
    for (let i = 0; i < d.length; i++) out[i] = Number(d[i]);
    return out;
  }
  if (t.dtype === "float16") return Float64Array.from(d, float16ToNumber);
  if (t.dtype === "bfloat16") return Float64Array.from(d, bfloat16ToNumber);
  return Float64Array.from(d);
}

/** Storage of numbers in an element type: floats rounded to nearest, integers modulo their width. */
export function fromDoubles(dtype: DType, values: ArrayLike<number>): TensorData {
  const n = values.length;
  const out = allocate(dtype, n);
  if (Array.isArray(out)) throw new BpuError("model", "a string tensor cannot hold numbers");
  if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
    for (let i = 0; i < n; i++) out[i] = bigOf(values[i]!);
    return out;
  }
  if (dtype === "float16") { for (let i = 0; i < n; i++) out[i] = numberToFloat16(values[i]!); }
  else if (dtype === "bfloat16") {
    for (let i = 0; i < n; i++) {
      out[i] = numberToBfloat16(values[i]!);
    }
  } else if (dtype === "bool") { for (let i = 0; i < n; i++) out[i] = values[i] ? 1 : 0; }
  else out.set(values);
  return out;
}

const ranges: ReadonlyMap<DType, readonly [number, number]> = new Map([
  ["int8", [-128, 127]],
  ["uint8", [0, 255]],
  ["int16", [-32768, 32767]],
  ["uint16", [0, 65535]],
  ["int32", [-(2 ** 31), 2 ** 31 - 1]],
  ["uint32", [0, 2 ** 32 - 1]],
  ["bool", [0, 1]],
]);

/** A value as the element type holds it: integers truncated, infinities at the end of their range. */
export function integerOf(dtype: DType, x: number): number {
  const range = ranges.get(dtype);
  if (range === undefined || Number.isFinite(x)) return Math.trunc(x);
  return x > 0 ? range[1] : range[0];
}

/** Integer part as a BigInt; NaN gives 0, infinities and excess saturate to 64 bits. */
function bigOf(x: number): bigint {
  if (Number.isNaN(x)) return 0n;
  if (x >= 2 ** 63) return x >= 2 ** 64 ? (1n << 64n) - 1n : BigInt(Math.trunc(x));
  if (x <= -(2 ** 63)) return -(1n << 63n);
  return BigInt(Math.trunc(x));
}

/** A binary64 value that rounds to the same float32 (float16, ...) as the 64-bit integer does. */
function stickyNumber(v: bigint): number {
  const n = Number(v);
  if (Number.isSafeInteger(n)) return n;
  const a = v < 0n ? -v : v;
  const q = Number((a >> 12n) | (a & 4095n ? 1n : 0n)) * 4096;
  return v < 0n ? -q : q;
}

/** Significant digits of a float printed as a string, as in onnxruntime (`%.8g`), doubles too. */
const DIGITS = 8;

function floatText(x: number): string {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x < 0 ? "-INF" : "INF";
  if (x === 0) return Object.is(x, -0) ? "-0" : "0";
  const [m, e] = x.toExponential(DIGITS - 1).split("e") as [string, string];
  const exponent = Number(e);
  if (exponent < -4 || exponent >= DIGITS) {
    const mantissa = m.includes(".") ? m.replace(/\.?0+$/, "") : m;
    const a = Math.abs(exponent);
    return `${mantissa}e${exponent < 0 ? "-" : "+"}${a < 10 ? "0" : ""}${a}`;
  }
  const text = x.toFixed(Math.min(100, Math.max(0, DIGITS - 1 - exponent)));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function parseFloatText(s: string): number {
  const t = s.trim();
  if (/^[+-]?(inf|infinity)$/i.test(t)) return t.startsWith("-") ? -Infinity : Infinity;
  if (/^[+-]?nan$/i.test(t)) return NaN;
  const v = Number(t);
  if (t === "" || Number.isNaN(v)) throw new BpuError("model", `'${s}' is not a number`);
  return v;
}

/** ONNX Cast: floats to integers truncate, integers wrap, anything but 0 is true. */
export function castTensor(t: Tensor, dtype: DType): Tensor {
  const { shape } = t;
  if (t.dtype === dtype) return t;
  const d = t.data;
  if (Array.isArray(d)) {
    if (isBig(dtype)) {
      const out = allocate(dtype, d.length) as BigInt64Array;
      for (let i = 0; i < d.length; i++) {
        const s = d[i]!.trim();
        out[i] = /^[+-]?\d+$/.test(s) ? BigInt(s.replace("+", "")) : bigOf(parseFloatText(s));
      }
      return { dtype, shape, data: out };
    }
    return { dtype, shape, data: fromDoubles(dtype, d.map(parseFloatText)) };
  }
  if (dtype === "string") {
    if (d instanceof BigInt64Array || d instanceof BigUint64Array) {
      return { dtype, shape, data: Array.from(d as ArrayLike<bigint>, String) };
    }
    const values = Array.from(toDoubles(t));
    return {
      dtype,
      shape,
      data: values.map(isFloat(t.dtype) ? floatText : String),
    };
  }
  if (d instanceof BigInt64Array || d instanceof BigUint64Array) {
    const n = d.length;
    if (dtype === "bool") return { dtype, shape, data: Uint8Array.from(d, (v) => v ? 1 : 0) };
    if (isBig(dtype)) {
      const out = dtype === "int64" ? new BigInt64Array(n) : new BigUint64Array(n);
      for (let i = 0; i < n; i++) out[i] = d[i]!;
      return { dtype, shape, data: out };
    }
    const values = new Float64Array(n);
    if (isFloat(dtype)) {
      for (let i = 0; i < n; i++) {
        values[i] = dtype === "float64" ? Number(d[i]) : stickyNumber(d[i]!);
      }
    } else {
      for (let i = 0; i < n; i++) values[i] = Number(BigInt.asIntN(32, d[i]!));
    }
    return { dtype, shape, data: fromDoubles(dtype, values) };
  }
  const values = toDoubles(t);
  // A negative value in an unsigned type wraps like the two's complement of 64 bits.
  if (dtype === "uint64" && !isFloat(t.dtype)) {
    const out = new BigUint64Array(values.length);
    for (let i = 0; i < values.length; i++) out[i] = BigInt(values[i]!);
    return { dtype, shape, data: out };
  }
  return { dtype, shape, data: fromDoubles(dtype, values) };
}
