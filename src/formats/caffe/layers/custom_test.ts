import { strict as assert } from "node:assert";
import { BpuError } from "../../../errors.ts";
import { loadCaffe } from "../load.ts";
import { encodeModel } from "../testing/encode.ts";

const net = (param: string) =>
  `input: "x" input_dim: [1, 3, 4, 4]
layer { name: "sample" type: "Custom" bottom: "x" top: "y" custom_param { ${param} } }`;
const model = encodeModel([{ name: "sample", blobs: [] }]);

Deno.test("Custom becomes a PyOp with typed attributes", () => {
  const graph = loadCaffe(
    net(`kind: "Sample" shape { dim: 1 dim: 3 dim: 2 dim: 2 }
      params: "'kernel_size': 10 \\n'threshold': 0.5, 'mode': 'fast'\\n'flag': True"`),
    model,
  );
  const n = graph.nodes[0]!;
  assert.deepEqual([n.op, n.name, n.domain], ["PyOp", "sample", "horizon.custom"]);
  assert.equal(graph.domains.get("horizon.custom"), 1);
  assert.deepEqual(graph.outputs, [{ name: "y", dtype: "float32", shape: [1, 3, 2, 2] }]);
  assert.deepEqual(n.attrs.get("kernel_size"), { type: "int", value: 10 });
  assert.deepEqual(n.attrs.get("threshold"), { type: "float", value: 0.5 });
  assert.deepEqual(n.attrs.get("mode"), { type: "string", value: "fast" });
  assert.deepEqual(n.attrs.get("flag"), { type: "int", value: 1 });
  assert.deepEqual(n.attrs.get("class_name"), { type: "string", value: "Sample" });
});

Deno.test("Custom refuses a missing kind, shape or malformed params", () => {
  for (
    const param of [`shape { dim: 1 }`, `kind: "A"`, `kind: "A" shape { dim: 1 } params: "x=1"`]
  ) {
    assert.throws(() => loadCaffe(net(param), model), BpuError);
  }
});
