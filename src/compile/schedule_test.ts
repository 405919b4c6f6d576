import { deepEqual, equal, ok } from "node:assert/strict";
import { HORIZON, node, OPSET } from "../ir/graph.ts";
import type { Graph, Node } from "../ir/graph.ts";
import { f32, tensor } from "../ir/tensor.ts";
import type { Tensor, TensorType } from "../ir/tensor.ts";
import { compile } from "./compile.ts";
import { checkedSchedule, searchSchedule } from "./schedule.ts";

/**
 * Branches in a bad order: all wide tensors first, then what makes each of them narrow. Depth first needs
 * one wide tensor at a time.
 */
function wideFirst(branches: number): Graph {
  const types = new Map<string, TensorType>();
  const constants = new Map<string, Tensor>([
    ["scale", f32([], [1])],
    ["zero", tensor("int8", [], Int8Array.of(0))],
    ["table", tensor("int8", [256], new Int8Array(256))],
  ]);
  const make = (op: string, name: string, inputs: string[], c: number): Node => {
    types.set(name, { dtype: "int8", shape: [1, c, 8, 8] });
    return node(op, `${name}_node`, inputs, [name], {}, HORIZON);
  };
  const nodes: Node[] = [make("HzQuantize", "q", ["x", "scale", "zero"], 4)];
  for (let i = 0; i < branches; i++) nodes.push(make("HzLut", `wide${i}`, ["q", "table"], 64));
  for (let i = 0; i < branches; i++) {
    nodes.push(make("HzLut", `thin${i}`, [`wide${i}`, "table"], 4));
  }
  for (let i = 0; i < branches; i++) {
    const name = `y${i}`;
    types.set(name, { dtype: "float32", shape: [1, 4, 8, 8] });
    const inputs = [`thin${i}`, "scale", "zero"];
    nodes.push(node("HzDequantize", `${name}_node`, inputs, [name], {}, HORIZON));
  }
  return {
    name: "g",
    opset: OPSET,
    domains: new Map([[HORIZON, 1]]),
    nodes,
    inputs: [{ name: "x", dtype: "float32", shape: [1, 4, 8, 8] }],
    outputs: Array.from(
      { length: branches },
      (_, i) => ({ name: `y${i}`, dtype: "float32", shape: [1, 4, 8, 8] }),
    ),
    constants,
    types: new Map([...types, ["x", { dtype: "float32", shape: [1, 4, 8, 8] }]]),
    metadata: new Map(),
  };
}

Deno.test("a search finds an order that needs less memory; what it finds is valid and always the same", () => {
  const g = wideFirst(6);
  const natural = searchSchedule(g, "O0"), found = searchSchedule(g, "O1");
  ok(found.bytes < natural.bytes / 2, `${found.bytes} of ${natural.bytes}`);
  deepEqual(searchSchedule(g, "O1"), found);
  deepEqual(checkedSchedule(g, JSON.parse(JSON.stringify(found))), found);
  const program = compile(g, "bayes", found);
  equal(program.arenaBytes, found.bytes);
  const done = new Set(["x", ...g.constants.keys()]);
  for (const s of program.segments) {
    ok(s.kind === "bpu");
    for (const n of s.nodes) {
      ok(n.inputs.every((t) => done.has(t)), `${n.name} runs before its inputs`);
      for (const t of n.outputs) done.add(t);
    }
  }
  equal(done.size, 1 + g.constants.size + g.nodes.length);
});

Deno.test("the natural order is what compiling without a schedule gives", () => {
  const g = wideFirst(3);
  deepEqual(compile(g, "bayes", searchSchedule(g, "O0")), compile(g, "bayes"));
});

Deno.test("a schedule of another graph, or a damaged one, is not taken", () => {
  const g = wideFirst(3);
  const good = searchSchedule(g, "O1");
  equal(checkedSchedule(wideFirst(4), good), undefined);
  const wrong: unknown[] = [
    undefined,
    null,
    7,
    {},
    { ...good, bytes: good.bytes - 64 },
    { ...good, offsets: good.offsets.map(() => 0) },
    { ...good, offsets: good.offsets.map((o) => o + 1) },
    { ...good, offsets: good.offsets.slice(1) },
    { ...good, orders: [] },
    { ...good, orders: good.orders.map((o) => [...o].reverse()) },
    { ...good, orders: good.orders.map((o) => o.map(() => 0)) },
    { ...good, orders: good.orders.map((o) => o.map((i) => `${i}`)) },
  ];
  for (const w of wrong) equal(checkedSchedule(g, w), undefined, JSON.stringify(w));
});
