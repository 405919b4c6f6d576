/**
 * The custom operators that a configuration registers.
 *
 * @module
 */

import type { Config } from "../src/formats/config/mod.ts";
import { BpuError } from "../src/errors.ts";
import { loadOnnx } from "../src/formats/onnx/load.ts";
import { stringAttr } from "../src/ir/graph.ts";
import type { Graph, Node } from "../src/ir/graph.ts";
import { createCustomEngine } from "../src/run/custom/engine.ts";
import { resolveCustom } from "../src/run/custom/infer.ts";
import { isCustom, openCustomOperators } from "../src/run/custom/operators.ts";
import type { CustomOperators, CustomOptions } from "../src/run/custom/operators.ts";
import type { OperatorFile } from "../src/run/custom/types.ts";
import type { FloatEngine } from "../src/run/float.ts";
import { portsOfOnnx } from "../src/run/model_ports.ts";
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
  return await openCustomOperators(files, {
    workerPermissions: await workerPermissions(),
    ...options,
  });
}

/**
 * Whether Deno's own permissions of Workers may be used: BPUKIT_WORKER_PERMISSIONS=1 says that it was
 * started with --unstable-worker-options. Without --allow-env for that name the answer is no.
 */
async function workerPermissions(): Promise<boolean> {
  const variable = "BPUKIT_WORKER_PERMISSIONS";
  const { state } = await Deno.permissions.query({ name: "env", variable });
  return state === "granted" && Deno.env.get(variable) === "1";
}

/** Reads the files of `--custom_op`, separated by `,` or `;`. */
export async function readOperatorFiles(list: string): Promise<OperatorFile[]> {
  const names = list.split(/[,;]/).map((n) => n.trim()).filter((n) => n !== "");
  if (names.length === 0) {
    throw new BpuError("usage", "--custom_op names no file", {
      hint: "For example: --custom_op custom_op/sample_custom.ts.",
    });
  }
  return await Promise.all(names.map(async (file) => ({
    file,
    bytes: await readFile(file, "custom operator file"),
  })));
}

/** The same engine, with a sentence for models whose operators were not registered. */
function refusing(engine: FloatEngine): FloatEngine {
  const refuse = (n: Node | undefined) =>
    new BpuError("unsupported", "this is a custom operator", {
      ...(n === undefined ? {} : { node: n.name, op: stringAttr(n, "class_name", n.op) }),
      hint: "Give the file that defines it: --custom_op FILE.ts.",
    });
  return {
    ...engine,
    async open(graph, fetch) {
      const custom = graph.nodes.find(isCustom);
      if (custom !== undefined) throw refuse(custom);
      return await engine.open(graph, fetch);
    },
    async openBytes(bytes, fetch) {
      if (portsOfOnnx(bytes, "model").custom) throw refuse(loadOnnx(bytes).nodes.find(isCustom));
      return await engine.openBytes(bytes, fetch);
    },
  };
}

/** Adds the operators of files to an engine; closing it ends their Worker, too. */
export async function withOperatorFiles(
  engine: FloatEngine,
  files: readonly OperatorFile[] | undefined,
  log: (line: string) => void,
): Promise<FloatEngine> {
  if (files === undefined) return refusing(engine);
  try {
    const options = { log, workerPermissions: await workerPermissions() };
    return createCustomEngine(engine, await openCustomOperators(files, options));
  } catch (error) {
    await engine.close();
    throw error;
  }
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
