/**
 * For tests only: ONNX files of any opset built from a few lines, and stock onnxruntime-web as the
 * judge of what they compute.
 *
 * @module
 */

import assert from "node:assert/strict";
import { create, loadOrt, toBinary } from "../../deps.ts";
import type { Ort } from "../../deps.ts";
import { BpuError, type ErrorCode } from "../../errors.ts";
import { type Attr, type Node, node } from "../../ir/graph.ts";
import { bytesOfTensor, type DType, type Tensor, type TensorData } from "../../ir/tensor.ts";
import { writeAttr } from "./attributes.ts";
import { dtypeToOnnx } from "./dtypes.ts";
import {
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./gen/onnx_pb.ts";
import { loadOnnx, type LoadOptions } from "./load.ts";
import { writeTensor } from "./tensor_proto.ts";

const ort = await loadOrt();

/** An input or output: dtype and, where it is stated, a shape with numbers and names. */
export interface TestPort {
  readonly name: string;
  readonly dtype?: DType;
  readonly shape?: readonly (number | string)[];
}

/** A model to build. */
export interface TestModel {
  readonly opset: number;
  readonly nodes: readonly Node[];
  readonly inputs: readonly TestPort[];
  readonly outputs: readonly TestPort[];
  readonly initializers?: ReadonlyMap<string, Tensor>;
  readonly valueInfo?: readonly TestPort[];
  readonly domains?: ReadonlyMap<string, number>;
}

function portProto(p: TestPort): ValueInfoProto {
  const elemType = dtypeToOnnx(p.dtype ?? "float32");
  const dim = p.shape?.map((d) =>
    typeof d === "number"
      ? { value: { case: "dimValue" as const, value: BigInt(d) } }
      : d === ""
      ? {}
      : { value: { case: "dimParam" as const, value: d } }
  );
  return create(ValueInfoProtoSchema, {
    name: p.name,
    type: {
      value: {
        case: "tensorType",
        value: { elemType, ...(dim === undefined ? {} : { shape: { dim } }) },
      },
    },
  });
}

function nodeProto(n: Node): NodeProto {
  const noGraph = (): GraphProto => {
    throw new Error("build subgraphs by hand");
  };
  return create(NodeProtoSchema, {
    name: n.name,
    opType: n.op,
    domain: n.domain,
    input: [...n.inputs],
    output: [...n.outputs],
    attribute: [...n.attrs].map(([name, a]: [string, Attr]) => writeAttr(name, a, noGraph)),
  });
}

/** The model as a message, to be damaged or extended. */
export function testProto(m: TestModel): ModelProto {
  return create(ModelProtoSchema, {
    irVersion: m.opset >= 21 ? 10n : 8n,
    opsetImport: [
      { domain: "", version: BigInt(m.opset) },
      ...[...m.domains ?? []].map(([domain, version]) => ({ domain, version: BigInt(version) })),
    ],
    graph: create(GraphProtoSchema, {
      name: "test",
      node: m.nodes.map(nodeProto),
      input: m.inputs.map(portProto),
      output: m.outputs.map(portProto),
      valueInfo: (m.valueInfo ?? []).map(portProto),
      initializer: [...m.initializers ?? []].map(([name, t]) => writeTensor(t, name)),
    }),
  });
}

/** The model as a file. */
export function testModel(m: TestModel): Uint8Array {
  return toBinary(ModelProtoSchema, testProto(m));
}

/** Runs a model in onnxruntime-web with no optimisation, on one thread. */
export async function runOrt(
  model: Uint8Array,
  feeds: ReadonlyMap<string, Tensor>,
): Promise<Map<string, Tensor>> {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "fatal";
  const session = await ort.InferenceSession.create(model, {
    graphOptimizationLevel: "disabled",
    logSeverityLevel: 4,
  });
  try {
    const inputs: Record<string, Ort.Tensor> = {};
    for (const [name, t] of feeds) inputs[name] = toOrt(t);
    const outputs = await session.run(inputs);
    return new Map(session.outputNames.map((name) => [name, fromOrt(outputs[name]!)]));
  } finally {
    await session.release();
  }
}

function toOrt(t: Tensor): Ort.Tensor {
  const dims = [...t.shape];
  if (t.dtype === "float16") {
    const bytes = bytesOfTensor(t).slice();
    // The declaration knows Uint16Array only, the code wants a Float16Array where there is one.
    const half = new Float16Array(bytes.buffer) as unknown as Uint16Array;
    return new ort.Tensor("float16", half, dims);
  }
  return new ort.Tensor(t.dtype as "float32", t.data as Float32Array, dims);
}

function fromOrt(t: Ort.Tensor): Tensor {
  const dtype = t.type as DType;
  const data = t.data as unknown as TensorData | Float16Array;
  const plain = data instanceof Float16Array
    ? new Uint16Array(data.buffer, data.byteOffset, data.length)
    : data;
  return { dtype, shape: [...t.dims], data: plain };
}

/** Reproducible numbers in [-1, 1). */
export function random(seed: number): () => number {
  let s = seed >>> 0 || 1;
  return () => {
    // mulberry32
    s = s + 0x6d2b79f5 >>> 0;
    let t = Math.imul(s ^ s >>> 15, 1 | s);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 31 - 1;
  };
}

/** A float32 tensor of reproducible values in [-range, range). */
export function randomTensor(shape: readonly number[], seed: number, range = 2): Tensor {
  const next = random(seed);
  const count = shape.reduce((a, b) => a * b, 1);
  return {
    dtype: "float32",
    shape,
    data: Float32Array.from({ length: count }, () => next() * range),
  };
}

/** Compares tensors: exact for integers, `tolerance` relative to the largest magnitude for floats. */
export function differs(a: Tensor | undefined, b: Tensor | undefined, tolerance: number): string {
  if (a === undefined || b === undefined) return "one tensor is missing";
  if (a.dtype !== b.dtype) return `${a.dtype} is not ${b.dtype}`;
  if (a.shape.join() !== b.shape.join()) return `[${a.shape}] is not [${b.shape}]`;
  if (!(a.data instanceof Float32Array) || !(b.data instanceof Float32Array)) {
    const other = b.data;
    const at = Array.from(a.data as ArrayLike<unknown>).findIndex((v, i) => v !== other[i]);
    return at < 0 ? "" : `element ${at}: ${a.data[at]} is not ${other[at]}`;
  }
  let top = 0;
  for (const v of a.data) if (Number.isFinite(v)) top = Math.max(top, Math.abs(v));
  for (let i = 0; i < a.data.length; i++) {
    const x = a.data[i]!;
    const y = b.data[i]!;
    if (Object.is(x, y) || x === y) continue;
    if (!(Math.abs(x - y) <= tolerance * top)) return `element ${i}: ${x} is not ${y}`;
  }
  return "";
}

/** A message as a file. */
export const bytesOf = (m: ModelProto) => toBinary(ModelProtoSchema, m);

/** y = Relu(x), with changes. */
export function tiny(changes: Partial<TestModel> = {}): TestModel {
  return {
    opset: 17,
    nodes: [node("Relu", "relu", ["x"], ["y"])],
    inputs: [{ name: "x", shape: [1, 4] }],
    outputs: [{ name: "y", shape: [1, 4] }],
    ...changes,
  };
}

/** Loading fails with that code, in a sentence that begins with the file. */
export function fails(
  bytes: Uint8Array,
  code: ErrorCode,
  pattern: RegExp,
  options: LoadOptions = {},
): void {
  assert.throws(() => loadOnnx(bytes, { file: "m.onnx", ...options }), (e) => {
    assert.ok(e instanceof BpuError, String(e));
    assert.equal(e.code, code, e.sentence());
    assert.match(e.sentence(), pattern);
    assert.match(e.sentence(), /^m\.onnx: /);
    return true;
  });
}
