import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { f32, type Tensor } from "../ir/tensor.ts";
import { foldScalarAffine } from "./fold_scalar_affine.ts";
import { swapAffine } from "./swap_affine.ts";
import { apply, graphOf, ops, Rng, why } from "./test_support.ts";

const rng = new Rng(1);

function build(ops2: [string, string], s: Tensor, t: Tensor, outputs = ["y"], reader = "Conv") {
  return graphOf({
    inputs: { x: [1, 3, 5, 5] },
    outputs,
    nodes: [
      node("HardSwish", "act", ["x"], ["a"]),
      node(ops2[0], "scale", ["a", "s"], ["b"]),
      node(ops2[1], "shift", ["b", "t"], ["c"]),
      reader === "Conv"
        ? node("Conv", "conv", ["c", "w"], ["y"], { pads: attr.ints([1, 1, 1, 1]) })
        : node(reader, "conv", ["c"], ["y"]),
    ],
    constants: { s, t, w: rng.f32([2, 3, 3, 3]) },
  });
}

Deno.test("the scale goes through the shift and into the padded convolution", async () => {
  for (const names of [["Mul", "Add"], ["Div", "Sub"]] as [string, string][]) {
    for (const shape of [[], [3, 1, 1], [1]]) {
      const g = build(names, rng.f32(shape, 0.5, 1), rng.f32([1, 3, 1, 1]));
      const swapped = await apply(swapAffine, g);
      assert.equal(ops(swapped.graph), "HardSwish Add Mul Conv");
      const folded = await apply(foldScalarAffine, swapped.graph);
      assert.equal(ops(folded.graph), "HardSwish Add Conv");
      assert.equal(folded.graph.nodes[1]!.name, "shift");
    }
  }
});

Deno.test("nothing moves where no convolution takes it, or the scale is next to zero", async () => {
  const t = rng.f32([]);
  const other = await apply(swapAffine, build(["Mul", "Add"], f32([], [2]), t, ["y"], "Relu"));
  assert.match(why(other, "shift"), /no weights to fold into/);
  const small = await apply(swapAffine, build(["Mul", "Add"], f32([], [1e-9]), t));
  assert.match(why(small, "shift"), /next to zero/);
  const output = await apply(swapAffine, build(["Mul", "Add"], f32([], [2]), t, ["y", "c"]));
  assert.equal(output.fired, 0);
});
