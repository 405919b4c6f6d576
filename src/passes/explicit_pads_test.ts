import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { explicitPads } from "./explicit_pads.ts";
import { apply, graphOf, Rng } from "./test_support.ts";

Deno.test("auto_pad becomes pads, for every mode, stride and dilation", async () => {
  const rng = new Rng(1);
  for (const auto of ["SAME_UPPER", "SAME_LOWER", "VALID"]) {
    for (const [strides, kernel] of [[[1, 1], [2, 3]], [[2, 3], [3, 4]]]) {
      for (const op of ["Conv", "MaxPool", "AveragePool"]) {
        const g = graphOf({
          inputs: { x: [1, 2, 9, 8] },
          outputs: ["y"],
          nodes: [
            node(op, "n", op === "Conv" ? ["x", "w"] : ["x"], ["y"], {
              kernel_shape: attr.ints(kernel!),
              strides: attr.ints(strides!),
              auto_pad: attr.string(auto),
            }),
          ],
          constants: { w: rng.f32([3, 2, ...kernel!]) },
        });
        const r = await apply(explicitPads, g);
        assert.equal(r.fired, 1);
        assert.equal(r.graph.nodes[0]!.attrs.get("auto_pad"), undefined);
      }
    }
  }
});

Deno.test("ceil_mode goes where it adds no window, and stays where it does", async () => {
  const pool = (op: string, size: number, kernel: number, stride: number, pad: number) =>
    graphOf({
      inputs: { x: [1, 1, size, size] },
      outputs: ["y"],
      nodes: [node(op, "n", ["x"], ["y"], {
        kernel_shape: attr.ints([kernel, kernel]),
        strides: attr.ints([stride, stride]),
        pads: attr.ints([pad, pad, pad, pad]),
        ceil_mode: attr.int(1),
      })],
    });
  for (const op of ["MaxPool", "AveragePool"]) {
    const exact = await apply(explicitPads, pool(op, 8, 2, 2, 0));
    assert.equal(exact.fired, 1);
    assert.equal(exact.graph.nodes[0]!.attrs.get("ceil_mode"), undefined);
    assert.equal(explicitPads.run(pool(op, 7, 2, 2, 0)).fired, 0);
  }
});
