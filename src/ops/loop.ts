import type { Graph } from "../ir/graph.ts";
import type { TensorType } from "../ir/tensor.ts";
import { integerInput } from "./args.ts";
import { given } from "./context.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { bodyTypes, carriedTypes, graphAttr } from "./subgraph.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** Whether the condition that the body returns is always true: a constant, or what it was given. */
function goesOn(c: InferContext, body: Graph): boolean {
  if (given(c, 1) && c.constant(1)?.data[0] !== 1) return false;
  let name = body.outputs[0]?.name ?? "";
  for (const n of [...body.nodes].reverse()) {
    if (n.op === "Identity" && n.outputs[0] === name) name = n.inputs[0] ?? "";
  }
  return name === body.inputs[1]?.name || body.constants.get(name)?.data[0] === 1;
}

/** How often the body runs; -1 when that depends on data. */
function tripsOf(c: InferContext, body: Graph): number {
  const list = given(c, 0) ? integerInput(c, 0, "M") : undefined;
  // Without a condition the body's own is not looked at.
  const bounded = !given(c, 1) || goesOn(c, body);
  const trips = Math.max(0, list?.[0] ?? NaN);
  // The largest integer is how exporters say "until the condition is false".
  return bounded && Number.isSafeInteger(trips) ? trips : -1;
}

/** A subgraph, repeated. */
export const loop: OpDef = {
  op: "Loop",
  place: everywhere(notIntegrated()),
  infer(c) {
    const body = graphAttr(c, "body");
    const carried = Math.max(0, c.node.inputs.length - 2);
    if (body.inputs.length !== carried + 2 || body.outputs.length < carried + 1) {
      shapeError(
        c.node,
        `the body takes ${body.inputs.length} and returns ${body.outputs.length} values ` +
          `for ${carried} carried ones`,
      );
    }
    const initial = Array.from({ length: carried }, (_, i) => c.need(i + 2));
    const counter: TensorType = { dtype: "int64", shape: [] };
    const condition: TensorType = { dtype: "bool", shape: [] };
    let all: TensorType[] = [];
    const state = carriedTypes(c, body, initial, (s) => {
      all = bodyTypes(c, body, [counter, condition, ...s]).slice(1);
      return all;
    });
    const trips = tripsOf(c, body);
    const scans = all.slice(carried).map((t) => ({ dtype: t.dtype, shape: [trips, ...t.shape] }));
    return [...state, ...scans];
  },
};
