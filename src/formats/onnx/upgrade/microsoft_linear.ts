/**
 * Convolutions, products and pools of the `com.microsoft` domain.
 *
 * @module
 */

import { type Attr, attr, floatAttr, intAttr, type Node, stringAttr } from "../../../ir/graph.ts";
import { Chain } from "./chain.ts";
import { addScalarLike, type Context, refuse, without } from "./context.ts";

/** Activations that are fused, and the names of their parameters. */
const parameters: ReadonlyMap<string, readonly string[]> = new Map([
  ["Clip", ["min", "max"]],
  ["Elu", ["alpha"]],
  ["HardSigmoid", ["alpha", "beta"]],
  ["LeakyRelu", ["alpha"]],
  ["Relu", []],
  ["Selu", ["alpha", "gamma"]],
  ["Sigmoid", []],
  ["Softplus", []],
  ["Softsign", []],
  ["Tanh", []],
  ["ThresholdedRelu", ["alpha"]],
]);

/** Adds the activation that a node names; `value` looks a parameter up by name and place. */
function activate(
  chain: Chain,
  n: Node,
  c: Context,
  y: string,
  value: (name: string, index: number) => number | undefined,
): void {
  const op = stringAttr(n, "activation", "");
  if (op === "") return;
  const names = parameters.get(op);
  if (names === undefined) throw refuse(n, `the fused activation ${op} is not supported`);
  if (op === "Clip") {
    const bounds = names.map((name, i) => {
      const v = value(name, i);
      return v === undefined ? "" : addScalarLike(n, c, name, v, n.inputs[0] ?? "");
    });
    chain.add("Clip", [y, ...bounds]);
    return;
  }
  const attrs: Record<string, Attr> = {};
  names.forEach((name, i) => {
    const v = value(name, i);
    if (v !== undefined) attrs[name] = attr.float(v);
  });
  chain.add(op, [y], attrs);
}

const record = (attrs: ReadonlyMap<string, Attr>) => Object.fromEntries(attrs);

/** activation(Conv(x, w, b) + z) */
export function fusedConv(n: Node, c: Context): readonly Node[] {
  const [x = "", w = "", b = "", z = ""] = n.inputs;
  const chain = new Chain(n, c);
  const list = n.attrs.get("activation_params");
  const params = list?.type === "floats" ? list.value : [];
  let y = chain.add(
    "Conv",
    b === "" ? [x, w] : [x, w, b],
    record(without(n.attrs, "activation", "activation_params")),
  );
  if (z !== "") y = chain.add("Add", [y, z]);
  activate(chain, n, c, y, (_, i) => params[i]);
  return chain.end();
}

/** activation(Gemm(a, b, c)), whose parameters are attributes `activation_alpha`, ... */
export function fusedGemm(n: Node, c: Context): readonly Node[] {
  const own = [...n.attrs.keys()].filter((key) => key.startsWith("activation"));
  const chain = new Chain(n, c);
  const y = chain.add("Gemm", n.inputs, record(without(n.attrs, ...own)));
  activate(chain, n, c, y, (name) => {
    const key = `activation_${name}`;
    return n.attrs.has(key) ? floatAttr(n, key) : undefined;
  });
  return chain.end();
}

/**
 * alpha * MatMul(a, b) behind Transposes. `transA` swaps the last two axes; `transBatchA` has moved the
 * first axis behind the batch axes before that. Vectors stay as they are.
 */
export function fusedMatMul(n: Node, c: Context): readonly Node[] {
  const chain = new Chain(n, c);
  const turned = ["A", "B"].map((side, i) => {
    const x = n.inputs[i] ?? "";
    const swap = intAttr(n, `trans${side}`, 0) !== 0;
    const batch = intAttr(n, `transBatch${side}`, 0) !== 0;
    if (!swap && !batch) return x;
    const { rank } = c.fact(x);
    if (rank === undefined) {
      throw refuse(
        n,
        `it transposes input ${side}, whose number of axes the file does not state`,
        "Save the model with shapes (onnx.shape_inference), or without onnxruntime's optimizations.",
      );
    }
    if (rank < 2) return x;
    const axes = Array.from({ length: rank }, (_, k) => k);
    const perm = batch ? [...axes.slice(1, -1), 0, rank - 1] : axes;
    if (swap) perm.push(...perm.splice(-2).reverse());
    return chain.add("Transpose", [x], { perm: attr.ints(perm) });
  });
  const y = chain.add("MatMul", turned);
  const alpha = floatAttr(n, "alpha", 1);
  if (alpha !== 1) chain.add("Mul", [y, addScalarLike(n, c, "alpha", alpha, n.inputs[0] ?? "")]);
  return chain.end();
}

/** MaxPool of a picture whose channels are last, between Transposes. */
export function nhwcMaxPool(n: Node, c: Context): readonly Node[] {
  const kernel = n.attrs.get("kernel_shape");
  const spatial = kernel?.type === "ints" ? kernel.value.map((_, i) => i) : [];
  if (spatial.length === 0) throw refuse(n, "the attribute kernel_shape is missing");
  const last = spatial.length + 1;
  const chain = new Chain(n, c);
  const first = chain.add("Transpose", [n.inputs[0] ?? ""], {
    perm: attr.ints([0, last, ...spatial.map((i) => i + 1)]),
  });
  const pooled = chain.add("MaxPool", [first], record(n.attrs));
  chain.add("Transpose", [pooled], { perm: attr.ints([0, ...spatial.map((i) => i + 2), 1]) });
  return chain.end();
}
