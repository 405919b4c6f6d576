/** Types of If, Loop and Scan from their subgraphs. */

import assert from "node:assert/strict";
import { type Attr, attr, type Graph, type Node, node, OPSET, type Port } from "../ir/graph.ts";
import { i64Scalar, type Tensor, tensor, type TensorType } from "../ir/tensor.ts";
import { inferTypes, inferValues } from "./infer.ts";

interface Parts {
  readonly nodes: readonly Node[];
  readonly inputs?: readonly Port[];
  readonly outputs: readonly string[];
  readonly constants?: ReadonlyMap<string, Tensor>;
}

function port(
  name: string,
  shape: readonly number[],
  dtype: TensorType["dtype"] = "float32",
): Port {
  return { name, dtype, shape };
}

function graph(p: Parts): Graph {
  return {
    name: "g",
    opset: OPSET,
    domains: new Map(),
    nodes: p.nodes,
    inputs: p.inputs ?? [],
    // Ranks that nobody declared: everything must come from inference.
    outputs: p.outputs.map((name) => ({ name, dtype: "float32", shape: [] })),
    constants: p.constants ?? new Map(),
    types: new Map(),
    metadata: new Map(),
  };
}

const body = (g: Graph): Attr => ({ type: "graph", value: g });

function outputType(g: Graph, name = "y"): TensorType | undefined {
  const t = inferTypes(g, { declared: "ignore" }).types.get(name);
  return t && { dtype: t.dtype, shape: t.shape };
}

const pads = (n: number) => tensor("int64", [2], BigInt64Array.of(0n, BigInt(n)));
const padded = (n: number): Graph =>
  graph({
    nodes: [node("Pad", "p", ["x", "pads"], ["out"])],
    outputs: ["out"],
    constants: new Map([["pads", pads(n)]]),
  });

Deno.test("If: what the branches agree on, or the branch that is known to run", () => {
  const build = (condition: Tensor | undefined) =>
    graph({
      nodes: [node("If", "if", ["c"], ["y"], {
        then_branch: body(padded(1)),
        else_branch: body(padded(3)),
      })],
      inputs: [port("x", [4]), ...condition ? [] : [port("c", [], "bool")]],
      outputs: ["y"],
      constants: condition ? new Map([["c", condition]]) : new Map(),
    });
  assert.deepEqual(outputType(build(undefined)), { dtype: "float32", shape: [-1] });
  const bool = (v: number) => tensor("bool", [], Uint8Array.of(v));
  assert.deepEqual(outputType(build(bool(1))), { dtype: "float32", shape: [5] });
  assert.deepEqual(outputType(build(bool(0))), { dtype: "float32", shape: [7] });
});

Deno.test("If: a branch that these shapes do not fit leaves the type to the other branch", () => {
  const build = (first: readonly number[]) =>
    graph({
      nodes: [node("If", "if", ["c"], ["y"], {
        then_branch: body(graph({
          nodes: [node("MatMul", "m", ["x", "w"], ["out"])],
          outputs: ["out"],
          constants: new Map([["w", tensor("float32", first, new Float32Array(15))]]),
        })),
        else_branch: body(padded(3)),
      })],
      inputs: [port("x", [4]), port("c", [], "bool")],
      outputs: ["y"],
    });
  assert.deepEqual(outputType(build([5, 3])), { dtype: "float32", shape: [7] });
});

Deno.test("If: branches of different rank have no common type, of different dtype are an error", () => {
  const flat = (g: Graph, op: string, attrs: Record<string, Attr>): Graph => ({
    ...g,
    nodes: [...g.nodes, node(op, "more", ["out"], ["out2"], attrs)],
    outputs: [{ name: "out2", dtype: "float32", shape: [] }],
  });
  const build = (other: Graph) =>
    graph({
      nodes: [node("If", "if", ["c"], ["y"], {
        then_branch: body(padded(1)),
        else_branch: body(other),
      })],
      inputs: [port("x", [4]), port("c", [], "bool")],
      outputs: ["y"],
    });
  const ranked = flat(padded(1), "Flatten", { axis: attr.int(0) });
  assert.equal(outputType(build(ranked)), undefined);
  const cast = flat(padded(1), "Cast", { to: attr.int(6) });
  assert.throws(() => outputType(build(cast)), {
    code: "shape",
    message: "an output is float32 or int32",
  });
});

Deno.test("If: constants of the chosen branch are the node's values", () => {
  const branch = (v: number) =>
    graph({ nodes: [], outputs: ["k"], constants: new Map([["k", i64Scalar(v)]]) });
  const g = graph({
    nodes: [node("If", "if", ["c"], ["y"], {
      then_branch: body(branch(1)),
      else_branch: body(branch(2)),
    })],
    outputs: ["y"],
    constants: new Map([["c", tensor("bool", [], Uint8Array.of(0))]]),
  });
  assert.equal(inferValues(g, { declared: "ignore" }).values.get("y")?.data[0], 2n);
});

/** A loop whose state grows by `grow` elements each round and whose scan output is the state. */
function looped(grow: number, condition: "none" | "constant" | "computed", trips = 5): Graph {
  const inner = graph({
    nodes: [
      node("Identity", "go", ["cin"], ["cout"]),
      node("Pad", "p", ["s", "pads"], ["s2"]),
      node("Shape", "sh", ["w"], ["row"]),
    ],
    inputs: [port("i", [], "int64"), port("cin", [], "bool"), port("s", [])],
    outputs: ["cout", "s2", "row"],
    constants: new Map([["pads", pads(grow)]]),
  });
  return graph({
    nodes: [node("Loop", "loop", ["m", condition === "none" ? "" : "c", "x"], ["y", "rows"], {
      body: body(inner),
    })],
    inputs: [
      port("x", [4]),
      port("w", [2, 3]),
      ...condition === "computed" ? [port("c", [], "bool")] : [],
    ],
    outputs: ["y", "rows"],
    constants: new Map([
      ["m", i64Scalar(trips)],
      ...condition === "constant" ? [["c", tensor("bool", [], Uint8Array.of(1))] as const] : [],
    ]),
  });
}

Deno.test("Loop: states that change are unknown, scan outputs have the trip count", () => {
  assert.deepEqual(outputType(looped(0, "none"))?.shape, [4]);
  assert.deepEqual(outputType(looped(1, "none"))?.shape, [-1]);
  assert.deepEqual(outputType(looped(0, "none"), "rows"), { dtype: "int64", shape: [5, 2] });
  assert.deepEqual(outputType(looped(0, "constant"), "rows")?.shape, [5, 2]);
  assert.deepEqual(outputType(looped(0, "computed"), "rows")?.shape, [-1, 2]);
});

Deno.test("Loop: many states that push each other along settle in a few rounds", () => {
  // State i takes the value of state i - 1, which grows: one more state changes in each round.
  const count = 200;
  const names = Array.from({ length: count }, (_, i) => `s${i}`);
  const inner = graph({
    nodes: [
      node("Pad", "p", ["s0", "pads"], ["r0"]),
      ...names.slice(1).map((_, i) => node("Identity", `i${i}`, [`s${i}`], [`r${i + 1}`])),
    ],
    inputs: [port("i", [], "int64"), port("cin", [], "bool"), ...names.map((n) => port(n, []))],
    outputs: ["cin", ...names.map((_, i) => `r${i}`)],
    constants: new Map([["pads", pads(1)]]),
  });
  const g = graph({
    nodes: [
      node("Loop", "loop", ["m", "", ...names.map(() => "x")], names.map((_, i) => `y${i}`), {
        body: body(inner),
      }),
    ],
    inputs: [port("x", [4]), port("m", [], "int64")],
    outputs: ["y0"],
  });
  assert.deepEqual(outputType(g, "y0")?.shape, [-1]);
  assert.deepEqual(outputType(g, `y${count - 1}`)?.shape, [-1]);
});

Deno.test("Loop: deep nests are not followed", () => {
  let g = looped(1, "none");
  for (let i = 0; i < 20; i++) {
    const inner: Graph = { ...g, inputs: [port("i", [], "int64"), port("cin", [], "bool")] };
    g = graph({
      nodes: [node("Loop", "l", ["m", ""], ["y"], {
        body: body({ ...inner, outputs: [{ ...inner.inputs[1]! }, ...inner.outputs.slice(0, 1)] }),
      })],
      inputs: [port("x", [4]), port("w", [2, 3])],
      outputs: ["y"],
      constants: new Map([["m", i64Scalar(2)]]),
    });
  }
  assert.equal(outputType(g), undefined);
});

Deno.test("Scan: the scanned axis goes out where it is asked for", () => {
  const inner = graph({
    nodes: [node("Add", "a", ["s", "e"], ["s2"]), node("Identity", "i", ["e"], ["e2"])],
    inputs: [port("s", []), port("e", [])],
    outputs: ["s2", "e2"],
  });
  const build = (attrs: Record<string, Attr>) =>
    graph({
      nodes: [node("Scan", "scan", ["s0", "xs"], ["y", "ys"], {
        num_scan_inputs: attr.int(1),
        body: body(inner),
        ...attrs,
      })],
      inputs: [port("s0", [2, 3]), port("xs", [2, 7, 3])],
      outputs: ["y", "ys"],
    });
  const g = build({ scan_input_axes: attr.ints([1]), scan_output_axes: attr.ints([-1]) });
  assert.deepEqual(outputType(g)?.shape, [2, 3]);
  assert.deepEqual(outputType(g, "ys")?.shape, [2, 3, 7]);
  assert.throws(() => outputType(build({ num_scan_inputs: attr.int(3) })), {
    code: "shape",
    message: "num_scan_inputs 3 does not fit 2 inputs",
  });
});

Deno.test("sequences have no type, their length has", () => {
  const g = graph({
    nodes: [
      node("SplitToSequence", "s", ["x"], ["q"]),
      node("SequenceLength", "l", ["q"], ["n"]),
      node("SequenceAt", "a", ["q", "n"], ["e"]),
    ],
    inputs: [port("x", [4])],
    outputs: ["n"],
  });
  assert.deepEqual(outputType(g, "n"), { dtype: "int64", shape: [] });
  assert.equal(outputType(g, "e"), undefined);
});
