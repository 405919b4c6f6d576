import { deepEqual, equal, match } from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { bayes } from "../march/bayes.ts";
import { bernoulli2 } from "../march/bernoulli2.ts";
import { place } from "./place.ts";
import { graphOf, ramp } from "./testing.ts";

const w = ramp([4, 4, 1, 1]);
const conv = (name: string, x: string, y: string) => node("Conv", name, [x, "w"], [y]);
const shape = [1, 4, 6, 6];

Deno.test("what follows the last convolution runs in float, with the way to move it", () => {
  const g = graphOf(
    [
      conv("c1", "x", "a"),
      node("Sigmoid", "s1", ["a"], ["b"]),
      conv("c2", "b", "d"),
      node("Sigmoid", "s2", ["d"], ["y"]),
    ],
    { x: shape },
    ["y"],
    { w },
  );
  const p = place(g, bayes);
  deepEqual([...p].map(([n, v]) => [n, v.on]), [["c1", "BPU"], ["s1", "BPU"], ["c2", "BPU"], [
    "s2",
    "CPU",
  ]]);
  match(p.get("s2")!.reason!, /follows the last convolution/);
  match(p.get("s2")!.advice!, /node_info \{"s2": \{'ON': 'BPU'\}\}/);
  equal(place(g, bayes, { bpu: new Set(["s2"]) }).get("s2")!.on, "BPU");
  equal(place(g, bayes, { quantizeTail: true }).get("s2")!.on, "BPU");
  equal(place(g, bayes, { cpu: new Set(["s1"]) }).get("s1")!.on, "CPU");
});

Deno.test("a large tail stays on the BPU: the CPU would take too long", () => {
  const big = [1, 4, 600, 600];
  const g = graphOf([conv("c", "x", "a"), node("Sigmoid", "s", ["a"], ["y"])], { x: big }, ["y"], {
    w,
  });
  equal(place(g, bayes).get("s")!.on, "BPU");
});

Deno.test("data movement is on the BPU only next to an active operator", () => {
  const perm = { perm: attr.ints([0, 2, 3, 1]) };
  const alone = graphOf([node("Transpose", "t", ["x"], ["y"], perm)], { x: shape }, ["y"]);
  equal(place(alone, bayes).get("t")!.on, "CPU");
  const back = { perm: attr.ints([0, 3, 1, 2]) };
  const g = graphOf(
    [node("Transpose", "t", ["x"], ["a"], back), conv("c", "a", "y")],
    { x: [1, 6, 6, 4] },
    ["y"],
    { w },
  );
  equal(place(g, bayes).get("t")!.on, "BPU");
});

Deno.test("a broken rule is told in the user's terms, and marches differ", () => {
  const k = ramp([4, 4, 33, 1]);
  const g = graphOf([node("Conv", "c", ["x", "k"], ["y"])], { x: [1, 4, 40, 6] }, ["y"], { k });
  match(place(g, bayes).get("c")!.reason!, /kernel_shape H 33 .* bayes/);
  const k9 = ramp([4, 4, 9, 1]);
  const g9 = graphOf([node("Conv", "c", ["x", "k"], ["y"])], { x: [1, 4, 40, 6] }, ["y"], {
    k: k9,
  });
  equal(place(g9, bayes).get("c")!.on, "BPU");
  match(place(g9, bernoulli2).get("c")!.reason!, /kernel_shape H 9 .* bernoulli2/);
});

Deno.test("integer tensors stay on the CPU", () => {
  const g = graphOf(
    [node("Shape", "s", ["x"], ["a"]), node("Cast", "c", ["a"], ["y"], { to: attr.int(1) })],
    { x: shape },
    ["y"],
  );
  for (const [, p] of place(g, bayes)) equal(p.on, "CPU");
});

Deno.test("layer normalisation is on the BPU where a mean of one axis is", () => {
  const k = ramp([6]);
  const norm = (axis: number) =>
    graphOf(
      [node("LayerNormalization", "n", ["x", "k"], ["y"], { axis: attr.int(axis) })],
      { x: shape },
      ["y"],
      { k },
    );
  equal(place(norm(-1), bayes).get("n")!.on, "BPU");
  const there = place(norm(-1), bernoulli2).get("n")!;
  equal(there.on, "CPU");
  match(there.reason!, /not over H,W of rank 4, all that ReduceMean takes on bernoulli2/);
  equal(there.advice, undefined);
  // On the CPU by default, as every operator that the table of bernoulli2 lacks.
  match(place(norm(2), bernoulli2).get("n")!.advice!, /node_info/);
  equal(place(norm(2), bernoulli2, { bpu: new Set(["n"]) }).get("n")!.on, "BPU");
});
