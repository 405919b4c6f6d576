import { deepEqual, equal, throws } from "node:assert/strict";
import { node } from "../ir/graph.ts";
import { f32, tensor } from "../ir/tensor.ts";
import { graphOf, ramp } from "../quantize/testing.ts";
import { loadQuantized } from "./load_quantized.ts";

const constants = {
  s: f32([], [0.5]),
  z: tensor("int8", [], Int8Array.of(0)),
  w: ramp([2, 2, 1, 1]),
};
const quantized = graphOf(
  [
    node("QuantizeLinear", "q", ["x", "s", "z"], ["xq"]),
    node("DequantizeLinear", "d", ["xq", "s", "z"], ["xd"]),
    node("Conv", "c", ["xd", "w"], ["y"]),
  ],
  { x: [1, 2, 3, 3] },
  ["y"],
  constants,
);

Deno.test("load takes the scales of a quantized model, other types only its float form", () => {
  const lines: string[] = [];
  const loaded = loadQuantized(quantized, { calibration: { type: "load" } }, (l) => lines.push(l));
  deepEqual(loaded.graph.nodes.map((n) => n.op), ["Conv"]);
  const [plan] = [...loaded.tensors.values()];
  equal(plan!.threshold, 63.5);
  equal(plan!.dtype, "int8");
  const other = loadQuantized(quantized, { calibration: { type: "kl" } }, () => undefined);
  deepEqual(other.graph.nodes.map((n) => n.op), ["Conv"]);
  equal(other.tensors.size, 0);
  equal(lines.length, 1);
});

Deno.test("load on a float model is refused with the way out", () => {
  const float = graphOf([node("Relu", "r", ["x"], ["y"])], { x: [1, 2] }, ["y"]);
  throws(
    () => loadQuantized(float, { calibration: { type: "load" } }, () => undefined),
    /needs a quantized model/,
  );
});
