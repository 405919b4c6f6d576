import { strict as assert } from "node:assert";
import { check } from "../testing/harness.ts";
import { at, build, reorg } from "../testing/reference.ts";

Deno.test("Reorg walks memory as Darknet does", async () => {
  for (const [shape, s] of [[[2, 8, 4, 6], 2], [[1, 9, 3, 6], 3]] as const) {
    for (const reverse of [false, true]) {
      await check({
        layer: `type: "Reorg" reorg_param { stride: ${s} reverse: ${reverse} }`,
        inputs: [shape],
        expected: ([x]) => [reorg(x!, s, reverse)],
      });
    }
  }
});

Deno.test("PassThrough: blocks become channels, in both orders", async () => {
  for (const mode of ["", "mode: CRD"]) {
    const graph = await check({
      layer: `type: "PassThrough" pass_through_param { block_height: 2 block_width: 2 ${mode} }`,
      inputs: [[2, 3, 4, 6]],
      expected: ([x]) => [
        build([2, 12, 2, 3], (n, k, h, w) => {
          const [c, part] = mode === "" ? [k % 3, Math.floor(k / 3)] : [Math.floor(k / 4), k % 4];
          return at(x!, n, c, h * 2 + Math.floor(part / 2), w * 2 + part % 2);
        }),
      ],
    });
    if (mode === "") assert.deepEqual(graph.nodes.map((n) => n.op), ["SpaceToDepth"]);
  }
});

Deno.test("ShuffleChannel: the groups take turns", async () => {
  await check({
    layer: `type: "ShuffleChannel" shuffle_channel_param { group: 3 }`,
    inputs: [[2, 6, 2, 2]],
    expected: ([x]) => [
      build([2, 6, 2, 2], (n, c, h, w) => at(x!, n, (c % 3) * 2 + Math.floor(c / 3), h, w)),
    ],
  });
});
