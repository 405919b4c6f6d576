import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { batchNormToConv } from "./batch_norm_to_conv.ts";
import { foldDepthwise } from "./fold_depthwise.ts";
import { apply, graphOf, ops, Rng, why } from "./test_support.ts";

const rng = new Rng(1);

function bn(x: string, y: string) {
  return node("BatchNormalization", "bn", [x, "g", "b", "m", "v"], [y]);
}

const stats = {
  g: rng.f32([4]),
  b: rng.f32([4]),
  m: rng.f32([4]),
  v: rng.f32([4], 0.4, 0.7),
};

Deno.test("a BatchNormalization on its own becomes a depthwise Conv of rank 3 or 4", async () => {
  for (const shape of [[2, 4, 3, 5], [2, 4, 7]]) {
    const g = graphOf({
      inputs: { x: shape },
      outputs: ["y"],
      nodes: [bn("x", "y")],
      constants: stats,
    });
    const r = await apply(batchNormToConv, g);
    assert.equal(ops(r.graph), "Conv");
    assert.equal(r.graph.nodes[0]!.name, "bn");
    assert.deepEqual(r.graph.nodes[0]!.attrs.get("group"), attr.int(4));
  }
});

Deno.test("of rank 2 it becomes Mul and Add; of rank 5 it stays", async () => {
  const g = (shape: number[]) =>
    graphOf({ inputs: { x: shape }, outputs: ["y"], nodes: [bn("x", "y")], constants: stats });
  assert.equal(ops((await apply(batchNormToConv, g([3, 4]))).graph), "Mul Add");
  assert.match(why(await apply(batchNormToConv, g([1, 4, 2, 2, 2])), "bn"), /rank 5/);
});

function depthwise(where: "behind" | "before", pad: number, bias: boolean) {
  const scale = node(
    "Conv",
    "scale",
    [where === "behind" ? "t" : "x", "s", ...(bias ? ["c"] : [])],
    [where === "behind" ? "y" : "t"],
    { group: attr.int(4), kernel_shape: attr.ints([1, 1]) },
  );
  const conv = node(
    "Conv",
    "conv",
    [where === "behind" ? "x" : "t", "w"],
    [where === "behind" ? "t" : "y"],
    { pads: attr.ints([pad, pad, pad, pad]) },
  );
  return graphOf({
    inputs: { x: [1, 4, 6, 6] },
    outputs: ["y"],
    nodes: where === "behind" ? [conv, scale] : [scale, conv],
    constants: { s: rng.f32([4, 1, 1, 1]), c: rng.f32([4]), w: rng.f32([4, 4, 3, 3]) },
  });
}

Deno.test("a depthwise 1x1 Conv goes into the Conv next to it", async () => {
  for (const bias of [true, false]) {
    const behind = await apply(foldDepthwise, depthwise("behind", 1, bias));
    assert.equal(ops(behind.graph), "Conv");
    assert.equal(behind.graph.nodes[0]!.name, "conv");
    const before = await apply(foldDepthwise, depthwise("before", 0, bias));
    assert.equal(ops(before.graph), "Conv");
  }
  const scaled = await apply(foldDepthwise, depthwise("before", 1, false));
  assert.equal(ops(scaled.graph), "Conv");
  const shifted = await apply(foldDepthwise, depthwise("before", 1, true));
  assert.equal(shifted.fired, 0);
  assert.match(why(shifted, "scale"), /pads with zeros/);
});

Deno.test("a depthwise Conv with stride or padding is not a scale", async () => {
  for (const [key, value] of [["strides", [2, 2]], ["pads", [1, 0, 0, 0]]] as const) {
    const g = graphOf({
      inputs: { x: [1, 4, 6, 6] },
      outputs: ["y"],
      nodes: [
        node("Conv", "conv", ["x", "w"], ["t"]),
        node("Conv", "scale", ["t", "s"], ["y"], {
          group: attr.int(4),
          [key]: attr.ints(value),
        }),
      ],
      constants: { s: rng.f32([4, 1, 1, 1]), w: rng.f32([4, 4, 1, 1]) },
    });
    assert.equal((await apply(foldDepthwise, g)).fired, 0);
  }
});
