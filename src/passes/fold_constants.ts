/**
 * Nodes that only read constants become constants.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { Engine } from "../ir/engine.ts";
import { type Graph, type Node, node, OPSET } from "../ir/graph.ts";
import { subgraphsOf } from "../ir/order.ts";
import { byteSize, elementCount, type Tensor, type TensorType } from "../ir/tensor.ts";
import { foldNode } from "../ops/infer.ts";
import type { Pass, Reason } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";

/** A result of more bytes than this, and more than its inputs have, stays a node. */
export const MAX_FOLDED_BYTES = 16 << 20;

/** Operators whose result differs from run to run. */
export const RANDOM: ReadonlySet<string> = new Set([
  "Bernoulli",
  "Multinomial",
  "RandomNormal",
  "RandomNormalLike",
  "RandomUniform",
  "RandomUniformLike",
]);

function bytesOf(t: TensorType): number {
  return elementCount(t.shape) * byteSize(t.dtype);
}

/** Why a node of constants stays; undefined when it may go; "no" when it is no candidate. */
function obstacle(w: Rewriter, n: Node): string | undefined {
  if (!n.inputs.every((i) => i === "" || w.constant(i) !== undefined)) return "no";
  if (n.domain !== "") return "no";
  if (RANDOM.has(n.op)) return `${n.op} differs from run to run`;
  if ([...n.attrs.values()].some((a) => subgraphsOf(a).length > 0)) {
    return "it has a subgraph";
  }
  if (n.op === "Identity" && n.outputs.some((o) => w.isOutput(o))) return "no";
  const before = n.inputs.reduce((sum, i) => sum + (i === "" ? 0 : bytesOf(w.constant(i)!)), 0);
  const after = n.outputs.reduce((sum, o) => {
    const s = w.shape(o);
    return sum + (s === undefined ? 0 : elementCount(s) * byteSize(w.type(o)!.dtype));
  }, 0);
  if (after > MAX_FOLDED_BYTES && after > before) {
    return `the result would have ${after} bytes, its inputs have ${before}`;
  }
  return undefined;
}

/** A graph of one node whose inputs are constants. */
function single(w: Rewriter, n: Node): Graph {
  const constants = new Map<string, Tensor>();
  for (const i of n.inputs) if (i !== "") constants.set(i, w.constant(i)!);
  const outputs = n.outputs.filter((o) => o !== "").map((name) => {
    const t = w.type(name);
    if (t === undefined) {
      throw new BpuError("shape", "the type could not be inferred", {
        node: n.name,
        op: n.op,
        tensor: name,
      });
    }
    return { name, dtype: t.dtype, shape: t.shape };
  });
  return {
    name: "constant",
    opset: OPSET,
    domains: new Map(),
    nodes: [n],
    inputs: [],
    outputs,
    constants,
    types: new Map(outputs.map((o) => [o.name, o])),
    metadata: new Map(),
  };
}

async function evaluate(
  w: Rewriter,
  n: Node,
  engine: Engine | undefined,
): Promise<readonly Tensor[] | string> {
  const lookup = {
    type: (name: string) => w.type(name),
    value: (name: string) => w.constant(name),
  };
  const own = foldNode(n, lookup);
  if (own !== undefined) return own;
  if (engine === undefined) return `${n.op} is not evaluated without an engine`;
  if (n.outputs.some((o) => o !== "" && w.type(o) === undefined)) return "its type is not known";
  let session;
  try {
    session = await engine.open(single(w, n));
  } catch (e) {
    if (e instanceof BpuError) return `${engine.name} does not run it: ${e.message}`;
    throw e;
  }
  try {
    const results = await session.run(new Map());
    const values = n.outputs.map((o) => results.get(o));
    if (n.outputs.some((o, i) => o !== "" && values[i] === undefined)) {
      return `${engine.name} did not return all its outputs`;
    }
    return values as Tensor[];
  } catch (e) {
    if (e instanceof BpuError) return `${engine.name} does not run it: ${e.message}`;
    throw e;
  } finally {
    await session.close();
  }
}

/**
 * Evaluates nodes whose inputs are all constants, by the operator's own `fold` or else by the engine.
 * The result takes over the name of the output; behind an output of the model stands an Identity.
 */
export const foldConstants: Pass = {
  name: "fold_constants",
  doc: `constant -> Op -> constant   =>   constant`,
  async run(graph, context = {}) {
    const w = new Rewriter(graph);
    const reasons: Reason[] = [];
    let fired = 0;
    for (const n of graph.nodes) {
      const why = obstacle(w, n);
      if (why === "no") continue;
      const values = why ?? await evaluate(w, n, context.engine);
      if (typeof values === "string") {
        reasons.push({ node: n.name, why: values });
        continue;
      }
      if (n.outputs.some((o) => w.isOutput(o))) {
        // An output of the model needs a node behind it.
        w.replace(
          [n],
          n.outputs.flatMap((o, i) => {
            if (o === "") return [];
            const name = i === 0 ? n.name : w.nodeName(n.name);
            return [node("Identity", name, [w.store(`${o}_value`, values[i]!)], [o])];
          }),
        );
      } else w.becomes(n, values);
      fired++;
    }
    return { graph: fired === 0 ? graph : w.build(), fired, reasons };
  },
};
