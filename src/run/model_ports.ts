/**
 * Inputs and outputs of a model file without converting it: any ONNX file that onnxruntime takes.
 *
 * @module
 */

import { fromBinary } from "../deps.ts";
import { BpuError } from "../errors.ts";
import { refuseOtherFormats } from "../formats/onnx/detect.ts";
import { dtypeFromOnnx } from "../formats/onnx/dtypes.ts";
import { ModelProtoSchema } from "../formats/onnx/gen/onnx_pb.ts";
import type { GraphProto, ValueInfoProto } from "../formats/onnx/gen/onnx_pb.ts";
import { HORIZON } from "../ir/graph.ts";
import type { Graph, Port } from "../ir/graph.ts";

/** What a caller must know to feed a model. */
export interface ModelPorts {
  /** A dimension of -1 is free. */
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Inputs of pictures: their float values are the runtime's minus 128. */
  readonly preprocessed: ReadonlySet<string>;
  /** Whether a node is an operator that the user registers. */
  readonly custom: boolean;
}

interface PlainNode {
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Domain of operators that users register. */
const CUSTOM = "horizon.custom";

/** Metadata of our stage models: what an input takes (`RGB_128`, `featuremap`), by its name. */
const INPUT_TYPE = "bpukit_input_type:";

/** Operators between an input and its preprocessing node. */
const TRANSPARENT: ReadonlySet<string> = new Set(["Transpose", "HzCalibration"]);

function facts(
  nodes: readonly PlainNode[],
  inputs: readonly Port[],
  metadata: ReadonlyMap<string, string>,
): Pick<ModelPorts, "preprocessed" | "custom"> {
  // The model input that each tensor is, perhaps transposed or fake-quantized.
  const origin = new Map(inputs.map((p) => [p.name, p.name]));
  const preprocessed = new Set<string>();
  for (const n of nodes) {
    const from = origin.get(n.inputs[0] ?? "");
    if (from === undefined) continue;
    if (n.domain === HORIZON && n.op === "HzPreprocess") preprocessed.add(from);
    else if (TRANSPARENT.has(n.op)) origin.set(n.outputs[0] ?? "", from);
  }
  // A feature map with mean or scale has a preprocessing node, too.
  for (const p of inputs) {
    const type = metadata.get(INPUT_TYPE + p.name);
    if (type === "featuremap") preprocessed.delete(p.name);
    else if (type?.endsWith("_128")) preprocessed.add(p.name);
  }
  return { preprocessed, custom: nodes.some((n) => n.domain === CUSTOM) };
}

/** Ports of a graph. */
export function portsOfGraph(g: Graph): ModelPorts {
  return { inputs: g.inputs, outputs: g.outputs, ...facts(g.nodes, g.inputs, g.metadata) };
}

function decoded(
  bytes: Uint8Array,
  file: string,
): { g: GraphProto; metadata: ReadonlyMap<string, string> } {
  refuseOtherFormats(bytes, file);
  try {
    const { graph, metadataProps } = fromBinary(ModelProtoSchema, bytes);
    if (graph !== undefined) {
      return { g: graph, metadata: new Map(metadataProps.map((m) => [m.key, m.value])) };
    }
  } catch (cause) {
    throw new BpuError("format", "the file is damaged, truncated or no ONNX model", {
      file,
      cause,
    });
  }
  throw new BpuError("format", "the file holds no graph: it is damaged or no ONNX model", { file });
}

function portOf(v: ValueInfoProto, file: string): Port {
  const kind = v.type?.value;
  if (kind?.case !== "tensorType") {
    throw new BpuError("unsupported", "only dense tensors can be fed and read", {
      file,
      tensor: v.name,
    });
  }
  const shape = (kind.value.shape?.dim ?? []).map((d) => {
    const size = d.value.case === "dimValue" ? Number(d.value.value) : -1;
    return Number.isSafeInteger(size) && size >= 0 ? size : -1;
  });
  return { name: v.name, dtype: dtypeFromOnnx(kind.value.elemType, { file }), shape };
}

/**
 * Ports of an ONNX file.
 *
 * @throws BpuError `format` for anything that is no ONNX file, `unsupported` for sequences and maps
 */
export function portsOfOnnx(bytes: Uint8Array, file: string): ModelPorts {
  const { g, metadata } = decoded(bytes, file);
  const constants = new Set(g.initializer.map((t) => t.name));
  const inputs = g.input.filter((v) => !constants.has(v.name)).map((v) => portOf(v, file));
  const nodes = g.node.map((n) => ({
    op: n.opType,
    domain: n.domain,
    inputs: n.input,
    outputs: n.output,
  }));
  return {
    inputs,
    outputs: g.output.map((v) => portOf(v, file)),
    ...facts(nodes, inputs, metadata),
  };
}
