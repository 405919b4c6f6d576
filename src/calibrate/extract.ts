/**
 * Cuts a piece out of a graph.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { type Graph, mustType, type Node, type Port, producers, typeOf } from "../ir/graph.ts";

/**
 * The nodes that compute `outputs`, from the graph's inputs and from the tensors of `cuts`, which
 * become inputs. Inputs and constants that nothing reads are left out. The type of every cut must be
 * known; an output of unknown type is computed, but not listed as an output. Throws BpuError("internal") for an output that nothing computes.
 */
export function extract(
  graph: Graph,
  outputs: readonly string[],
  cuts: readonly string[] = [],
): Graph {
  const made = producers(graph);
  const given = new Map<string, Port>(graph.inputs.map((p) => [p.name, p]));
  for (const name of cuts) {
    const { dtype, shape } = mustType(graph, name);
    given.set(name, { name, dtype, shape });
  }
  const read = new Set<string>();
  const needed = new Set<Node>();
  const stack = [...outputs];
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    if (name === "" || read.has(name)) continue;
    read.add(name);
    if (given.has(name) || graph.constants.has(name)) continue;
    const n = made.get(name);
    if (n === undefined) {
      throw new BpuError("internal", "nothing computes this tensor", { tensor: name });
    }
    if (needed.has(n)) continue;
    needed.add(n);
    stack.push(...n.inputs, ...outerNames(n));
  }
  const port = (name: string): Port[] => {
    const own = graph.outputs.find((o) => o.name === name);
    const type = own ?? typeOf(graph, name) ?? given.get(name);
    return type === undefined ? [] : [{ name, dtype: type.dtype, shape: type.shape }];
  };
  return {
    ...graph,
    nodes: graph.nodes.filter((n) => needed.has(n)),
    inputs: [...given.values()].filter((p) => read.has(p.name)),
    outputs: [...new Set(outputs)].flatMap(port),
    constants: new Map([...graph.constants].filter(([name]) => read.has(name))),
    types: new Map([...graph.types].filter(([name]) => read.has(name))),
  };
}

/** Names that the bodies of a node (If, Loop) may read from outside. */
function outerNames(n: Node): string[] {
  const names: string[] = [];
  for (const a of n.attrs.values()) {
    const graphs = a.type === "graph" ? [a.value] : a.type === "graphs" ? a.value : [];
    for (const g of graphs) {
      const inside = new Set<string>([...g.inputs.map((p) => p.name), ...g.constants.keys()]);
      for (const m of g.nodes) for (const o of m.outputs) inside.add(o);
      const reads = [
        ...g.nodes.flatMap((m) => [...m.inputs, ...outerNames(m)]),
        ...g.outputs.map((p) => p.name),
      ];
      names.push(...reads.filter((name) => !inside.has(name)));
    }
  }
  return names;
}
