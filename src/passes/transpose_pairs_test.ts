import assert from "node:assert/strict";
import { type Attr, attr, type Graph, node } from "../ir/graph.ts";
import { f32, i64, type Tensor } from "../ir/tensor.ts";
import { commonSubexpressions } from "./common_subexpressions.ts";
import { deadCode } from "./dead_code.ts";
import { removeIdentity } from "./remove_identity.ts";
import { apply, graphOf, ops, Rng } from "./test_support.ts";
import { transposePairs } from "./transpose_pairs.ts";

const TO_NHWC = { perm: attr.ints([0, 2, 3, 1]) };
const TO_NCHW = { perm: attr.ints([0, 3, 1, 2]) };
const rng = new Rng(1);

function transposes(g: Graph): number {
  return g.nodes.filter((n) => n.op === "Transpose").length;
}

/** x -> NHWC -> the given nodes (from "a" to "z") -> NCHW -> y. */
function between(
  nodes: Parameters<typeof graphOf>[0]["nodes"],
  constants: Record<string, Tensor> = {},
  more: { outputs?: string[]; inputs?: Record<string, readonly number[]> } = {},
): Graph {
  return graphOf({
    inputs: { x: [2, 3, 4, 5], ...more.inputs },
    outputs: ["y", ...more.outputs ?? []],
    nodes: [
      node("Transpose", "to", ["x"], ["a"], TO_NHWC),
      ...nodes,
      node("Transpose", "back", ["z"], ["y"], TO_NCHW),
    ],
    constants,
  });
}

async function clean(g: Graph): Promise<Graph> {
  let r = await apply(transposePairs, g);
  for (const pass of [removeIdentity, commonSubexpressions, deadCode]) {
    r = await apply(pass, r.graph);
  }
  return r.graph;
}

Deno.test("pairs cancel through operators that can work in either order", async () => {
  const cases: [string, string[], Record<string, Attr>, Record<string, Tensor>?][] = [
    ["Relu", ["a"], {}],
    ["Clip", ["a", "lo"], {}, { lo: f32([], [0.2]) }],
    ["Add", ["a", "c"], {}, { c: rng.f32([3]) }],
    ["Mul", ["c", "a"], {}, { c: rng.f32([4, 1, 3]) }],
    ["PRelu", ["a", "c"], {}, { c: rng.f32([3]) }],
    ["Concat", ["a", "a"], { axis: attr.int(-1) }],
    ["Softmax", ["a"], { axis: attr.int(-1) }],
    ["Softmax", ["a"], { axis: attr.int(1) }],
    ["Pad", ["a", "p"], {}, { p: i64([0, 1, 2, 0, 0, 0, 1, 3]) }],
    ["Slice", ["a", "s", "e", "ax"], {}, { s: i64([1, 0]), e: i64([3, 2]), ax: i64([1, -1]) }],
    ["Slice", ["a", "s", "e"], {}, { s: i64([0, 1]), e: i64([2, 3]) }],
    ["Tile", ["a", "r"], {}, { r: i64([1, 2, 1, 3]) }],
    ["ReduceMean", ["a"], { axes: attr.ints([1, 2]) }],
    ["ReduceSum", ["a", "ax"], {}, { ax: i64([-1]) }],
    ["ReduceMax", ["a"], { axes: attr.ints([3]) }],
    ["Gather", ["a", "i"], { axis: attr.int(3) }, { i: i64([2, 0]) }],
    ["ArgMax", ["a"], { axis: attr.int(3) }],
    ["Cast", ["a"], { to: attr.int(6) }],
  ];
  for (const [op, inputs, attrs, constants] of cases) {
    const g = await clean(between([node(op, "op", inputs, ["z"], attrs)], constants));
    assert.equal(transposes(g), 0, op);
    assert.equal(g.nodes[0]!.name, "op");
  }
});

Deno.test("through residual additions, Split, and reductions that drop H and W", async () => {
  const g = await clean(between(
    [
      node("Sigmoid", "s", ["a"], ["b"]),
      node("Mul", "m", ["a", "b"], ["c"]),
      node("Split", "split", ["c"], ["d", "e"], { axis: attr.int(2) }),
      node("Concat", "cat", ["e", "d"], ["f"], { axis: attr.int(2) }),
      node("Add", "add", ["f", "a"], ["z"]),
      node("ReduceMean", "mean", ["f"], ["r"], {
        axes: attr.ints([1, 2]),
        keepdims: attr.int(0),
      }),
    ].map((n) => n),
    {},
    { outputs: ["r"], inputs: { x: [2, 3, 4, 6] } },
  ));
  assert.equal(transposes(g), 0);
});

Deno.test("a Transpose of the smaller tensor is preferred", async () => {
  // Both inputs are NHWC; only the pooled, small one is read as NCHW.
  const g = graphOf({
    inputs: { x: [1, 8, 8, 4] },
    outputs: ["y"],
    nodes: [
      node("Transpose", "to", ["x"], ["a"], TO_NCHW),
      node("ReduceMax", "max", ["a"], ["b"], { axes: attr.ints([2, 3]) }),
      node("Conv", "conv", ["b", "w"], ["y"]),
    ],
    constants: { w: rng.f32([2, 4, 1, 1]) },
  });
  const r = await clean(g);
  assert.equal(ops(r), "ReduceMax Transpose Conv");
});

Deno.test("nothing changes where it would not transpose less", async () => {
  const cases = [
    // One Transpose in front of two operators: it is needed for the outputs.
    graphOf({
      inputs: { x: [2, 3, 4, 5] },
      outputs: ["y", "z"],
      nodes: [
        node("Transpose", "to", ["x"], ["a"], TO_NHWC),
        node("Relu", "relu", ["a"], ["y"]),
        node("Neg", "neg", ["a"], ["z"]),
      ],
    }),
    // The other operand comes in the other order.
    graphOf({
      inputs: { x: [2, 3, 4, 5], u: [2, 4, 5, 3] },
      outputs: ["y"],
      nodes: [
        node("Transpose", "to", ["x"], ["a"], TO_NHWC),
        node("Add", "add", ["a", "u"], ["y"]),
      ],
    }),
  ];
  for (const g of cases) {
    const r = await apply(transposePairs, g);
    assert.equal(r.fired, 0);
    assert.equal(r.graph, g);
  }
});

Deno.test("outputs of the model inside the region get a Transpose of their own", async () => {
  const g = await clean(between(
    [
      node("Relu", "relu", ["a"], ["b"]),
      node("ReduceMax", "max", ["b"], ["m"], { axes: attr.ints([1, 2]) }),
      node("Neg", "neg", ["b"], ["z"]),
    ],
    {},
    { outputs: ["m"] },
  ));
  // m has 2 x 3 elements: only a Reshape's worth, instead of two full Transposes.
  assert.equal(transposes(g), 1);
});

Deno.test("a permutation that is its own inverse", async () => {
  const swap = { perm: attr.ints([0, 2, 1]) };
  const g = graphOf({
    inputs: { x: [2, 3, 4] },
    outputs: ["y"],
    nodes: [
      node("Transpose", "to", ["x"], ["a"], swap),
      node("Relu", "relu", ["a"], ["b"]),
      node("Add", "add", ["b", "c"], ["d"]),
      node("Transpose", "back", ["d"], ["e"], swap),
      node("Neg", "neg", ["e"], ["y"]),
    ],
    constants: { c: rng.f32([4, 1]) },
  });
  assert.equal(ops(await clean(g)), "Relu Add Neg");
});

Deno.test("an output made by the Transpose back keeps its name, even of a shared tensor", async () => {
  const g = between(
    [
      node("Relu", "relu", ["a"], ["z"]),
      node("Transpose", "again", ["z"], ["w"], TO_NCHW),
    ],
    {},
    { outputs: ["w"] },
  );
  const r = await clean(g);
  assert.equal(transposes(r), 0);
});

Deno.test("an input of the model that is read in both orders", async () => {
  const g = graphOf({
    inputs: { x: [1, 3, 4, 5] },
    outputs: ["y", "z"],
    nodes: [
      node("Relu", "relu", ["x"], ["a"]),
      node("Transpose", "t1", ["a"], ["b"], TO_NHWC),
      node("Transpose", "t2", ["x"], ["c"], TO_NHWC),
      node("Concat", "cat", ["b", "c"], ["y"], { axis: attr.int(3) }),
      node("GlobalAveragePool", "pool", ["x"], ["z"]),
    ],
  });
  const r = await clean(g);
  assert.equal(ops(r), "Transpose Relu Concat GlobalAveragePool");
});

Deno.test("random graphs of movable operators keep their outputs", async () => {
  for (let seed = 0; seed < 25; seed++) {
    const pick = new Rng(seed + 100);
    const shapes = new Map([["x", [1, 3, 4, 5]], ["u", [1, 4, 5, 3]]]);
    const nodes = [];
    for (let i = 0; i < 14; i++) {
      const names = [...shapes.keys()];
      const x = pick.pick(names);
      const s = shapes.get(x)!;
      const y = `t${i}`;
      const kind = pick.int(0, 4);
      const other = names.find((n) => n !== x && shapes.get(n)!.join() === s.join());
      if (kind === 0) {
        const perm = pick.pick([[0, 2, 3, 1], [0, 3, 1, 2], [0, 2, 1, 3]]);
        nodes.push(node("Transpose", `n${i}`, [x], [y], { perm: attr.ints(perm) }));
        shapes.set(y, perm.map((p) => s[p]!));
      } else if (kind === 1 && other !== undefined) {
        nodes.push(node("Add", `n${i}`, [x, other], [y]));
        shapes.set(y, s);
      } else if (kind === 2) {
        nodes.push(node("Softmax", `n${i}`, [x], [y], { axis: attr.int(pick.int(-4, 3)) }));
        shapes.set(y, s);
      } else {
        nodes.push(node(pick.pick(["Relu", "Neg", "Sigmoid"]), `n${i}`, [x], [y]));
        shapes.set(y, s);
      }
    }
    const read = new Set(nodes.flatMap((n) => n.inputs));
    const outputs = nodes.map((n) => n.outputs[0]!).filter((o) =>
      !read.has(o) || pick.int(0, 5) === 0
    );
    const g = graphOf({
      inputs: { x: shapes.get("x")!, u: shapes.get("u")! },
      outputs,
      nodes,
    });
    const r = await apply(transposePairs, g, 1e-6);
    assert.ok(transposes(r.graph) <= transposes(g) + 3, `seed ${seed}`);
  }
});
