/**
 * The custom operators that a configuration registers.
 *
 * @module
 */

import type { Config } from "../src/formats/config/mod.ts";
import type { Graph } from "../src/ir/graph.ts";
import { createCustomEngine } from "../src/run/custom/engine.ts";
import { resolveCustom } from "../src/run/custom/infer.ts";
import { openCustomOperators } from "../src/run/custom/operators.ts";
import type { CustomOperators, CustomOptions } from "../src/run/custom/operators.ts";
import type { FloatEngine } from "../src/run/float.ts";
import { join, readFile } from "./files.ts";
import type { Log } from "./log.ts";

/**
 * Loads the files of a yaml's custom_op group; undefined where it has none. Needs to read these files
 * and nothing else.
 */
export async function openConfigOperators(
  customOp: Config["customOp"],
  options: CustomOptions = {},
): Promise<CustomOperators | undefined> {
  if (customOp === undefined) return undefined;
  const files = [];
  for (const name of customOp.files) {
    const file = join(customOp.dir ?? ".", name);
    files.push({ file, bytes: await readFile(file, "custom operator file") });
  }
  return await openCustomOperators(files, options);
}

/** An engine that knows the operators of a configuration. */
export interface CustomEngine {
  /** Closing it ends the Worker of the operators too. */
  readonly engine: FloatEngine;
  /** The model with the output shapes of its custom operators. */
  resolve(model: Graph): Promise<Graph>;
}

/** Adds the operators of a yaml's custom_op group to an engine; without that group it stays as it is. */
export async function withConfigOperators(
  engine: FloatEngine,
  customOp: Config["customOp"],
  log: Pick<Log, "info">,
): Promise<CustomEngine> {
  try {
    const operators = await openConfigOperators(customOp, { log: (line) => log.info(line) });
    if (operators === undefined) return { engine, resolve: (model) => Promise.resolve(model) };
    log.info(`custom operators: ${operators.names.join(", ")}`);
    return {
      engine: createCustomEngine(engine, operators),
      resolve: (model) => resolveCustom(model, operators),
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}
