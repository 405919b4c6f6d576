import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import { foldBatchNorm } from "./fold_batch_norm.ts";
import { apply, graphOf, ops, Rng, why } from "./test_support.ts";

/** Statistics of a BatchNormalization of c channels under the names `p`.g, .b, .m, .v. */
function stats(rng: Rng, p: string, c: number): Record<string, Tensor> {
  return {
    [`${p}.g`]: rng.f32([c], 1, 0.2),
    [`${p}.b`]: rng.f32([c]),
    [`${p}.m`]: rng.f32([c]),
    [`${p}.v`]: rng.f32([c], 0.5, 0.8),
  };
}

function bn(name: string, x: string, y: string) {
  return node("BatchNormalization", name, [x, `${name}.g`, `${name}.b`, `${name}.m`, `${name}.v`], [
    y,
  ], { epsilon: attr.float(1e-3) });
}

Deno.test("BN folds into Conv, grouped Conv and ConvTranspose, with and without bias", async () => {
  for (let seed = 0; seed < 12; seed++) {
    const rng = new Rng(seed);
    const group = rng.pick([1, 2, 4]);
    const transposed = seed % 3 === 2;
    const [cin, cout] = [group * 2, group * 3];
    const weight = transposed ? [cin, cout / group, 3, 2] : [cout, cin / group, 3, 2];
    const bias = seed % 2 === 0;
    const g = graphOf({
      inputs: { x: [2, cin, 6, 5] },
      outputs: ["y"],
      nodes: [
        node(
          transposed ? "ConvTranspose" : "Conv",
          "conv",
          bias ? ["x", "w", "bias"] : ["x", "w"],
          ["t"],
          {
            group: attr.int(group),
            kernel_shape: attr.ints([3, 2]),
            pads: attr.ints([1, 0, 0, 1]),
            strides: attr.ints([2, 1]),
          },
        ),
        bn("bn", "t", "y"),
      ],
      constants: {
        w: rng.f32(weight),
        ...(bias ? { bias: rng.f32([cout]) } : {}),
        ...stats(rng, "bn", cout),
      },
    });
    const r = await apply(foldBatchNorm, g);
    assert.equal(r.fired, 1);
    assert.equal(ops(r.graph), transposed ? "ConvTranspose" : "Conv");
    assert.equal(r.graph.nodes[0]!.name, "conv");
    assert.equal(r.graph.nodes[0]!.inputs[1], "w");
  }
});

Deno.test("BN folds into Gemm and MatMul of rank 2; alpha, beta and a broadcast bias count", async () => {
  const rng = new Rng(3);
  for (const op of ["Gemm", "MatMul"]) {
    const g = graphOf({
      inputs: { x: [3, 4] },
      outputs: ["y"],
      nodes: [
        op === "Gemm"
          ? node("Gemm", "fc", ["x", "w", "c"], ["t"], {
            alpha: attr.float(0.5),
            beta: attr.float(2),
            transB: attr.int(1),
          })
          : node("MatMul", "fc", ["x", "w"], ["t"]),
        bn("bn", "t", "y"),
      ],
      constants: {
        w: rng.f32(op === "Gemm" ? [5, 4] : [4, 5]),
        ...(op === "Gemm" ? { c: rng.f32([1, 1]) } : {}),
        ...stats(rng, "bn", 5),
      },
    });
    const r = await apply(foldBatchNorm, g);
    assert.equal(ops(r.graph), "Gemm");
    assert.equal(r.graph.nodes[0]!.name, "fc");
  }
});

Deno.test("BN folds forward into every Conv without padding, not into one with padding", async () => {
  const rng = new Rng(4);
  const build = (pad: number) =>
    graphOf({
      inputs: { x: [1, 4, 6, 6] },
      outputs: ["a", "b"],
      nodes: [
        node("Relu", "relu", ["x"], ["r"]),
        bn("bn", "r", "n"),
        node("Conv", "one", ["n", "w1", "b1"], ["a"], { group: attr.int(2) }),
        node("Conv", "two", ["n", "w2"], ["b"], { pads: attr.ints([pad, 0, 0, 0]) }),
      ],
      constants: {
        w1: rng.f32([6, 2, 3, 3]),
        b1: rng.f32([6]),
        w2: rng.f32([3, 4, 1, 1]),
        ...stats(rng, "bn", 4),
      },
    });
  const folded = await apply(foldBatchNorm, build(0));
  assert.equal(ops(folded.graph), "Relu Conv Conv");
  const padded = await apply(foldBatchNorm, build(1));
  assert.equal(padded.fired, 0);
  assert.match(why(padded, "bn"), /two pads with zeros/);
});

Deno.test("BN behind a Concat of convolutions goes to each of them", async () => {
  const rng = new Rng(5);
  const build = (third: boolean) =>
    graphOf({
      inputs: { x: [1, 3, 5, 5] },
      outputs: ["y"],
      nodes: [
        node("Conv", "one", ["x", "w1"], ["a"]),
        node("Conv", "two", ["x", "w2", "b2"], ["b"]),
        node("Concat", "cat", third ? ["a", "x", "b"] : ["a", "b"], ["c"], { axis: attr.int(1) }),
        bn("bn", "c", "y"),
      ],
      constants: {
        w1: rng.f32([2, 3, 1, 1]),
        w2: rng.f32([4, 3, 1, 1]),
        b2: rng.f32([4]),
        ...stats(rng, "bn", third ? 9 : 6),
      },
    });
  const r = await apply(foldBatchNorm, build(false));
  assert.equal(ops(r.graph), "Conv Conv Concat");
  assert.equal(r.graph.nodes[2]!.outputs[0], "y");
  const mixed = await apply(foldBatchNorm, build(true));
  assert.match(why(mixed, "bn"), /cat also joins x/);
});

Deno.test("BN stays behind a convolution whose result is read elsewhere or is an output", async () => {
  const rng = new Rng(6);
  const constants = { w: rng.f32([2, 3, 1, 1]), ...stats(rng, "bn", 2) };
  const nodes = [node("Conv", "conv", ["x", "w"], ["t"]), bn("bn", "t", "y")];
  const output = await apply(
    foldBatchNorm,
    graphOf({ inputs: { x: [1, 3, 4, 4] }, outputs: ["y", "t"], nodes, constants }),
  );
  assert.match(why(output, "bn"), /t is an output of the model/);
  const shared = await apply(
    foldBatchNorm,
    graphOf({
      inputs: { x: [1, 3, 4, 4] },
      outputs: ["y", "z"],
      nodes: [...nodes, node("Relu", "relu", ["t"], ["z"])],
      constants,
    }),
  );
  assert.match(why(shared, "bn"), /t is read by 2 nodes/);
});

Deno.test("weights that two convolutions share are not changed under the other one", async () => {
  const rng = new Rng(7);
  const g = graphOf({
    inputs: { x: [1, 3, 4, 4] },
    outputs: ["y", "z"],
    nodes: [
      node("Conv", "one", ["x", "w"], ["t"]),
      bn("bn", "t", "y"),
      node("Conv", "two", ["x", "w"], ["z"]),
    ],
    constants: { w: rng.f32([2, 3, 1, 1]), ...stats(rng, "bn", 2) },
  });
  const r = await apply(foldBatchNorm, g);
  assert.equal(ops(r.graph), "Conv Conv");
});
