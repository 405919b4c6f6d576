import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { reduceMeanToPool } from "./reduce_mean_to_pool.ts";
import { apply, graphOf, ops, why } from "./test_support.ts";

function single(op: string, attrs: Parameters<typeof node>[4]) {
  return graphOf({
    inputs: { x: [2, 3, 4, 5] },
    outputs: ["y"],
    nodes: [node(op, "n", ["x"], ["y"], attrs)],
  });
}

Deno.test("means and maxima over the picture become global poolings", async () => {
  for (const [op, pool] of [["Mean", "GlobalAveragePool"], ["Max", "GlobalMaxPool"]]) {
    for (const axes of [[2, 3], [-1, -2]]) {
      const keep = await apply(reduceMeanToPool, single(`Reduce${op}`, { axes: attr.ints(axes) }));
      assert.equal(ops(keep.graph), pool);
      const drop = await apply(
        reduceMeanToPool,
        single(`Reduce${op}`, { axes: attr.ints(axes), keepdims: attr.int(0) }),
      );
      assert.equal(ops(drop.graph), `${pool} Reshape`);
      assert.equal(drop.graph.nodes[0]!.name, "n");
    }
  }
});

Deno.test("a pooling window as large as the picture is global, a padded one is not", async () => {
  const kernel = { kernel_shape: attr.ints([4, 5]) };
  assert.equal(
    ops((await apply(reduceMeanToPool, single("AveragePool", kernel))).graph),
    "GlobalAveragePool",
  );
  const padded = await apply(
    reduceMeanToPool,
    single("AveragePool", {
      ...kernel,
      pads: attr.ints([1, 0, 0, 0]),
      strides: attr.ints([4, 4]),
    }),
  );
  assert.match(why(padded, "n"), /padding/);
});

Deno.test("means over other dimensions stay", async () => {
  for (const axes of [[1], [3], [1, 2, 3]]) {
    const r = await apply(reduceMeanToPool, single("ReduceMean", { axes: attr.ints(axes) }));
    assert.equal(r.fired, 0);
  }
});
