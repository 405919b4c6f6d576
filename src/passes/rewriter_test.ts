import assert from "node:assert/strict";
import { type Attr, node } from "../ir/graph.ts";
import { f32 } from "../ir/tensor.ts";
import { Network } from "./min_cut.ts";
import { transposed } from "./permute.ts";
import { Rewriter } from "./rewriter.ts";
import { graphOf, ops, Rng } from "./test_support.ts";

function small() {
  return graphOf({
    inputs: { x: [2, 3] },
    outputs: ["y"],
    nodes: [
      node("Add", "add", ["x", "c"], ["a"]),
      node("Relu", "relu", ["a"], ["r"]),
      node("Mul", "mul", ["r", "c"], ["y"]),
    ],
    constants: { c: f32([], [2]), unused: f32([], [1]) },
  });
}

Deno.test("answers follow the changes", () => {
  const w = new Rewriter(small());
  const relu = w.producer("r")!;
  assert.equal(w.onlyUser("a"), relu);
  assert.equal(w.onlyUser("y"), undefined);
  assert.equal(w.users("c").length, 2);
  w.bypass(relu, "a");
  assert.equal(w.producer("r"), undefined);
  assert.equal(w.onlyUser("a")!.name, "mul");
  assert.equal(w.current({ ...relu, name: "mul" })!.inputs[0], "a");
  assert.equal(ops(w.build()), "Add Mul");
});

Deno.test("a revised constant keeps its name when nobody else reads it", () => {
  const w = new Rewriter(small());
  const add = w.producer("a")!;
  const other = w.revise("c", add, f32([], [3]));
  assert.notEqual(other, "c");
  w.alter(add, { inputs: ["x", other] });
  const mul = w.producer("y")!;
  assert.equal(w.revise("c", mul, f32([], [4])), "c");
  const g = w.build();
  assert.deepEqual([g.constants.get("c")!.data[0], g.constants.get(other)!.data[0]], [4, 3]);
  assert.ok(!g.constants.has("unused"));
});

Deno.test("new names are free, also of names that subgraphs read", () => {
  const body = graphOf({ inputs: {}, outputs: [], nodes: [] });
  const inner = { ...body, nodes: [node("Relu", "in", ["outer"], ["o"])] };
  const g = graphOf({
    inputs: { x: [1], outer: [1] },
    outputs: ["y"],
    nodes: [node("Neg", "neg", ["x"], ["y"])],
  });
  const held: Attr = { type: "graph", value: inner };
  const w = new Rewriter({
    ...g,
    nodes: [...g.nodes, node("If", "if", ["y"], ["z"], { then_branch: held })],
  });
  assert.ok(w.pinned("outer"));
  assert.equal(w.tensorName("outer"), "outer_1");
  assert.equal(w.nodeName("neg"), "neg_1");
  assert.equal(w.nodeName("neg"), "neg_2");
});

Deno.test("replacements stand where the last of the old nodes stood", () => {
  const w = new Rewriter(small());
  const [add, relu] = w.nodes();
  w.replace([add!, relu!], [node("Elu", "elu", ["x"], ["r"])]);
  assert.deepEqual(w.build().nodes.map((n) => n.name), ["elu", "mul"]);
});

Deno.test("minimum cut equals the cheapest of all cuts", () => {
  for (let seed = 0; seed < 60; seed++) {
    const rng = new Rng(seed);
    const net = new Network();
    const inner = Array.from({ length: 5 }, () => net.vertex());
    const all = [net.source, net.sink, ...inner];
    const edges = Array.from({ length: 14 }, () => {
      const e: [number, number, number] = [rng.pick(all), rng.pick(all), rng.int(0, 9)];
      net.edge(...e);
      return e;
    });
    const costOf = (sink: (v: number) => boolean) =>
      edges.reduce((sum, [a, b, c]) => sum + (!sink(a) && sink(b) ? c : 0), 0);
    let best = Infinity;
    for (let bits = 0; bits < 32; bits++) {
      best = Math.min(
        best,
        costOf((v) => v === net.sink || v > net.sink && (bits >> (v - 2) & 1) === 1),
      );
    }
    assert.equal(net.cut(), best);
    assert.equal(costOf((v) => net.onSinkSide(v)), best);
  }
});

Deno.test("transposed constants", () => {
  const t = transposed(f32([2, 3], [1, 2, 3, 4, 5, 6]), [1, 0]);
  assert.deepEqual([...t.data as Float32Array], [1, 4, 2, 5, 3, 6]);
  assert.deepEqual(transposed(f32([1, 2, 1], [7, 8]), [2, 0, 1]).shape, [1, 1, 2]);
});
