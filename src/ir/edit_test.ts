import assert from "node:assert/strict";
import { Edit } from "./edit.ts";
import { attr, type Graph, type Node, node, OPSET } from "./graph.ts";
import { f32 } from "./tensor.ts";
import { verify } from "./verify.ts";

const type = (shape: readonly number[] = [2]) => ({ dtype: "float32" as const, shape });
const port = (name: string) => ({ name, ...type() });

/** x - a(Relu) - t - b(Add c) - u - d(Neg) - y, and z = Abs(t). */
function graph(changes: Partial<Graph> = {}): Graph {
  return {
    name: "g",
    opset: OPSET,
    domains: new Map(),
    nodes: [
      node("Relu", "a", ["x"], ["t"]),
      node("Add", "b", ["t", "c"], ["u"]),
      node("Neg", "d", ["u"], ["y"]),
      node("Abs", "e", ["t"], ["z"]),
    ],
    inputs: [port("x")],
    outputs: [port("y"), port("z")],
    constants: new Map([["c", f32([2], [1, 2])]]),
    types: new Map(["t", "u", "y", "z"].map((n) => [n, type()])),
    metadata: new Map(),
    ...changes,
  };
}

const find = (g: Graph, name: string): Node => g.nodes.find((n) => n.name === name)!;
const line = (g: Graph) =>
  g.nodes.map((n) => `${n.name}:${n.inputs.join("+")}>${n.outputs.join("+")}`).join(" ");

function built(e: Edit): Graph {
  const g = e.build();
  verify(g);
  return g;
}

Deno.test("no change gives the same graph", () => {
  const g = graph();
  assert.equal(new Edit(g).build(), g);
});

Deno.test("the old graph is untouched", () => {
  const g = graph();
  const before = line(g);
  const e = new Edit(g);
  e.replaceUses("t", "x");
  e.removeNode(find(g, "a"));
  e.setConstant("c", f32([2], [0, 0]));
  built(e);
  assert.equal(line(g), before);
  assert.deepEqual(g.constants.get("c"), f32([2], [1, 2]));
});

Deno.test("taking a node out", () => {
  const g = graph();
  const e = new Edit(g);
  e.removeNode(find(g, "a"));
  e.replaceUses("t", "x");
  assert.equal(line(built(e)), "b:x+c>u d:u>y e:x>z");
});

Deno.test("putting a node behind a tensor leaves the new reader alone", () => {
  const g = graph();
  const e = new Edit(g);
  const q = e.uniqueName("t_q");
  e.replaceUses("t", q);
  e.addNodes(node("Sigmoid", "q", ["t"], [q]));
  assert.equal(line(built(e)), "a:x>t q:t>t_q b:t_q+c>u d:u>y e:t_q>z");
});

Deno.test("putting a node behind a graph output keeps the output's name", () => {
  const g = graph();
  const e = new Edit(g);
  e.replaceUses("y", "y_q");
  e.addNodes(node("Sigmoid", "q", ["y"], ["y_q"]));
  e.setType("y_q", { dtype: "int8", shape: [2] });
  const h = built(e);
  assert.deepEqual(h.outputs, [{ name: "y", dtype: "int8", shape: [2] }, port("z")]);
  assert.equal(line(h), "a:x>t b:t+c>u d:u>y_inner e:t>z q:y_inner>y");
  assert.deepEqual(h.types.get("y_inner"), type());
});

Deno.test("removing the producer of a graph output moves the name", () => {
  const g = graph();
  const e = new Edit(g);
  e.removeNode(find(g, "d"));
  e.replaceUses("y", "u");
  const h = built(e);
  assert.equal(line(h), "a:x>t b:t+c>y e:t>z");
  assert.deepEqual(h.outputs.map((p) => p.name), ["y", "z"]);
});

Deno.test("two outputs that become one tensor, or an input, get copies", () => {
  const g = graph();
  const e = new Edit(g);
  e.replaceUses("y", "z");
  const h = built(e);
  assert.deepEqual(h.outputs.map((p) => p.name), ["y", "z"]);
  assert.equal(line(h), "a:x>t e:t>z y_copy:z>y");

  const f = new Edit(g);
  f.replaceUses("z", "x");
  f.replaceUses("y", "c");
  assert.equal(line(built(f)), "y_copy:c>y z_copy:x>z");
});

Deno.test("swapping two outputs", () => {
  const g = graph();
  const e = new Edit(g);
  e.replaceUses("y", "m");
  e.replaceUses("z", "y");
  e.replaceUses("m", "z");
  const h = built(e);
  // y shows what z was and the other way round.
  const makes = (name: string): string => {
    const n = h.nodes.find((m) => m.outputs.includes(name))!;
    return n.op === "Identity" ? makes(n.inputs[0]!) : n.op;
  };
  assert.deepEqual([makes("y"), makes("z")], ["Abs", "Neg"]);
});

Deno.test("replacing a node, keeping its name", () => {
  const g = graph();
  const e = new Edit(g);
  const c2 = e.addConstant("c", f32([2], [3, 4]));
  assert.equal(c2, "c_1");
  e.replaceNode(find(g, "b"), [
    node("Mul", "b_mul", ["t", c2], ["b_t"]),
    node("Sub", "b", ["b_t", c2], ["u"]),
  ]);
  const h = built(e);
  assert.equal(line(h), "a:x>t b_mul:t+c_1>b_t b:b_t+c_1>u d:u>y e:t>z");
  assert.deepEqual([...h.constants.keys()], ["c_1"]); // c has no reader left
});

Deno.test("a stale node follows replacements made before", () => {
  const g = graph();
  const e = new Edit(g);
  e.removeNode(find(g, "a"));
  e.replaceUses("t", "x");
  // This pass still holds the node as it was.
  const stale = find(g, "b");
  e.replaceNode(stale, [{ ...stale, op: "Sub" }]);
  assert.equal(line(built(e)), "b:x+c>u d:u>y e:x>z");
});

Deno.test("nodes are sorted, dead ones dropped with their types", () => {
  const g = graph();
  const e = new Edit(g);
  e.setInput(find(g, "b"), 1, "late");
  e.addNodes(node("Exp", "late", ["x"], ["late"]), node("Exp", "dead", ["x"], ["dead_out"]));
  e.setType("dead_out", type());
  const h = built(e);
  assert.equal(line(h), "a:x>t late:x>late b:t+late>u d:u>y e:t>z");
  assert.equal(h.types.has("dead_out"), false);
});

Deno.test("indexes follow the changes", () => {
  const g = graph();
  const e = new Edit(g);
  assert.deepEqual(e.consumers("t").map((n) => n.name), ["b", "e"]);
  e.replaceUses("t", "x");
  assert.deepEqual(e.consumers("t"), []);
  assert.deepEqual(e.consumers("x").map((n) => n.name).sort(), ["a", "b", "e"]);
  assert.equal(e.producer("u")?.name, "b");
  assert.equal(e.isOutput("y"), true);
  e.replaceUses("y", "u");
  assert.deepEqual([e.isOutput("y"), e.isOutput("u")], [false, true]);
});

Deno.test("names are never given twice", () => {
  const e = new Edit(graph());
  const names = [e.uniqueName("t"), e.uniqueName("t"), e.uniqueName("new"), e.uniqueName("new")];
  assert.deepEqual(names, ["t_1", "t_2", "new", "new_1"]);
  assert.throws(() => e.addNodes(node("Relu", "a", ["x"], ["other"])), /two nodes named a/);
});

Deno.test("other inputs and outputs", () => {
  const g = graph();
  const e = new Edit(g);
  e.setInputs([{ name: "img", dtype: "uint8", shape: [2] }]);
  e.addNodes(node("Cast", "cast", ["img"], ["x"], { to: attr.int(1) }));
  e.setOutputs([port("u")]);
  const h = built(e);
  assert.equal(line(h), "cast:img>x a:x>t b:t+c>u");
  assert.deepEqual(h.inputs.map((p) => p.name), ["img"]);
});

Deno.test("captured tensors are uses too", () => {
  const body: Graph = {
    ...graph(),
    inputs: [],
    constants: new Map(),
    types: new Map(),
    nodes: [node("Neg", "inner", ["t"], ["r"])],
    outputs: [port("r")],
  };
  const branch = { type: "graph", value: body } as const;
  const g = graph({
    nodes: [
      ...graph().nodes.slice(0, 3),
      node("If", "if", ["y"], ["z"], { then_branch: branch, else_branch: branch }),
    ],
  });
  const e = new Edit(g);
  assert.deepEqual(e.consumers("t").map((n) => n.name), ["b", "if"]);
  e.removeNode(find(g, "a"));
  e.replaceUses("t", "x");
  const h = built(e);
  const inner = find(h, "if").attrs.get("then_branch");
  assert.equal(inner?.type === "graph" && inner.value.nodes[0]?.inputs[0], "x");
});

Deno.test("domains follow the nodes", () => {
  const g = graph();
  const e = new Edit(g);
  e.replaceNode(find(g, "d"), [node("HzNeg", "d", ["u"], ["y"], {}, "horizon")]);
  assert.deepEqual([...built(e).domains], [["horizon", 1]]);
});

Deno.test("a chain as long as the call stack is deep", () => {
  const nodes = Array.from(
    { length: 50_000 },
    (_, i) => node("Relu", `n${i}`, [i === 0 ? "x" : `t${i - 1}`], [`t${i}`]),
  ).reverse();
  const g = graph({ nodes, outputs: [port("t49999")], constants: new Map(), types: new Map() });
  const e = new Edit(g);
  e.setMetadata("k", "v");
  const h = built(e);
  assert.equal(h.nodes[0]!.name, "n0");
  assert.equal(h.nodes.length, 50_000);
});
