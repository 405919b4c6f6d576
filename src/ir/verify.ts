/**
 * Checks that a graph is well formed. Cheap enough to run after every pass.
 *
 * @module
 */

import { BpuError, type ErrorPlace } from "../errors.ts";
import type { Attr, Graph, Node } from "./graph.ts";
import { subgraphsOf } from "./order.ts";
import { elementCount, type TensorType } from "./tensor.ts";

/**
 * Throws `model` when the graph breaks a rule: node names are unique and not empty, every tensor is
 * produced once and before it is read, constants and inputs are produced by no node, outputs exist,
 * dimensions are integers of at least -1 (constants: at least 0, with as many elements as they
 * say), attributes hold what their type says. Subgraphs are checked with the names around them.
 */
export function verify(graph: Graph): void {
  verifyIn(graph, new Set());
}

function verifyIn(g: Graph, outer: ReadonlySet<string>): void {
  const known = new Set<string>();
  const add = (name: string, place: ErrorPlace) => {
    if (name === "") throw new BpuError("model", "a tensor has no name", place);
    if (known.has(name)) {
      throw new BpuError("model", "the tensor is produced twice", { ...place, tensor: name });
    }
    known.add(name);
  };
  for (const p of g.inputs) {
    add(p.name, { tensor: p.name });
    checkShape(p, p.name, -1);
  }
  for (const [name, t] of g.constants) {
    add(name, { tensor: name });
    checkShape(t, name, 0);
    if (t.data.length !== elementCount(t.shape)) {
      throw new BpuError("model", "the data of the constant does not fit its shape", {
        tensor: name,
      });
    }
  }
  for (const [name, t] of g.types) checkShape(t, name, -1);
  checkNodes(g, known, outer, add);
  const outputs = new Set<string>();
  for (const p of g.outputs) {
    checkShape(p, p.name, -1);
    if (!known.has(p.name) && !outer.has(p.name)) {
      throw new BpuError("model", "nothing produces the graph output", { tensor: p.name });
    }
    if (outputs.has(p.name)) {
      throw new BpuError("model", "two graph outputs have the same name", { tensor: p.name });
    }
    outputs.add(p.name);
  }
}

function checkNodes(
  g: Graph,
  known: Set<string>,
  outer: ReadonlySet<string>,
  add: (name: string, place: ErrorPlace) => void,
): void {
  const later = new Set<string>();
  for (const n of g.nodes) for (const o of n.outputs) later.add(o);
  const names = new Set<string>();
  for (const n of g.nodes) {
    const place = { node: n.name, op: n.op };
    if (n.name === "") throw new BpuError("model", "a node has no name", place);
    if (names.has(n.name)) throw new BpuError("model", "two nodes have the same name", place);
    names.add(n.name);
    for (const i of n.inputs) {
      if (i === "" || known.has(i) || (outer.has(i) && !later.has(i))) continue;
      throw new BpuError(
        "model",
        later.has(i)
          ? "the nodes are not in topological order: an input is produced later"
          : "nothing produces an input",
        { ...place, tensor: i },
      );
    }
    for (const [key, a] of n.attrs) {
      if (!holds(a)) throw new BpuError("model", `attribute ${key} is no ${a.type}`, place);
      const subs = subgraphsOf(a);
      if (subs.length === 0) continue;
      const around = new Set([...outer, ...known]);
      for (const sub of subs) verifySub(sub, around, n);
    }
    for (const o of n.outputs) if (o !== "") add(o, place);
  }
}

/** Verifies a subgraph and names the node that holds it when the error names none. */
function verifySub(sub: Graph, around: ReadonlySet<string>, n: Node): void {
  try {
    verifyIn(sub, around);
  } catch (error) {
    if (!(error instanceof BpuError) || error.place.node !== undefined) throw error;
    throw new BpuError(error.code, error.message, { ...error.place, node: n.name, op: n.op });
  }
}

function checkShape(t: TensorType, name: string, least: number): void {
  if (t.shape.some((d) => !Number.isInteger(d) || d < least || d > 0x7fffffff)) {
    throw new BpuError("model", `the shape [${t.shape.join(", ")}] is not valid`, { tensor: name });
  }
}

/** Whether an attribute's value is what its type says. */
function holds(a: Attr): boolean {
  switch (a.type) {
    case "int":
      return Number.isSafeInteger(a.value);
    case "ints":
      return a.value.every(Number.isSafeInteger);
    case "float":
      return typeof a.value === "number";
    case "floats":
      return a.value.every((v) => typeof v === "number");
    case "string":
      return typeof a.value === "string";
    case "strings":
      return a.value.every((v) => typeof v === "string");
    case "tensor":
      return a.value.data.length === elementCount(a.value.shape);
    case "tensors":
      return a.value.every((t) => t.data.length === elementCount(t.shape));
    case "graph":
    case "graphs":
      return true;
  }
}
