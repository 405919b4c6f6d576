/**
 * The yaml config: one schema, and from it parsing, documentation, a JSON Schema and templates.
 *
 * @module
 */

export { parseConfig, type ParsedConfig, type ParseOptions } from "./parse.ts";
export {
  completeConfig,
  type CompletedConfig,
  type ConfigNote,
  type ModelInput,
} from "./complete.ts";
export { joinPath, type Json, normalisedJson, resolvePaths } from "./normalise.ts";
export { configJsonSchema, configMarkdown, configTemplate } from "./document.ts";
export { ConfigError, type ConfigIssue, issueText } from "./issues.ts";
export { imageAxes, marchLimits, refuseTypes, typePairs } from "./input_rules.ts";
export { runtimeLayout } from "./types.ts";
export type * from "./types.ts";
