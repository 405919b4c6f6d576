/**
 * What a file that should be a model really is: one clear sentence instead of a decoder's complaint.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";

const reExport = "Give the exported .onnx file.";

/** Throws `format` when the bytes are recognisably something else than protobuf. */
export function refuseOtherFormats(bytes: Uint8Array, file: string | undefined): void {
  const fail = (what: string, hint = reExport): never => {
    throw new BpuError("format", `not an ONNX model: ${what}`, { file, hint });
  };
  if (bytes.length === 0) fail("the file is empty");
  const head = Array.from(bytes.subarray(0, 256), (b) => String.fromCharCode(b)).join("");
  const text = head.trimStart().toLowerCase();
  if (head.startsWith("version https://git-lfs")) {
    fail("it is a Git LFS pointer, the model itself was not fetched", "Run git lfs pull.");
  }
  if (text.startsWith("<!doctype") || text.startsWith("<html")) {
    fail("it is an HTML page, probably saved by a failed download", "Download the file again.");
  }
  if (text.startsWith("<?xml") || text.startsWith("<net")) fail("it is XML");
  if (head.startsWith("PK\x03\x04")) {
    fail("it is a zip archive (a PyTorch checkpoint or a packed model)", "Unpack or export it.");
  }
  if (head.startsWith("\x1f\x8b")) fail("it is gzip-compressed", "Decompress it.");
  if (head.startsWith("\x89HDF")) fail("it is an HDF5 file (Keras weights)", "Export it to ONNX.");
  if (head.slice(4, 8) === "TFL3") fail("it is a TensorFlow Lite model", "Export it to ONNX.");
  if (head.startsWith("\x80\x02") || head.startsWith("\x80\x04")) {
    fail("it is a Python pickle (a PyTorch checkpoint)", "Export it with torch.onnx.export.");
  }
  if (head.startsWith("\x93NUMPY")) fail("it is a numpy array");
  if (head.slice(4, 8) === "ORTM") fail("it is an ORT-format model");
  if (text.startsWith("{")) fail("it is JSON");
  if (/^[\t\n\r -~]+$/.test(head)) fail("it is a text file");
}
