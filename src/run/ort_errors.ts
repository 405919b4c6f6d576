/**
 * onnxruntime's messages in a user's words.
 *
 * @module
 */

import { BpuError, type ErrorPlace } from "../errors.ts";

/** A path of onnxruntime's own sources and the C++ signature that follows it. */
const sourcePath = /(?:^|\s)\/\S+\.(?:h|cc):\d+ [^()]*\([^()]*\)\s*(?:const\s+)?/g;

/** Shapes of messages that name a node: operator first or name first. */
const running = /returned while running (\S+) node\. Name:\s?'([^']*)'/;
const typed = /of operator \(([^)]*)\) in node \(([^)]*)\)/;
const missing = /Could not find an implementation for ([^\s(]+)\(\d+\) node with name '([^']*)'/;
const invalid = /In Node,\s*\("([^"]*)",\s*([^,]+),/;
/** Messages that name an operator or a tensor only. */
const unknown = /No Op registered for (\S+)|Fatal error: (?:\w*:)?(\S+?)\(-?\d+\) is not/;
const dangling = /Node input '([^']*)' is not/;

function sentence(raw: string, op: string | undefined): string {
  if (/protobuf parsing failed/i.test(raw)) {
    return "this is not an ONNX model, or the file is damaged";
  }
  if (missing.test(raw)) return `onnxruntime has no implementation of ${op} for these types`;
  if (unknown.test(raw)) return `onnxruntime does not know the operator ${op}`;
  const text = raw
    .replace(/^Can't create a session\.\s*|^failed to call OrtRun\(\)\.\s*/, "")
    .replace(/^ERROR_CODE:\s*\d+,\s*ERROR_MESSAGE:\s*/, "")
    .replace(/^Non-zero status code .*? Name:\s?'[^']*'\s*/, "")
    .replace(/^Status Message:\s*/, "")
    .replace(/^Load model from .*? failed:\s*/, "")
    .replace(/^(?:Invalid model\.|This is an invalid model\.)\s*/, "")
    .replace(/^.*? , Error\s+/, "")
    .replace(/\[ShapeInferenceError\]\s*/, "")
    .replace(sourcePath, " ")
    .replace(/\s+/g, " ")
    .trim();
  return text === "" ? "onnxruntime stopped without a message" : text;
}

/**
 * An error of onnxruntime as BpuError("runtime"): the node's name and operator where the message
 * holds them, no code numbers, no paths of its sources.
 */
export function readable(error: unknown, place: ErrorPlace = {}): BpuError {
  if (error instanceof BpuError) return error;
  const raw = error instanceof Error ? error.message : String(error);
  const byOp = running.exec(raw) ?? missing.exec(raw) ?? typed.exec(raw);
  const byName = invalid.exec(raw);
  const alone = unknown.exec(raw);
  const node = byOp?.[2] ?? byName?.[1];
  const op = (byOp?.[1] ?? byName?.[2] ?? alone?.[1] ?? alone?.[2])?.trim();
  const tensor = dangling.exec(raw)?.[1];
  const full = /memory|bad_alloc|failed to allocate/i.test(raw) || error instanceof RangeError;
  return new BpuError("runtime", sentence(raw, op), {
    ...(node === undefined || node === "" ? {} : { node }),
    ...(op === undefined ? {} : { op }),
    ...(tensor === undefined ? {} : { tensor }),
    ...(full ? { hint: "Model and tensors must fit into 4 GiB of WebAssembly memory." } : {}),
    ...place,
    cause: error,
  });
}
