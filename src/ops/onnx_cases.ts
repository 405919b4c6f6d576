/**
 * For tests only: ONNX's own cases (a model, inputs, expected outputs) from the archives in the shared
 * data folder.
 *
 * @module
 */

import { create, fromBinary, toBinary } from "../deps.ts";
import {
  ModelProtoSchema,
  NodeProtoSchema,
  OptionalProtoSchema,
  type SequenceProto,
  SequenceProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type TypeProto,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../formats/onnx/gen/onnx_pb.ts";
import { defaultLimits } from "../formats/onnx/limits.ts";
import { isNarrow } from "../formats/onnx/narrow.ts";
import { readTensor, writeTensor } from "../formats/onnx/tensor_proto.ts";
import { numbersOf, type Tensor } from "../ir/tensor.ts";

/** One case; a value is undefined where it is not a tensor of a type that we hold. */
export interface OnnxCase {
  readonly name: string;
  readonly model: Uint8Array;
  readonly inputs: ReadonlyMap<string, Tensor | undefined>;
  readonly outputs: ReadonlyMap<string, Tensor | undefined>;
  /** Number of tensors in each sequence and optional among the inputs; they are called `name_0`, ... */
  readonly containers: ReadonlyMap<string, number>;
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
  let long: string | undefined;
  for (let at = 0; at + 512 <= bytes.length;) {
    const name = text(at, 100);
    if (name === "") break;
    const size = parseInt(text(at + 124, 12), 8) || 0;
    const prefix = text(at + 345, 155);
    const kind = text(at + 156, 1);
    const path = long ?? (prefix === "" ? name : `${prefix}/${name}`);
    // A name of more than a hundred letters stands before its file, in one of two ways.
    long = kind === "L"
      ? text(at + 512, size)
      : kind === "x"
      ? /\d+ path=([^\n]*)\n/.exec(text(at + 512, size))?.[1]
      : undefined;
    if (kind === "0") files.set(path, bytes.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** The tensors of the archives as they were written: a narrow type is held in a wider one. */
const origin = new WeakMap<Tensor, TensorProto>();

/** The float32 tensor that loading makes of a bfloat16 one. */
function wide(t: Tensor): Tensor {
  const held: Tensor = { dtype: "float32", shape: t.shape, data: Float32Array.from(numbersOf(t)) };
  origin.set(held, { ...writeTensor(t), dataType: 16 });
  return held;
}

/** The tensors of a sequence or an optional value; undefined for other types. */
function containerOf(
  type: TypeProto | undefined,
  bytes: Uint8Array,
): (Tensor | undefined)[] | undefined {
  const sequence = (s: SequenceProto | undefined) =>
    (s?.tensorValues ?? []).map((t) => tensorOf(toBinary(TensorProtoSchema, t)));
  if (type?.value.case === "sequenceType") return sequence(fromBinary(SequenceProtoSchema, bytes));
  if (type?.value.case !== "optionalType") return undefined;
  const o = fromBinary(OptionalProtoSchema, bytes);
  if (o.tensorValue !== undefined) return [tensorOf(toBinary(TensorProtoSchema, o.tensorValue))];
  return sequence(o.sequenceValue);
}

function tensorOf(bytes: Uint8Array | undefined): Tensor | undefined {
  if (bytes === undefined) return undefined;
  try {
    const external = () => {
      throw new Error("no external data in cases");
    };
    const source = { limits: defaultLimits, external, decoded: 0 };
    const proto = fromBinary(TensorProtoSchema, bytes);
    const t = readTensor(proto, source, {});
    if (isNarrow(proto.dataType)) origin.set(t, proto);
    return t;
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
    const containers = new Map<string, number>();
    const values = (kind: string, ports: readonly ValueInfoProto[]) =>
      new Map(ports.flatMap((p, i): [string, Tensor | undefined][] => {
        const bytes = files.get(`${base}test_data_set_0/${kind}_${i}.pb`);
        const held = bytes && containerOf(p.type, bytes);
        if (held !== undefined) {
          if (kind === "input") containers.set(p.name, held.length);
          return held.map((t, k) => [`${p.name}_${k}`, t]);
        }
        const t = tensorOf(bytes);
        const bfloat = p.type?.value.case === "tensorType" && p.type.value.value.elemType === 16;
        // numpy has no bfloat16: the archive holds its bits.
        return [[p.name, bfloat && t?.dtype === "uint16" ? wide({ ...t, dtype: "bfloat16" }) : t]];
      }));
    const inputs = (graph?.input ?? []).filter((p) => !stored.has(p.name));
    cases.push({
      name: base.split("/").at(-2) ?? base,
      model,
      inputs: values("input", inputs),
      outputs: values("output", graph?.output ?? []),
      containers,
    });
  }
  return cases.sort((a, b) => a.name < b.name ? -1 : 1);
}

/**
 * The model with its inputs turned into initializers. A sequence or optional of which a tensor is fixed is
 * made by a node; its other tensors become inputs.
 */
export function frozen(
  model: Uint8Array,
  inputs: ReadonlyMap<string, Tensor>,
  containers: ReadonlyMap<string, number> = new Map(),
): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, model);
  const graph = proto.graph!;
  graph.input = graph.input.flatMap((p) => {
    if (inputs.has(p.name)) return [];
    const names = Array.from({ length: containers.get(p.name) ?? 0 }, (_, i) => `${p.name}_${i}`);
    const type = p.type?.value;
    const container = type?.case === "sequenceType" || type?.case === "optionalType";
    const fixed = names.filter((name) => inputs.has(name));
    // Nothing in it is fixed as well, where it is empty.
    if (!container || fixed.length === 0 && names.length > 0) return [p];
    const sequence = type.case === "sequenceType" ||
      type.value.elemType?.value.case === "sequenceType" && names.length > 0;
    const inner = type.case === "optionalType" && sequence ? `${p.name}_held` : p.name;
    const made = (opType: string, input: string[], output: string) =>
      create(NodeProtoSchema, { opType, input, output: [output] });
    const nodes = !sequence
      ? [made("Optional", names, p.name)]
      : [made(names.length === 0 ? "SequenceEmpty" : "SequenceConstruct", names, inner)];
    if (inner !== p.name) nodes.push(made("Optional", [inner], p.name));
    graph.node.unshift(...nodes);
    const element = (t: TypeProto | undefined): TypeProto | undefined =>
      t?.value.case === "sequenceType" || t?.value.case === "optionalType"
        ? element(t.value.value.elemType)
        : t;
    return names.filter((name) => !inputs.has(name))
      .map((name) => create(ValueInfoProtoSchema, { name, type: element(p.type) }));
  });
  for (const [name, t] of inputs) {
    const written = origin.get(t);
    graph.initializer.push(written === undefined ? writeTensor(t, name) : { ...written, name });
  }
  return toBinary(ModelProtoSchema, proto);
}
