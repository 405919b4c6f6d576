import assert from "node:assert/strict";
import { type Attr, attr, node } from "../ir/graph.ts";
import { f32, i64, type Tensor, tensor } from "../ir/tensor.ts";
import { removeIdentity } from "./remove_identity.ts";
import { apply, graphOf, ops, why } from "./test_support.ts";

const constants: Record<string, Tensor> = {
  same: i64([1, 3, 4, 6]),
  zeros: i64([0, 0, 0, 0, 0, 0, 0, 0]),
  ones4: i64([1, 1, 1, 1]),
  start: i64([0]),
  end: i64([9]),
  axis: i64([2]),
  one: i64([1]),
  back: i64([-1]),
  far: i64([-9]),
  order: i64([0, 1, 2]),
  swapped: i64([0, 2, 1]),
  scales: f32([4], [1, 1, 1, 1]),
  almost: f32([4], [1, 1, 1.05, 1.05]),
  f0: f32([], [0]),
  f1: f32([1, 3, 1, 1], [1, 1, 1]),
  ratio: f32([], [0.5]),
  train: tensor("bool", [], Uint8Array.of(1)),
};

function single(op: string, inputs: string[], attrs: Record<string, Attr> = {}, outs = ["t"]) {
  return graphOf({
    inputs: { x: [1, 3, 4, 6] },
    outputs: ["y"],
    nodes: [
      node("Relu", "relu", ["x"], ["r"]),
      node(op, "no", inputs, outs, attrs),
      node("Neg", "neg", ["t"], ["y"]),
    ],
    constants,
  });
}

Deno.test("nodes that change nothing disappear", async () => {
  const cases: [string, string[], Record<string, Attr>?][] = [
    ["Identity", ["r"]],
    ["Dropout", ["r"]],
    ["Dropout", ["r", "ratio"]],
    ["Cast", ["r"], { to: attr.int(1) }],
    ["Reshape", ["r", "same"]],
    ["Transpose", ["r"], { perm: attr.ints([0, 1, 2, 3]) }],
    ["Slice", ["r", "start", "end", "axis", "one"]],
    ["Slice", ["r", "start", "end", "axis"]],
    ["Pad", ["r", "zeros"]],
    ["Concat", ["r"], { axis: attr.int(1) }],
    ["Resize", ["r", "", "scales"], { mode: attr.string("linear") }],
    ["Resize", ["r", "", "", "same"], { mode: attr.string("nearest") }],
    ["Expand", ["r", "ones4"]],
    ["Tile", ["r", "ones4"]],
    ["Add", ["f0", "r"]],
    ["Sub", ["r", "f0"]],
    ["Mul", ["r", "f1"]],
    ["Div", ["r", "f1"]],
    ["Gather", ["r", "order"], { axis: attr.int(1) }],
    ["MaxPool", ["r"], { kernel_shape: attr.ints([1, 1]) }],
    ["DepthToSpace", ["r"], { blocksize: attr.int(1) }],
    ["ReduceMean", ["r"], { axes: attr.ints([0]) }],
    ["Max", ["r"]],
  ];
  for (const [op, inputs, attrs] of cases) {
    const r = await apply(removeIdentity, single(op, inputs, attrs), 0);
    assert.equal(ops(r.graph), "Relu Neg", op);
  }
});

Deno.test("nodes that only look like it stay", async () => {
  const cases: [string, string[], Record<string, Attr>?][] = [
    ["Slice", ["r", "back", "far", "axis", "back"]],
    ["Sub", ["f0", "r"]],
    ["Div", ["f1", "r"]],
    ["Gather", ["r", "swapped"], { axis: attr.int(1) }],
    ["Resize", ["r", "", "almost"], { mode: attr.string("linear") }],
    ["ReduceSum", ["r", "axis"]],
  ];
  for (const [op, inputs, attrs] of cases) {
    const r = await apply(removeIdentity, single(op, inputs, attrs), 0);
    assert.equal(r.fired, 0, op);
  }
  const resize = await removeIdentity.run(single("Resize", ["r", "", "almost"]));
  assert.match(why(resize, "no"), /not exactly 1/);
});

Deno.test("outputs of the model keep their names: the node before takes the name over", async () => {
  const g = graphOf({
    inputs: { x: [2] },
    outputs: ["y", "z"],
    nodes: [
      node("Relu", "relu", ["x"], ["r"]),
      node("Identity", "id", ["r"], ["y"]),
      node("Neg", "neg", ["r"], ["z"]),
    ],
  });
  const r = await apply(removeIdentity, g, 0);
  assert.equal(ops(r.graph), "Relu Neg");
  assert.deepEqual(r.graph.nodes[0]!.outputs, ["y"]);
  assert.deepEqual(r.graph.nodes[1]!.inputs, ["y"]);
});

Deno.test("between an input and an output, or two outputs, the Identity stays", async () => {
  const g = graphOf({
    inputs: { x: [2] },
    outputs: ["a", "b", "c"],
    nodes: [
      node("Identity", "first", ["x"], ["a"]),
      node("Relu", "relu", ["x"], ["b"]),
      node("Identity", "second", ["b"], ["c"]),
    ],
  });
  const r = await apply(removeIdentity, g, 0);
  assert.equal(ops(r.graph), "Identity Relu Identity");
  assert.match(why(r, "first"), /names must stay/);
});

Deno.test("a Dropout whose mask is read stays", async () => {
  const g = graphOf({
    inputs: { x: [2] },
    outputs: ["y", "m"],
    nodes: [node("Dropout", "drop", ["x"], ["y", "m"])],
  });
  assert.match(why(await apply(removeIdentity, g, 0), "drop"), /mask is read/);
});
