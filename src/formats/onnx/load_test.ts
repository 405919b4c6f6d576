import assert from "node:assert/strict";
import { create } from "../../deps.ts";
import type { ErrorCode } from "../../errors.ts";
import { attr, type Graph, node } from "../../ir/graph.ts";
import { f32 } from "../../ir/tensor.ts";
import { dimNames } from "./dims.ts";
import {
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  NodeProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from "./gen/onnx_pb.ts";
import { loadOnnx } from "./load.ts";
import { saveOnnx } from "./save.ts";
import {
  bytesOf,
  fails,
  randomTensor,
  runOrt,
  type TestModel,
  testModel,
  testProto,
  tiny,
} from "./test_models.ts";

const names = (g: Graph) => g.nodes.map((n) => n.name).join(" ");

Deno.test("nodes without names, or with the same, get unique ones", () => {
  const g = loadOnnx(testModel(tiny({
    nodes: [
      node("Relu", "", ["x"], ["a"]),
      node("Relu", "same", ["a"], ["b"]),
      node("Relu", "same", ["b"], ["c"]),
      node("Relu", "same_1", ["c"], ["d"]),
      node("Relu", "Abs_5", ["d"], ["e"]),
      node("Abs", "", ["e"], ["y"]),
    ],
  })));
  assert.equal(names(g), "Relu_0 same same_2 same_1 Abs_5 Abs_5_");
});

Deno.test("nodes are sorted, dead nodes and constants dropped", () => {
  const g = loadOnnx(testModel(tiny({
    nodes: [
      node("Add", "second", ["t", "w"], ["y"]),
      node("Relu", "dead", ["t"], ["nobody"]),
      node("Relu", "first", ["x"], ["t"]),
    ],
    initializers: new Map([["w", f32([1], [1])], ["unused", f32([1], [2])]]),
    valueInfo: [{ name: "t", shape: [1, 4] }, { name: "nobody", shape: [1, 4] }],
  })));
  assert.equal(names(g), "first second");
  assert.deepEqual([...g.constants.keys()], ["w"]);
  assert.deepEqual([...g.types.keys()].sort(), ["t", "x", "y"]);
});

Deno.test("initializers that are listed as inputs are constants", () => {
  const g = loadOnnx(testModel(tiny({
    nodes: [node("Add", "add", ["x", "w"], ["y"])],
    inputs: [{ name: "x", shape: [1, 4] }, { name: "w", shape: [4] }],
    initializers: new Map([["w", f32([4], [1, 2, 3, 4])]]),
  })));
  assert.deepEqual(g.inputs.map((p) => p.name), ["x"]);
  assert.deepEqual(g.constants.get("w"), f32([4], [1, 2, 3, 4]));
});

Deno.test("open dimensions: named, bound by a given shape, kept otherwise", () => {
  const model = testModel(tiny({
    nodes: [node("Relu", "relu", ["x"], ["t"]), node("Add", "add", ["t", "z"], ["y"])],
    inputs: [{ name: "x", shape: ["N", 3, "H"] }, { name: "z", shape: ["N", 3, "H"] }],
    outputs: [{ name: "y", shape: ["N", 3, ""] }],
    valueInfo: [{ name: "t", shape: ["N", 3, "H"] }],
  }));
  const open = loadOnnx(model);
  assert.deepEqual(open.inputs.map((p) => p.shape), [[-1, 3, -1], [-1, 3, -1]]);
  assert.deepEqual(dimNames(open, "x"), ["N", "", "H"]);
  // Names survive a file.
  assert.deepEqual(loadOnnx(saveOnnx(open)), open);

  const fixed = loadOnnx(model, { inputShapes: new Map([["x", [2, 3, 8]]]) });
  assert.deepEqual(fixed.inputs.map((p) => p.shape), [[2, 3, 8], [2, 3, 8]]);
  assert.deepEqual(fixed.types.get("t")?.shape, [2, 3, 8]);
  assert.deepEqual(fixed.outputs[0]!.shape, [2, 3, -1]);
  assert.equal(dimNames(fixed, "x"), undefined);

  const wrong = (shapes: [string, number[]][], pattern: RegExp) =>
    fails(model, "shape", pattern, { inputShapes: new Map(shapes) });
  wrong([["x", [2, 4, 8]]], /\?x3x\? in the model, 2x4x8 was given/);
  wrong([["x", [2, 3]]], /2x3 was given/);
  wrong([["q", [2, 3]]], /no input q.*Its inputs are x, z/);
  wrong([["x", [2, 3, 8]], ["z", [1, 3, 8]]], /dimension N would be both 2 and 1/);
  wrong([["x", [0, 3, 8]]], /not a shape/);
  wrong(
    [["x", [-1, 3, 8]]],
    /\?x3x8 leaves a dimension open, and so does the model.*number from 1/,
  );
  const partly = loadOnnx(model, { inputShapes: new Map([["x", [2, -1, 8]]]) });
  assert.deepEqual(partly.inputs[0]!.shape, [2, 3, 8]);
});

Deno.test("an input without a shape needs one", () => {
  const model = testModel(tiny({ inputs: [{ name: "x" }] }));
  fails(model, "shape", /Give its shape/);
  const g = loadOnnx(model, { inputShapes: new Map([["x", [1, 4]]]) });
  assert.deepEqual(g.inputs[0]!.shape, [1, 4]);
});

Deno.test("an output without a shape stays without until it is inferred", () => {
  const bytes = testModel(tiny({ outputs: [{ name: "y" }] }));
  const g = loadOnnx(bytes);
  assert.equal(g.types.has("y"), false);
  assert.deepEqual(loadOnnx(saveOnnx(g)), g);
});

function branch(name: string, input: string, op = "Neg"): GraphProto {
  return create(GraphProtoSchema, {
    name,
    node: [create(NodeProtoSchema, { opType: op, input: [input], output: [`${name}_out`] })],
    output: [create(ValueInfoProtoSchema, { name: `${name}_out` })],
  });
}

function withIf(input: string): ModelProto {
  const model = testProto(tiny({
    opset: 11,
    nodes: [node("Relu", "relu", ["x"], ["t"]), node("If", "if", ["cond"], ["y"])],
    initializers: new Map([["cond", { dtype: "bool", shape: [], data: Uint8Array.of(1) }]]),
  }));
  model.graph!.node[1]!.attribute = [
    create(AttributeProtoSchema, { name: "then_branch", type: Kind.GRAPH, g: branch("a", input) }),
    create(AttributeProtoSchema, {
      name: "else_branch",
      type: Kind.GRAPH,
      g: branch("b", input, "Dropout"),
    }),
  ];
  return model;
}

Deno.test("subgraphs: captured tensors keep their producers, nodes inside are upgraded", async () => {
  const bytes = bytesOf(withIf("t"));
  const g = loadOnnx(bytes);
  assert.equal(names(g), "relu if");
  const inner = g.nodes[1]!.attrs.get("else_branch");
  assert.equal(inner?.type === "graph" && inner.value.nodes[0]!.op, "Identity");
  assert.deepEqual(loadOnnx(saveOnnx(g)), g);
  const feeds = new Map([["x", randomTensor([1, 4], 1)]]);
  assert.deepEqual(await runOrt(saveOnnx(g), feeds), await runOrt(bytes, feeds));
  fails(bytesOf(withIf("nowhere")), "model", /If if: nothing produces .*nowhere/);
});

Deno.test("malformed graphs name the place", () => {
  const bad = (changes: Partial<TestModel>, pattern: RegExp, code: ErrorCode = "model") =>
    fails(testModel(tiny(changes)), code, pattern);
  bad({ nodes: [node("Relu", "r", ["z"], ["y"])] }, /Relu r: nothing produces .*tensor z/);
  bad({ outputs: [{ name: "q", shape: [1] }] }, /nothing produces .*tensor q/);
  bad({ outputs: [] }, /no outputs/);
  bad({
    nodes: [
      node("Add", "loop_a", ["x", "b"], ["a"]),
      node("Relu", "loop_b", ["a"], ["b"]),
      node("Relu", "out", ["b"], ["y"]),
    ],
  }, /loop_[ab]: the graph has a cycle/);
  bad({
    nodes: [node("Relu", "r", ["x"], ["y"]), node("Abs", "s", ["x"], ["y"])],
  }, /produced twice.*tensor y/);
  bad({ initializers: new Map([["y", f32([1], [1])]]) }, /produced twice/);
  bad({ nodes: [node("", "r", ["x"], ["y"])] }, /no operator/);
  const twice = testProto(tiny());
  twice.graph!.node[0]!.attribute = ["k", "k"].map((name) =>
    create(AttributeProtoSchema, { name, type: Kind.INT, i: 1n })
  );
  fails(bytesOf(twice), "model", /attribute k is given twice/);
});

Deno.test("opsets out of range, sparse tensors, sequences, complex numbers", () => {
  fails(testModel(tiny({ opset: 0 })), "unsupported", /opset 0 is not supported.*from 1 to/);
  fails(testModel(tiny({ opset: 99 })), "unsupported", /opset 99/);
  const none = testProto(tiny());
  none.opsetImport = [];
  fails(bytesOf(none), "model", /no opset/);

  const sparse = testProto(tiny());
  sparse.graph!.sparseInitializer.push({
    $typeName: "bpukit.onnx.SparseTensorProto",
    values: create(TensorProtoSchema, { name: "s" }),
  });
  fails(bytesOf(sparse), "unsupported", /sparse/);

  const sequence = testProto(tiny());
  sequence.graph!.input[0]!.type!.value = {
    case: "sequenceType",
    value: { $typeName: "bpukit.onnx.TypeProto.Sequence" },
  };
  fails(bytesOf(sequence), "unsupported", /type sequence.*tensor x/);

  const narrow = testProto(tiny());
  const type = narrow.graph!.input[0]!.type!.value;
  assert.ok(type.case === "tensorType");
  type.value.elemType = 14;
  fails(bytesOf(narrow), "unsupported", /complex64/);
  // A float8 input is held as float32.
  type.value.elemType = 17;
  assert.equal(loadOnnx(bytesOf(narrow)).inputs[0]?.dtype, "float32");
});

Deno.test("custom operators are kept", () => {
  const g = loadOnnx(testModel(tiny({
    nodes: [node("Special", "s", ["x"], ["y"], { k: attr.int(3) }, "my.domain")],
    domains: new Map([["my.domain", 2], ["unused", 1]]),
  })));
  assert.deepEqual([...g.domains], [["my.domain", 2]]);
  assert.deepEqual(loadOnnx(saveOnnx(g)), g);
});

Deno.test("names that mean something to JavaScript are just names", () => {
  const g = loadOnnx(testModel(tiny({
    nodes: [
      node("Add", "__proto__", ["x", "constructor"], ["toString"]),
      node(
        "Relu",
        "hasOwnProperty",
        ["toString"],
        ["__proto__"],
        new Map([["__proto__", attr.int(1)]]),
      ),
    ],
    outputs: [{ name: "__proto__", shape: [1, 4] }],
    initializers: new Map([["constructor", f32([1], [1])]]),
  })));
  assert.equal(names(g), "__proto__ hasOwnProperty");
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  assert.deepEqual(loadOnnx(saveOnnx(g)), g);
});
