import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { verify } from "../ir/verify.ts";
import { f32 } from "../ir/tensor.ts";
import { bayes } from "../march/bayes.ts";
import { layoutOf } from "./layout.ts";
import { Refusal } from "./lower.ts";
import { rangePlan } from "./plan.ts";
import { quantize } from "./quantize.ts";
import { graphOf, planFor, ramp } from "./testing.ts";

const shape = [1, 4, 6, 6];
const w = ramp([4, 4, 1, 1]);
const conv = (name: string, x: string, y: string) => node("Conv", name, [x, "w"], [y]);
const ops = (q: { graph: { nodes: readonly { op: string }[] } }) => q.graph.nodes.map((n) => n.op);

Deno.test("a Relu behind a convolution becomes its output range", () => {
  const g = graphOf(
    [conv("c1", "x", "a"), node("Relu", "r", ["a"], ["b"]), conv("c2", "b", "y")],
    { x: shape },
    ["y"],
    { w },
  );
  const q = quantize(g, planFor(g));
  verify(q.graph);
  deepEqual(ops(q), ["HzQuantize", "HzSQuantizedConv", "HzSQuantizedConvAcc", "HzDequantize"]);
  const first = q.graph.nodes[1]!;
  equal(first.name, "c1");
  deepEqual([first.attrs.get("qmin"), first.attrs.get("qmax")], [attr.int(0), attr.int(127)]);
  equal(q.graph.nodes[3]!.outputs[0], "y");
});

Deno.test("zero points: a Relu's range starts at its own, symmetric neighbours keep plain operators", () => {
  const g = graphOf(
    [conv("c1", "x", "a"), node("Relu", "r", ["a"], ["b"]), conv("c2", "b", "y")],
    { x: shape },
    ["y"],
    { w },
  );
  const q = quantize(
    g,
    planFor(g, {}, (t) => t === "b" ? rangePlan({ min: -1, max: 4 }, "t") : {}),
  );
  verify(q.graph);
  deepEqual(ops(q), [
    "HzQuantize",
    "HzSQuantizedConvAsym",
    "HzSQuantizedConvAccAsym",
    "HzDequantize",
  ]);
  const [, first, second] = q.graph.nodes;
  deepEqual([first!.attrs.get("x_zero"), first!.attrs.get("y_zero")], [attr.int(0), attr.int(-77)]);
  deepEqual([first!.attrs.get("qmin"), first!.attrs.get("qmax")], [attr.int(-77), attr.int(127)]);
  deepEqual([second!.attrs.get("x_zero"), second!.attrs.has("y_zero")], [attr.int(-77), false]);
  equal(q.tensors.get("b")!.zero, -77);
  equal(q.tensors.get("y")!.zero, 0);
});

Deno.test("tensors that share a scale share the zero point", () => {
  const g = graphOf(
    [
      conv("c1", "x", "a"),
      node("MaxPool", "p", ["a"], ["b"], { kernel_shape: attr.ints([2, 2]) }),
      conv("c2", "b", "y"),
    ],
    { x: shape },
    ["y"],
    { w },
  );
  const q = quantize(g, planFor(g, {}, (t) => t === "a" ? rangePlan({ min: 0, max: 5 }, "t") : {}));
  deepEqual([q.tensors.get("a")!.zero, q.tensors.get("b")!.zero], [-128, -128]);
});

Deno.test("an activation with a second reader is not absorbed", () => {
  const g = graphOf(
    [
      conv("c1", "x", "a"),
      node("Relu", "r", ["a"], ["b"]),
      node("Add", "s", ["a", "b"], ["d"]),
      conv("c2", "d", "y"),
    ],
    { x: shape },
    ["y"],
    { w },
  );
  const q = quantize(g, planFor(g));
  ok(ops(q).includes("HzLut"));
});

Deno.test("the inputs of a Concat take its scale where nobody else reads them", () => {
  const nodes = [
    conv("c1", "x", "a"),
    conv("c2", "x", "b"),
    node("Concat", "cat", ["a", "b", "x"], ["d"], { axis: attr.int(1) }),
    node("Conv", "c3", ["d", "w12"], ["y"]),
  ];
  const g = graphOf(nodes, { x: shape }, ["y"], { w, w12: ramp([2, 12, 1, 1]) });
  const layout = layoutOf(g, planFor(g).nodes, bayes);
  deepEqual([layout.root("a"), layout.root("b"), layout.root("x")], ["d", "d", "x"]);
  const q = quantize(g, planFor(g, {}, (t) => ({ threshold: t === "d" ? 3 : 1 })));
  // Only x, which the convolutions read as well, is requantized.
  equal(ops(q).filter((o) => o === "HzRequantize").length, 1);
});

Deno.test("a max pool keeps the scale of its input", () => {
  const g = graphOf(
    [
      conv("c1", "x", "a"),
      node("MaxPool", "p", ["a"], ["b"], { kernel_shape: attr.ints([2, 2]) }),
      conv("c2", "b", "y"),
    ],
    { x: shape },
    ["y"],
    { w },
  );
  const plan = planFor(g, {}, (t) => ({ threshold: t === "a" ? 5 : 1 }));
  ok(!plan.tensors.has("b"));
  const q = quantize(g, plan);
  equal(q.tensors.get("b")!.scales[0], q.tensors.get("a")!.scales[0]);
});

Deno.test("weights are quantized per output channel, a bias in the accumulator's scale", () => {
  const k = f32([2, 1, 1, 1], [0.5, -4]);
  const g = graphOf(
    [node("Conv", "c", ["x", "k", "b"], ["y"])],
    { x: [1, 1, 2, 2] },
    ["y"],
    { k, b: f32([2], [1, -1]) },
  );
  const q = quantize(g, planFor(g, {}, () => ({ threshold: 127 })));
  const constants = q.graph.constants;
  deepEqual([...constants.get("c_weight")!.data], [127, -127]);
  const scale = (t: number) => Math.fround(t / 127);
  deepEqual([...constants.get("c_bias")!.data], [
    Math.round(1 / scale(0.5)),
    -Math.round(1 / scale(4)),
  ]);
  deepEqual([...q.tensors.get("y")!.scales], [scale(0.5), scale(4)]);
});

Deno.test("a bias that overflows int32 widens the weight scale of its channel", () => {
  const g = graphOf(
    [node("Conv", "c", ["x", "k", "b"], ["y"])],
    { x: [1, 1, 2, 2] },
    ["y"],
    { k: f32([1, 1, 1, 1], [1e-7]), b: f32([1], [1000]) },
  );
  const q = quantize(g, planFor(g));
  const bias = Number(q.graph.constants.get("c_bias")!.data[0]);
  ok(bias > 2 ** 29 && bias <= 2 ** 30 + 64, String(bias));
});

Deno.test("a scale ratio of 2^15 or more, and weights that are not finite, are refused with the node", () => {
  const g = graphOf(
    [conv("c1", "x", "a"), node("Relu", "r", ["a"], ["b"]), conv("c2", "b", "y")],
    { x: shape },
    ["y"],
    { w: ramp([4, 4, 1, 1], 1e9) },
  );
  throws(
    () => quantize(g, planFor(g, {}, (t) => ({ threshold: t === "b" ? 1e-6 : 1e6 }))),
    /too large/,
  );
  const bad = graphOf([conv("c", "x", "y")], { x: shape }, ["y"], {
    w: f32([4, 4, 1, 1], new Array(16).fill(Infinity)),
  });
  throws(
    () => quantize(bad, planFor(bad)),
    (e: unknown) => e instanceof Refusal && e.nodeName === "c",
  );
});
