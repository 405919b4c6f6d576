/**
 * Writes `squash.onnx` (two convolutions with a custom operator between them) and two calibration
 * samples, as an exporter would.
 *
 *     deno run --allow-write=. make_model.ts
 *
 * @module
 */

import { attr, node, saveOnnx } from "../../mod.ts";
import type { Graph, Tensor } from "../../mod.ts";

/** Numbers that look random and are the same everywhere. */
function values(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    const v = (Math.imul(i + 1, 2654435761) ^ Math.imul(seed, 40503)) >>> 0;
    return v / 2 ** 31 - 1;
  });
}

function constant(shape: number[], seed: number): Tensor {
  return { dtype: "float32", shape, data: values(shape.reduce((a, b) => a * b, 1), seed) };
}

const pads = { pads: attr.ints([1, 1, 1, 1]), kernel_shape: attr.ints([3, 3]) };

/** The model. */
export const model: Graph = {
  name: "squash",
  opset: 17,
  domains: new Map([["horizon.custom", 1]]),
  nodes: [
    node("Conv", "conv1", ["data", "w1"], ["c"], pads),
    node("PyOp", "squash", ["c"], ["s"], {
      class_name: attr.string("Squash"),
      module: attr.string("squash"),
      compute: attr.string("compute"),
      input_types: attr.ints([1]),
      output_types: attr.ints([1]),
      softness: attr.float(0.5),
    }, "horizon.custom"),
    node("Conv", "conv2", ["s", "w2"], ["y"], { kernel_shape: attr.ints([1, 1]) }),
  ],
  inputs: [{ name: "data", dtype: "float32", shape: [1, 3, 8, 8] }],
  outputs: [{ name: "y", dtype: "float32", shape: [1, 5, 8, 8] }],
  constants: new Map([["w1", constant([4, 3, 3, 3], 1)], ["w2", constant([5, 4, 1, 1], 2)]]),
  types: new Map(),
  metadata: new Map(),
};

if (import.meta.main) {
  Deno.writeFileSync("squash.onnx", saveOnnx(model));
  Deno.mkdirSync("calibration", { recursive: true });
  for (const seed of [3, 4]) {
    const sample = values(192, seed);
    Deno.writeFileSync(`calibration/${seed}.bin`, new Uint8Array(sample.buffer));
  }
}
