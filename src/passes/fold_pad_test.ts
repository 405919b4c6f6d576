import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { f32, i64 } from "../ir/tensor.ts";
import { foldPad } from "./fold_pad.ts";
import { apply, graphOf, ops, Rng, why } from "./test_support.ts";

const rng = new Rng(1);

function padded(
  op: string,
  pads: number[],
  attrs: Record<string, ReturnType<typeof attr.int>>,
  more: { value?: number; before?: string; outputs?: string[] } = {},
) {
  return graphOf({
    inputs: { x: [1, 3, 7, 8] },
    outputs: more.outputs ?? ["y"],
    nodes: [
      ...(more.before === undefined ? [] : [node(more.before, "before", ["x"], ["b"])]),
      node("Pad", "pad", [more.before === undefined ? "x" : "b", "pads", "value"], ["p"]),
      node(op, "reader", op === "Conv" ? ["p", "w"] : ["p"], ["y"], attrs),
    ],
    constants: {
      pads: i64(pads),
      value: f32([], [more.value ?? 0]),
      w: rng.f32([4, 3, 3, 3]),
    },
  });
}

const KERNEL = { kernel_shape: attr.ints([3, 3]) };

Deno.test("zero padding adds to the pads of a Conv, asymmetric ones included", async () => {
  const g = padded("Conv", [0, 0, 0, 1, 0, 0, 2, 3], {
    ...KERNEL,
    strides: attr.ints([2, 1]),
    pads: attr.ints([1, 0, 0, 1]),
  });
  const r = await apply(foldPad, g);
  assert.equal(ops(r.graph), "Conv");
  assert.deepEqual(r.graph.nodes[0]!.attrs.get("pads"), attr.ints([1, 1, 2, 4]));
});

Deno.test("AveragePool then counts its padding", async () => {
  const r = await apply(foldPad, padded("AveragePool", [0, 0, 1, 2, 0, 0, 0, 1], KERNEL));
  assert.equal(ops(r.graph), "AveragePool");
  const own = padded("AveragePool", [0, 0, 1, 1, 0, 0, 1, 1], {
    ...KERNEL,
    pads: attr.ints([1, 1, 1, 1]),
  });
  assert.match(why(await apply(foldPad, own), "pad"), /does not count its own padding/);
});

Deno.test("MaxPool takes zeros over values that are not negative, and minus infinity always", async () => {
  const pads = [0, 0, 1, 1, 0, 0, 1, 1];
  const relu = await apply(foldPad, padded("MaxPool", pads, KERNEL, { before: "Relu" }));
  assert.equal(ops(relu.graph), "Relu MaxPool");
  const plain = await apply(foldPad, padded("MaxPool", pads, KERNEL));
  assert.match(why(plain, "pad"), /can win in reader/);
  const lowest = padded("MaxPool", pads, KERNEL, { value: -Infinity });
  assert.equal(ops((await apply(foldPad, lowest)).graph), "MaxPool");
});

Deno.test("padding of channels, with other values, cropping or as large as the window stays", async () => {
  const cases: [ReturnType<typeof padded>, RegExp][] = [
    [padded("MaxPool", [0, 1, 0, 0, 0, 0, 0, 0], KERNEL), /the batch or the channels/],
    [padded("Conv", [0, 0, 1, 0, 0, 0, 0, 0], KERNEL, { value: 1 }), /pads with 1/],
    [padded("Conv", [0, 0, -1, 0, 0, 0, 0, 0], KERNEL), /crops/],
    [padded("AveragePool", [0, 0, 3, 0, 0, 0, 0, 0], KERNEL), /as large as the window/],
  ];
  for (const [g, want] of cases) {
    const r = await apply(foldPad, g);
    assert.equal(r.fired, 0);
    assert.match(why(r, "pad"), want);
  }
});

Deno.test("the Pad stays for readers that have no padding", async () => {
  const g = padded("Conv", [0, 0, 1, 1, 0, 0, 1, 1], KERNEL, { outputs: ["y", "p"] });
  const r = await apply(foldPad, g);
  assert.equal(ops(r.graph), "Pad Conv");
  assert.equal(r.graph.nodes[1]!.inputs[0], "x");
});
