/**
 * The three runs of `hb_verifier`: the quantized ONNX in stock onnxruntime-web, the `.bin` in the
 * simulator, the `.bin` on a board.
 *
 * @module
 */

import { readBin } from "../container/bin.ts";
import type { Bin } from "../container/bin.ts";
import { recordsOf } from "../container/deleted.ts";
import type { BinFile } from "../container/pack.ts";
import { tensorsOf } from "../container/tensors.ts";
import type { ModelTensors } from "../container/tensors.ts";
import { BpuError } from "../errors.ts";
import { loadOnnx } from "../formats/onnx/load.ts";
import type { Feeds } from "../ir/engine.ts";
import type { Graph } from "../ir/graph.ts";
import { byteSize, elementCount, sameShape, shapeText, viewOf } from "../ir/tensor.ts";
import type { Tensor, TensorType } from "../ir/tensor.ts";
import { runBatch } from "./batch.ts";
import type { Board } from "./board.ts";
import { quoted } from "./board.ts";
import type { OperatorFile } from "./custom/types.ts";
import type { FloatEngine } from "./float.ts";
import { dequantized, dumpName, layerName, loadModelFile } from "./model_exec.ts";
import { toRuntimeBytes } from "./runtime_input.ts";

/** Results of a run: outputs, and inner tensors where they were asked for. */
export interface RunResult {
  readonly outputs: ReadonlyMap<string, Tensor>;
  readonly nodes: ReadonlyMap<string, Tensor>;
}

/** The two models of a comparison. */
export interface Pair extends ModelTensors {
  readonly onnx: BinFile;
  readonly bin: BinFile;
  readonly graph: Graph;
  readonly model: Bin;
  readonly batch: number;
}

/**
 * Reads both models and checks that they belong together.
 *
 * @throws BpuError("unsupported") when other nodes than Dequantize were removed from the `.bin`,
 * BpuError("usage") when the models have other inputs or outputs
 */
export async function openPair(onnx: BinFile, bin: BinFile): Promise<Pair> {
  const model = await readBin(bin.bytes, bin.file);
  const removed = recordsOf(model.info, bin.file).find((d) => d.type !== "Dequantize");
  if (removed !== undefined) {
    throw new BpuError(
      "unsupported",
      `the ${removed.type} node ${removed.node.name} was removed at ${removed.side} ` +
        `${removed.port}; only models without removed nodes, or with removed Dequantize nodes, can ` +
        "be compared with the quantized ONNX",
      { file: bin.file, hint: "Put it back with hb_model_modifier --restore." },
    );
  }
  const graph = loadOnnx(onnx.bytes, { file: onnx.file });
  const batch = model.program.batch ?? 1;
  const names = (ports: readonly { name: string }[]) => ports.map((p) => p.name).join(", ");
  for (const side of ["inputs", "outputs"] as const) {
    if (names(graph[side]) === names(model.program[side])) continue;
    throw new BpuError(
      "usage",
      `the models do not belong together: ${side} are ${names(graph[side])} in ${onnx.file} and ${
        names(model.program[side])
      } in ${bin.file}`,
    );
  }
  for (const [i, p] of graph.inputs.entries()) {
    const q = model.program.inputs[i]!;
    if (p.dtype === q.dtype && sameShape(p.shape, q.shape)) continue;
    throw new BpuError(
      "usage",
      `the models do not belong together: input ${p.name} is ${p.dtype} ${
        shapeText(p.shape)
      } in the ONNX and ${q.dtype} ${shapeText(q.shape)} in the .bin`,
      { hint: "Give the _quantized_model.onnx that was written beside this .bin." },
    );
  }
  return { ...tensorsOf(model.info, bin.file), onnx, bin, graph, model, batch };
}

/** Inner tensors of the program by name, in execution order, with the dump's name on a board. */
export function innerTensors(
  pair: Pair,
): { readonly tensor: string; readonly dump: string; readonly type: TensorType }[] {
  const out: { tensor: string; dump: string; type: TensorType }[] = [];
  let index = 0;
  for (const s of pair.model.program.segments) {
    for (const n of s.kind === "bpu" ? s.nodes : s.graph.nodes) {
      for (const t of n.outputs) {
        if (t === "") continue;
        const dump = layerName(index++, n.op, n.name, t);
        const type = s.kind === "bpu"
          ? pair.model.program.slots.get(t)
          : s.graph.types.get(t) ?? s.graph.outputs.find((p) => p.name === t);
        if (type !== undefined) out.push({ tensor: t, dump, type });
      }
    }
  }
  return out;
}

/** The quantized ONNX in onnxruntime-web. */
export async function runOnnx(
  pair: Pair,
  feeds: Feeds,
  engine: FloatEngine,
  nodes: boolean,
): Promise<RunResult> {
  const outputs = pair.graph.outputs.map((p) => p.name);
  const inner = nodes ? pair.graph.nodes.flatMap((n) => n.outputs).filter((t) => t !== "") : [];
  const session = await engine.openBytes(pair.onnx.bytes, [...new Set([...outputs, ...inner])]);
  try {
    const all = await runBatch(pair.graph.inputs, pair.batch, feeds, (f) => session.run(f));
    return {
      outputs: new Map(outputs.map((n): [string, Tensor] => [n, all.get(n)!])),
      nodes: new Map(inner.map((n): [string, Tensor] => [n, all.get(n)!])),
    };
  } finally {
    await session.close();
  }
}

const asFloats = (pair: Pair, outputs: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
  new Map(
    pair.outputs.map((t): [string, Tensor] => [t.name, dequantized(outputs.get(t.name)!, t)]),
  );

/** The `.bin` in the simulator; integer outputs of removed Dequantize nodes as floats. */
export async function runSimulator(
  pair: Pair,
  feeds: Feeds,
  engine: FloatEngine,
  nodes: boolean,
): Promise<RunResult> {
  const inner = new Map<string, Tensor>();
  const model = await loadModelFile(
    pair.bin,
    undefined,
    engine,
    nodes ? (_type, _node, tensor, value) => inner.set(tensor, value) : undefined,
  );
  try {
    return { outputs: asFloats(pair, await model.session.run(feeds)), nodes: inner };
  } finally {
    await model.session.close();
  }
}

/**
 * The `.bin` on a board: copied to a temporary folder there, run by its `hrt_model_exec`, the dumps
 * copied back, the folder removed.
 *
 * @param custom files of the model's custom operators, for the `hrt_model_exec` of bpukit on the board
 */
export async function runBoard(
  pair: Pair,
  feeds: Feeds,
  board: Board,
  nodes: boolean,
  custom: readonly OperatorFile[] = [],
): Promise<RunResult> {
  const text = (b: Uint8Array) => new TextDecoder().decode(b).trim();
  const tool = await board.exec("command -v hrt_model_exec");
  if (tool.code !== 0 || text(tool.stdout) === "") {
    throw new BpuError("runtime", "hrt_model_exec is not installed on the board", {
      hint: "Install it there, in the PATH of non-interactive logins.",
    });
  }
  const made = await board.exec("mktemp -d");
  const dir = text(made.stdout);
  if (made.code !== 0 || !dir.startsWith("/")) {
    throw new BpuError(
      "runtime",
      `no temporary folder could be made on the board: ${made.stderr.split("\n").at(-1)}`,
    );
  }
  try {
    await board.upload(`${dir}/model.bin`, pair.bin.bytes);
    const files: string[] = [];
    for (const [i, t] of pair.inputs.entries()) {
      const file = `${dir}/input_${i}.bin`;
      await board.upload(file, toRuntimeBytes(feeds.get(t.name)!, t));
      files.push(file);
    }
    const operators: string[] = [];
    for (const [i, f] of custom.entries()) {
      // The last part counts: errors and nodes name it.
      const file = `${dir}/op_${i}/${f.file.slice(f.file.lastIndexOf("/") + 1)}`;
      const folder = await board.exec(`mkdir ${quoted(`${dir}/op_${i}`)}`);
      if (folder.code === 0) await board.upload(file, f.bytes);
      operators.push(file);
    }
    const command = [
      ...["hrt_model_exec", "infer", `--model_file=${quoted(`${dir}/model.bin`)}`],
      `--input_file=${quoted(files.join(","))}`,
      ...["--enable_dump=true", "--dump_format=bin", `--dump_path=${quoted(`${dir}/dump`)}`],
      ...(operators.length === 0 ? [] : [`--custom_op=${quoted(operators.join(","))}`]),
      ...(nodes ? ["--dump_intermediate=1"] : []),
    ].join(" ");
    const ran = await board.exec(`mkdir -p ${quoted(`${dir}/dump`)} && ${command}`);
    if (ran.code !== 0) {
      const said = `${ran.stderr}\n${text(ran.stdout)}`.trim().split("\n");
      const line = said.find((l) => l.startsWith("ERROR")) ?? said.at(-1) ?? "";
      throw new BpuError(
        "runtime",
        `hrt_model_exec failed on the board (exit ${ran.code}): ${line.slice(0, 300)}`,
      );
    }
    const outputs = new Map<string, Tensor>();
    for (const [i, t] of pair.outputs.entries()) {
      outputs.set(
        t.name,
        await fetched(board, `${dir}/dump/${dumpName("output", i, t.name)}.bin`, t.port),
      );
    }
    const inner = new Map<string, Tensor>();
    if (nodes) {
      for (const x of innerTensors(pair)) {
        inner.set(x.tensor, await fetched(board, `${dir}/dump/${x.dump}.bin`, x.type));
      }
    }
    return { outputs: asFloats(pair, outputs), nodes: inner };
  } finally {
    await board.exec(`rm -rf ${quoted(dir)}`).catch(() => undefined);
  }
}

async function fetched(board: Board, path: string, type: TensorType): Promise<Tensor> {
  const bytes = await board.download(path);
  const count = elementCount(type.shape);
  const name = path.slice(path.lastIndexOf("/") + 1);
  const size = byteSize(type.dtype);
  if (bytes.length !== count * size) {
    throw new BpuError(
      "runtime",
      `the board's ${name} has ${bytes.length} bytes, ${type.dtype} ${
        shapeText(type.shape)
      } needs ${count * size}`,
    );
  }
  return { dtype: type.dtype, shape: type.shape, data: viewOf(type.dtype, bytes, count) };
}
