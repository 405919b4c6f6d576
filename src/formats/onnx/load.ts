/**
 * ONNX files to graphs: any opset from 1 to 22 in, opset 17 out.
 *
 * @module
 */

import { fromBinary } from "../../deps.ts";
import { BpuError, type ErrorPlace } from "../../errors.ts";
import { collectNames } from "../../ir/edit.ts";
import { type Graph, node, OPSET } from "../../ir/graph.ts";
import { usedDomains } from "../../ir/order.ts";
import { verify } from "../../ir/verify.ts";
import { type ContainerSizes, flattenContainers } from "./containers.ts";
import { refuseOtherFormats } from "./detect.ts";
import { bindDims, dimMetadata } from "./dims.ts";
import { type ModelProto, ModelProtoSchema } from "./gen/onnx_pb.ts";
import { inlineFunctions } from "./inline.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import { readGraph } from "./read_graph.ts";
import { upgradeGraph } from "./upgrade/mod.ts";

/** Oldest and newest opset that is read. */
export const opsetRange: readonly [number, number] = [1, 22];

/** Options of {@linkcode loadOnnx}. */
export interface LoadOptions {
  /** Name of the file, for messages. */
  readonly file?: string;
  /** Shapes of inputs by name: they fix dimensions that the file leaves open. */
  readonly inputShapes?: ReadonlyMap<string, readonly number[]>;
  /**
   * Reads a data file beside the model. `location` is a relative path with `/`, without `..`; the
   * function must still make sure that no link leads out of the model's folder.
   */
  readonly readExternal?: (location: string) => Uint8Array;
  readonly limits?: Limits;
  /** Sizes of the sequences and optional values among the inputs; without them they are refused. */
  readonly containers?: ContainerSizes;
}

/**
 * Reads an ONNX model and brings it to opset 17: constants apart from inputs, nodes named and
 * sorted, dead nodes removed, model-local functions (but ours) inlined, every older or newer operator form
 * and what onnxruntime's optimiser fuses (`upgrade/microsoft.ts`) rewritten.
 *
 * Tensors of bfloat16 and float8 become float32, 4-bit integers int8 or uint8; what rounds to such a type
 * still does.
 *
 * Weights are views on `bytes` where their alignment allows: do not change `bytes` afterwards.
 *
 * Throws {@linkcode BpuError}: `format` (no ONNX file, damaged, truncated), `limit`, `model` (dangling
 * tensors, cycles, duplicates), `shape` (input shapes that do not fit), `unsupported`.
 *
 * @example
 * ```ts
 * import { loadOnnx } from "./load.ts";
 * import { saveOnnx } from "./save.ts";
 * import { attr, node, OPSET } from "../../ir/graph.ts";
 *
 * const x = { name: "x", dtype: "float32", shape: [1, 4] } as const;
 * const bytes = saveOnnx({
 *   name: "tiny",
 *   opset: OPSET,
 *   domains: new Map(),
 *   nodes: [node("Softmax", "softmax", ["x"], ["y"], { axis: attr.int(-1) })],
 *   inputs: [x],
 *   outputs: [{ ...x, name: "y" }],
 *   constants: new Map(),
 *   types: new Map(),
 *   metadata: new Map(),
 * });
 * console.log(loadOnnx(bytes).nodes[0]?.op); // Softmax
 * ```
 */
export function loadOnnx(bytes: Uint8Array, options: LoadOptions = {}): Graph {
  const file = options.file;
  refuseOtherFormats(bytes, file);
  return guarded(file, () => {
    const model = decode(bytes, file);
    const graph = convert(model, options);
    verify(graph);
    return graph;
  });
}

/** Adds the file to errors of ours and turns a decoder's complaint into a sentence. */
function guarded<T>(file: string | undefined, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof BpuError) {
      if (file === undefined || error.place.file !== undefined) throw error;
      throw new BpuError(error.code, error.message, { ...error.place, file });
    }
    throw new BpuError("format", "the file is damaged, truncated or no ONNX model", {
      file,
      hint: "Export or download the model again.",
      cause: error,
    });
  }
}

function decode(bytes: Uint8Array, file: string | undefined): ModelProto {
  // Each subgraph takes three message levels; past the limit the decoder would say so less clearly.
  const recursionLimit = 3 * (defaultLimits.depth + 2) + 10;
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes, { recursionLimit });
  } catch (error) {
    if (error instanceof Error && error.message.includes("recursion depth")) {
      throw new BpuError("limit", `subgraphs are nested deeper than ${defaultLimits.depth}`, {
        file,
      });
    }
    throw error;
  }
  if (model.graph === undefined) {
    throw new BpuError("format", "the file is truncated or no ONNX model: it has no graph", {
      file,
      hint: "Export or download the model again.",
    });
  }
  return model;
}

/** Opset of the default domain, versions of the others. */
function opsets(model: ModelProto, file: string | undefined): [number, Map<string, number>] {
  let opset: number | undefined;
  const domains = new Map<string, number>();
  for (const { domain, version } of model.opsetImport) {
    if (domain === "" || domain === "ai.onnx") opset = Math.max(opset ?? 0, Number(version));
    else domains.set(domain, Number(version));
  }
  // Before IR 3 there was no opset_import; it meant opset 1. A model of other domains needs none.
  opset ??= model.irVersion < 3n ? 1 : domains.size > 0 ? OPSET : undefined;
  if (opset === undefined) {
    throw new BpuError("model", "the model states no opset", { file });
  }
  const [low, high] = opsetRange;
  if (opset < low || opset > high) {
    throw new BpuError("unsupported", `opset ${opset} is not supported`, {
      file,
      hint: `Export the model with an opset from ${low} to ${high}; 11 to 17 fit best.`,
    });
  }
  return [opset, domains];
}

function convert(model: ModelProto, options: LoadOptions): Graph {
  const file = options.file;
  const limits = options.limits ?? defaultLimits;
  const [opset, domains] = opsets(model, file);
  const proto = flattenContainers(
    inlineFunctions(model, opset, limits, file),
    opset,
    options.containers ?? new Map(),
    limits,
  );
  const initializers = new Set(proto.initializer.map((t) => t.name));
  const inputs = proto.input.filter((v) => !initializers.has(v.name));
  const dims = bindDims(inputs, options.inputShapes ?? new Map(), file);
  const cache = new Map<string, Uint8Array>();
  const narrow = new Map<string, number>();
  const graph = readGraph(proto, {
    file,
    opset,
    domains,
    dims,
    limits,
    decoded: 0,
    nodes: 0,
    narrow,
    external: (location, place) => external(location, place, options, cache),
  });
  const open = new Set(
    [...graph.inputs, ...graph.outputs].filter((p) => p.shape.includes(-1)).map((p) => p.name),
  );
  const metadata = new Map(model.metadataProps.map((e) => [e.key, e.value]));
  for (const key of [...metadata.keys()]) if (key.startsWith("bpukit.dims:")) metadata.delete(key);
  for (const [k, v] of dimMetadata([...inputs, ...proto.output], open)) metadata.set(k, v);
  const upgraded = computedOutputs(upgradeGraph(graph, narrow));
  const used = usedDomains(upgraded);
  return {
    ...upgraded,
    opset: OPSET,
    domains: new Map([...domains].filter(([d]) => used.has(d))),
    metadata,
  };
}

/** Every output is an input or comes from a node: an Identity stands behind a constant. */
function computedOutputs(g: Graph): Graph {
  const still = g.outputs.filter((p) => g.constants.has(p.name));
  if (still.length === 0) return g;
  const names = new Set<string>();
  collectNames(g, names);
  const constants = new Map(g.constants);
  const types = new Map(g.types);
  const nodes = g.nodes.map((n) => n);
  for (const { name } of still) {
    const unused = (hint: string) => {
      let free = hint;
      for (let i = 1; names.has(free); i++) free = `${hint}_${i}`;
      names.add(free);
      return free;
    };
    const value = constants.get(name)!;
    const source = unused(`${name}_value`);
    constants.set(source, value);
    constants.delete(name);
    types.set(name, { dtype: value.dtype, shape: value.shape });
    nodes.unshift(node("Identity", unused(`${name}_Identity`), [source], [name]));
  }
  return { ...g, nodes, constants, types };
}

function external(
  location: string,
  place: ErrorPlace,
  options: LoadOptions,
  cache: Map<string, Uint8Array>,
): Uint8Array {
  const known = cache.get(location);
  if (known !== undefined) return known;
  if (options.readExternal === undefined) {
    throw new BpuError("file", `the weights lie in a separate file, ${location}`, {
      ...place,
      hint: "Put that file beside the model, or save the model as a single file.",
    });
  }
  let bytes: Uint8Array;
  try {
    bytes = options.readExternal(location);
  } catch (cause) {
    if (cause instanceof BpuError) throw cause;
    throw new BpuError("file", `the file with the weights, ${location}, cannot be read`, {
      ...place,
      hint: "Put it beside the model.",
      cause,
    });
  }
  cache.set(location, bytes);
  return bytes;
}
