// Model-local functions of other domains: inlined, and the result computes what onnxruntime-web makes of them.
import assert from "node:assert/strict";
import { create } from "../../deps.ts";
import { attr, node } from "../../ir/graph.ts";
import { f32 } from "../../ir/tensor.ts";
import {
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  FunctionProtoSchema,
  GraphProtoSchema,
  type ModelProto,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  ValueInfoProtoSchema,
} from "./gen/onnx_pb.ts";
import { loadOnnx } from "./load.ts";
import { saveOnnx } from "./save.ts";
import { bytesOf, differs, fails, randomTensor, runOrt, testProto, tiny } from "./test_models.ts";

const op = (
  opType: string,
  input: string[],
  output: string[],
  attribute: NodeProto["attribute"] = [],
  domain = "",
) => create(NodeProtoSchema, { opType, input, output, attribute, domain });
const ref = (name: string, refAttrName: string, type: Kind) =>
  create(AttributeProtoSchema, { name, refAttrName, type });

/** Adds a function of domain pkg. */
function define(
  m: ModelProto,
  name: string,
  input: string[],
  output: string[],
  nodes: NodeProto[],
  more: { attribute?: string[]; defaults?: NodeProto["attribute"]; opset?: bigint } = {},
): void {
  m.functions.push(create(FunctionProtoSchema, {
    name,
    domain: "pkg",
    input,
    output,
    attribute: more.attribute ?? [],
    attributeProto: more.defaults ?? [],
    node: nodes,
    opsetImport: [["", more.opset ?? 17n], ["pkg", 1n]].map(([domain, version]) =>
      create(OperatorSetIdProtoSchema, { domain: domain as string, version: version as bigint })
    ),
  }));
}

const calling = (...nodes: Parameters<typeof node>[]) =>
  testProto(tiny({
    nodes: nodes.map((n) => node(...n)),
    domains: new Map([["pkg", 1]]),
    initializers: new Map([["w", f32([4], [1, -2, 3, 0.5])]]),
  }));

Deno.test("nested calls, attributes, defaults, clashing names", async () => {
  const m = calling(
    ["Block", "first", ["x", "w"], ["t"], { alpha: attr.float(0.25) }, "pkg"],
    ["Block", "", ["t", "w"], ["u"], {}, "pkg"],
    // A tensor that is called what the second call would call one of its own.
    ["Neg", "neg", ["x"], ["Block_2/s"]],
    ["Mul", "mul", ["u", "Block_2/s"], ["y"]],
  );
  define(
    m,
    "Block",
    ["a", "b"],
    ["t"],
    [
      op("Act", ["s"], ["t"], [ref("alpha", "alpha", Kind.FLOAT)], "pkg"),
      op("Add", ["a", "b"], ["s"]), // out of order on purpose
    ].reverse(),
    {
      defaults: [create(AttributeProtoSchema, { name: "alpha", type: Kind.FLOAT, f: 0.5 })],
    },
  );
  define(m, "Act", ["x"], ["y"], [
    op("LeakyRelu", ["x"], ["y"], [ref("alpha", "alpha", Kind.FLOAT)]),
  ], {
    attribute: ["alpha"],
  });
  const bytes = bytesOf(m);
  const g = loadOnnx(bytes);
  assert.deepEqual(g.nodes.map((n) => n.op), [
    "Add",
    "LeakyRelu",
    "Add",
    "LeakyRelu",
    "Neg",
    "Mul",
  ]);
  assert.deepEqual(g.nodes.slice(0, 2).map((n) => n.outputs[0]), ["first/s", "t"]);
  assert.deepEqual(g.nodes[2]!.outputs, ["Block_2/s_1"]);
  assert.deepEqual([...g.domains], []);
  const feeds = new Map([["x", randomTensor([1, 4], 5)]]);
  const [a, b] = [await runOrt(bytes, feeds), await runOrt(saveOnnx(g), feeds)];
  assert.equal(differs(a.get("y"), b.get("y"), 0), "");
});

Deno.test("a reference that the call leaves open takes the operator's default", () => {
  const m = calling(["Soft", "s", ["x"], ["y"], {}, "pkg"]);
  define(m, "Soft", ["a"], ["b"], [op("Softmax", ["a"], ["b"], [ref("axis", "axis", Kind.INT)])], {
    attribute: ["axis"],
  });
  assert.equal(loadOnnx(bytesOf(m)).nodes[0]!.attrs.has("axis"), false);
});

Deno.test("subgraphs in a function see the names of the call", async () => {
  const branch = (name: string, opType: string) =>
    create(AttributeProtoSchema, {
      name,
      type: Kind.GRAPH,
      g: create(GraphProtoSchema, {
        name,
        node: [op(opType, ["a"], ["r"])],
        output: [create(ValueInfoProtoSchema, { name: "r" })],
      }),
    });
  const m = calling(
    ["Greater", "g", ["x", "w"], ["gt"]],
    ["Cast", "i", ["gt"], ["gi"], { to: attr.int(6) }],
    ["ReduceMax", "m", ["gi"], ["mi"], { keepdims: attr.int(0) }],
    ["Cast", "b", ["mi"], ["c"], { to: attr.int(9) }],
    ["Pick", "p", ["x", "c"], ["y"], {}, "pkg"],
  );
  define(m, "Pick", ["a", "cond"], ["y"], [
    op("If", ["cond"], ["y"], [branch("then_branch", "Neg"), branch("else_branch", "Abs")]),
  ]);
  const bytes = bytesOf(m);
  const feeds = new Map([["x", randomTensor([1, 4], 5)]]);
  const [a, b] = [await runOrt(bytes, feeds), await runOrt(saveOnnx(loadOnnx(bytes)), feeds)];
  assert.equal(differs(a.get("y"), b.get("y"), 0), "");
});

Deno.test("functions that call themselves, explode, or are written for another opset", () => {
  const self = calling(["F", "f", ["x"], ["y"], {}, "pkg"]);
  define(self, "F", ["a"], ["b"], [op("F", ["a"], ["b"], [], "pkg")]);
  fails(bytesOf(self), "limit", /functions are nested deeper.*calls itself/);

  // 30 functions, each calling the next one twice: 2^30 nodes.
  const bomb = calling(["F0", "f", ["x"], ["y"], {}, "pkg"]);
  for (let i = 0; i < 30; i++) {
    define(bomb, `F${i}`, ["a"], ["c"], [
      op(`F${i + 1}`, ["a"], ["b"], [], "pkg"),
      op(`F${i + 1}`, ["b"], ["c"], [], "pkg"),
    ]);
  }
  fails(bytesOf(bomb), "limit", /more than 200000 nodes/);

  const other = calling(["F", "f", ["x"], ["y"], {}, "pkg"]);
  define(other, "F", ["a"], ["b"], [op("Relu", ["a"], ["b"])], { opset: 13n });
  fails(bytesOf(other), "unsupported", /F f: function F is written for opset 13/);

  const more = calling(["F", "f", ["x", "w"], ["y"], {}, "pkg"]);
  define(more, "F", ["a"], ["b"], [op("Relu", ["a"], ["b"])]);
  fails(bytesOf(more), "model", /does not fit function F/);
});
