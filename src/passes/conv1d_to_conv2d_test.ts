import assert from "node:assert/strict";
import { type Attr, attr, node } from "../ir/graph.ts";
import { conv1dToConv2d } from "./conv1d_to_conv2d.ts";
import { apply, graphOf, ops, Rng } from "./test_support.ts";

Deno.test("convolutions and poolings of rank 3 become two-dimensional, with every attribute", async () => {
  const rng = new Rng(1);
  const kernel = { kernel_shape: attr.ints([3]) };
  const cases: [string, number[] | undefined, Record<string, Attr>][] = [
    ["Conv", [6, 2, 3], {
      ...kernel,
      group: attr.int(2),
      pads: attr.ints([2, 1]),
      strides: attr.ints([2]),
      dilations: attr.ints([2]),
    }],
    ["Conv", [6, 4, 3], {}],
    ["ConvTranspose", [4, 3, 3], {
      ...kernel,
      strides: attr.ints([2]),
      pads: attr.ints([1, 0]),
      output_padding: attr.ints([1]),
    }],
    ["MaxPool", undefined, { ...kernel, strides: attr.ints([2]), pads: attr.ints([1, 0]) }],
    ["AveragePool", undefined, { ...kernel, pads: attr.ints([1, 1]) }],
    ["GlobalAveragePool", undefined, {}],
    ["GlobalMaxPool", undefined, {}],
  ];
  for (const [op, weight, attrs] of cases) {
    const g = graphOf({
      inputs: { x: [2, 4, 11] },
      outputs: ["y"],
      nodes: [node(op, "n", weight === undefined ? ["x"] : ["x", "w"], ["y"], attrs)],
      constants: { w: rng.f32(weight ?? [1]) },
    });
    const r = await apply(conv1dToConv2d, g);
    assert.equal(ops(r.graph), `Reshape ${op} Reshape`);
    assert.equal(r.graph.nodes[1]!.name, "n");
  }
});

Deno.test("rank 4 is left alone", async () => {
  const g = graphOf({
    inputs: { x: [1, 2, 3, 4] },
    outputs: ["y"],
    nodes: [node("GlobalAveragePool", "n", ["x"], ["y"])],
  });
  assert.equal((await apply(conv1dToConv2d, g)).fired, 0);
});

Deno.test("computed weights get the new dimension too; those of ConvTranspose stay", async () => {
  const of = (op: string) =>
    graphOf({
      inputs: { x: [1, 4, 11], w: [4, 4, 3] },
      outputs: ["y"],
      nodes: [node(op, "n", ["x", "w"], ["y"], { kernel_shape: attr.ints([3]) })],
    });
  const r = await apply(conv1dToConv2d, of("Conv"));
  assert.equal(ops(r.graph), "Reshape Reshape Conv Reshape");
  assert.equal((await apply(conv1dToConv2d, of("ConvTranspose"))).fired, 0);
});
