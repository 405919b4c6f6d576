/** Indices that are computed: from an operator on the BPU, from the CPU, from a model input. */

import { deepEqual, equal } from "node:assert/strict";
import type { Graph, Node, Port } from "../../ir/graph.ts";
import { attr, node } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { f32, i64, numbersOf, tensor } from "../../ir/tensor.ts";
import { bayes } from "../../march/bayes.ts";
import { inferTypes } from "../../ops/infer.ts";
import { Random } from "./harness.ts";
import { convertWith, runExactly } from "./row_model.ts";

const r = new Random(3);
const S = [1, 8, 6, 4];
const conv = (name: string, from: string, to: string) =>
  node("Conv", name, [from, "w"], [to], { kernel_shape: attr.ints([1, 1]) });

/** Nodes behind a convolution of `x`, which is `a`; outputs are named. */
function graphOf(
  nodes: readonly Node[],
  outputs: readonly string[],
  more: { inputs?: readonly Port[]; constants?: Readonly<Record<string, Tensor>> } = {},
): Graph {
  const bare = inferTypes({
    name: "indices",
    opset: 17,
    domains: new Map(),
    nodes: [conv("first", "x", "a"), ...nodes],
    inputs: [{ name: "x", dtype: "float32", shape: S }, ...more.inputs ?? []],
    outputs: [],
    constants: new Map([["w", r.values([8, 8, 1, 1])], ...Object.entries(more.constants ?? {})]),
    types: new Map(),
    metadata: new Map(),
  });
  return { ...bare, outputs: outputs.map((name) => ({ name, ...bare.types.get(name)! })) };
}

async function run(graph: Graph, more: Readonly<Record<string, Tensor>> = {}) {
  const feeds = new Map([["x", r.values(S)], ...Object.entries(more)]);
  const c = await convertWith(graph, bayes, feeds);
  return { c, feeds, outputs: await runExactly(c, feeds) };
}

Deno.test("indices of ArgMax and TopK stay on the BPU where an operator there reads them", async () => {
  for (
    const [op, made] of [
      ["ArgMax", ["i"]],
      ["TopK", ["v", "i"]],
    ] as const
  ) {
    const maker = op === "ArgMax"
      ? node("ArgMax", "best", ["a"], made, { axis: attr.int(1) })
      : node("TopK", "best", ["a", "k"], made, { axis: attr.int(1) });
    const graph = graphOf(
      [
        maker,
        conv("other", "x", "b"),
        node("GatherElements", "it", ["b", "i"], ["g"], { axis: attr.int(-3) }),
        node("Conv", "last", ["g", "w2"], ["y"]),
      ],
      ["y"],
      {
        constants: { k: i64([2]), w2: r.values([3, op === "ArgMax" ? 1 : 2, 1, 1]) },
      },
    );
    const { c } = await run(graph);
    deepEqual([...c.plan.nodes.values()].filter((p) => p.on === "CPU"), []);
    deepEqual(c.program.segments.map((s) => s.kind), ["bpu"], `${op} ${made}`);
  }
});

Deno.test("indices that the CPU moves reach GatherElements", async () => {
  // Exporters write x.gather(1, i.unsqueeze(-1).expand(...)) so.
  const graph = graphOf(
    [
      node("Reshape", "rows", ["a", "flat"], ["t"]),
      node("ReduceMax", "score", ["t"], ["s"], { axes: attr.ints([2]), keepdims: attr.int(1) }),
      node("TopK", "best", ["s", "k"], ["v", "i"], { axis: attr.int(1) }),
      node("Expand", "wide", ["i", "to"], ["e"]),
      node("GatherElements", "it", ["t", "e"], ["g"], { axis: attr.int(1) }),
      node("Reshape", "back", ["g", "four"], ["h"]),
      node("Conv", "last", ["h", "w2"], ["y"]),
    ],
    ["y", "i"],
    {
      constants: {
        flat: i64([1, 8, 24]),
        k: i64([3]),
        to: i64([1, 3, 24]),
        four: i64([1, 3, 6, 4]),
        w2: r.values([2, 3, 1, 1]),
      },
    },
  );
  const { c } = await run(graph);
  equal(c.plan.nodes.get("it")?.on, "BPU");
});

Deno.test("Gather reads int32 indices of the CPU, and int64 ones only there", async () => {
  const of = (type: number) =>
    graphOf(
      [
        node("ArgMax", "best", ["a"], ["i"], { axis: attr.int(1), keepdims: attr.int(0) }),
        node("Cast", "narrow", ["i"], ["n"], { to: attr.int(type) }),
        node("Reshape", "few", ["n", "flat"], ["f"]),
        conv("other", "x", "b"),
        node("Gather", "it", ["b", "f"], ["g"], { axis: attr.int(1) }),
        node("Conv", "last", ["g", "w2"], ["y"]),
      ],
      ["y"],
      { constants: { flat: i64([24]), w2: r.values([3, 24, 1, 1]) } },
    );
  const narrow = await run(of(6));
  equal(narrow.c.plan.nodes.get("it")?.on, "BPU");
  const wide = await run(of(7));
  equal(wide.c.plan.nodes.get("it")?.reason, "indices dtype int64 is not int32 on bayes");
});

Deno.test("indices of a model input count from either end and stop there", async () => {
  const graph = graphOf(
    [
      node("Gather", "it", ["a", "i"], ["g"], { axis: attr.int(2) }),
      node("Conv", "last", ["g", "w2"], ["y"]),
    ],
    ["g", "y"],
    {
      inputs: [{ name: "i", dtype: "int32", shape: [6] }],
      constants: { w2: r.values([3, 8, 1, 1]) },
    },
  );
  const fits = tensor("int32", [6], Int32Array.of(0, 5, -1, -6, 2, 5));
  const { c, feeds, outputs } = await run(graph, { i: fits });
  equal(c.plan.nodes.get("it")?.on, "BPU");
  const beyond = tensor("int32", [6], Int32Array.of(-7, 6, -1, -(2 ** 31), 2, 2 ** 31 - 1));
  const stopped = await runExactly(c, new Map([...feeds, ["i", beyond]]));
  deepEqual(numbersOf(stopped.get("g")!), numbersOf(outputs.get("g")!));
});

Deno.test("a look-up in a constant table stays on the CPU", async () => {
  const graph = graphOf(
    [
      node("Gather", "it", ["table", "i"], ["g"], { axis: attr.int(0) }),
      node("Add", "sum", ["a", "g"], ["b"]),
      conv("last", "b", "y"),
    ],
    ["y"],
    {
      inputs: [{ name: "i", dtype: "int32", shape: [1, 8, 6] }],
      constants: { table: f32([3, 4], Array.from({ length: 12 }, (_, i) => i / 12)) },
    },
  );
  const i = tensor("int32", [1, 8, 6], Int32Array.from({ length: 48 }, (_, k) => k % 3));
  const { c } = await run(graph, { i });
  equal(
    c.plan.nodes.get("it")?.reason,
    "its data is a constant table, not a feature map",
  );
});
