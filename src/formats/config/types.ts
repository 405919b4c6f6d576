/**
 * The normalised config: what {@linkcode parseConfig} returns and every later stage reads.
 *
 * @module
 */

import type { Position } from "./yaml.ts";

/** Architectures that a config may name. */
export type March = "bayes" | "bernoulli2" | "bayes-e";

/** Where the float model comes from. */
export type ModelType = "onnx" | "caffe";

/** `input_type_train`: what the float model was trained on. */
export type TrainType = "rgb" | "bgr" | "yuv444" | "gray" | "featuremap";

/** `input_type_rt`: what the converted model is fed with. */
export type RuntimeType = TrainType | "nv12";

/** Order of the axes of a 4-D input. */
export type Layout = "NCHW" | "NHWC";

/** Value range and matrix of nv12 data. */
export type SpaceAndRange = "regular" | "bt601_video";

/** `norm_type`. */
export type NormType = "no_preprocess" | "data_mean" | "data_scale" | "data_mean_and_scale";

/** Element type of raw calibration files. */
export type CalDataType = "float32" | "uint8" | "int32" | "int16" | "int8";

/** Where the board takes an input from. */
export type InputSource = "ddr" | "pyramid" | "resizer";

/** `calibration_type`. */
export type CalibrationType = "default" | "mix" | "kl" | "max" | "load" | "skip";

/** Integer types that node_info and optimization can ask for. */
export type NodeDataType = "int8" | "int16";

/** Normalisation of one input: y = (x - mean) * scale; one value for all channels or one a channel. */
export interface InputNorm {
  readonly type: NormType;
  /** Empty when `type` has no mean. */
  readonly mean: readonly number[];
  /** Empty when `type` has no scale. */
  readonly scale: readonly number[];
}

/** One model input. `name` and `shape` may stay open until {@linkcode completeConfig}. */
export interface InputConfig {
  readonly name: string | undefined;
  /** As written in the yaml; -1 for `?`. */
  readonly shape: readonly number[] | undefined;
  readonly typeTrain: TrainType;
  readonly typeRt: RuntimeType;
  readonly layoutTrain: Layout;
  /** undefined when not given; see `runtimeLayout`. */
  readonly layoutRt: Layout | undefined;
  readonly spaceAndRange: SpaceAndRange;
  readonly norm: InputNorm;
  /** As written; undefined with load, skip or when not given. */
  readonly calDataDir: string | undefined;
  readonly calDataType: CalDataType;
  /** Whether the yaml gave cal_data_type (else it follows the `_f32` suffix of the folder). */
  readonly calDataTypeGiven: boolean;
  readonly inputSource: InputSource;
  readonly inputSourceGiven: boolean;
}

/** An input whose name and shape are known. */
export interface CompleteInput extends InputConfig {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Placement and types that the user forces on one node. */
export interface NodeInfo {
  readonly name: string;
  readonly on?: "CPU" | "BPU";
  /** For all inputs. */
  readonly inputType?: NodeDataType;
  /** For single inputs, by index (`InputType0`). */
  readonly inputTypes: ReadonlyMap<number, NodeDataType>;
  readonly outputType?: NodeDataType;
}

/** model_parameters. Paths are as written. */
export interface ModelParameters {
  readonly onnxModel: string | undefined;
  readonly caffeModel: string | undefined;
  readonly prototxt: string | undefined;
  readonly march: March;
  readonly outputModelFilePrefix: string;
  readonly workingDir: string;
  readonly layerOutDump: boolean;
  readonly outputNodes: readonly string[];
  /** In the order of removal. */
  readonly removeNodeType: readonly string[];
  readonly removeNodeName: readonly string[];
  readonly dumpCalibrationData: boolean;
  /** node_info, set_node_data_type, run_on_cpu and run_on_bpu merged; one entry a node. */
  readonly nodeInfo: readonly NodeInfo[];
  readonly logLevel: string | undefined;
}

/** calibration_parameters without the per-input keys. */
export interface CalibrationParameters {
  readonly type: CalibrationType;
  readonly maxPercentile: number;
  readonly perChannel: boolean;
  readonly preprocessOn: boolean;
  /** Options in the order of the file. */
  readonly optimization: readonly string[];
  /** Similarity of every output that int16 tensors are to reach, above 0 and at most 1. */
  readonly accuracyTarget?: number;
  /** Most microseconds of the BPU part when int16 tensors are chosen. */
  readonly latencyBudget?: number;
}

/** compiler_parameters without input_source, which is in the inputs. */
export interface CompilerParameters {
  readonly compileMode: "latency" | "bandwidth" | "balance";
  readonly balanceFactor: number | undefined;
  readonly debug: boolean;
  readonly coreNum: number;
  readonly optimizeLevel: "O0" | "O1" | "O2" | "O3";
  /** Microseconds; 0 is no limit. */
  readonly maxTimePerFc: number;
  readonly jobs: number | undefined;
  /** Microseconds; 0 is off. */
  readonly advice: number;
}

/** custom_op. */
export interface CustomOpParameters {
  readonly method: "register";
  readonly files: readonly string[];
  readonly dir: string | undefined;
}

/** A whole config. */
export interface Config {
  readonly file: string;
  readonly modelType: ModelType;
  readonly model: ModelParameters;
  readonly inputs: readonly InputConfig[];
  readonly inputBatch: number;
  readonly calibration: CalibrationParameters;
  readonly compiler: CompilerParameters;
  readonly customOp: CustomOpParameters | undefined;
  /** input_source by input name (and `_default_value`), for inputs that the yaml does not name. */
  readonly inputSources: ReadonlyMap<string, InputSource>;
  /** Place of each given `group.key` in the file, for messages of later stages. */
  readonly places: ReadonlyMap<string, Position>;
}

/** A config whose inputs are known. */
export interface CompleteConfig extends Config {
  readonly inputs: readonly CompleteInput[];
}

/** Layout of the runtime input: nv12 is always NHWC; else as given; else that of training. */
export function runtimeLayout(input: InputConfig): Layout {
  return input.typeRt === "nv12" ? "NHWC" : input.layoutRt ?? input.layoutTrain;
}
