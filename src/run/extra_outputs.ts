/**
 * Makes intermediate tensors of an ONNX file outputs of it, without decoding the file: a protobuf
 * message that is appended to another is merged into it, and repeated fields are concatenated.
 *
 * @module
 */

import { BinaryReader, WireType } from "../deps.ts";
import { BpuError } from "../errors.ts";

// Field numbers of onnx.proto: ModelProto.graph, GraphProto.{node, input, output},
// NodeProto.{output, name, op_type}, ValueInfoProto.name.
const GRAPH = 7, NODE = 1, INPUT = 11, OUTPUT = 12;
const NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OP = 4, INFO_NAME = 1;

/** Calls `visit` for every length-delimited field of a message. */
function fields(bytes: Uint8Array, visit: (field: number, value: Uint8Array) => void): void {
  const r = new BinaryReader(bytes);
  while (r.pos < r.len) {
    const [field, type] = r.tag();
    if (type === WireType.LengthDelimited) visit(field, r.bytes());
    else r.skip(type, field);
  }
}

/** The names that a model file mentions, graph by graph of the top level only. */
export interface ModelNames {
  readonly inputs: ReadonlySet<string>;
  readonly outputs: readonly string[];
  /** Tensors that a node computes. */
  readonly computed: ReadonlySet<string>;
}

/** Reads the names of a model file. Throws BpuError("format") when it is no protobuf message. */
export function modelNames(bytes: Uint8Array): ModelNames {
  const utf8 = new TextDecoder();
  const inputs = new Set<string>();
  const outputs: string[] = [];
  const computed = new Set<string>();
  try {
    fields(bytes, (field, graph) => {
      if (field !== GRAPH) return;
      fields(graph, (part, value) => {
        const wanted = part === NODE ? NODE_OUTPUT : INFO_NAME;
        if (part !== NODE && part !== INPUT && part !== OUTPUT) return;
        fields(value, (f, text) => {
          if (f !== wanted) return;
          const name = utf8.decode(text);
          if (part === INPUT) inputs.add(name);
          else if (part === OUTPUT) outputs.push(name);
          else computed.add(name);
        });
      });
    });
  } catch (cause) {
    throw new BpuError("format", "this is not an ONNX model, or the file is damaged", { cause });
  }
  return { inputs, outputs, computed };
}

function delimited(field: number, payload: Uint8Array): Uint8Array {
  const head: number[] = [field << 3 | WireType.LengthDelimited];
  let n = payload.length;
  for (; n > 127; n = Math.floor(n / 128)) head.push(n & 127 | 128);
  head.push(n);
  const out = new Uint8Array(head.length + payload.length);
  out.set(head);
  out.set(payload, head.length);
  return out;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** Name of the first node of an operator type in a model file, where there is one. */
export function nodeOfType(bytes: Uint8Array, op: string): string | undefined {
  const utf8 = new TextDecoder();
  let found: string | undefined;
  fields(bytes, (field, graph) => {
    if (field !== GRAPH) return;
    fields(graph, (part, value) => {
      if (part !== NODE || found !== undefined) return;
      const own = new Map<number, string>();
      fields(value, (f, text) => {
        if (f === NODE_NAME || f === NODE_OP) own.set(f, utf8.decode(text));
      });
      if (own.get(NODE_OP) === op) found = own.get(NODE_NAME);
    });
  });
  return found === "" ? undefined : found;
}

/**
 * The file with the tensors of `fetch` as outputs besides its own. Graph inputs in `fetch` are left
 * out (the engine returns what it was fed). Throws BpuError("runtime") for a name that no node computes.
 */
export function withOutputs(bytes: Uint8Array, fetch: readonly string[]): Uint8Array {
  const names = modelNames(bytes);
  const have = new Set(names.outputs);
  const extra: Uint8Array[] = [];
  const utf8 = new TextEncoder();
  for (const name of fetch) {
    if (have.has(name) || names.inputs.has(name)) continue;
    if (!names.computed.has(name)) {
      throw new BpuError("runtime", "no node of the model computes this tensor", {
        tensor: name,
        hint: "Only graph inputs and results of nodes of the main graph can be read.",
      });
    }
    have.add(name);
    extra.push(delimited(OUTPUT, delimited(INFO_NAME, utf8.encode(name))));
  }
  return extra.length === 0 ? bytes : join([bytes, delimited(GRAPH, join(extra))]);
}
