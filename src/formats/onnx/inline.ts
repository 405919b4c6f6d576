/**
 * Inlining of model-local functions: some exporters write every module of the network as one.
 *
 * The functions of our own domain are not inlined: their calls are operators to us.
 *
 * @module
 */

import { create } from "../../deps.ts";
import { BpuError, type ErrorPlace } from "../../errors.ts";
import { HORIZON } from "../../ir/graph.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  type FunctionProto,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  type NodeProto,
  NodeProtoSchema,
  ValueInfoProtoSchema,
} from "./gen/onnx_pb.ts";
import type { Limits } from "./limits.ts";

/** What a call is looked up by. */
const keyOf = (domain: string, name: string, overload: string) =>
  `${domain === "ai.onnx" ? "" : domain}\0${name}\0${overload}`;

/**
 * The main graph with all calls of model-local functions replaced by their bodies. Tensors and nodes
 * of a body are named after the call, `call/name`.
 *
 * Throws `limit` for functions that call themselves or grow beyond `limits.nodes`, `unsupported` for a
 * function written for another opset than the model.
 */
export function inlineFunctions(
  model: ModelProto,
  opset: number,
  limits: Limits,
  file: string | undefined,
): GraphProto {
  const functions = new Map<string, FunctionProto>();
  for (const f of model.functions) {
    // In the default domain the built-in operator counts, as in onnxruntime.
    if (f.domain === HORIZON || f.domain === "" || f.domain === "ai.onnx") continue;
    functions.set(keyOf(f.domain, f.name, f.overload), f);
  }
  const graph = model.graph!;
  if (functions.size === 0) return graph;
  return new Inliner(functions, opset, limits, file).graph(graph, 0);
}

class Inliner {
  private nodes = 0;
  private calls = 0;
  private readonly taken = new Set<string>();

  constructor(
    private readonly functions: ReadonlyMap<string, FunctionProto>,
    private readonly opset: number,
    private readonly limits: Limits,
    private readonly file: string | undefined,
  ) {}

  graph(g: GraphProto, depth: number): GraphProto {
    for (const v of [...g.input, ...g.initializer]) this.taken.add(v.name);
    for (const n of g.node) for (const o of n.output) this.taken.add(o);
    return { ...g, node: this.all(g.node, depth) };
  }

  private unique(hint: string): string {
    let name = hint;
    for (let i = 1; this.taken.has(name); i++) name = `${hint}_${i}`;
    this.taken.add(name);
    return name;
  }

  private all(nodes: readonly NodeProto[], depth: number): NodeProto[] {
    if (depth > this.limits.depth) {
      throw new BpuError("limit", `functions are nested deeper than ${this.limits.depth}`, {
        file: this.file,
        hint: "A function of the model probably calls itself.",
      });
    }
    const out: NodeProto[] = [];
    for (const n of nodes) {
      if (++this.nodes > this.limits.nodes) {
        throw new BpuError("limit", `the model has more than ${this.limits.nodes} nodes`, {
          file: this.file,
        });
      }
      const f = this.functions.get(keyOf(n.domain, n.opType, n.overload));
      if (f === undefined) out.push(this.inside(n, depth));
      else out.push(...this.all(this.body(n, f), depth + 1));
    }
    return out;
  }

  /** The node with calls in its subgraphs inlined. */
  private inside(n: NodeProto, depth: number): NodeProto {
    if (!n.attribute.some((a) => a.g !== undefined || a.graphs.length > 0)) return n;
    const attribute = n.attribute.map((a) => ({
      ...a,
      g: a.g === undefined ? undefined : this.graph(a.g, depth + 1),
      graphs: a.graphs.map((g) => this.graph(g, depth + 1)),
    }));
    return { ...n, attribute };
  }

  /** The body of a function for one call. */
  private body(call: NodeProto, f: FunctionProto): NodeProto[] {
    const place: ErrorPlace = { file: this.file, node: call.name, op: call.opType };
    for (const { domain, version } of f.opsetImport) {
      if ((domain === "" || domain === "ai.onnx") && version !== BigInt(this.opset)) {
        throw new BpuError(
          "unsupported",
          `function ${f.name} is written for opset ${version}, the model for ${this.opset}`,
          { ...place, hint: "Export the model with its functions inlined." },
        );
      }
    }
    if (call.input.length > f.input.length || call.output.length > f.output.length) {
      throw new BpuError("model", `the call does not fit function ${f.name}`, place);
    }
    const prefix = call.name === "" ? `${f.name}_${this.calls}` : call.name;
    this.calls++;
    const names = new Map<string, string>();
    f.output.forEach((name, i) => {
      const given = call.output[i] ?? "";
      if (given !== "") names.set(name, given);
    });
    f.input.forEach((name, i) => names.set(name, call.input[i] ?? ""));
    const attributes = new Map<string, AttributeProto>();
    for (const a of f.attributeProto) attributes.set(a.name, a);
    for (const a of call.attribute) attributes.set(a.name, a);
    const rename = (name: string): string => {
      const known = name === "" ? "" : names.get(name);
      if (known !== undefined) return known;
      const own = this.unique(`${prefix}/${name}`);
      names.set(name, own);
      return own;
    };
    return f.node.map((n) => copyNode(n, prefix, rename, attributes));
  }
}

/** A node of a body with the names and attributes of a call. */
export function copyNode(
  n: NodeProto,
  prefix: string,
  rename: (name: string) => string,
  attributes: ReadonlyMap<string, AttributeProto>,
): NodeProto {
  const graph = (g: GraphProto): GraphProto =>
    create(GraphProtoSchema, {
      ...g,
      node: g.node.map((m) => copyNode(m, prefix, rename, attributes)),
      initializer: g.initializer.map((t) => ({ ...t, name: rename(t.name) })),
      input: g.input.map((v) => create(ValueInfoProtoSchema, { ...v, name: rename(v.name) })),
      output: g.output.map((v) => create(ValueInfoProtoSchema, { ...v, name: rename(v.name) })),
      valueInfo: g.valueInfo.map((v) =>
        create(ValueInfoProtoSchema, { ...v, name: rename(v.name) })
      ),
    });
  const attribute: AttributeProto[] = [];
  for (const a of n.attribute) {
    if (a.refAttrName !== "") {
      // An attribute that the call does not give is absent: the operator's default applies.
      const given = attributes.get(a.refAttrName);
      if (given !== undefined) attribute.push({ ...given, name: a.name });
      continue;
    }
    attribute.push(create(AttributeProtoSchema, {
      ...a,
      g: a.g === undefined ? undefined : graph(a.g),
      graphs: a.graphs.map(graph),
    }));
  }
  return create(NodeProtoSchema, {
    ...n,
    name: n.name === "" ? "" : `${prefix}/${n.name}`,
    input: n.input.map(rename),
    output: n.output.map(rename),
    attribute,
  });
}
