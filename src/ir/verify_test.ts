import assert from "node:assert/strict";
import { BpuError } from "../errors.ts";
import { attr, type Graph, node, OPSET } from "./graph.ts";
import { f32 } from "./tensor.ts";
import { verify } from "./verify.ts";

const port = (name: string, shape: readonly number[] = [2]) => ({
  name,
  dtype: "float32" as const,
  shape,
});

function graph(changes: Partial<Graph> = {}): Graph {
  return {
    name: "g",
    opset: OPSET,
    domains: new Map(),
    nodes: [node("Add", "add", ["x", "c"], ["t"]), node("Relu", "relu", ["t"], ["y"])],
    inputs: [port("x")],
    outputs: [port("y")],
    constants: new Map([["c", f32([2], [1, 2])]]),
    types: new Map([["t", { dtype: "float32", shape: [2] }]]),
    metadata: new Map(),
    ...changes,
  };
}

function fails(g: Graph, pattern: RegExp, names: string): void {
  assert.throws(() => verify(g), (e) => {
    assert.ok(e instanceof BpuError && e.code === "model", String(e));
    assert.match(e.message, pattern);
    assert.ok(e.sentence().includes(names), `${e.sentence()} names ${names}`);
    return true;
  });
}

Deno.test("a well-formed graph passes", () => {
  verify(graph());
  verify(graph({ outputs: [port("y"), port("x")] })); // an input may be shown
});

Deno.test("node names", () => {
  const [a, b] = graph().nodes;
  fails(graph({ nodes: [a!, { ...b!, name: "add" }] }), /same name/, "add");
  fails(graph({ nodes: [a!, { ...b!, name: "" }] }), /no name/, "Relu");
});

Deno.test("every tensor is produced once, before it is read", () => {
  const [a, b] = graph().nodes;
  fails(graph({ nodes: [b!, a!] }), /topological/, "tensor t");
  fails(graph({ nodes: [b!] }), /nothing produces/, "tensor t");
  fails(graph({ nodes: [a!, { ...a!, name: "again" }, b!] }), /produced twice/, "again");
  fails(graph({ nodes: [node("Relu", "own", ["z"], ["z"])] }), /topological/, "own");
  fails(graph({ nodes: [node("Relu", "own", ["x"], ["c"])] }), /produced twice/, "tensor c");
  fails(graph({ inputs: [port("x"), port("c")] }), /produced twice/, "tensor c");
  fails(graph({ outputs: [port("other")] }), /nothing produces/, "other");
  fails(graph({ outputs: [port("y"), port("y")] }), /same name/, "y");
  fails(graph({ inputs: [port("x"), port("x")] }), /produced twice/, "x");
});

Deno.test("shapes and data", () => {
  fails(graph({ inputs: [port("x", [-2])] }), /shape/, "x");
  fails(graph({ inputs: [port("x", [1.5])] }), /shape/, "x");
  fails(graph({ types: new Map([["t", { dtype: "float32", shape: [NaN] }]]) }), /shape/, "t");
  const short = { dtype: "float32", shape: [3], data: new Float32Array(2) } as const;
  fails(graph({ constants: new Map([["c", short]]) }), /does not fit/, "c");
  const open = { dtype: "float32", shape: [-1], data: new Float32Array(2) } as const;
  fails(graph({ constants: new Map([["c", open]]) }), /shape/, "c");
});

Deno.test("attributes hold what their type says", () => {
  const [a, b] = graph().nodes;
  const bad = [attr.int(1.5), attr.ints([2 ** 60]), attr.int(NaN)];
  for (const v of bad) {
    fails(graph({ nodes: [a!, { ...b!, attrs: new Map([["k", v]]) }] }), /attribute k/, "relu");
  }
});

Deno.test("subgraphs see the tensors around them, no others", () => {
  const body = (input: string): Graph => ({
    ...graph(),
    inputs: [],
    constants: new Map(),
    types: new Map(),
    nodes: [node("Relu", "inner", [input], ["r"])],
    outputs: [port("r")],
  });
  const branch = (input: string): Graph =>
    graph({
      nodes: [
        graph().nodes[0]!,
        node("If", "if", ["x"], ["y"], {
          then_branch: { type: "graph", value: body("t") },
          else_branch: { type: "graph", value: body(input) },
        }),
      ],
    });
  verify(branch("c"));
  fails(branch("nowhere"), /nothing produces/, "nowhere");
  fails(branch("y"), /nothing produces/, "inner");
});
