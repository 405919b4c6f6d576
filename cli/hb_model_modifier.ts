/**
 * `hb_model_modifier`: removes nodes at the inputs and outputs of a `.bin`, and puts them back.
 *
 *     deno run --allow-read --allow-write=. cli/hb_model_modifier.ts model.bin -r output_HzDequantize
 *
 * @module
 */

import type { Command } from "../src/deps.ts";
import { readBin, writeBin } from "../src/container/bin.ts";
import type { Bin } from "../src/container/bin.ts";
import { decompile } from "../src/container/decompile.ts";
import { scaleInfo } from "../src/container/deleted.ts";
import type { Deleted } from "../src/container/deleted.ts";
import { deletedLine } from "../src/container/info.ts";
import {
  deletableNodes,
  deletableTypes,
  removeNode,
  removeType,
  restoreLast,
  typeName,
} from "../src/container/modify.ts";
import { isPacked } from "../src/container/pack.ts";
import { BpuError } from "../src/errors.ts";
import { mustType } from "../src/ir/graph.ts";
import type { TensorType } from "../src/ir/tensor.ts";
import { functionsOf } from "../src/ops/functions.ts";
import { main, tool } from "./app.ts";
import { dirname, readFile, writeFiles } from "./files.ts";
import { logPath, openLog } from "./log.ts";
import type { Log } from "./log.ts";

/** What is to be removed, in the order of the command line. */
type Request = { readonly node: string } | { readonly type: string };

interface Flags {
  readonly remove: readonly Request[];
  readonly output?: string;
  readonly restore?: boolean | string;
  readonly json?: boolean;
}

const list = (names: readonly string[]) => `[${names.map((n) => `'${n}'`).join(", ")}]`;

const elementNames: ReadonlyMap<string, string> = new Map([["float32", "FLOAT"]]);

function typeText(name: string, t: TensorType): string {
  const type = elementNames.get(t.dtype) ?? t.dtype.toUpperCase();
  const dims = t.shape.map((d) => `  dim: ${d}\n`).join("");
  return `name: ${JSON.stringify(name)}\ntype {\n  elem_type: ${type}\n${dims}}\n`;
}

/** The graph in the form of the original's log: every port, every node at an edge. */
function describe(log: Log, bin: Bin, file: string): void {
  const g = decompile(bin.program);
  log.debug(`storing info of model: ${file}`);
  log.debug("--------input----------");
  for (const p of g.inputs) log.debug(typeText(p.name, p));
  log.debug("--------output----------");
  for (const p of g.outputs) log.debug(typeText(p.name, p));
  log.debug("--------value_info----------");
  const ports = new Set([...g.inputs, ...g.outputs].map((p) => p.name));
  for (const n of g.nodes) {
    for (const t of n.outputs) {
      if (t !== "" && !ports.has(t)) log.debug(typeText(t, mustType(g, t, n)));
    }
  }
  log.debug("--------node----------");
  for (const n of g.nodes) {
    const lines = [
      ...n.inputs.filter((t) => t !== "").map((t) => `input: ${JSON.stringify(t)}`),
      ...n.outputs.map((t) => `output: ${JSON.stringify(t)}`),
      `name: ${JSON.stringify(n.name)}`,
      `op_type: ${JSON.stringify(typeName(n))}`,
    ];
    log.debug(`${lines.join("\n")}\n`);
  }
}

function report(log: Log, d: Deleted): void {
  log.info(`Node '${d.node.name}' found, its OP type is '${d.type}'`);
  const s = scaleInfo(d);
  if (s !== undefined) {
    log.info(
      `scale: ${s.name}; zero point: ${s.zero}. node info details are stored in ` +
        "hb_model_modifier log file",
    );
  }
  log.debug(`Node ${d.node.name} info: '${deletedLine(d)}'`);
  log.info(`Node '${d.node.name}' is removed`);
}

async function save(log: Log, bin: Bin, path: string): Promise<void> {
  const bytes = await writeBin(bin, functionsOf);
  await writeFiles(dirname(path), new Map([[path.slice(path.lastIndexOf("/") + 1), bytes]]));
  log.info(`modified model saved as ${path}`);
}

/** `m.bin` -> `m_modified.bin`, in the current folder as the original does. */
function defaultName(file: string): string {
  return `${file.slice(file.lastIndexOf("/") + 1).replace(/\.bin$/i, "")}_modified.bin`;
}

function remove(log: Log, bin: Bin, requests: readonly Request[]): [Bin, Deleted[]] {
  const types = requests.flatMap((r) => "type" in r ? [r.type] : []);
  if (types.length > 0) log.info(`Tool will remove ${list(types)} nodes from this model`);
  const done: Deleted[] = [];
  let at = bin;
  for (const r of requests) {
    if ("node" in r) {
      const step = removeNode(at, r.node);
      report(log, step.deleted);
      done.push(step.deleted);
      at = step.bin;
      continue;
    }
    const step = removeType(at, r.type);
    if (step.deleted.length === 0) log.warning(`no ${r.type} node is at an input or output`);
    else {
      log.info(
        `Nodes that will be removed from this model: ${list(step.deleted.map((d) => d.node.name))}`,
      );
    }
    for (const d of step.deleted) report(log, d);
    done.push(...step.deleted);
    at = step.bin;
  }
  return [at, done];
}

function restore(log: Log, bin: Bin, count: number | undefined): [Bin, Deleted[]] {
  const done: Deleted[] = [];
  let at = bin;
  while (count === undefined ? done.length === 0 || "deleted" in at.info : done.length < count) {
    const step = restoreLast(at);
    log.info(`Node '${step.restored.node.name}' is restored`);
    done.push(step.restored);
    at = step.bin;
  }
  return [at, done];
}

async function run(file: string, flags: Flags): Promise<void> {
  if (flags.remove.length > 0 && flags.restore !== undefined) {
    throw new BpuError("usage", "nodes cannot be removed and restored at once", {
      hint: "Run the command twice.",
    });
  }
  let count: number | undefined;
  if (typeof flags.restore === "string") {
    count = Number(flags.restore);
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new BpuError("usage", `--restore takes a number of nodes, not '${flags.restore}'`);
    }
  }
  const bytes = await readFile(file, "model");
  if (await isPacked({ file, bytes })) {
    throw new BpuError("unsupported", "pack model is not supported", {
      file,
      hint: "Extract one model first: hb_pack --extract.",
    });
  }
  const bin = await readBin(bytes, file);
  const changing = flags.remove.length > 0 || flags.restore !== undefined;
  const log = openLog(changing ? "hb_model_modifier.log" : undefined, flags.json === true);
  try {
    if (!changing) {
      const nodes = deletableNodes(bin);
      log.info(`Nodes that can be deleted: ${list(nodes.map((n) => n.name))}`);
      if (flags.json) console.log(JSON.stringify({ deletable: nodes }));
      return;
    }
    log.info(`log will be stored in ${logPath("hb_model_modifier.log")}`);
    describe(log, bin, file);
    const restoring = flags.restore !== undefined;
    const [changed, nodes] = restoring ? restore(log, bin, count) : remove(log, bin, flags.remove);
    const output = flags.output ?? defaultName(file);
    await save(log, changed, output);
    if (flags.json) {
      console.log(JSON.stringify({
        file: output,
        [restoring ? "restored" : "removed"]: nodes.map((d) => ({
          name: d.node.name,
          type: d.type,
          side: d.side,
          port: d.port,
        })),
        inputs: changed.info["inputs"],
        outputs: changed.info["outputs"],
      }));
    }
  } catch (error) {
    log.debug(error instanceof BpuError ? error.sentence() : String(error));
    throw error;
  } finally {
    log.close();
  }
}

/** `hb_model_modifier`. */
export function modelModifierCommand(): Command {
  const requests: Request[] = [];
  const add = (r: Request) => {
    requests.push(r);
    return requests;
  };
  return tool(
    "hb_model_modifier",
    "Removes nodes at the inputs and outputs of a .bin; lists what can be removed without options.",
  )
    .argument("<model_file>", "a .bin file")
    .option(
      "-r <node>",
      "name of a node to remove; repeat for several, in order",
      (v) => add({ node: v }),
    )
    .option(
      "-a, --all <type>",
      `remove all nodes of a type (${
        [...new Set([...deletableTypes.input, ...deletableTypes.output])].join(", ")
      }); can be repeated`,
      (v) => add({ type: v }),
    )
    .option("-o, --output <file>", "the modified model (default: <model>_modified.bin)")
    .option("--restore [count]", "put removed nodes back, the last first (default: all)")
    .option("--json", "print the result as one JSON object")
    .option("--debug", "show stack traces of errors")
    .addHelpText(
      "after",
      "\nExamples:\n  hb_model_modifier model.bin\n" +
        "  hb_model_modifier model.bin -r prob -a Reshape -a Dequantize -o cut.bin\n" +
        "  hb_model_modifier cut.bin --restore",
    )
    .action((file: string, flags: Omit<Flags, "remove">) =>
      run(file, { ...flags, remove: requests })
    );
}

if (import.meta.main) await main(modelModifierCommand, Deno.args);
