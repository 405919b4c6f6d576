/**
 * bpukit: post-training quantization for Horizon BPU-class accelerators, as a library. Every stage is a
 * function from values to values; files, processes and the network stay outside.
 *
 * @example Converts a model that is built here, runs it in the simulator and in onnxruntime-web
 * ```ts
 * import { attr, convert, createFloatEngine, functionsOf, marchOf, node, openProgram } from "./mod.ts";
 * import type { Graph, Tensor } from "./mod.ts";
 *
 * const weight: Tensor = { dtype: "float32", shape: [2, 1, 1, 1], data: Float32Array.of(0.5, -2) };
 * const graph: Graph = {
 *   name: "tiny",
 *   opset: 17,
 *   domains: new Map(),
 *   nodes: [node("Conv", "conv", ["x", "w"], ["y"], { pads: attr.ints([0, 0, 0, 0]) })],
 *   inputs: [{ name: "x", dtype: "float32", shape: [1, 1, 2, 2] }],
 *   outputs: [{ name: "y", dtype: "float32", shape: [1, 2, 2, 2] }],
 *   constants: new Map([["w", weight]]),
 *   types: new Map(),
 *   metadata: new Map(),
 * };
 * const engine = createFloatEngine({ workers: 0, functions: functionsOf });
 * const { program, quantized } = await convert(graph, {
 *   march: marchOf("bayes"),
 *   calibrator: {
 *     candidates: ["max"],
 *     observe: () => Promise.resolve(),
 *     threshold: (_method, _tensor, dtype) => ({ dtype, threshold: 1, zero: 0, method: "max" }),
 *   },
 * });
 * const x: Tensor = { dtype: "float32", shape: [1, 1, 2, 2], data: Float32Array.of(1, 0.5, -1, 0) };
 * const feeds = new Map([["x", x]]);
 * const simulated = await (await openProgram(program, { cpu: engine })).run(feeds);
 * const reference = await (await engine.open(quantized.graph)).run(feeds);
 * console.assert(String(simulated.get("y")!.data) === String(reference.get("y")!.data));
 * await engine.close();
 * ```
 *
 * @module
 */

export { BpuError, exitCodes, sentenceOf } from "./src/errors.ts";
export type { ErrorCode, ErrorPlace } from "./src/errors.ts";
export { attr, node } from "./src/ir/graph.ts";
export type { Attr, Graph, Node, Port } from "./src/ir/graph.ts";
export type { DType, Tensor, TensorData, TensorType } from "./src/ir/tensor.ts";
export type { Engine, Feeds, Session } from "./src/ir/engine.ts";
export { verify } from "./src/ir/verify.ts";
export { loadOnnx } from "./src/formats/onnx/load.ts";
export { saveOnnx } from "./src/formats/onnx/save.ts";
export { loadCaffe } from "./src/formats/caffe/load.ts";
export { readNpy, writeNpy } from "./src/formats/npy/npy.ts";
export { completeConfig, parseConfig } from "./src/formats/config/mod.ts";
export { openCalibration, randomCalibration } from "./src/formats/data/mod.ts";
export { marchOf } from "./src/march/mod.ts";
export type { March, MarchName } from "./src/march/mod.ts";
export { inferTypes } from "./src/ops/infer.ts";
export { functionsOf } from "./src/ops/functions.ts";
export { optimize } from "./src/passes/mod.ts";
export { place } from "./src/quantize/place.ts";
export type { Placement, Plan, TensorPlan } from "./src/quantize/plan.ts";
export { quantize } from "./src/quantize/quantize.ts";
export { compile } from "./src/compile/compile.ts";
export type { Program } from "./src/compile/program.ts";
export { readBin, writeBin } from "./src/container/bin.ts";
export { createFloatEngine } from "./src/run/float.ts";
export type { FloatEngine } from "./src/run/float.ts";
export { openProgram } from "./src/run/simulator.ts";
export { convert } from "./src/flow/convert.ts";
export type { Calibrator, Conversion } from "./src/flow/convert.ts";
export { makertbin } from "./src/flow/makertbin.ts";
export type { Made, MakeOptions } from "./src/flow/makertbin.ts";
export type { MixedGoal } from "./src/flow/search/mixed.ts";
export { equalize } from "./src/calibrate/equalize.ts";
export { smooth } from "./src/calibrate/smooth.ts";
export { chooseRounding, PatchMoments } from "./src/calibrate/adaround.ts";
export { biasCorrection, withBiases } from "./src/calibrate/bias_correction.ts";
export { similarity } from "./src/debug/similarity.ts";
export type { Similarity } from "./src/debug/similarity.ts";
export {
  evaluateClassification,
  evaluateDetection,
  pictureFiles,
} from "./src/flow/accuracy_eval.ts";
export type { ClassificationResult, DetectionResult } from "./src/flow/accuracy_eval.ts";
export { openPictureModel } from "./src/flow/accuracy_model.ts";
export type { PictureModel } from "./src/flow/accuracy_model.ts";
export { prove } from "./src/flow/prove.ts";
export { version } from "./src/flow/version.ts";
export { HB_ONNXRuntime } from "./src/run/hb_onnxruntime.ts";
export type { HbFeed, HbModel, HbOptions, HbPort } from "./src/run/hb_onnxruntime.ts";
export type { FeedValue } from "./src/run/input_values.ts";
export { createCustomEngine } from "./src/run/custom/engine.ts";
export { resolveCustom } from "./src/run/custom/infer.ts";
export { openCustomOperators } from "./src/run/custom/operators.ts";
export type { CustomOperators, CustomOptions } from "./src/run/custom/operators.ts";
export type { CustomLimits, OperatorFile } from "./src/run/custom/types.ts";
/** Preprocessing of pictures: transformers and the chains of named models. */
export * as preprocess from "./src/formats/preprocess/mod.ts";
