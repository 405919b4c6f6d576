import assert from "node:assert/strict";
import { node } from "../ir/graph.ts";
import { f32, numbersOf } from "../ir/tensor.ts";
import { compose, mergeClip } from "./merge_clip.ts";
import { apply, graphOf, ops, Rng, why } from "./test_support.ts";

const INPUT = { x: [2, 3, 4] };

Deno.test("composition of limits is the function of both, also where they do not overlap", () => {
  const f = (lo: number, hi: number, v: number) => Math.min(hi, Math.max(lo, v));
  const limits = [-Infinity, -2, -1, 0, 1, 2, Infinity];
  for (const a of limits) {
    for (const b of limits) {
      for (const c of limits) {
        for (const d of limits) {
          const r = compose({ x: "", lo: a, hi: b }, { x: "", lo: c, hi: d });
          for (let v = -3; v <= 3; v += 0.5) {
            const want = f(c, d, f(a, b, v));
            // Limits in the wrong order make constants; then lo = hi = that constant.
            if (a <= b && c <= d) assert.equal(f(r.lo, r.hi, v), want, `${[a, b, c, d, v]}`);
          }
        }
      }
    }
  }
});

Deno.test("chains become one Relu or Clip that keeps the first name and the last output", async () => {
  const ops1 = ["Relu", "Clip", "Max", "Min"];
  for (let seed = 0; seed < 20; seed++) {
    const pick = new Rng(seed);
    const nodes = [];
    let x = "x";
    const count = pick.int(1, 4);
    for (let i = 0; i < count; i++) {
      const op = pick.pick(ops1);
      const inputs = op === "Relu" ? [x] : op === "Clip" ? [x, "lo", "hi"] : pick.pick([
        [x, pick.pick(["lo", "zero", "hi"])],
        ["zero", x],
      ]);
      nodes.push(node(op, `n${i}`, inputs, [`t${i}`]));
      x = `t${i}`;
    }
    const g = graphOf({
      inputs: INPUT,
      outputs: [x],
      nodes,
      constants: { lo: f32([], [-0.5]), hi: f32([], [0.75]), zero: f32([1], [0]) },
    });
    let r = await apply(mergeClip, g, 0);
    for (let i = 0; i < 4; i++) r = await apply(mergeClip, r.graph, 0);
    assert.equal(r.graph.nodes.length, 1, ops(g));
    assert.equal(r.graph.nodes[0]!.name, "n0");
    assert.match(ops(r.graph), /^(Relu|Clip)$/);
  }
});

Deno.test("Relu6 written as Max and Min, and Clip up to FLT_MAX", async () => {
  const g = graphOf({
    inputs: INPUT,
    outputs: ["y", "z"],
    nodes: [
      node("Max", "max", ["x", "zero"], ["a"]),
      node("Min", "min", ["six", "a"], ["y"]),
      node("Clip", "clip", ["x", "zero", "top"], ["z"]),
    ],
    constants: {
      zero: f32([], [0]),
      six: f32([], [6]),
      top: f32([], [3.4028234663852886e38]),
    },
  });
  const r = await apply(mergeClip, g, 0);
  const again = await apply(mergeClip, r.graph, 0);
  assert.equal(ops(again.graph), "Clip Relu");
  const clip = again.graph.nodes[0]!;
  assert.equal(clip.name, "max");
  assert.deepEqual(clip.inputs.slice(1).map((i) => numbersOf(again.graph.constants.get(i)!)[0]), [
    0,
    6,
  ]);
});

Deno.test("a shared first limit stays; a second one that changes nothing goes", async () => {
  const g = graphOf({
    inputs: INPUT,
    outputs: ["a", "b", "c"],
    nodes: [
      node("Relu", "relu", ["x"], ["a"]),
      node("Clip", "clip", ["a", "", "six"], ["b"]),
      node("Relu", "again", ["a"], ["t"]),
      node("Neg", "neg", ["t"], ["c"]),
    ],
    constants: { six: f32([], [1]) },
  });
  const r = await apply(mergeClip, g, 0);
  assert.equal(ops(r.graph), "Relu Clip Neg");
  assert.match(why(r, "clip"), /a is an output of the model/);
});

Deno.test("Max with a constant that enlarges the result, or with data, is left alone", async () => {
  const g = graphOf({
    inputs: { x: [1, 3], z: [1, 3] },
    outputs: ["a", "b"],
    nodes: [
      node("Max", "wide", ["x", "c"], ["a"]),
      node("Max", "data", ["x", "z"], ["b"]),
    ],
    constants: { c: f32([2, 3], [0, 0, 0, 0, 0, 0]) },
  });
  assert.equal((await apply(mergeClip, g, 0)).fired, 0);
});
