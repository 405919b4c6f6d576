// Sequences and optional values that vanish when a model is loaded.
import assert from "node:assert/strict";
import { type Attr, attr, type Graph, type Node, node, OPSET } from "../../ir/graph.ts";
import { i64, i64Scalar, type Tensor } from "../../ir/tensor.ts";
import { loadOnnx } from "./load.ts";
import { saveOnnx } from "./save.ts";
import { differs, randomTensor, runOrt, testModel } from "./test_models.ts";

const op = (
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attrs: Readonly<Record<string, Attr>> = {},
) => node(type, `${type}_${outputs[0]}`, inputs, outputs, attrs);

/** The model as written and as loaded give the same; returns the loaded graph. */
async function same(
  nodes: readonly Node[],
  constants: ReadonlyMap<string, Tensor>,
  opset = OPSET,
  dtype: "float32" | "int64" = "float32",
): Promise<Graph> {
  const x = randomTensor([7, 4], 3);
  const bytes = testModel({
    opset,
    nodes: [...nodes],
    inputs: [{ name: "x", shape: x.shape }],
    outputs: [{ name: "y", dtype }],
    initializers: new Map(constants),
  });
  const g = loadOnnx(bytes);
  const feeds = new Map([["x", x]]);
  const want = (await runOrt(bytes, feeds)).get("y");
  assert.equal(differs(want, (await runOrt(saveOnnx(g), feeds)).get("y"), 0), "");
  return g;
}

const left = (g: Graph) =>
  g.nodes.filter((n) => /Sequence|Optional|Loop/.test(n.op)).map((n) => n.op);

Deno.test("sequences that are split, changed and joined are Splits and Concats", async () => {
  const constants = new Map([
    ["two", i64Scalar(2)],
    ["parts", i64([1, 4, 2])],
    ["last", i64Scalar(-1)],
    ["one", i64Scalar(1)],
  ]);
  for (const opset of [11, 13, 17]) {
    const g = await same(
      [
        op("SplitToSequence", ["x", "two"], ["s"]),
        op("SequenceAt", ["s", "last"], ["tail"]),
        op("SequenceInsert", ["s", "tail", "one"], ["more"]),
        op("SequenceErase", ["more"], ["less"]),
        op("SequenceConstruct", ["tail", "x"], ["made"]),
        op("ConcatFromSequence", ["made"], ["whole"], { axis: attr.int(0) }),
        op("SequenceInsert", ["less", "whole"], ["all"]),
        op("ConcatFromSequence", ["all"], ["y"], { axis: attr.int(0) }),
      ],
      constants,
      opset,
    );
    assert.deepEqual(left(g), []);
  }
  for (const split of ["parts", "two"]) {
    const g = await same(
      [
        op("SplitToSequence", ["x", split], ["s"], { axis: attr.int(0) }),
        op("SequenceLength", ["s"], ["n"]),
        op("SequenceAt", ["s", "one"], ["t"]),
        op("Shape", ["t"], ["size"]),
        op("Add", ["n", "size"], ["y"]),
      ],
      constants,
      OPSET,
      "int64",
    );
    assert.deepEqual(left(g), []);
  }
});

Deno.test("slices without their axis stand together again", async () => {
  const g = await same([
    op("SplitToSequence", ["x"], ["s"], { axis: attr.int(1), keepdims: attr.int(0) }),
    op("ConcatFromSequence", ["s"], ["y"], { axis: attr.int(0), new_axis: attr.int(1) }),
  ], new Map());
  assert.deepEqual(left(g), []);
});

Deno.test("a position that is only known at run time leaves the sequence as it is", async () => {
  const g = await same([
    op("SplitToSequence", ["x", "two"], ["s"]),
    op("ReduceMax", ["x"], ["m"], { keepdims: attr.int(0) }),
    op("Cast", ["m"], ["at"], { to: attr.int(7) }),
    op("Mul", ["at", "zero"], ["none"]),
    op("SequenceAt", ["s", "none"], ["y"]),
  ], new Map([["two", i64Scalar(2)], ["zero", i64Scalar(0)]]));
  assert.deepEqual(left(g), ["SplitToSequence", "SequenceAt"]);
});

Deno.test("a position outside of a sequence is refused", () => {
  const model = (nodes: Node[], constants: Map<string, Tensor>) =>
    testModel({
      opset: OPSET,
      nodes,
      inputs: [{ name: "x", shape: [7, 4] }],
      outputs: [{ name: "y" }],
      initializers: constants,
    });
  assert.throws(
    () =>
      loadOnnx(model([
        op("SequenceConstruct", ["x", "x"], ["s"]),
        op("SequenceAt", ["s", "at"], ["y"]),
      ], new Map([["at", i64Scalar(5)]]))),
    /position 5 is outside of a sequence of 2/,
  );
});

Deno.test("a sequence that grows without end does not take the memory", () => {
  const nodes: Node[] = [op("SequenceConstruct", ["x"], ["s0"])];
  for (let i = 0; i < 3000; i++) nodes.push(op("SequenceInsert", [`s${i}`, "x"], [`s${i + 1}`]));
  nodes.push(op("ConcatFromSequence", ["s3000"], ["y"], { axis: attr.int(0) }));
  const g = loadOnnx(testModel({
    opset: OPSET,
    nodes,
    inputs: [{ name: "x", shape: [1] }],
    outputs: [{ name: "y" }],
    initializers: new Map(),
  }));
  // It stays as it is: 3000 sequences of up to 3000 tensors would be four million names.
  assert.equal(g.nodes.length, 3002);
});
