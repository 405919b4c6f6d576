import { deepEqual, equal } from "node:assert/strict";
import { attr, type Graph, node, OPSET } from "../ir/graph.ts";
import { type DType, f32, numbersOf, type Tensor, tensor } from "../ir/tensor.ts";
import { verify } from "../ir/verify.ts";
import { otherPrecision, singlePrecision } from "./single_precision.ts";

const half = (shape: number[], values: number[]): Tensor =>
  tensor("float16", shape, new Uint16Array(Float16Array.from(values).buffer));

/** x -> Cast -> Conv -> Add -> Cast -> y, computed in `dtype` (an ONNX code beside it). */
function graph(dtype: DType, code: number, w: Tensor, one: Tensor): Graph {
  const shape = [1, 1, 2, 2];
  return {
    name: "g",
    opset: OPSET,
    domains: new Map(),
    nodes: [
      node("Cast", "down", ["x"], ["a"], { to: attr.int(code) }),
      node("Conv", "conv", ["a", "w"], ["b"]),
      node("Constant", "c", [], ["one"], { value: attr.tensor(one) }),
      node("Add", "add", ["b", "one"], ["d"]),
      node("Cast", "up", ["d"], ["y"], { to: attr.int(1) }),
    ],
    inputs: [{ name: "x", dtype: "float32", shape }],
    outputs: [{ name: "y", dtype: "float32", shape }],
    constants: new Map([["w", w]]),
    types: new Map(["a", "b", "d"].map((t) => [t, { dtype, shape }])),
    metadata: new Map(),
  };
}

Deno.test("a network in half or double precision becomes float32 throughout", () => {
  const cases: [DType, number, Tensor, Tensor][] = [
    ["float16", 10, half([1, 1, 1, 1], [0.5]), half([], [1.5])],
    [
      "float64",
      11,
      tensor("float64", [1, 1, 1, 1], Float64Array.of(0.5)),
      tensor("float64", [], Float64Array.of(1.5)),
    ],
  ];
  for (const [dtype, code, w, one] of cases) {
    const g = graph(dtype, code, w, one);
    const from = otherPrecision(g);
    equal(from, dtype);
    const single = singlePrecision(g, from!);
    verify(single);
    equal(otherPrecision(single), undefined);
    deepEqual(single.constants.get("w"), f32([1, 1, 1, 1], [0.5]));
    const value = single.nodes[2]!.attrs.get("value")!;
    deepEqual(value.type === "tensor" && [value.value.dtype, ...numbersOf(value.value)], [
      "float32",
      1.5,
    ]);
    deepEqual(single.nodes[0]!.attrs.get("to"), attr.int(1));
    deepEqual([...single.types.values()].map((t) => t.dtype), ["float32", "float32", "float32"]);
  }
});

Deno.test("graphs inside of nodes follow, a float64 detour of a float32 network stays", () => {
  const inner = graph("float16", 10, half([1, 1, 1, 1], [0.5]), half([], [1.5]));
  const outer: Graph = {
    ...inner,
    nodes: [
      ...inner.nodes,
      node(
        "If",
        "if",
        ["y"],
        ["z"],
        new Map([
          ["then_branch", { type: "graph", value: { ...inner, inputs: [] } } as const],
        ]),
      ),
    ],
  };
  const branch = singlePrecision(outer, "float16").nodes.at(-1)!.attrs.get("then_branch")!;
  equal(branch.type === "graph" && branch.value.constants.get("w")!.dtype, "float32");
  const detour = graph("float32", 1, f32([1, 1, 1, 1], [2]), f32([], [1]));
  const nodes = [...detour.nodes, node("Cast", "size", ["y"], ["s"], { to: attr.int(11) })];
  equal(otherPrecision({ ...detour, nodes }), undefined);
});
