import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { f32, i64 } from "../ir/tensor.ts";
import { commonSubexpressions } from "./common_subexpressions.ts";
import { deadCode } from "./dead_code.ts";
import { apply, graphOf, ops, why } from "./test_support.ts";

Deno.test("nodes, optional outputs and constants that nothing reads disappear", async () => {
  const g = graphOf({
    inputs: { x: [1, 1, 4, 4] },
    outputs: ["y"],
    nodes: [
      node("Neg", "dead1", ["x"], ["d1"]),
      node("Add", "dead2", ["d1", "c"], ["d2"]),
      node("MaxPool", "pool", ["x"], ["y", "indices"], { kernel_shape: attr.ints([2, 2]) }),
    ],
    constants: { c: f32([], [1]) },
  });
  const r = await apply(deadCode, g, 0);
  assert.equal(ops(r.graph), "MaxPool");
  assert.deepEqual(r.graph.nodes[0]!.outputs, ["y"]);
  assert.equal(r.graph.constants.size, 0);
  assert.equal((await apply(deadCode, r.graph, 0)).graph, r.graph);
});

Deno.test("equal nodes become one, also behind each other and with equal constants", async () => {
  const g = graphOf({
    inputs: { x: [2, 3] },
    outputs: ["y"],
    nodes: [
      node("Add", "a1", ["x", "c1"], ["t1"]),
      node("Add", "a2", ["x", "c2"], ["t2"]),
      node("Softmax", "s1", ["t1"], ["u1"], { axis: attr.int(1) }),
      node("Softmax", "s2", ["t2"], ["u2"], { axis: attr.int(1) }),
      node("Softmax", "s3", ["t2"], ["u3"], { axis: attr.int(0) }),
      node("Sum", "sum", ["u1", "u2", "u3"], ["y"]),
    ],
    constants: { c1: f32([3], [1, 2, 3]), c2: f32([3], [1, 2, 3]) },
  });
  const r = await apply(commonSubexpressions, g, 0);
  assert.equal(ops(r.graph), "Add Softmax Softmax Sum");
  assert.deepEqual(r.graph.nodes.map((n) => n.name), ["a1", "s1", "s3", "sum"]);
});

Deno.test("outputs of the model keep their names: one is taken over, two stay", async () => {
  const build = (outputs: string[]) =>
    graphOf({
      inputs: { x: [2] },
      outputs,
      nodes: [
        node("Neg", "first", ["x"], ["a"]),
        node("Relu", "relu", ["a"], ["r"]),
        node("Neg", "second", ["x"], ["b"]),
      ],
    });
  const one = await apply(commonSubexpressions, build(["b", "r"]), 0);
  assert.equal(ops(one.graph), "Neg Relu");
  assert.deepEqual(one.graph.nodes[0]!.outputs, ["b"]);
  const two = await apply(commonSubexpressions, build(["a", "b", "r"]), 0);
  assert.equal(two.fired, 0);
  assert.match(why(two, "second"), /both make outputs/);
});

Deno.test("several outputs, and random numbers", async () => {
  const g = graphOf({
    inputs: { x: [4, 2] },
    outputs: ["y"],
    nodes: [
      node("Split", "s1", ["x", "parts"], ["a", "b"]),
      node("Split", "s2", ["x", "parts"], ["c", "d"]),
      node("RandomNormalLike", "r1", ["x"], ["n1"], { seed: attr.float(1) }),
      node("RandomNormalLike", "r2", ["x"], ["n2"], { seed: attr.float(1) }),
      node("Add", "add1", ["a", "d"], ["t"]),
      node("Add", "add2", ["c", "b"], ["u"]),
      node("Sub", "sub", ["n1", "n2"], ["v"]),
      node("Shape", "shape", ["v"], ["w"]),
      node("Sum", "sum", ["t", "u"], ["y"]),
    ],
    constants: { parts: i64([2, 2]) },
  });
  const r = await apply(commonSubexpressions, g, 0);
  // The second Split, and the addition that then has the same operands.
  assert.equal(r.fired, 2);
  assert.equal(r.graph.nodes.filter((n) => n.op === "RandomNormalLike").length, 2);
});
