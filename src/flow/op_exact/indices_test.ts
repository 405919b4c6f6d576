/** Indices that are computed: from an operator on the BPU, from the CPU, from a model input. */

import { deepEqual, equal } from "node:assert/strict";
import type { Graph, Node, Port } from "../../ir/graph.ts";
import { attr, node } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { f32, i64, numbersOf, tensor } from "../../ir/tensor.ts";
import { bayes } from "../../march/bayes.ts";
import { roundAway } from "../../ops/arithmetic.ts";
import { inferTypes } from "../../ops/infer.ts";
import { planScale } from "../../quantize/plan.ts";
import { place } from "../../quantize/place.ts";
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

/** A look-up in a table of 3 rows, added to a feature map; `i` are indices of a type. */
function lookUp(
  type: "int32" | "int64",
  table = [0.5, -3, 2, 0.25, 1, -1, 0, 0.75, 9, 0.5, 8, -7],
) {
  return graphOf(
    [
      node("Gather", "it", ["table", "i"], ["g"], { axis: attr.int(0) }),
      node("Add", "sum", ["a", "g"], ["b"]),
      conv("last", "b", "y"),
    ],
    ["y", "g"],
    {
      inputs: [{ name: "i", dtype: type, shape: [1, 8, 6] }],
      constants: { table: f32([3, 4], table) },
    },
  );
}
const places = (rows: number) => Int32Array.from({ length: 48 }, (_, k) => k % rows);

Deno.test("a look-up in a constant table by computed int32 runs in the scale of the whole table", async () => {
  const graph = lookUp("int32");
  // The samples never read the last row, which holds the largest value.
  const { c, feeds } = await run(graph, { i: tensor("int32", [1, 8, 6], places(2)) });
  equal(c.plan.nodes.get("it")?.on, "BPU");
  const plan = c.plan.tensors.get("g")!;
  deepEqual([plan.threshold, plan.dtype, plan.zero], [9, "int8", 0]);
  const all = tensor("int32", [1, 8, 6], places(3));
  const seen = (await runExactly(c, new Map([...feeds, ["i", all]]))).get("g")!;
  const scale = planScale(plan), table = numbersOf(graph.constants.get("table")!);
  deepEqual(
    Array.from(numbersOf(seen)),
    Array.from(places(3)).flatMap((row) =>
      Array.from(
        table.slice(4 * row, 4 * row + 4),
        (v) => Math.fround(roundAway(v / scale) * scale),
      )
    ),
  );
});

Deno.test("a constant table is int16 where its look-up is, along any axis, and beside a concatenation", async () => {
  const graph = graphOf(
    [
      node("Gather", "it", ["table", "i"], ["g"], { axis: attr.int(-3) }),
      node("Concat", "both", ["a", "g"], ["b"], { axis: attr.int(1) }),
      node("Conv", "last", ["b", "w2"], ["y"]),
    ],
    ["y"],
    {
      inputs: [{ name: "i", dtype: "int32", shape: [5] }],
      constants: { table: r.values([1, 7, 6, 4]), w2: r.values([3, 13, 1, 1]) },
    },
  );
  const i = tensor("int32", [5], Int32Array.of(6, -1, 0, -7, 3));
  const feeds = new Map([["x", r.values(S)], ["i", i]]);
  for (const int16 of [new Set<string>(), new Set(["g"]), new Set(["g", "b"])]) {
    const c = await convertWith(graph, bayes, feeds, { int16: () => int16 });
    equal(c.plan.nodes.get("it")?.on, "BPU");
    equal(c.plan.tensors.get("g")?.dtype, int16.has("g") ? "int16" : "int8");
    await runExactly(c, feeds);
  }
});

Deno.test("a look-up by int64, and one in a table that is not finite, stay on the CPU", async () => {
  const wide = tensor("int64", [1, 8, 6], BigInt64Array.from(places(3), BigInt));
  const { c } = await run(lookUp("int64"), { i: wide });
  equal(c.plan.nodes.get("it")?.reason, "indices dtype int64 is not int32 on bayes");
  const open = lookUp("int32", [Infinity, ...new Array<number>(11).fill(1)]);
  const placed = place(open, bayes);
  equal(placed.get("it")?.reason, "its constant table is not finite");
});
