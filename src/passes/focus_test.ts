import assert from "node:assert/strict";
import { attr, type Node, node } from "../ir/graph.ts";
import { i64 } from "../ir/tensor.ts";
import { focus } from "./focus.ts";
import { apply, graphOf, ops, Rng, why } from "./test_support.ts";

const rng = new Rng(1);
const constants = {
  zero: i64([0]),
  one: i64([1]),
  two: i64([2]),
  end: i64([2 ** 40]),
  h: i64([2]),
  w: i64([-1]),
  both: i64([2, 3]),
  s00: i64([0, 0]),
  s01: i64([0, 1]),
  s10: i64([1, 0]),
  s11: i64([1, 1]),
  ends: i64([2 ** 40, 2 ** 40]),
  twos: i64([2, 2]),
  weight: rng.f32([5, 12, 3, 3]),
  other: rng.f32([2, 12, 1, 1]),
};

/** Slices in the order given, as one Slice on H and W or as two. */
function slices(order: readonly string[], split: boolean): Node[] {
  return [...new Set(order)].flatMap((o) =>
    split
      ? [
        node("Slice", `h${o}`, ["x", o[0] === "1" ? "one" : "zero", "end", "h", "two"], [`a${o}`]),
        node("Slice", `w${o}`, [`a${o}`, o[1] === "1" ? "one" : "zero", "end", "w", "two"], [
          `s_${o}`,
        ]),
      ]
      : [node("Slice", `s${o}`, ["x", `s${o}`, "ends", "both", "twos"], [`s_${o}`])]
  );
}

function build(order: readonly string[], split: boolean, tail: Node[], outputs: string[]) {
  return graphOf({
    inputs: { x: [2, 3, 8, 6] },
    outputs,
    nodes: [
      ...slices(order, split),
      node("Concat", "cat", order.map((o) => `s_${o}`), ["f"], { axis: attr.int(1) }),
      ...tail,
    ],
    constants,
  });
}

const YOLOX = ["00", "10", "01", "11"];
const PLAIN = ["00", "01", "10", "11"];
const convs = [
  node("Conv", "conv", ["f", "weight"], ["y"], { pads: attr.ints([1, 1, 1, 1]) }),
  node("Conv", "other", ["f", "other"], ["z"]),
];

Deno.test("Focus in front of convolutions becomes SpaceToDepth, in any order of slices", async () => {
  for (const order of [YOLOX, PLAIN, ["11", "10", "01", "00"]]) {
    for (const split of [false, true]) {
      const r = await apply(focus, build(order, split, convs, ["y", "z"]));
      assert.equal(ops(r.graph), "SpaceToDepth Conv Conv");
      assert.equal(r.graph.nodes[0]!.name, "cat");
    }
  }
});

Deno.test("without convolutions only the order of SpaceToDepth itself is replaced", async () => {
  const plain = await apply(focus, build(PLAIN, true, [], ["f"]), 0);
  assert.equal(ops(plain.graph), "SpaceToDepth");
  const yolox = await apply(focus, build(YOLOX, false, [node("Relu", "r", ["f"], ["y"])], ["y"]));
  assert.equal(yolox.fired, 0);
  assert.match(why(yolox, "cat"), /cannot be given to r \(Relu\)/);
});

Deno.test("a slice twice, or too few, is no Focus", async () => {
  for (const order of [["00", "00", "01", "11"], ["00", "01"]]) {
    const r = await apply(focus, build(order, true, [], ["f"]), 0);
    assert.equal(r.fired, 0);
  }
});
