import assert from "node:assert/strict";
import { type Attr, attr, node } from "../ir/graph.ts";
import type { TensorType } from "../ir/tensor.ts";
import { inferContext } from "./context.ts";
import { opOf } from "./registry.ts";

function macs(
  op: string,
  shapes: readonly (readonly number[])[],
  attrs: Record<string, Attr> = {},
) {
  const types = new Map<string, TensorType>(
    shapes.map((shape, i) => [`x${i}`, { dtype: "float32", shape }]),
  );
  const n = node(op, op, [...types.keys()], ["y"], attrs);
  const c = inferContext(n, { type: (name) => types.get(name), value: () => undefined });
  const def = opOf(n)!;
  const outputs = def.infer(c);
  return def.macs!({ ...c, output: (i) => outputs[i]! });
}

Deno.test("multiply-accumulates of one run", () => {
  const strides = attr.ints([2, 2]);
  assert.equal(macs("Conv", [[1, 8, 10, 10], [16, 8, 3, 3]]), 64 * 16 * 72);
  assert.equal(
    macs("Conv", [[2, 8, 10, 10], [8, 1, 3, 3]], { group: attr.int(8) }),
    2 * 64 * 8 * 9,
  );
  assert.equal(macs("ConvTranspose", [[1, 8, 5, 5], [8, 4, 2, 2]], { strides }), 200 * 16);
  assert.equal(macs("Gemm", [[3, 7], [5, 7]], { transB: attr.int(1) }), 3 * 5 * 7);
  assert.equal(macs("MatMul", [[2, 3, 4, 5], [5, 6]]), 2 * 3 * 4 * 6 * 5);
  assert.equal(macs("MaxPool", [[1, 2, 6, 6]], { kernel_shape: attr.ints([3, 2]), strides }), 72);
  assert.equal(macs("GlobalAveragePool", [[1, 2, 6, 6]]), 72);
  assert.equal(macs("LSTM", [[5, 1, 3], [1, 16, 3], [1, 16, 4]]), 5 * 16 * 7);
});
