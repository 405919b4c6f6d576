import assert from "node:assert/strict";
import { node } from "../ir/graph.ts";
import { f32, type Tensor } from "../ir/tensor.ts";
import { simplifyArithmetic } from "./simplify_arithmetic.ts";
import { apply, graphOf, ops, Rng, why } from "./test_support.ts";

const rng = new Rng(1);

function single(op: string, inputs: string[], constants: Record<string, Tensor> = {}) {
  return graphOf({
    inputs: { x: [2, 3, 4], z: [2, 3, 1] },
    outputs: ["y"],
    nodes: [node(op, "n", inputs, ["y"])],
    constants,
  });
}

Deno.test("the forms that the BPU has not become those that it has", async () => {
  const cases: [string, string[], Record<string, Tensor>, string][] = [
    ["Div", ["x", "c"], { c: rng.f32([3, 1], 0.5, 1) }, "Mul"],
    ["Div", ["z", "c"], { c: rng.f32([4], 0.5, -2) }, "Mul"],
    ["Neg", ["x"], {}, "Mul"],
    ["Mean", ["x", "z"], {}, "Add Mul"],
    ["Mean", ["x", "z", "c"], { c: rng.f32([]) }, "Sum Mul"],
    ["PRelu", ["x", "c"], { c: f32([3, 1], [0.2, 0.2, 0.2]) }, "LeakyRelu"],
  ];
  for (const [op, inputs, constants, want] of cases) {
    const r = await apply(simplifyArithmetic, single(op, inputs, constants));
    assert.equal(ops(r.graph), want, op);
    assert.equal(r.graph.nodes[0]!.name, "n");
  }
});

Deno.test("division of or by activations, by zero, and several slopes stay", async () => {
  const zero = await apply(
    simplifyArithmetic,
    single("Div", ["x", "c"], { c: f32([2, 1, 1], [1, 0]) }),
  );
  assert.match(why(zero, "n"), /not finite/);
  const cases: [string, string[], Record<string, Tensor>][] = [
    ["Div", ["c", "x"], { c: f32([], [2]) }],
    ["Div", ["x", "z"], {}],
    ["PRelu", ["x", "c"], { c: f32([3, 1], [0.2, 0.2, 0.3]) }],
  ];
  for (const [op, inputs, constants] of cases) {
    assert.equal((await apply(simplifyArithmetic, single(op, inputs, constants))).fired, 0);
  }
});
