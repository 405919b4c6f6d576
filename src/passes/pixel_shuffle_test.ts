import assert from "node:assert/strict";
import { attr, type Node, node } from "../ir/graph.ts";
import { i64 } from "../ir/tensor.ts";
import { pixelShuffle } from "./pixel_shuffle.ts";
import { apply, graphOf, ops, Rng, why } from "./test_support.ts";

function chain(
  x: number[],
  six: number[],
  perm: number[],
  out: number[],
  tail: Node[] = [],
) {
  return graphOf({
    inputs: { x },
    outputs: [tail.length === 0 ? "y" : "z"],
    nodes: [
      node("Reshape", "a", ["x", "six"], ["t"]),
      node("Transpose", "b", ["t"], ["u"], { perm: attr.ints(perm) }),
      node("Reshape", "c", ["u", "out"], ["y"]),
      ...tail,
    ],
    constants: { six: i64(six), out: i64(out), w: new Rng(1).f32([3, 12, 2, 2]) },
  });
}

Deno.test("pixel shuffle becomes DepthToSpace, in both orders of channels", async () => {
  const crd = chain([2, 12, 4, 5], [2, 3, 2, 2, 4, 5], [0, 1, 4, 2, 5, 3], [2, 3, 8, 10]);
  const dcr = chain([2, 8, 4, 5], [2, 2, 2, 2, 4, 5], [0, 3, 4, 1, 5, 2], [2, 2, 8, 10]);
  for (const [g, mode] of [[crd, "CRD"], [dcr, "DCR"]] as const) {
    const r = await apply(pixelShuffle, g, 0);
    assert.equal(ops(r.graph), "DepthToSpace");
    assert.deepEqual(r.graph.nodes[0]!.attrs.get("mode"), attr.string(mode));
    assert.equal(r.graph.nodes[0]!.name, "c");
  }
});

Deno.test("the inverse becomes SpaceToDepth; another order goes into the convolution", async () => {
  const shape = [1, 3, 4, 6];
  const six = [1, 3, 2, 2, 3, 2];
  const plain = chain(shape, six, [0, 3, 5, 1, 2, 4], [1, 12, 2, 3]);
  assert.equal(ops((await apply(pixelShuffle, plain, 0)).graph), "SpaceToDepth");
  const conv = chain(shape, six, [0, 1, 3, 5, 2, 4], [1, 12, 2, 3], [
    node("Conv", "conv", ["y", "w"], ["z"]),
  ]);
  assert.equal(ops((await apply(pixelShuffle, conv)).graph), "SpaceToDepth Conv");
  const relu = chain(shape, six, [0, 1, 3, 5, 2, 4], [1, 12, 2, 3], [
    node("Relu", "relu", ["y"], ["z"]),
  ]);
  assert.match(why(await apply(pixelShuffle, relu, 0), "c"), /cannot be given to relu/);
});

Deno.test("blocks that are not 2x2, and a channel shuffle, stay", async () => {
  const flat = chain([1, 6, 4, 5], [1, 1, 2, 3, 4, 5], [0, 1, 4, 2, 5, 3], [1, 1, 8, 15]);
  assert.match(why(await apply(pixelShuffle, flat, 0), "c"), /square/);
  const three = chain([1, 18, 4, 5], [1, 2, 3, 3, 4, 5], [0, 1, 4, 2, 5, 3], [1, 2, 12, 15]);
  assert.match(why(await apply(pixelShuffle, three, 0), "c"), /blocks are 3x3/);
  const shuffle = graphOf({
    inputs: { x: [1, 6, 4, 4] },
    outputs: ["y"],
    nodes: [
      node("Reshape", "a", ["x", "five"], ["t"]),
      node("Transpose", "b", ["t"], ["u"], { perm: attr.ints([0, 2, 1, 3, 4]) }),
      node("Reshape", "c", ["u", "out"], ["y"]),
    ],
    constants: { five: i64([1, 2, 3, 4, 4]), out: i64([1, 6, 4, 4]) },
  });
  const r = await apply(pixelShuffle, shuffle, 0);
  assert.equal(ops(r.graph), "Reshape Transpose Reshape");
});
