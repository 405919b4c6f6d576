/**
 * The bpukit runtime behind `hrt_model_exec`: opens one model of a file, runs it, names its dumps.
 *
 * @module
 */

import { readBin } from "../container/bin.ts";
import type { Bin } from "../container/bin.ts";
import { selectModel } from "../container/pack.ts";
import type { BinFile } from "../container/pack.ts";
import { tensorsOf } from "../container/tensors.ts";
import type { ModelTensor, ModelTensors } from "../container/tensors.ts";
import type { Engine, Feeds, Session } from "../ir/engine.ts";
import type { Graph } from "../ir/graph.ts";
import { bytesOfTensor, elementCount, numbersOf } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { Profile } from "./profile.ts";
import { openProgram } from "./simulator.ts";

/** Receives the outputs of every node, in execution order, with the names of its inputs. */
export type OnLayer = (
  type: string,
  node: string,
  tensor: string,
  value: Tensor,
  inputs: readonly string[],
) => void;

/** A loaded model. */
export interface Loaded extends ModelTensors {
  readonly name: string;
  /** The info section. */
  readonly info: Bin["info"];
  readonly session: Session;
}

/** CPU parts that also hand out the outputs of their nodes. */
function watched(engine: Engine, onLayer: OnLayer): Engine {
  return {
    name: engine.name,
    async open(graph: Graph) {
      const inner = graph.nodes.flatMap((n) => n.outputs).filter((t) => t !== "");
      const wanted = graph.outputs.map((p) => p.name);
      const session = await engine.open(graph, [...new Set([...wanted, ...inner])]);
      return {
        async run(feeds: Feeds) {
          const all = await session.run(feeds);
          for (const n of graph.nodes) {
            for (const t of n.outputs) {
              const v = all.get(t);
              if (v !== undefined) onLayer(n.op, n.name, t, v, n.inputs);
            }
          }
          return new Map(wanted.map((t): [string, Tensor] => [t, all.get(t)!]));
        },
        close: () => session.close(),
      };
    },
  };
}

/**
 * Loads a model into the runtime.
 *
 * @param name which model of a packed file
 * @param onLayer called for every node of every run
 * @param threads of the simulator; default: the cores
 * @param profile gets the time of every node; not together with `onLayer`, which takes time itself
 */
export async function loadModelFile(
  source: BinFile,
  name: string | undefined,
  engine: Engine,
  onLayer?: OnLayer,
  threads?: number,
  profile?: Profile,
): Promise<Loaded> {
  const member = await selectModel(source, name);
  const bin = await readBin(member.bytes, source.file);
  const tensors = tensorsOf(bin.info, source.file);
  const session = await openProgram(bin.program, {
    cpu: onLayer !== undefined ? watched(engine, onLayer) : profile?.engine(engine) ?? engine,
    ...(profile === undefined ? {} : { onNode: (n) => profile.mark("BPU", n.op, n.name) }),
    ...(threads === undefined ? {} : { threads }),
    ...(onLayer === undefined ? {} : {
      onNode: (n, read) => {
        for (const t of n.outputs) if (t !== "") onLayer(n.op, n.name, t, read(t), n.inputs);
      },
    }),
  });
  return { name: member.name, info: bin.info, ...tensors, session };
}

/** An integer output with a known scale as floats: (q - zero) * scale, in float32 steps. */
export function dequantized(x: Tensor, t: ModelTensor): Tensor {
  const s = t.scale;
  if (s === undefined || x.dtype === "float32") return x;
  if (s.values.length > 1 && s.axis === undefined) return x;
  const values = numbersOf(x);
  const out = new Float32Array(values.length);
  const inner = s.axis === undefined ? 1 : elementCount(x.shape.slice(s.axis + 1));
  const many = s.values.length;
  for (let i = 0; i < out.length; i++) {
    const scale = many === 1 ? s.values[0]! : s.values[Math.floor(i / inner) % many]!;
    out[i] = Math.fround(Math.fround(values[i]!) - Math.fround(s.zero)) * scale;
  }
  return { dtype: "float32", shape: x.shape, data: out };
}

/** A part of a file name: other characters than letters, digits, '.', '_' and '-' become '_'. */
export const fileWord = (text: string): string => text.replace(/[^\w.-]/g, "_");

/** Name of the dump of an input or output, without type. */
export function dumpName(side: "input" | "output", index: number, tensor: string): string {
  return `model_infer_${side}_${index}_${fileWord(tensor)}`;
}

/** Name of the dump of a layer's input, without type; `index` is that of the layer's first output. */
export function layerInputName(
  index: number,
  type: string,
  node: string,
  input: number,
  tensor: string,
): string {
  return `layer-${index}-${fileWord(type)}-${fileWord(node)}-input-${input}-${fileWord(tensor)}`;
}

/** Name of the dump of a layer's output, without type. */
export function layerName(index: number, type: string, node: string, tensor: string): string {
  return `layer-${index}-${fileWord(type)}-${fileWord(node)}-output-0-${fileWord(tensor)}`;
}

/** Raw little-endian elements. */
export function dumpBytes(x: Tensor): Uint8Array {
  return bytesOfTensor(x).slice();
}

/**
 * A tensor as text: a line for every index of the first `axis` dimensions, all on one line each; at
 * least as many as there are dimensions: one value a line.
 *
 * @param digits decimal places of floats
 */
export function dumpText(x: Tensor, axis: number, digits: number): string {
  const values = numbersOf(x);
  const float = /float/.test(x.dtype);
  const run = Math.max(1, elementCount(x.shape.slice(axis)));
  const lines: string[] = [];
  for (let i = 0; i < values.length; i += run) {
    const line: string[] = [];
    for (let k = i; k < Math.min(i + run, values.length); k++) {
      line.push(float ? values[k]!.toFixed(digits) : String(values[k]));
    }
    lines.push(line.join(" "));
  }
  return `${lines.join("\n")}\n`;
}

const typeText = (t: ModelTensor): string =>
  t.input !== undefined && t.input.typeRt !== "featuremap"
    ? `HB_DNN_IMG_TYPE_${t.type}`
    : `HB_DNN_TENSOR_TYPE_${t.type}`;

const tuple = (v: readonly number[]) => `(${v.map((d) => `${d},`).join("")})`;

function tensorLines(title: string, t: ModelTensor): string[] {
  const scale = t.scale;
  return [
    `${title}: `,
    `name: ${t.name}`,
    ...(t.source === undefined
      ? []
      : [`input source: HB_DNN_INPUT_FROM_${t.source.toUpperCase()}`]),
    `valid shape: ${tuple(t.validShape)}`,
    `aligned shape: ${tuple(t.alignedShape)}`,
    `aligned byte size: ${t.byteSize}`,
    `tensor type: ${typeText(t)}`,
    `tensor layout: HB_DNN_LAYOUT_${t.layout}`,
    `quanti type: ${scale === undefined ? "NONE" : "SCALE"}`,
    `stride: ${tuple(t.stride)}`,
    ...(scale === undefined ? [] : [`scale data: ${Array.from(scale.values).join(",")},`]),
    ...(scale === undefined || scale.zero === 0 ? [] : [`zero point data: ${scale.zero},`]),
    ...(scale?.axis === undefined ? [] : [`quantizeAxis: ${scale.axis}`]),
    "",
  ];
}

/** The lines of `hrt_model_exec model_info` for one model. */
export function modelInfoLines(name: string, t: ModelTensors): string[] {
  return [
    `[model name]: ${name}`,
    "",
    ...t.inputs.flatMap((x, i) => tensorLines(`input[${i}]`, x)),
    ...t.outputs.flatMap((x, i) => tensorLines(`output[${i}]`, x)),
  ];
}
