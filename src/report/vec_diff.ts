/**
 * Compares dumped tensors file by file: what `vec_diff` does, without files.
 *
 * @module
 */

import { BpuError, sentenceOf } from "../errors.ts";
import { isNpy, readNpy } from "../formats/npy/npy.ts";
import { byteSize, numbersOf, shapeText, viewOf } from "../ir/tensor.ts";
import type { DType } from "../ir/tensor.ts";
import { table } from "./tables.ts";

/** A dumped tensor. */
export interface Vector {
  readonly values: ArrayLike<number>;
  /** Known for `.npy` only. */
  readonly shape: readonly number[] | undefined;
  readonly dtype: DType;
}

/** Figures of a pair; the right one is the reference. */
export interface VectorFigures {
  /** 1 when both are all zero, 0 when one is. */
  readonly cosine: number;
  /** ||left - right|| / ||right||; 0 for equal vectors, Infinity when only the right one is zero. */
  readonly relativeEuclidean: number;
  readonly maxAbsolute: number;
  readonly meanSquare: number;
  /** 10 log10(sum right^2 / sum (left - right)^2) in dB; Infinity for equal vectors. */
  readonly sqnr: number;
}

/** A row of the result. */
export interface VectorRow {
  readonly left: string;
  readonly right: string;
  readonly count: number;
  readonly shape: string;
  /** undefined when the two cannot be compared; `note` says why. */
  readonly figures: VectorFigures | undefined;
  readonly note: string;
}

/** Files that belong together, and those that are alone. */
export interface Pairing {
  readonly pairs: readonly (readonly [string, string])[];
  readonly leftOnly: readonly string[];
  readonly rightOnly: readonly string[];
}

/** The figures of two vectors of one length, summed in double. NaN anywhere makes them NaN. */
export function vectorFigures(left: ArrayLike<number>, right: ArrayLike<number>): VectorFigures {
  let ll = 0, rr = 0, lr = 0, dd = 0, top = 0;
  for (let i = 0; i < left.length; i++) {
    const a = left[i]!, b = right[i]!, d = a - b;
    ll += a * a;
    rr += b * b;
    lr += a * b;
    dd += d * d;
    const size = Math.abs(d);
    if (size > top || size !== size) top = size;
  }
  const zero = ll === 0 || rr === 0;
  return {
    cosine: zero ? (ll === rr ? 1 : 0) : dd === 0 ? 1 : lr / Math.sqrt(ll) / Math.sqrt(rr),
    relativeEuclidean: dd === 0 ? 0 : Math.sqrt(dd / rr),
    maxAbsolute: top,
    meanSquare: left.length === 0 ? 0 : dd / left.length,
    sqnr: dd === 0 ? Infinity : 10 * Math.log10(rr / dd),
  };
}

/** File types that {@linkcode readVector} reads. */
export const vectorFiles = /\.(bin|npy|txt)$/i;

/**
 * Reads a dumped tensor: `.npy`, `.txt` (numbers separated by white space or commas), `_float.bin`
 * (float32) or any other `.bin` of `dtype`; all little-endian.
 *
 * @throws BpuError("format") when the file is not what its name says
 */
export function readVector(bytes: Uint8Array, file: string, dtype: DType): Vector {
  if (isNpy(bytes)) {
    const t = readNpy(bytes, file);
    return { values: numbersOf(t), shape: t.shape, dtype: t.dtype };
  }
  if (/\.npy$/i.test(file)) throw new BpuError("format", "this is not an .npy file", { file });
  if (/\.txt$/i.test(file)) {
    const words = new TextDecoder().decode(bytes).split(/[\s,]+/).filter((w) => w !== "");
    const values = new Float64Array(words.length);
    for (const [i, w] of words.entries()) {
      const v = /^[+-]?nan$/i.test(w)
        ? NaN
        : /^[+-]?inf(inity)?$/i.test(w)
        ? (w.startsWith("-") ? -Infinity : Infinity)
        : Number(w);
      if (Number.isNaN(v) && !/nan/i.test(w)) {
        throw new BpuError("format", `'${w.slice(0, 40)}' is not a number`, { file });
      }
      values[i] = v;
    }
    return { values, shape: undefined, dtype: "float64" };
  }
  const type = /_float\.bin$/i.test(file) ? "float32" : dtype;
  const size = byteSize(type);
  if (bytes.length % size !== 0) {
    throw new BpuError("format", `${bytes.length} bytes are no whole number of ${type} values`, {
      file,
      hint: "Give the type of raw files: --dtype int8.",
    });
  }
  const count = bytes.length / size;
  const data = viewOf(type, bytes, count);
  return {
    values: numbersOf({ dtype: type, shape: [count], data }),
    shape: undefined,
    dtype: type,
  };
}

/**
 * What a dump is of: its name without type, without `_float`, and without the prefixes that
 * `hrt_model_exec` gives (`model_infer_output_0_`, `layer-3-Conv-name-output-0-`).
 */
export function vectorKey(file: string): string {
  const slash = file.lastIndexOf("/") + 1;
  const name = file.slice(slash)
    .replace(vectorFiles, "")
    .replace(/_float$/, "")
    .replace(/^model_infer_(input|output)_\d+_/, "")
    .replace(/^layer-\d+-.*-(input|output)-\d+-/, "");
  return file.slice(0, slash) + name;
}

/** Matches files by name: equal names first, then equal keys. */
export function pairFiles(left: readonly string[], right: readonly string[]): Pairing {
  const sorted = (names: readonly string[]) => [...names].sort((a, b) => a < b ? -1 : 1);
  const free = new Set(sorted(right));
  const pairs = new Map<string, string>();
  for (const l of left) if (free.delete(l)) pairs.set(l, l);
  const byKey = new Map<string, string[]>();
  for (const r of free) byKey.set(vectorKey(r), [...byKey.get(vectorKey(r)) ?? [], r]);
  for (const l of sorted(left)) {
    if (pairs.has(l)) continue;
    const r = byKey.get(vectorKey(l))?.shift();
    if (r === undefined) continue;
    pairs.set(l, r);
    free.delete(r);
  }
  return {
    pairs: sorted([...pairs.keys()]).map((l) => [l, pairs.get(l)!] as const),
    leftOnly: sorted(left).filter((l) => !pairs.has(l)),
    rightOnly: [...free],
  };
}

/** Compares two files; what cannot be compared becomes a row with a note. */
export function compareFiles(
  left: { readonly name: string; readonly bytes: Uint8Array; readonly dtype: DType },
  right: { readonly name: string; readonly bytes: Uint8Array; readonly dtype: DType },
): VectorRow {
  const base = { left: left.name, right: right.name };
  try {
    const a = readVector(left.bytes, left.name, left.dtype);
    const b = readVector(right.bytes, right.name, right.dtype);
    const known = a.shape ?? b.shape;
    const shape = known === undefined ? String(a.values.length) : shapeText(known);
    if (a.values.length !== b.values.length) {
      const text = (v: Vector) =>
        v.shape === undefined ? String(v.values.length) : shapeText(v.shape);
      return {
        ...base,
        count: 0,
        shape: `${text(a)} / ${text(b)}`,
        figures: undefined,
        note: `sizes differ: ${a.values.length} and ${b.values.length}`,
      };
    }
    return {
      ...base,
      count: a.values.length,
      shape,
      figures: vectorFigures(a.values, b.values),
      note: "",
    };
  } catch (error) {
    if (!(error instanceof BpuError)) throw error;
    return { ...base, count: 0, shape: "", figures: undefined, note: sentenceOf(error) };
  }
}

/** Rows with the largest errors first; those that could not be compared before all. */
export function worstFirst(rows: readonly VectorRow[]): VectorRow[] {
  const rank = (r: VectorRow) =>
    r.figures === undefined || Number.isNaN(r.figures.cosine) ? -2 : r.figures.cosine;
  return [...rows].sort((a, b) =>
    rank(a) - rank(b) ||
    (b.figures?.relativeEuclidean ?? 0) - (a.figures?.relativeEuclidean ?? 0) ||
    (a.left < b.left ? -1 : 1)
  );
}

const columns = [
  "Cosine Similarity",
  "Relative Euclidean Distance",
  "Max Absolute Error",
  "Mean Square Error",
] as const;

const numbers = (f: VectorFigures) =>
  [f.cosine, f.relativeEuclidean, f.maxAbsolute, f.meanSquare] as const;

const cell = (text: string) => /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/** The CSV file; `all` adds shape, number of elements and SQNR to the original's columns. */
export function vectorCsv(rows: readonly VectorRow[], all: boolean): string {
  const lines = [
    // The spaces are the original's.
    "Left Files, Right Files, Cosine Similarity,Relative Euclidean Distance, Max Absolute Error, " +
    `Mean Square Error${all ? ", Shape, Elements, SQNR(dB), Note" : ""}`,
  ];
  for (const r of rows) {
    const f = r.figures;
    const figures = f === undefined ? [r.note, "", "", ""] : numbers(f).map(String);
    const more = all
      ? [
        r.shape,
        f === undefined ? "" : String(r.count),
        f === undefined ? "" : String(f.sqnr),
        r.note,
      ]
      : [];
    lines.push([r.left, r.right, ...figures, ...more].map(cell).join(","));
  }
  return lines.map((l) => `${l}\n`).join("");
}

/** The table on the screen, worst first. */
export function vectorTable(rows: readonly VectorRow[], all: boolean): string[] {
  const more = all ? ["SQNR(dB)", "Shape"] : [];
  return table(
    ["Left Files", "Right Files", ...columns, ...more],
    worstFirst(rows).map((r) => {
      const f = r.figures;
      if (f === undefined) return [r.left, r.right, r.note, "", "", "", ...more.map(() => "")];
      return [
        r.left,
        r.right,
        ...numbers(f).map((v) => v.toPrecision(6)),
        ...(all ? [f.sqnr.toFixed(2), r.shape] : []),
      ];
    }),
  );
}
