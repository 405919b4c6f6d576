/**
 * `hb_verifier`: compares the quantized ONNX model, the `.bin` in the simulator and the `.bin` on a board.
 *
 *     deno run --allow-read cli/hb_verifier.ts -m model_quantized_model.onnx,model.bin -s True
 *
 * A board also takes `--allow-net=ADDRESS:22` and `--allow-env=HOME` (for known_hosts and keys).
 *
 * @module
 */

import type { Command } from "../src/deps.ts";
import { BpuError } from "../src/errors.ts";
import type { Feeds } from "../src/ir/engine.ts";
import { numbersOf } from "../src/ir/tensor.ts";
import type { Tensor } from "../src/ir/tensor.ts";
import { functionsOf } from "../src/ops/functions.ts";
import {
  consistency,
  mismatches,
  mismatchLines,
  noValues,
  together,
  verdict,
} from "../src/report/consistency.ts";
import type { Consistency } from "../src/report/consistency.ts";
import { connectBoard } from "../src/run/board.ts";
import type { Board } from "../src/run/board.ts";
import { createFloatEngine } from "../src/run/float.ts";
import {
  fromRuntimeBytes,
  randomRuntimeBytes,
  readRuntimeInput,
} from "../src/run/runtime_input.ts";
import { openPair, runBoard, runOnnx, runSimulator } from "../src/run/verify.ts";
import type { Pair, RunResult } from "../src/run/verify.ts";
import { main, tool } from "./app.ts";
import { readOperatorFiles, withOperatorFiles } from "./custom_op_files.ts";
import { readFile, readText } from "./files.ts";
import { parseBool, parseCount } from "./values.ts";
import { openLog } from "./log.ts";
import type { Log } from "./log.ts";

interface Flags {
  readonly model: string;
  readonly boardIp?: string;
  readonly runSim: boolean;
  readonly inputImg?: string;
  readonly compare_digits: number;
  readonly dumpAllNodesResults: boolean;
  readonly username: string;
  readonly password?: string;
  readonly identity?: string;
  readonly knownHosts?: string;
  readonly timeout: number;
  readonly seed: number;
  readonly customOp?: string;
  readonly json?: boolean;
}

/** The home folder, where Deno may see it. */
async function home(): Promise<string | undefined> {
  const { state } = await Deno.permissions.query({ name: "env", variable: "HOME" });
  return state === "granted" ? Deno.env.get("HOME") : undefined;
}

/** `10.0.0.2`, `10.0.0.2:2222`, `[fe80::1]:22`, `board.local`. */
export function parseAddress(text: string): { host: string; port: number } {
  const m = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text);
  const colons = /^[0-9a-f:]+$/i.test(text) && text.split(":").length > 2;
  const host = colons ? text : m?.[1] ?? m?.[2];
  const port = Number((colons ? undefined : m?.[3]) ?? 22);
  if (host === undefined || port < 1 || port > 65535 || !/^[\w.:%-]+$/.test(host)) {
    throw new BpuError("usage", `'${text}' is not the address of a board`, {
      hint: "Write it like 192.168.1.10 or 192.168.1.10:2222.",
    });
  }
  return { host, port };
}

/** Private keys: the one that was named, else the usual ones that can be read. */
async function privateKeys(flags: Flags, dir: string | undefined): Promise<string[]> {
  if (flags.identity !== undefined) return [await readText(flags.identity, "private key")];
  const keys: string[] = [];
  if (dir === undefined) return keys;
  for (const name of ["id_ed25519", "id_ecdsa", "id_rsa"]) {
    const key = await Deno.readTextFile(`${dir}/.ssh/${name}`).catch(() => undefined);
    if (key !== undefined) keys.push(key);
  }
  return keys;
}

async function openBoard(flags: Flags): Promise<Board> {
  const { host, port } = parseAddress(flags.boardIp!);
  const dir = await home();
  const known = flags.knownHosts ?? (dir === undefined ? undefined : `${dir}/.ssh/known_hosts`);
  if (known === undefined) {
    throw new BpuError("usage", "the file with the board's host key is not known", {
      hint: "Add --known-hosts FILE, or --allow-env=HOME.",
    });
  }
  return await connectBoard({
    host,
    port,
    user: flags.username,
    ...(flags.password === undefined ? {} : { password: flags.password }),
    privateKeys: await privateKeys(flags, dir),
    knownHosts: await readText(known, "known_hosts file"),
    timeout: flags.timeout * 1000,
  });
}

/** Files by input: `name:file,name:file` or `file,file`. */
function parseInputs(text: string, pair: Pair): Map<string, string> {
  const files = new Map<string, string>();
  const names = new Set(pair.inputs.map((t) => t.name));
  const parts = text.split(",").map((p) => p.trim()).filter((p) => p !== "");
  for (const [i, part] of parts.entries()) {
    // An input name may hold colons itself: the longest one that fits counts.
    const name = [...names].filter((n) =>
      part.startsWith(`${n}:`)
    ).sort((a, b) => b.length - a.length)[0];
    const input = name ?? pair.inputs[i]?.name;
    if (input !== undefined) {
      files.set(
        input,
        name === undefined ? part : part.slice(name.length + 1),
      );
    }
  }
  if (files.size !== pair.inputs.length || parts.length !== pair.inputs.length) {
    throw new BpuError(
      "usage",
      `the model has ${pair.inputs.length} inputs, -i names ${parts.length} files`,
      { hint: `Write -i ${pair.inputs.map((t) => `${t.name}:FILE`).join(",")}.` },
    );
  }
  return files;
}

async function inputs(pair: Pair, flags: Flags): Promise<Feeds> {
  const files = flags.inputImg === undefined ? undefined : parseInputs(flags.inputImg, pair);
  const feeds = new Map<string, Tensor>();
  for (const [i, t] of pair.inputs.entries()) {
    const file = files?.get(t.name);
    feeds.set(
      t.name,
      file === undefined
        ? fromRuntimeBytes(randomRuntimeBytes(t, flags.seed + i), t, "random data")
        : await readRuntimeInput(await readFile(file, "input file"), t, file),
    );
  }
  return feeds;
}

interface Compared {
  readonly left: string;
  readonly right: string;
  readonly all: Consistency;
  readonly outputs: readonly { readonly name: string; readonly c: Consistency }[];
  readonly nodes: readonly { readonly name: string; readonly c: Consistency }[];
}

function compareRuns(
  [left, a]: readonly [string, RunResult],
  [right, b]: readonly [string, RunResult],
  digits: number,
): Compared {
  const each = (x: ReadonlyMap<string, Tensor>, y: ReadonlyMap<string, Tensor>, same: boolean) =>
    [...x].flatMap(([name, t]) => {
      const u = y.get(name);
      // A removed Dequantize leaves integers under the name of the floats.
      if (same && (u === undefined || u.dtype !== t.dtype)) return [];
      return [{ name, c: consistency(numbersOf(t), u === undefined ? [] : numbersOf(u), digits) }];
    });
  const outputs = each(a.outputs, b.outputs, false);
  return {
    left,
    right,
    outputs,
    nodes: each(a.nodes, b.nodes, true),
    all: outputs.reduce((sum, o) => together(sum, o.c), noValues),
  };
}

function print(log: Log, c: Compared): void {
  if (c.nodes.length > 0) {
    const bad = c.nodes.filter((n) => mismatches(n.c) > 0);
    log.info(
      `${c.left} VS ${c.right}: ${c.nodes.length} tensors of equal name compared, ${bad.length} differ`,
    );
    for (const n of bad) {
      log.warning(
        `${n.name}: ${mismatches(n.c)} of ${n.c.total} values, max abs error ${n.c.maxAbsolute}`,
      );
    }
  }
  if (mismatches(c.all) === 0) return log.info(verdict(c.left, c.right, c.all));
  for (const line of mismatchLines(c.left, c.right, c.all)) log.info(line);
  if (c.outputs.length > 1) {
    for (const o of c.outputs) log.info(`output ${o.name}: ${mismatches(o.c)} of ${o.c.total}`);
  }
  log.warning(verdict(c.left, c.right, c.all));
}

/** `quanti.onnx,model.bin` in any order. */
function parseModels(text: string): { onnx: string; bin: string } {
  const parts = text.split(",").map((p) => p.trim()).filter((p) => p !== "");
  const onnx = parts.filter((p) => /\.onnx$/i.test(p)),
    bin = parts.filter((p) => /\.bin$/i.test(p));
  if (onnx.length !== 1 || bin.length !== 1 || parts.length !== 2) {
    throw new BpuError("usage", `-m takes a quantized .onnx and a .bin, not '${text}'`, {
      hint: "For example: -m model_quantized_model.onnx,model.bin.",
    });
  }
  return { onnx: onnx[0]!, bin: bin[0]! };
}

async function run(flags: Flags): Promise<void> {
  const paths = parseModels(flags.model);
  if (flags.boardIp === undefined && !flags.runSim) {
    throw new BpuError("usage", "there is nothing to compare the quantized ONNX with", {
      hint: "Add -s True for the simulator, -b ADDRESS for a board, or both.",
    });
  }
  const log = openLog("hb_verifier.log", flags.json === true);
  const custom = flags.customOp === undefined ? undefined : await readOperatorFiles(flags.customOp);
  const engine = await withOperatorFiles(
    createFloatEngine({ workers: 0, functions: functionsOf }),
    custom,
    (line) => log.info(line),
  );
  let board: Board | undefined;
  try {
    const pair = await openPair(
      { file: paths.onnx, bytes: await readFile(paths.onnx, "model") },
      { file: paths.bin, bytes: await readFile(paths.bin, "model") },
    );
    const nodes = flags.dumpAllNodesResults;
    if (nodes && pair.batch > 1) {
      throw new BpuError("unsupported", "-r compares the nodes of models with input_batch 1 only");
    }
    if (flags.inputImg === undefined) log.info("no input given, random data is used");
    const feeds = await inputs(pair, flags);
    // First what fails soonest.
    if (flags.boardIp !== undefined) {
      board = await openBoard(flags);
      log.info(`connected to ${flags.username}@${flags.boardIp}`);
    }
    const results: [string, RunResult][] = [
      ["Quanti.onnx", await runOnnx(pair, feeds, engine, nodes)],
    ];
    if (flags.runSim) results.push(["Sim", await runSimulator(pair, feeds, engine, nodes)]);
    if (board !== undefined) {
      results.push(["Arm", await runBoard(pair, feeds, board, nodes, custom)]);
    }
    const compared: Compared[] = [];
    for (const [i, a] of results.entries()) {
      for (const b of results.slice(i + 1)) {
        compared.push(compareRuns(a, b, flags.compare_digits));
      }
    }
    for (const c of compared) print(log, c);
    const failed = compared.filter((c) => mismatches(c.all) > 0);
    if (flags.json) {
      const plain = (c: Consistency) => ({
        mismatch: mismatches(c),
        line_miss: c.miss,
        line_diff: c.diff,
        line_nan: c.nan,
        total: c.total,
        relative_mismatch_ratio: c.ratio,
        max_abs_error: c.maxAbsolute,
      });
      const named = (all: Compared["nodes"]) => all.map((x) => ({ name: x.name, ...plain(x.c) }));
      console.log(JSON.stringify({
        passed: failed.length === 0,
        comparisons: compared.map((c) => ({
          left: c.left,
          right: c.right,
          ...plain(c.all),
          outputs: named(c.outputs),
          nodes: named(c.nodes),
        })),
      }));
    }
    if (failed.length > 0) {
      throw new BpuError(
        "runtime",
        `the results differ: ${failed.map((c) => `${c.left} VS ${c.right}`).join(", ")}`,
      );
    }
  } finally {
    board?.close();
    log.close();
    await engine.close();
  }
}

/** `hb_verifier`. */
export function verifierCommand(): Command {
  return tool(
    "hb_verifier",
    "Compares a quantized ONNX model with its .bin in the simulator and on a board.",
  )
    .requiredOption("-m, --model <models>", "quantized .onnx and .bin, separated by ,")
    .option("-b, --board-ip <address>", "board, like 192.168.1.10 or 192.168.1.10:2222")
    .option("-s, --run-sim <bool>", "run the .bin in the simulator", parseBool, false)
    .option("-i, --input-img <files>", "file,file or name:file,name:file (default: random data)")
    .option(
      "-c, --compare_digits <n>",
      "decimals that must agree",
      parseCount("-c", 0),
      5,
    )
    .option(
      "-r, --dump-all-nodes-results <bool>",
      "also compare all tensors of equal name",
      parseBool,
      false,
    )
    .option("-u, --username <name>", "user on the board", "root")
    .option("-p, --password <password>", "password on the board")
    .option("--identity <file>", "private key (default: ~/.ssh/id_ed25519, id_ecdsa, id_rsa)")
    .option("--known-hosts <file>", "file with the board's host key (default: ~/.ssh/known_hosts)")
    .option(
      "--timeout <seconds>",
      "for the connection and each command",
      parseCount("--timeout", 1),
      600,
    )
    .option(
      "--custom_op, --custom-op <files>",
      "files with the model's custom operators (.ts, .js, .wasm), separated by ,; a board gets them, too",
    )
    .option("--seed <n>", "another seed gives other random data", parseCount("--seed", 0), 0)
    .option("--json", "print the result as one JSON object")
    .option("--debug", "show stack traces of errors")
    .addHelpText(
      "after",
      "\nExamples:\n  hb_verifier -m model_quantized_model.onnx,model.bin -s True\n" +
        "  hb_verifier -m model_quantized_model.onnx,model.bin -b 192.168.1.10 -s True -i cat.jpg",
    )
    .action(run);
}

if (import.meta.main) await main(verifierCommand, Deno.args);
