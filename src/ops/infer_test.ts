/** Type inference over whole graphs. */

import assert from "node:assert/strict";
import { BpuError, type ErrorCode } from "../errors.ts";
import { type Attr, attr, type Graph, type Node, node, OPSET } from "../ir/graph.ts";
import { type DType, f32, i64, i64Scalar, type Tensor, type TensorType } from "../ir/tensor.ts";
import { foldNode, inferTypes, inferValues } from "./infer.ts";

type Types = Readonly<Record<string, readonly number[] | TensorType>>;

function portOf(name: string, t: readonly number[] | TensorType) {
  return "dtype" in t ? { name, ...t } : { name, dtype: "float32" as DType, shape: t };
}

function graph(
  nodes: readonly Node[],
  inputs: Types,
  more: { outputs?: Types; types?: Types; constants?: Readonly<Record<string, Tensor>> } = {},
): Graph {
  const ports = (t: Types) => Object.entries(t).map(([name, type]) => portOf(name, type));
  return {
    name: "g",
    opset: OPSET,
    domains: new Map(),
    nodes,
    inputs: ports(inputs),
    outputs: ports(more.outputs ?? {}),
    constants: new Map(Object.entries(more.constants ?? {})),
    types: new Map(ports(more.types ?? {}).map((p) => [p.name, p])),
    metadata: new Map(),
  };
}

function refuses(run: () => unknown, code: ErrorCode, message: RegExp, node?: string): void {
  assert.throws(run, (e) => {
    assert.ok(e instanceof BpuError, String(e));
    assert.equal(e.code, code, e.message);
    assert.match(e.message, message);
    if (node !== undefined) assert.equal(e.place.node, node);
    return true;
  });
}

const shapeChain = [
  node("Shape", "shape", ["x"], ["s"]),
  node("Gather", "first", ["s", "zero"], ["n"], { axis: attr.int(0) }),
  node("Unsqueeze", "up", ["n", "axes"], ["n1"]),
  node("Mul", "twice", ["n1", "two"], ["n2"]),
  node("Concat", "join", ["n2", "rest"], ["target"], { axis: attr.int(0) }),
  node("Reshape", "reshape", ["x", "target"], ["y"]),
];
const chainConstants = { zero: i64Scalar(0), axes: i64([0]), two: i64([2]), rest: i64([-1]) };

Deno.test("shapes computed by Shape, Gather, Unsqueeze, Mul and Concat become static", () => {
  const g = graph(shapeChain, { x: [2, 3, 8] }, { constants: chainConstants });
  const before = JSON.stringify([...g.types]);
  const { graph: typed, values } = inferValues(g);
  assert.deepEqual(typed.types.get("y"), { dtype: "float32", shape: [4, 12] });
  assert.deepEqual([...values.get("target")!.data], [4n, -1n]);
  assert.equal(typed.nodes, g.nodes, "the nodes stay");
  assert.equal(typed.constants, g.constants, "computed values are no initializers");
  assert.equal(JSON.stringify([...g.types]), before, "the graph is not changed");
});

Deno.test("an unknown dimension stays unknown, its rank does not", () => {
  const g = graph(shapeChain, { x: [-1, 3, 8] }, { constants: chainConstants });
  assert.deepEqual(inferTypes(g).types.get("y"), { dtype: "float32", shape: [-1, -1] });
});

Deno.test("declared types fill in what cannot be inferred", () => {
  const int64 = (shape: number[]): TensorType => ({ dtype: "int64", shape });
  const nodes = [node("Reshape", "r", ["x", "s"], ["y"]), node("Relu", "relu", ["y"], ["z"])];
  const g = graph(nodes, { x: [2, 6], s: int64([2]) }, { types: { y: [3, 4] } });
  assert.deepEqual(inferTypes(g).types.get("z")!.shape, [3, 4]);
  assert.deepEqual(inferTypes(g, { declared: "ignore" }).types.get("z")!.shape, [-1, -1]);
  // The length of the target is not known: not even the rank is.
  const open = graph(nodes, { x: [2, 6], s: int64([-1]) }, { types: { y: [3, 4] } });
  assert.deepEqual(inferTypes(open).types.get("z")!.shape, [3, 4]);
  assert.equal(inferTypes(open, { declared: "ignore" }).types.has("z"), false);
});

Deno.test("contradictions with declared types name the node", () => {
  const relu = [node("Relu", "relu", ["x"], ["y"])];
  for (
    const wrong of [[2, 4], [2, 3, 1], { dtype: "float16", shape: [2, 3] }] as const
  ) {
    const g = graph(relu, { x: [2, 3] }, { types: { y: wrong as TensorType } });
    refuses(() => inferTypes(g), "model", /float32 2x3.*declares/, "relu");
    assert.deepEqual(inferTypes(g, { declared: "fallback" }).types.get("y")!.shape, [2, 3]);
  }
  refuses(
    () => inferTypes(graph(relu, { x: [2, 3] }, { outputs: { y: [5] } })),
    "model",
    /declares float32 5/,
    "relu",
  );
  const fine = inferTypes(graph(relu, { x: [2, -1] }, { outputs: { y: [-1, 3] } }));
  assert.deepEqual(fine.outputs[0]!.shape, [2, 3], "both sides are merged");
});

Deno.test("unknown operators are all named, or typed by the caller", () => {
  const nodes = [
    node("Foo", "foo1", ["x"], ["a"]),
    node("Relu", "relu", ["a"], ["b"]),
    node("Bar", "bar1", ["b"], ["c"], {}, "my.domain"),
  ];
  const g = graph(nodes, { x: [1, 2] });
  refuses(() => inferTypes(g), "unsupported", /foo1 \(Foo\), bar1 \(my\.domain\.Bar\)/, "foo1");
  const typed = inferTypes(g, {
    unknown: (n, c) => n.op === "Foo" ? [c.need(0)] : [{ dtype: "int8", shape: [7] }],
  });
  assert.deepEqual(typed.types.get("c"), { dtype: "int8", shape: [7] });
  refuses(() => inferTypes(g, { unknown: () => undefined }), "unsupported", /Foo/, "foo1");
});

/** An If of this depth: its `else` branches are trivial. */
function nested(depth: number): Node {
  const branch = (n: Node): Attr => ({
    type: "graph",
    value: graph([n], {}, { outputs: { out: [1] } }),
  });
  const leaf = node("Relu", "leaf", ["x"], ["out"]);
  const then = depth <= 1 ? leaf : nested(depth - 1);
  const attrs = { then_branch: branch(then), else_branch: branch(leaf) };
  return node("If", "if", ["k"], ["out"], attrs);
}

Deno.test("subgraphs see outer names; too deep a nesting is refused, a deep one is quick", () => {
  const inputs = { x: [2, 3], k: { dtype: "bool" as DType, shape: [] } };
  assert.deepEqual(inferTypes(graph([nested(1)], inputs)).types.get("out")!.shape, [2, 3]);
  assert.deepEqual(inferTypes(graph([nested(30)], inputs)).types.get("out")!.shape, [2, 3]);
  refuses(() => inferTypes(graph([nested(100)], inputs)), "limit", /nested over 32 deep/);
});

const K = (shape: readonly number[]): Tensor =>
  f32(shape, new Array(shape.reduce((a, b) => a * b, 1)).fill(1));

Deno.test("malformed nodes are refused with a sentence that names them", () => {
  const bad: [string, readonly (readonly number[] | TensorType)[], Record<string, Attr>, RegExp][] =
    [
      ["Conv", [[1, 4, 8, 8], [2, 3, 3, 3]], {}, /its input has 4 channels, its weights take 3/],
      ["Conv", [[1, 4, 8, 8], [3, 2, 3, 3]], { group: attr.int(2) }, /3 output channels do not/],
      ["Conv", [[1, 4, 8, 8], [2, 4, 9, 3]], {}, /the kernel \(9 along axis 2\) is larger/],
      ["Conv", [[1, 4, 8, 8], [2, 4, 3, 3], [3]], {}, /its bias has 3 values for 2/],
      [
        "Conv",
        [[1, 4, 8, 8], [2, 4, 3, 3]],
        { strides: attr.ints([0, 1]) },
        /strides has a value of 0/,
      ],
      ["Conv", [[1, 4, 8, 8], [2, 4, 3, 3]], { pads: attr.ints([1, 1]) }, /pads has 2 values/],
      [
        "Conv",
        [[1, 4, 8, 8], [2, 4, 3, 3]],
        { kernel_shape: attr.ints([5, 5]) },
        /not that of its/,
      ],
      ["Conv", [[1, 4, 8, 8], [2, 4, 3, 3]], { auto_pad: attr.string("SAME") }, /auto_pad SAME is/],
      ["Conv", [[4, 8], [4, 8]], {}, /rank 2/],
      ["Conv", [[1, 4, 8, 8]], {}, /input 1 is missing/],
      ["ConvTranspose", [[1, 4, 8, 8], [3, 4, 3, 3]], {}, /its input has 4 channels/],
      ["MaxPool", [[1, 4, 8, 8]], {}, /kernel_shape is missing/],
      ["MaxPool", [[1, 4, 2, 2]], { kernel_shape: attr.ints([3, 3]) }, /larger than its padded/],
      ["Add", [[2, 3], [4]], {}, /2x3 and 4 do not broadcast/],
      ["Add", [[2, 3], { dtype: "int32", shape: [3] }], {}, /different types, float32 and int32/],
      ["And", [[2, 3], [2, 3]], {}, /an input is float32, not bool/],
      ["Sigmoid", [{ dtype: "int32", shape: [1] }], {}, /its input is int32, not float/],
      ["MatMul", [[2, 3], [4, 5]], {}, /2x3 and 4x5 differ in the inner dimension/],
      ["MatMul", [[2, 2, 3], [3, 3, 4]], {}, /do not broadcast/],
      ["Gemm", [[2, 3, 1], [3, 4]], {}, /both must have rank 2/],
      ["Gemm", [[2, 3], [4, 4]], {}, /inner dimensions 3 and 4 differ/],
      ["Gemm", [[2, 3], [3, 4], [5, 4]], {}, /C of shape 5x4 does not broadcast/],
      ["BatchNormalization", [[1, 4, 2], [3], [4], [4], [4]], {}, /input 1 has 3 values for 4/],
      ["LSTM", [[5, 1, 3], [1, 16, 3], [1, 16, 5]], {}, /dimension 1 of W is 16/],
      ["PRelu", [[1, 4, 2], [2, 1, 4, 2]], {}, /does not broadcast to 1x4x2/],
      ["Softmax", [[1, 4]], { axis: attr.int(2) }, /axis 2 is outside/],
      ["Where", [[2], [2], [2]], {}, /its condition is float32/],
    ];
  for (const [op, shapes, attrs, message] of bad) {
    const inputs = Object.fromEntries(shapes.map((t, i) => [`x${i}`, t]));
    const g = graph([node(op, `the_${op}`, Object.keys(inputs), ["y"], attrs)], inputs);
    for (const code of ["shape", "model"] as const) {
      try {
        inferTypes(g);
      } catch (e) {
        if (e instanceof BpuError && e.code !== code) continue;
      }
      refuses(() => inferTypes(g), code, message, `the_${op}`);
    }
  }
});

Deno.test("unknown dimensions pass through", () => {
  const cases: [string, readonly (readonly number[])[], Record<string, Attr>, readonly number[]][] =
    [
      ["Conv", [[-1, 4, -1, 8], [2, 4, 3, 3]], {}, [-1, 2, -1, 6]],
      ["ConvTranspose", [[-1, 4, -1, 8], [4, 2, 2, 2]], { strides: attr.ints([2, 2]) }, [
        -1,
        2,
        -1,
        16,
      ]],
      ["MaxPool", [[-1, -1, -1, 9]], { kernel_shape: attr.ints([3, 3]) }, [-1, -1, -1, 7]],
      ["GlobalAveragePool", [[-1, 4, -1, -1]], {}, [-1, 4, 1, 1]],
      ["Add", [[-1, 4], [3, 1]], {}, [3, 4]],
      ["Add", [[-1, 4], [1, 4]], {}, [-1, 4]],
      ["MatMul", [[-1, 3, -1], [-1, 5]], {}, [-1, 3, 5]],
      ["Gemm", [[-1, 3], [3, 4], [4]], {}, [-1, 4]],
    ];
  for (const [op, shapes, attrs, want] of cases) {
    const inputs = Object.fromEntries(shapes.map((t, i) => [`x${i}`, t]));
    const g = graph([node(op, op, Object.keys(inputs), ["y"], attrs)], inputs);
    assert.deepEqual(inferTypes(g).types.get("y")!.shape, want, op);
  }
});

Deno.test("large constants are left alone unless they are asked for", () => {
  const w = K([100, 100]);
  const g = graph([node("Relu", "r", ["w"], ["y"])], {}, { constants: { w } });
  assert.equal(inferValues(g).values.has("y"), false);
  assert.equal(inferValues(g, { maxFold: 10000 }).values.has("y"), true);
  const lookup = { type: () => undefined, value: (name: string) => name === "w" ? w : undefined };
  assert.equal(foldNode(g.nodes[0]!, lookup)?.[0]?.data.length, 10000);
  assert.equal(foldNode(g.nodes[0]!, lookup, 9999), undefined);
});
