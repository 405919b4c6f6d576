/**
 * Mish (18) and Gelu (20), which opset 17 does not have.
 *
 * @module
 */

import { type Node, node, stringAttr } from "../../../ir/graph.ts";
import { addScalarLike, type Context, helper, refuse } from "./context.ts";

/** x * tanh(softplus(x)) */
export function mish(n: Node, c: Context): readonly Node[] {
  const x = n.inputs[0] ?? "";
  const soft = helper(n, c, "Softplus", "softplus", [x]);
  const tanh = helper(n, c, "Tanh", "tanh", [soft.outputs[0]!]);
  return [soft, tanh, node("Mul", n.name, [x, tanh.outputs[0]!], n.outputs)];
}

/** 0.5 x (1 + erf(x / sqrt 2)), or 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) */
export function gelu(n: Node, c: Context): readonly Node[] {
  const x = n.inputs[0] ?? "";
  const approximate = stringAttr(n, "approximate", "none");
  const constant = (what: string, value: number) => addScalarLike(n, c, what, value, x);
  const one = constant("one", 1);
  const half = constant("half", 0.5);
  const nodes: Node[] = [];
  const add = (op: string, what: string, inputs: readonly string[]): string => {
    const h = helper(n, c, op, what, inputs);
    nodes.push(h);
    return h.outputs[0]!;
  };
  let inner: string;
  if (approximate === "none") {
    inner = add("Erf", "erf", [add("Div", "div", [x, constant("sqrt2", Math.SQRT2)])]);
  } else if (approximate === "tanh") {
    const cube = add("Mul", "cube", [add("Mul", "square", [x, x]), x]);
    const sum = add("Add", "poly", [x, add("Mul", "term", [cube, constant("c3", 0.044715)])]);
    inner = add("Tanh", "tanh", [
      add("Mul", "scaled", [sum, constant("c1", Math.sqrt(2 / Math.PI))]),
    ]);
  } else throw refuse(n, `approximate=${approximate} does not exist`);
  const gate = add("Add", "gate", [inner, one]);
  const halved = add("Mul", "half", [x, half]);
  return [...nodes, node("Mul", n.name, [halved, gate], n.outputs)];
}
