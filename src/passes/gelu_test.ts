import assert from "node:assert/strict";
import { node } from "../ir/graph.ts";
import { f32 } from "../ir/tensor.ts";
import { gelu } from "./gelu.ts";
import { mish } from "./mish.ts";
import { apply, graphOf, ops, why } from "./test_support.ts";

const constants = {
  root: f32([], [Math.SQRT2]),
  inverse: f32([], [Math.SQRT1_2]),
  half: f32([], [0.5]),
  one: f32([], [1]),
  two: f32([], [2]),
};

function build(nodes: Parameters<typeof graphOf>[0]["nodes"], outputs = ["y"]) {
  return graphOf({ inputs: { x: [3, 50] }, outputs, nodes, constants });
}

const erf = (scale: "Div" | "Mul") => [
  node(scale, "scale", ["x", scale === "Div" ? "root" : "inverse"], ["s"]),
  node("Erf", "erf", ["s"], ["e"]),
  node("Add", "add", ["one", "e"], ["g"]),
];

Deno.test("the erf form of Gelu in every association", async () => {
  const tails = [
    [node("Mul", "m", ["x", "g"], ["t"]), node("Mul", "last", ["t", "half"], ["y"])],
    [node("Mul", "m", ["x", "half"], ["t"]), node("Mul", "last", ["g", "t"], ["y"])],
    [node("Mul", "m", ["half", "g"], ["t"]), node("Mul", "last", ["x", "t"], ["y"])],
    [node("Mul", "m", ["x", "g"], ["t"]), node("Div", "last", ["t", "two"], ["y"])],
  ];
  for (const scale of ["Div", "Mul"] as const) {
    for (const tail of tails) {
      const r = await apply(gelu, build([...erf(scale), ...tail]));
      assert.equal(ops(r.graph), "HzGelu");
      assert.equal(r.graph.nodes[0]!.name, "last");
    }
  }
});

Deno.test("the tanh form of Gelu, however its polynomial is written", async () => {
  const more = {
    ...constants,
    c1: f32([], [0.7978845608]),
    c3: f32([], [0.044715]),
    three: f32([], [3]),
  };
  const cube = [
    [node("Pow", "pow", ["x", "three"], ["q"])],
    [node("Mul", "sq", ["x", "x"], ["xx"]), node("Mul", "cu", ["xx", "x"], ["q"])],
  ];
  const polynomials = [
    ...cube.map((nodes) => [
      ...nodes,
      node("Mul", "term", ["q", "c3"], ["t3"]),
      node("Add", "sum", ["x", "t3"], ["p"]),
      node("Mul", "arg", ["p", "c1"], ["z"]),
    ]),
    [
      node("Mul", "sq", ["x", "x"], ["xx"]),
      node("Mul", "term", ["c3", "xx"], ["t2"]),
      node("Add", "sum", ["t2", "one"], ["p"]),
      node("Mul", "lin", ["x", "c1"], ["l"]),
      node("Mul", "arg", ["l", "p"], ["z"]),
    ],
  ];
  const rest = [
    node("Tanh", "tanh", ["z"], ["e"]),
    node("Add", "add", ["one", "e"], ["g"]),
    node("Mul", "m", ["x", "g"], ["t"]),
    node("Mul", "last", ["t", "half"], ["y"]),
  ];
  const graph = (nodes: Parameters<typeof graphOf>[0]["nodes"], constant = more) =>
    graphOf({ inputs: { x: [3, 50] }, outputs: ["y"], nodes, constants: constant });
  for (const nodes of polynomials) {
    const r = await apply(gelu, graph([...nodes, ...rest]));
    assert.equal(ops(r.graph), "HzGeluTanh");
    const other = { ...more, c3: f32([], [0.05]) };
    assert.match(why(await apply(gelu, graph([...nodes, ...rest], other)), "last"), /Tanh takes/);
  }
});

Deno.test("another tanh and another factor stay", async () => {
  const tanh = await apply(
    gelu,
    build([
      node("Tanh", "tanh", ["x"], ["e"]),
      node("Add", "add", ["one", "e"], ["g"]),
      node("Mul", "m", ["x", "g"], ["t"]),
      node("Mul", "last", ["t", "half"], ["y"]),
    ]),
  );
  assert.equal(tanh.fired, 0);
  const twice = await apply(
    gelu,
    build([...erf("Div"), node("Mul", "m", ["x", "g"], ["y"])]),
  );
  assert.match(why(twice, "m"), /factor 1/);
});

Deno.test("Mish with Softplus, and with its logarithm written out", async () => {
  const forms = [
    [node("Softplus", "sp", ["x"], ["s"])],
    [
      node("Exp", "exp", ["x"], ["e"]),
      node("Add", "plus", ["e", "one"], ["p"]),
      node("Log", "log", ["p"], ["s"]),
    ],
  ];
  for (const form of forms) {
    const r = await apply(
      mish,
      build([
        ...form,
        node("Tanh", "tanh", ["s"], ["t"]),
        node("Mul", "mul", ["t", "x"], ["y"]),
      ]),
    );
    assert.equal(ops(r.graph), "HzMish");
  }
});

Deno.test("tanh(softplus) of another tensor is no Mish", async () => {
  const g = graphOf({
    inputs: { x: [4], z: [4] },
    outputs: ["y"],
    nodes: [
      node("Softplus", "sp", ["x"], ["s"]),
      node("Tanh", "tanh", ["s"], ["t"]),
      node("Mul", "mul", ["t", "z"], ["y"]),
    ],
  });
  assert.equal((await apply(mish, g)).fired, 0);
});
