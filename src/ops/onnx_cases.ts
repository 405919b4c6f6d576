/**
 * For tests only: ONNX's own cases (a model, inputs, expected outputs) from the archives in the shared
 * data folder.
 *
 * @module
 */

import { fromBinary, toBinary } from "../deps.ts";
import {
  ModelProtoSchema,
  TensorProtoSchema,
  type ValueInfoProto,
} from "../formats/onnx/gen/onnx_pb.ts";
import { defaultLimits } from "../formats/onnx/limits.ts";
import { readTensor, writeTensor } from "../formats/onnx/tensor_proto.ts";
import type { Tensor } from "../ir/tensor.ts";

/** One case; a value is undefined where it is not a tensor of a type that we hold. */
export interface OnnxCase {
  readonly name: string;
  readonly model: Uint8Array;
  readonly inputs: ReadonlyMap<string, Tensor | undefined>;
  readonly outputs: ReadonlyMap<string, Tensor | undefined>;
}

/** Files of a tar.gz by path; undefined when the archive is not there. */
async function untar(url: URL): Promise<Map<string, Uint8Array> | undefined> {
  let packed: Uint8Array<ArrayBuffer>;
  try {
    packed = await Deno.readFile(url);
  } catch (e) {
    if (e instanceof Deno.errors.NotFound) return undefined;
    throw e;
  }
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const text = (at: number, n: number) =>
    new TextDecoder().decode(bytes.subarray(at, at + n)).replace(/\0[\s\S]*$/, "");
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + 512 <= bytes.length;) {
    const name = text(at, 100);
    if (name === "") break;
    const size = parseInt(text(at + 124, 12), 8) || 0;
    const prefix = text(at + 345, 155);
    const path = prefix === "" ? name : `${prefix}/${name}`;
    if (text(at + 156, 1) === "0") files.set(path, bytes.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

function tensorOf(bytes: Uint8Array | undefined): Tensor | undefined {
  if (bytes === undefined) return undefined;
  try {
    const external = () => {
      throw new Error("no external data in cases");
    };
    const source = { limits: defaultLimits, external, decoded: 0 };
    return readTensor(fromBinary(TensorProtoSchema, bytes), source, {});
  } catch {
    return undefined;
  }
}

/** The cases of an archive, first data set each; undefined when the archive is not there. */
export async function onnxCases(archive: string): Promise<OnnxCase[] | undefined> {
  const folder = new URL("../../../shared/data/conformance/", import.meta.url);
  const files = await untar(new URL(archive, folder));
  if (files === undefined) return undefined;
  const cases: OnnxCase[] = [];
  for (const [path, model] of files) {
    if (!path.endsWith("/model.onnx")) continue;
    const base = path.slice(0, -"model.onnx".length);
    const graph = fromBinary(ModelProtoSchema, model).graph;
    const stored = new Set(graph?.initializer.map((t) => t.name));
    const values = (kind: string, ports: readonly ValueInfoProto[]) =>
      new Map(ports.map((p, i) => {
        const t = tensorOf(files.get(`${base}test_data_set_0/${kind}_${i}.pb`));
        const bfloat = p.type?.value.case === "tensorType" && p.type.value.value.elemType === 16;
        // numpy has no bfloat16: the archive holds its bits.
        return [p.name, bfloat && t?.dtype === "uint16" ? { ...t, dtype: "bfloat16" as const } : t];
      }));
    const inputs = (graph?.input ?? []).filter((p) => !stored.has(p.name));
    cases.push({
      name: base.split("/").at(-2) ?? base,
      model,
      inputs: values("input", inputs),
      outputs: values("output", graph?.output ?? []),
    });
  }
  return cases.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** The model with its inputs turned into initializers. */
export function frozen(model: Uint8Array, inputs: ReadonlyMap<string, Tensor>): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, model);
  const graph = proto.graph!;
  graph.input = graph.input.filter((p) => !inputs.has(p.name));
  for (const [name, t] of inputs) graph.initializer.push(writeTensor(t, name));
  return toBinary(ModelProtoSchema, proto);
}
