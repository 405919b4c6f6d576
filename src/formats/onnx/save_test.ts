import assert from "node:assert/strict";
import { fromBinary } from "../../deps.ts";
import { attr, type Graph, node, OPSET } from "../../ir/graph.ts";
import { f32, i64 } from "../../ir/tensor.ts";
import { ModelProtoSchema } from "./gen/onnx_pb.ts";
import { loadOnnx } from "./load.ts";
import { saveOnnx } from "./save.ts";

function graph(order: "forward" | "backward" = "forward"): Graph {
  const turned = <T>(list: T[]) => order === "forward" ? list : list.reverse();
  const type = { dtype: "float32", shape: [1, 2] } as const;
  return {
    name: "g",
    opset: OPSET,
    domains: new Map(turned([["horizon", 1], ["a.b", 3]])),
    nodes: [
      node(
        "Gather",
        "gather",
        ["x", "i"],
        ["t"],
        new Map(turned([
          ["axis", attr.int(1)],
          ["note", attr.strings(["p", "q"])],
        ])),
      ),
      node("HzThing", "thing", ["t"], ["u"], {
        f: attr.float(0.1),
        fs: attr.floats([1, -Infinity]),
        is: attr.ints([-1, 2]),
        s: attr.string("ü"),
        t: attr.tensor(f32([2], [1, 2])),
      }, "horizon"),
      node("Add", "add", ["u", "c", ""], ["y"]),
    ],
    inputs: [{ name: "x", ...type }],
    outputs: [{ name: "y", ...type }],
    constants: new Map([["i", i64([1, 0])], ["c", f32([], [2])]]),
    types: new Map(turned([["x", type], ["t", type], ["u", type], ["y", type]])),
    metadata: new Map(turned([["b", "2"], ["a", "1"]])),
  };
}

Deno.test("what is saved is loaded again", () => {
  const g = graph();
  const loaded = loadOnnx(saveOnnx(g));
  // Float attributes are float32 in a file.
  const expected = structuredClone(g.nodes[1]!.attrs) as Map<string, unknown>;
  expected.set("f", attr.float(Math.fround(0.1)));
  assert.deepEqual(loaded.nodes[1]!.attrs, expected);
  assert.deepEqual({ ...loaded, nodes: [], domains: 0 }, { ...g, nodes: [], domains: 0 });
  assert.deepEqual(loadOnnx(saveOnnx(loaded)), loaded);
});

Deno.test("the order of maps does not show in the file", () => {
  assert.deepEqual(saveOnnx(graph("backward")), saveOnnx(graph("forward")));
});

Deno.test("IR 8, the domains in use, types for every tensor, sorted metadata", () => {
  const m = fromBinary(ModelProtoSchema, saveOnnx(graph()));
  assert.equal(m.irVersion, 8n);
  assert.equal(m.producerName, "bpukit");
  assert.deepEqual(m.opsetImport.map((o) => [o.domain, o.version]), [["", 17n], ["horizon", 1n]]);
  assert.deepEqual(m.graph!.valueInfo.map((v) => v.name), ["t", "u"]);
  assert.deepEqual(m.metadataProps.map((p) => p.key), ["a", "b"]);
  assert.deepEqual(m.graph!.initializer.map((t) => t.rawData?.length), [16, 4]);
});
