/**
 * Calibration and inference data: files to tensors.
 *
 * @module
 */

export { type FileSource, readSample, sampleFiles, sortByBytes } from "./source.ts";
export { type LoadOptions, loadSample } from "./load.ts";
export { fromRuntimeInput, oddRange, runtimeByteSize, toModelInput } from "./convert.ts";
export { type PreprocessMatrix, preprocessMatrix } from "./preprocess.ts";
export {
  type CalibrationOptions,
  type CalibrationSet,
  openCalibration,
  randomCalibration,
  randomSample,
} from "./calibration.ts";
