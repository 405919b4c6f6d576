/**
 * Typed errors: every failure that a user can cause is a {@linkcode BpuError} with a stable code, a
 * sentence for the person who made the mistake, and the place (node, tensor, file, line).
 *
 * @module
 */

/** Stable error codes; {@linkcode exitCodes} maps each to the exit status of a command. */
export type ErrorCode =
  | "usage" // wrong flags or arguments
  | "config" // a yaml key is missing or wrong
  | "file" // a file is missing, unreadable or of the wrong size
  | "format" // a file is not what its name says, truncated or damaged
  | "limit" // an allocation, size or depth limit
  | "model" // the graph is malformed: dangling tensors, cycles, shapes that contradict
  | "shape" // a shape cannot be inferred or is dynamic
  | "unsupported" // an operator, attribute or combination that cannot be converted
  | "calibration" // calibration data is missing or does not fit the input
  | "numeric" // a value outside what the integer arithmetic can represent
  | "runtime" // an engine refused to run the model
  | "internal"; // our defect: should never be seen

/** Where an error is: each field is printed when it is known. */
export interface ErrorPlace {
  readonly node?: string;
  readonly op?: string;
  readonly tensor?: string;
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
  /** Key of a config file, `group.key`. */
  readonly key?: string;
  /** What to do about it, one sentence. */
  readonly hint?: string;
  /** The error that lies behind; shown by `--debug` only. */
  readonly cause?: unknown;
}

/** Exit status of a command per error code (0 is success, 1 is our defect). */
export const exitCodes: Readonly<Record<ErrorCode, number>> = {
  internal: 1,
  usage: 2,
  config: 3,
  file: 4,
  format: 5,
  limit: 6,
  model: 7,
  shape: 8,
  unsupported: 9,
  calibration: 10,
  numeric: 11,
  runtime: 12,
};

/**
 * An error that a user can act on.
 *
 * @example
 * ```ts
 * import { BpuError } from "./errors.ts";
 * const e = new BpuError("file", "model.onnx does not exist", { hint: "Check onnx_model." });
 * console.log(e.sentence()); // model.onnx does not exist. Check onnx_model.
 * ```
 */
export class BpuError extends Error {
  override readonly name = "BpuError";
  readonly code: ErrorCode;
  readonly place: ErrorPlace;

  constructor(code: ErrorCode, message: string, place: ErrorPlace = {}) {
    super(message, place.cause === undefined ? undefined : { cause: place.cause });
    this.code = code;
    this.place = place;
  }

  /** One line for the user: place, message, hint. */
  sentence(): string {
    const p = this.place;
    const at = p.file === undefined
      ? ""
      : `${p.file}${
        p.line === undefined ? "" : `:${p.line}${p.column === undefined ? "" : `:${p.column}`}`
      }: `;
    const who = p.node === undefined ? "" : `${p.op ?? "node"} ${p.node}: `;
    const tensor = p.tensor === undefined ? "" : ` (tensor ${p.tensor})`;
    const text = `${at}${who}${this.message}${tensor}`;
    const end = /[.!?]$/.test(text) ? "" : ".";
    return p.hint === undefined ? text : `${text}${end} ${p.hint}`;
  }
}

/** The sentence of any thrown value: a {@linkcode BpuError}'s own, else its message. */
export function sentenceOf(error: unknown): string {
  if (error instanceof BpuError) return error.sentence();
  return error instanceof Error ? error.message : String(error);
}
