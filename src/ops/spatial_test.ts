// Output sizes of pooling with ceil_mode are onnxruntime's: a last window that starts behind the input and
// its padding does not exist (as in PyTorch, and in ONNX since opset 19).
import assert from "node:assert/strict";
import { loadOnnx } from "../formats/onnx/load.ts";
import { runOrt, testModel } from "../formats/onnx/test_models.ts";
import { attr, node } from "../ir/graph.ts";
import { f32 } from "../ir/tensor.ts";
import { inferTypes } from "./infer.ts";

Deno.test("sizes of pooling with ceil_mode are onnxruntime's", async () => {
  let dropped = 0, cases = 0;
  for (const op of ["MaxPool", "AveragePool"]) {
    for (
      const [kernel, stride, begin, end] of [
        [1, 3, 0, 0],
        [2, 3, 1, 1],
        [3, 2, 1, 1],
        [2, 4, 0, 1],
        [3, 3, 2, 0],
        [3, 3, 0, 2],
      ] as const
    ) {
      for (let size = 2; size <= 9; size++) {
        const bytes = testModel({
          opset: 17,
          nodes: [node(op, "pool", ["x"], ["y"], {
            kernel_shape: attr.ints([kernel]),
            strides: attr.ints([stride]),
            pads: attr.ints([begin, end]),
            ceil_mode: attr.int(1),
          })],
          inputs: [{ name: "x", shape: [1, 1, size] }],
          outputs: [{ name: "y" }],
          initializers: new Map(),
        });
        const x = f32([1, 1, size], Array.from({ length: size }, (_, i) => i));
        const want = (await runOrt(bytes, new Map([["x", x]]))).get("y")!.shape;
        const g = inferTypes(loadOnnx(bytes), { declared: "ignore" });
        assert.deepEqual(g.outputs[0]?.shape, want, `${op} ${[size, kernel, stride, begin, end]}`);
        cases++;
        if (Math.ceil((size + begin + end - kernel) / stride) + 1 > want[2]!) dropped++;
      }
    }
  }
  assert.ok(dropped > 5, `${dropped} of ${cases} drop their last window`);
});
