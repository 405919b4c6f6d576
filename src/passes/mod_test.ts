import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { f32, i64 } from "../ir/tensor.ts";
import { optimize, passes } from "./mod.ts";
import { assertSame, engine, graphOf, ops, Rng } from "./test_support.ts";

const rng = new Rng(1);

Deno.test("every pass has its own name and says what it does", () => {
  assert.equal(new Set(passes.map((p) => p.name)).size, passes.length);
  for (const p of passes) assert.match(p.doc, /=>/);
});

Deno.test("an exporter's classifier head becomes Conv and Reshape, logged pass by pass", async () => {
  const g = graphOf({
    inputs: { x: [1, 3, 8, 8] },
    outputs: ["y"],
    nodes: [
      node("Conv", "conv", ["x", "w"], ["c"], { pads: attr.ints([1, 1, 1, 1]) }),
      node("BatchNormalization", "bn", ["c", "g", "b", "m", "v"], ["n"]),
      node("Sigmoid", "sig", ["n"], ["s"]),
      node("Mul", "act", ["n", "s"], ["a"]),
      node("ReduceMean", "pool", ["a"], ["p"], { axes: attr.ints([2, 3]) }),
      node("Shape", "shape", ["p"], ["ps"]),
      node("Gather", "gather", ["ps", "i"], ["batch"]),
      node("Concat", "concat", ["batch", "minus"], ["target"], { axis: attr.int(0) }),
      node("Reshape", "flat", ["p", "target"], ["f"]),
      node("MatMul", "fc", ["f", "wf"], ["t"]),
      node("Add", "bias", ["t", "bf"], ["y"]),
    ],
    constants: {
      w: rng.f32([4, 3, 3, 3]),
      g: rng.f32([4]),
      b: rng.f32([4]),
      m: rng.f32([4]),
      v: rng.f32([4], 0.4, 0.7),
      i: i64([0]),
      minus: i64([-1]),
      wf: rng.f32([4, 5]),
      bf: rng.f32([5]),
    },
  });
  const lines: string[] = [];
  const r = await optimize(g, { engine, verify: true, log: (l) => lines.push(l) });
  await assertSame(g, r.graph);
  assert.equal(ops(r.graph), "Conv HzSwish GlobalAveragePool Conv Reshape");
  assert.deepEqual(r.graph.nodes.slice(0, 4).map((n) => n.name), ["conv", "act", "pool", "fc"]);
  assert.ok(lines.some((l) => /fold_shapes: the number of nodes has changed from 11 to 8/.test(l)));
  assert.equal(r.steps.reduce((sum, s) => sum + s.before - s.after, 0), 11 - 5);
});

Deno.test("an optimized graph does not change any more", async () => {
  const g = graphOf({
    inputs: { x: [2, 3, 16] },
    outputs: ["y"],
    nodes: [
      node("Conv", "conv", ["x", "w"], ["c"]),
      node("Relu", "relu", ["c"], ["r"]),
      node("Transpose", "t", ["r"], ["u"], { perm: attr.ints([0, 2, 1]) }),
      node("MatMul", "mm", ["u", "m"], ["v"]),
      node("Add", "add", ["v", "b"], ["z"]),
      node("Tanh", "tanh", ["z"], ["y"]),
    ],
    constants: { w: rng.f32([4, 3, 3]), m: rng.f32([4, 6]), b: rng.f32([6]) },
  });
  const first = await optimize(g, { engine, verify: true });
  await assertSame(g, first.graph);
  const again = await optimize(first.graph, { engine, verify: true });
  assert.equal(again.graph, first.graph);
  assert.ok(again.steps.every((s) => s.fired === 0));
  assert.ok(!ops(first.graph).includes("MatMul"));
});

Deno.test("reasons name nodes that are still there", async () => {
  const g = graphOf({
    inputs: { x: [1, 2, 4, 4], z: [1, 2, 4, 4] },
    outputs: ["y"],
    nodes: [
      node("Pad", "pad", ["x", "pads"], ["p"], { mode: attr.string("reflect") }),
      node("Conv", "conv", ["p", "w"], ["c"]),
      node("Mul", "mul", ["c", "z"], ["t"]),
      node("Mul", "scale", ["t", "s"], ["y"]),
    ],
    constants: {
      pads: i64([0, 0, 1, 1, 0, 0, 1, 1]),
      w: rng.f32([2, 2, 3, 3]),
      s: f32([], [0.5]),
    },
  });
  const r = await optimize(g, { engine, verify: true });
  const reasons = r.steps.flatMap((s) => s.reasons.map((x) => `${s.pass} ${x.node}: ${x.why}`));
  assert.ok(reasons.includes("fold_pad pad: its mode is reflect"), reasons.join("\n"));
  const names = new Set(r.graph.nodes.map((n) => n.name));
  for (const s of r.steps) for (const x of s.reasons) assert.ok(names.has(x.node));
});

Deno.test("a channel shuffle and a pixel shuffle of 3x3 stay Reshape, Transpose, Reshape", async () => {
  for (
    const [six, perm, out] of [
      [[1, 3, 6, 4, 4], [0, 2, 1, 3, 4], [1, 18, 4, 4]],
      [[1, 2, 3, 3, 4, 4], [0, 1, 4, 2, 5, 3], [1, 2, 12, 12]],
    ] as const
  ) {
    const g = graphOf({
      inputs: { x: [1, 2, 4, 4] },
      outputs: ["y"],
      nodes: [
        node("Conv", "conv", ["x", "w"], ["c"]),
        node("Reshape", "r1", ["c", "six"], ["a"]),
        node("Transpose", "t", ["a"], ["b"], { perm: attr.ints(perm) }),
        node("Reshape", "r2", ["b", "out"], ["d"]),
        node("Relu", "relu", ["d"], ["y"]),
      ],
      constants: { w: rng.f32([18, 2, 1, 1]), six: i64(six), out: i64(out) },
    });
    const r = await optimize(g, { engine, verify: true });
    await assertSame(g, r.graph);
    assert.equal(ops(r.graph), "Conv Reshape Transpose Reshape Relu");
  }
});
