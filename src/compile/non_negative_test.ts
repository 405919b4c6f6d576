import { deepEqual } from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { quantize } from "../quantize/quantize.ts";
import { graphOf, planFor, ramp } from "../quantize/testing.ts";
import { markNonNegative } from "./non_negative.ts";

Deno.test("convolutions behind Relu, Sigmoid and pooling of them are marked, others are not", () => {
  const conv = (name: string, x: string, y: string) => node("Conv", name, [x, "w"], [y]);
  const g = graphOf(
    [
      conv("raw", "x", "a"),
      conv("signed", "a", "b"),
      node("Relu", "r", ["b"], ["c"]),
      node("MaxPool", "p", ["c"], ["d"], { kernel_shape: attr.ints([2, 2]) }),
      conv("pooled", "d", "e"),
      node("Sigmoid", "s", ["e"], ["f"]),
      node("Pad", "pad", ["f", "pads", "minus"], ["h"]),
      conv("padded", "h", "i"),
      conv("table", "f", "j"),
      node("Pad", "grow", ["j", "pads", "zero"], ["j_padded"]),
      node("Add", "sum", ["i", "j_padded"], ["y"]),
    ],
    { x: [1, 4, 9, 9] },
    ["y"],
    {
      w: ramp([4, 4, 1, 1]),
      pads: { dtype: "int64", shape: [8], data: BigInt64Array.of(0n, 0n, 1n, 1n, 0n, 0n, 1n, 1n) },
      minus: { dtype: "float32", shape: [], data: Float32Array.of(-1) },
      zero: { dtype: "float32", shape: [], data: Float32Array.of(0) },
    },
  );
  const marked = markNonNegative(quantize(g, planFor(g)).graph).nodes
    .filter((n) => n.attrs.has("non_negative")).map((n) => n.name);
  deepEqual(marked, ["pooled", "table"]);
});
