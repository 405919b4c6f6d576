/**
 * A program as one graph again, so that it can be edited and compiled anew.
 *
 * @module
 */

import type { Program } from "../compile/program.ts";
import type { Graph, Node } from "../ir/graph.ts";
import { OPSET } from "../ir/graph.ts";
import type { Tensor, TensorType } from "../ir/tensor.ts";

/**
 * The quantized graph of a program: nodes in execution order, all constants, all known types.
 * Compiling it gives the program again, byte for byte.
 */
export function decompile(p: Program): Graph {
  const nodes: Node[] = [];
  const constants = new Map<string, Tensor>(p.constants);
  const types = new Map<string, TensorType>();
  const domains = new Map<string, number>();
  let opset = OPSET;
  const put = (name: string, t: TensorType) => types.set(name, { dtype: t.dtype, shape: t.shape });
  for (const s of p.segments) {
    nodes.push(...(s.kind === "bpu" ? s.nodes : s.graph.nodes));
    if (s.kind === "bpu") continue;
    opset = s.graph.opset;
    for (const [name, t] of s.graph.constants) constants.set(name, t);
    for (const [name, t] of s.graph.types) put(name, t);
    for (const [name, v] of s.graph.domains) domains.set(name, v);
    for (const t of [...s.graph.inputs, ...s.graph.outputs]) put(t.name, t);
  }
  for (const [name, t] of p.slots) put(name, t);
  for (const t of [...p.inputs, ...p.outputs]) put(t.name, t);
  return {
    name: p.name,
    opset,
    domains,
    nodes,
    inputs: p.inputs,
    outputs: p.outputs,
    constants,
    types,
    metadata: new Map(),
  };
}
