/**
 * Activations of the `com.microsoft` domain.
 *
 * @module
 */

import { attr, floatAttr, intAttr, type Node } from "../../../ir/graph.ts";
import { gelu } from "./activations.ts";
import { Chain } from "./chain.ts";
import { addScalarLike, type Context } from "./context.ts";
import { rowSoftmax } from "./softmax.ts";

/** Gelu of x + bias; `approximate` as in Gelu of opset 20. */
function geluOfSum(n: Node, c: Context, approximate: string): readonly Node[] {
  const [x = "", bias = ""] = n.inputs;
  const before = new Chain(n, c);
  const sum = bias === "" ? x : before.add("Add", [x, bias]);
  const attrs = new Map([["approximate", attr.string(approximate)]]);
  return [...before.nodes, ...gelu({ ...n, inputs: [sum], attrs }, c)];
}

/** Gelu(x + bias) */
export function biasGelu(n: Node, c: Context): readonly Node[] {
  return geluOfSum(n, c, "none");
}

/** Gelu(x + bias) by Tanh; the bias may be absent. */
export function fastGelu(n: Node, c: Context): readonly Node[] {
  return geluOfSum(n, c, "tanh");
}

/** x * sigmoid(alpha * x) */
export function quickGelu(n: Node, c: Context): readonly Node[] {
  const x = n.inputs[0] ?? "";
  const alpha = floatAttr(n, "alpha", 1.702);
  const chain = new Chain(n, c);
  const scaled = alpha === 1 ? x : chain.add("Mul", [x, addScalarLike(n, c, "alpha", alpha, x)]);
  chain.add("Mul", [x, chain.add("Sigmoid", [scaled])]);
  return chain.end();
}

/**
 * Softmax(x + bias) over all axes from `axis` on. The bias broadcasts as in the Add that was fused;
 * `is_inner_broadcast` only tells onnxruntime's kernel which of the two forms it has.
 */
export function biasSoftmax(n: Node, c: Context): readonly Node[] {
  const [x = "", bias = ""] = n.inputs;
  const before = new Chain(n, c);
  const sum = before.add("Add", [x, bias]);
  const inner = {
    ...n,
    op: "Softmax",
    domain: "",
    inputs: [sum],
    attrs: new Map([["axis", attr.int(intAttr(n, "axis", 1))]]),
  };
  return [...before.nodes, ...rowSoftmax(inner, c, c.fact(x))];
}
