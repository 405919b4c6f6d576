import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { f32 } from "../ir/tensor.ts";
import { swish } from "./swish.ts";
import { apply, graphOf, ops, why } from "./test_support.ts";

const constants = {
  three: f32([], [3]),
  zero: f32([], [0]),
  six: f32([1], [6]),
  sixth: f32([], [1 / 6]),
  half: f32([], [0.5]),
  one: f32([], [1]),
  fifth: f32([], [0.2]),
};

function build(nodes: Parameters<typeof graphOf>[0]["nodes"], outputs = ["y"]) {
  return graphOf({ inputs: { x: [2, 3, 20] }, outputs, nodes, constants });
}

const clip = [
  node("Add", "add", ["x", "three"], ["a"]),
  node("Clip", "clip", ["a", "zero", "six"], ["c"]),
];

Deno.test("x * sigmoid(x), in either order, becomes HzSwish", async () => {
  for (const inputs of [["x", "s"], ["s", "x"]]) {
    const r = await apply(
      swish,
      build([node("Sigmoid", "sig", ["x"], ["s"]), node("Mul", "mul", inputs, ["y"])]),
    );
    assert.equal(ops(r.graph), "HzSwish");
    assert.equal(r.graph.nodes[0]!.name, "mul");
    assert.equal(r.graph.nodes[0]!.domain, "horizon");
  }
});

Deno.test("a Sigmoid that others read stays for them", async () => {
  const r = await apply(
    swish,
    build(
      [node("Sigmoid", "sig", ["x"], ["s"]), node("Mul", "mul", ["x", "s"], ["y"])],
      ["y", "s"],
    ),
  );
  assert.equal(ops(r.graph), "Sigmoid HzSwish");
});

Deno.test("every association of hard-swish", async () => {
  const forms = [
    [...clip, node("Mul", "m", ["x", "c"], ["t"]), node("Div", "last", ["t", "six"], ["y"])],
    [...clip, node("Div", "d", ["c", "six"], ["t"]), node("Mul", "last", ["x", "t"], ["y"])],
    [...clip, node("Mul", "d", ["c", "sixth"], ["t"]), node("Mul", "last", ["t", "x"], ["y"])],
    [
      node("Mul", "d", ["x", "sixth"], ["t"]),
      ...clip,
      node("Mul", "last", ["t", "c"], ["y"]),
    ],
    [
      node("HardSigmoid", "h", ["x"], ["t"], {
        alpha: attr.float(Math.fround(1 / 6)),
        beta: attr.float(0.5),
      }),
      node("Mul", "last", ["x", "t"], ["y"]),
    ],
  ];
  for (const nodes of forms) {
    const r = await apply(swish, build(nodes));
    assert.equal(ops(r.graph), "HardSwish");
    assert.equal(r.graph.nodes[0]!.name, "last");
  }
});

Deno.test("hard-sigmoid alone, with its own slope, and as Clip to 0..1", async () => {
  const plain = await apply(swish, build([...clip, node("Div", "d", ["c", "six"], ["y"])]));
  assert.equal(ops(plain.graph), "HardSigmoid");
  const unit = await apply(
    swish,
    build([
      node("Mul", "m", ["x", "fifth"], ["t"]),
      node("Add", "a", ["half", "t"], ["u"]),
      node("Clip", "c", ["u", "zero", "one"], ["y"]),
    ]),
  );
  assert.equal(ops(unit.graph), "HardSigmoid");
  assert.deepEqual(unit.graph.nodes[0]!.attrs.get("alpha"), attr.float(Math.fround(0.2)));
});

Deno.test("products that only look alike stay and say why", async () => {
  const slope = await apply(
    swish,
    build([
      node("HardSigmoid", "h", ["x"], ["t"], { alpha: attr.float(0.2), beta: attr.float(0.5) }),
      node("Mul", "mul", ["x", "t"], ["y"]),
    ]),
  );
  assert.match(why(slope, "mul"), /alpha 0\.2/);
  const other = graphOf({
    inputs: { x: [4], z: [4] },
    outputs: ["y"],
    nodes: [node("Sigmoid", "sig", ["x"], ["s"]), node("Mul", "mul", ["z", "s"], ["y"])],
  });
  assert.equal((await apply(swish, other)).fired, 0);
});
