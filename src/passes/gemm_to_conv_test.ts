import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { gemmToConv } from "./gemm_to_conv.ts";
import { apply, graphOf, ops, Rng, why } from "./test_support.ts";

Deno.test("Gemm with every combination of transA, transB, alpha, beta and bias", async () => {
  for (let i = 0; i < 16; i++) {
    const rng = new Rng(i);
    const [transA, transB, bias] = [i & 1, i >> 1 & 1, i >> 2];
    const g = graphOf({
      inputs: { x: transA ? [5, 3] : [3, 5] },
      outputs: ["y"],
      nodes: [
        node("Gemm", "fc", bias === 0 ? ["x", "w"] : ["x", "w", "c"], ["y"], {
          alpha: attr.float(0.75),
          beta: attr.float(1.5),
          transA: attr.int(transA),
          transB: attr.int(transB),
        }),
      ],
      constants: {
        w: rng.f32(transB ? [4, 5] : [5, 4]),
        c: rng.f32([[4], [], [1, 4], [1]][bias]!),
      },
    });
    const r = await apply(gemmToConv, g);
    assert.equal(ops(r.graph), transA ? "Transpose Reshape Conv Reshape" : "Reshape Conv Reshape");
    assert.equal(r.graph.nodes.find((n) => n.op === "Conv")!.name, "fc");
  }
});

Deno.test("a flattened picture becomes a Conv with the picture's size, in NCHW and in NHWC", async () => {
  const rng = new Rng(1);
  for (const nhwc of [false, true]) {
    const g = graphOf({
      inputs: { x: [2, 3, 4, 5] },
      outputs: ["y"],
      nodes: [
        node("Relu", "relu", ["x"], ["r"]),
        ...(nhwc ? [node("Transpose", "t", ["r"], ["n"], { perm: attr.ints([0, 2, 3, 1]) })] : []),
        node("Flatten", "flat", [nhwc ? "n" : "r"], ["f"]),
        node("Gemm", "fc", ["f", "w", "c"], ["y"], { transB: attr.int(1) }),
      ],
      constants: { w: rng.f32([7, 60]), c: rng.f32([7]) },
    });
    const r = await apply(gemmToConv, g);
    const conv = r.graph.nodes.find((n) => n.op === "Conv")!;
    assert.equal(conv.inputs[0], "r");
    assert.deepEqual(r.graph.constants.get(conv.inputs[1]!)!.shape, [7, 3, 4, 5]);
  }
});

Deno.test("a picture larger than the largest kernel, and a Flatten over the batch, use 1x1", async () => {
  const rng = new Rng(2);
  for (const shape of [[1, 1, 40, 2], [2, 2, 4, 5]]) {
    const k = 80;
    const g = graphOf({
      inputs: { x: shape },
      outputs: ["y"],
      nodes: [
        node("Flatten", "flat", ["x"], ["f"], { axis: attr.int(shape[0] === 1 ? 1 : 0) }),
        node("Gemm", "fc", ["f", "w"], ["y"]),
      ],
      constants: { w: rng.f32([k, 3]) },
    });
    const r = await apply(gemmToConv, g);
    assert.equal(ops(r.graph), "Flatten Reshape Conv Reshape");
  }
});

Deno.test("MatMul with constant weights on the right, ranks 2 to 5, takes its bias", async () => {
  const rng = new Rng(3);
  for (const shape of [[3, 4], [2, 3, 4], [1, 2, 3, 4], [2, 1, 3, 2, 4]]) {
    for (const bias of [[5], [], undefined]) {
      for (const lead of [[], [1]]) {
        if (lead.length + 2 > shape.length) continue;
        const g = graphOf({
          inputs: { x: shape },
          outputs: ["y"],
          nodes: [
            node("MatMul", "mm", ["x", "w"], [bias === undefined ? "y" : "t"]),
            ...(bias === undefined ? [] : [node("Add", "add", ["c", "t"], ["y"])]),
          ],
          constants: { w: rng.f32([...lead, 4, 5]), c: rng.f32(bias ?? [1]) },
        });
        const r = await apply(gemmToConv, g);
        assert.equal(r.fired, 1);
        assert.ok(!ops(r.graph).includes("Add"));
        assert.equal(r.graph.nodes.find((n) => n.op === "Conv")!.name, "mm");
      }
    }
  }
});

Deno.test("MatMul with constant weights on the left needs no Transpose", async () => {
  const rng = new Rng(4);
  for (const shape of [[4, 6], [2, 4, 6], [2, 3, 4, 6]]) {
    const g = graphOf({
      inputs: { x: shape },
      outputs: ["y"],
      nodes: [
        node("MatMul", "mm", ["w", "x"], ["t"]),
        node("Add", "add", ["t", "c"], ["y"]),
      ],
      constants: { w: rng.f32([5, 4]), c: rng.f32([5, 1]) },
    });
    const r = await apply(gemmToConv, g);
    assert.equal(ops(r.graph), "Reshape Conv Reshape");
  }
});

Deno.test("products of two activations, of batched weights, and a row-wise bias stay", async () => {
  const rng = new Rng(5);
  const g = graphOf({
    inputs: { x: [2, 3, 4], z: [2, 4, 5], v: [3, 4] },
    outputs: ["a", "b", "c"],
    nodes: [
      node("MatMul", "two", ["x", "z"], ["a"]),
      node("MatMul", "batched", ["x", "w"], ["b"]),
      node("Gemm", "rows", ["v", "w2", "bias"], ["c"]),
    ],
    constants: { w: rng.f32([2, 4, 5]), w2: rng.f32([4, 5]), bias: rng.f32([3, 1]) },
  });
  const r = await apply(gemmToConv, g);
  assert.equal(r.fired, 0);
  assert.match(why(r, "two"), /both operands are activations/);
  assert.match(why(r, "batched"), /not one matrix/);
  assert.match(why(r, "rows"), /differs from row to row/);
});

Deno.test("products of vectors, and of constants with more dimensions than the activation", async () => {
  const rng = new Rng(9);
  for (
    const [x, w] of [
      [[6], [6, 3]],
      [[6], [1, 6, 3]],
      [[6], [1, 1, 6, 3]],
      [[6], [6]],
      [[4, 6], [6]],
      [[4, 6], [1, 1, 6, 3]],
      [[2, 4, 6], [6]],
      [[2, 3, 4, 6], [6]],
      [[2, 2, 3, 4, 6], [6]],
    ]
  ) {
    const g = graphOf({
      inputs: { x: x! },
      outputs: ["y"],
      nodes: [node("MatMul", "product", ["x", "w"], ["y"])],
      constants: { w: rng.f32(w!) },
    });
    const r = await apply(gemmToConv, g);
    assert.ok(ops(r.graph).includes("Conv"), `${x} by ${w}: ${ops(r.graph)}`);
  }
  // A constant vector on the left is a row.
  const g = graphOf({
    inputs: { x: [2, 6, 5] },
    outputs: ["y"],
    nodes: [node("MatMul", "product", ["w", "x"], ["y"])],
    constants: { w: rng.f32([6]) },
  });
  assert.ok(ops((await apply(gemmToConv, g)).graph).includes("Conv"));
});

Deno.test("an Add behind a product without a row of its own stays", async () => {
  const rng = new Rng(10);
  const g = graphOf({
    inputs: { x: [4, 6] },
    outputs: ["y"],
    nodes: [node("MatMul", "product", ["x", "w"], ["p"]), node("Add", "add", ["p", "b"], ["y"])],
    constants: { w: rng.f32([6]), b: rng.f32([4]) },
  });
  assert.ok(ops((await apply(gemmToConv, g)).graph).endsWith("Add"));
});
