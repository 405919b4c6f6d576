import assert from "node:assert/strict";
import { BpuError } from "../../errors.ts";
import { attr, type Graph } from "../../ir/graph.ts";
import { f32 } from "../../ir/tensor.ts";
import { functionsOf } from "../../ops/functions.ts";
import { createFloatEngine } from "../float.ts";
import { createKernelEngine } from "./engine.ts";
import { coveredOperators, planGraph } from "./lower.ts";
import { agree, feedsOf, Sketch } from "./testing.ts";

type Build = (s: Sketch) => void;
const ints = attr.ints;

/** Graphs by what they are about. */
const cases: [string, Build][] = [
  ["conv, bias and relu", (s) => {
    const a = s.op("Conv", [s.input([2, 3, 9, 11]), s.c([10, 3, 3, 3]), s.c([10])], {
      pads: ints([1, 0, 2, 1]),
      strides: ints([2, 1]),
    });
    s.op("Relu", [a]);
  }],
  ["conv with auto_pad, dilation, groups and a clip", (s) => {
    const a = s.op("Conv", [s.input([1, 6, 9, 9]), s.c([4, 3, 3, 3])], {
      group: attr.int(2),
      strides: ints([2, 1]),
      auto_pad: attr.string("SAME_LOWER"),
    });
    const b = s.op("Conv", [a, s.c([3, 4, 3, 2])], { dilations: ints([1, 3]) });
    s.op("Clip", [b, s.c([], [-0.5]), s.c([], [0.75])]);
  }],
  ["fake quantization of a picture, of weights and of activations", (s) => {
    const scalar = (v: number) => s.c([], [v]);
    const grid = (low: number, high: number) => ({ qmin: attr.int(low), qmax: attr.int(high) });
    const fake = (x: string, scale: string, zero: string, low: number, high: number) =>
      s.op("HzCalibration", [x, scale, zero], grid(low, high), "horizon");
    const x = s.op(
      "HzPreprocess",
      [s.input([1, 3, 6, 7]), s.c([3, 3, 1, 1]), s.c([3])],
      {},
      "horizon",
    );
    const a = fake(x, scalar(1 / 50), s.int8(0), -128, 127);
    const w = fake(
      s.c([8, 3, 3, 3]),
      s.c([8, 1, 1, 1], [1, 2, 3, 4, 5, 6, 7, 8].map((k) => k / 700)),
      s.int8(0),
      -127,
      127,
    );
    const y = s.op("Conv", [a, w, s.c([8])]);
    const b = fake(y, scalar(1 / 20), s.int8(-31), -128, 127);
    s.op("Add", [fake(b, scalar(1 / 2000), s.int16(0), -32768, 32767), y]);
  }],
  ["depthwise chains of every kernel", (s) => {
    let x = s.input([1, 20, 23, 22]);
    for (const [k, stride, pad] of [[3, 1, 1], [5, 1, 2], [3, 2, 1], [5, 2, 2], [7, 1, 3]]) {
      x = s.op("Conv", [x, s.c([20, 1, k!, k!]), s.c([20])], {
        group: attr.int(20),
        strides: ints([stride!, stride!]),
        pads: ints([pad!, pad!, pad!, pad!]),
      });
    }
  }],
  ["a relu that others read as well stays apart", (s) => {
    const a = s.op("Conv", [s.input([1, 4, 5, 5]), s.c([8, 4, 1, 1])]);
    s.op("Add", [a, s.op("Relu", [a])]);
  }],
  ["transposed convolutions", (s) => {
    const a = s.op("ConvTranspose", [s.input([1, 5, 4, 6]), s.c([5, 7, 3, 3]), s.c([7])], {
      strides: ints([2, 2]),
      pads: ints([1, 1, 1, 1]),
      output_padding: ints([1, 1]),
    });
    const b = s.op("ConvTranspose", [a, s.c([7, 1, 4, 4])], {
      group: attr.int(7),
      strides: ints([2, 2]),
    });
    s.op("ConvTranspose", [b, s.c([7, 2, 2, 1])], { strides: ints([3, 1]) });
  }],
  ["functions of one input", (s) => {
    let x = s.op("Conv", [s.input([1, 3, 5, 7]), s.c([9, 3, 1, 1])]);
    x = s.op("LeakyRelu", [x], { alpha: attr.float(0.3) });
    x = s.op("HzSwish", [x], {}, "horizon");
    x = s.op("HardSwish", [x]);
    x = s.op("HardSigmoid", [x], { alpha: attr.float(0.3), beta: attr.float(0.4) });
    x = s.op("Tanh", [x]);
    x = s.op("Exp", [s.op("Neg", [x])]);
    x = s.op("Sqrt", [s.op("Abs", [x])]);
    x = s.op("Elu", [x], { alpha: attr.float(0.7) });
    x = s.op("Sigmoid", [s.op("Reciprocal", [x])]);
    s.op("Identity", [s.op("Add", [s.op("Floor", [x]), s.op("Ceil", [x])])]);
  }],
  ["a block of convolutions, normalization and gelu", (s) => {
    const x = s.op("Conv", [s.input([1, 12, 8, 6]), s.c([12, 1, 7, 7]), s.c([12])], {
      group: attr.int(12),
      pads: ints([3, 3, 3, 3]),
    });
    const t = s.op("Transpose", [x], { perm: ints([0, 2, 3, 1]) });
    const l = s.op("LayerNormalization", [t, s.c([12]), s.c([12])], { axis: attr.int(-1) });
    const g = s.op("HzGelu", [s.op("MatMul", [l, s.c([12, 29])])], {}, "horizon");
    const e = s.op("Erf", [s.op("HzMish", [g], {}, "horizon")]);
    const d = s.op("LayerNormalization", [e, s.c([6, 29])], { axis: attr.int(2) });
    const rms = { axes: ints([3]), epsilon: attr.float(1e-5) };
    const q = s.op("HzRMSNormalization", [d, s.c([29])], rms, "horizon");
    s.op("Transpose", [s.op("MatMul", [q, s.c([29, 12])])], { perm: ints([0, 3, 1, 2]) });
  }],
  ["broadcasting in both layouts", (s) => {
    const x = s.input([2, 5, 3, 4]), y = s.op("Conv", [x, s.c([5, 5, 1, 1])]);
    const a = s.op("Mul", [y, s.c([5, 1, 1])]);
    const b = s.op("Add", [s.c([1]), a]);
    const c = s.op("Sub", [b, s.c([1, 1, 3, 4])]);
    const d = s.op("Div", [c, s.c([4], [1, 2, 4, 8])]);
    const e = s.op("PRelu", [d, s.c([5, 1, 1])]);
    const f = s.op("Max", [e, s.op("GlobalAveragePool", [y])]);
    const g = s.op("Min", [s.op("ReduceMax", [y], { axes: ints([1]) }), f]);
    s.op("Add", [g, s.op("Transpose", [s.input([3, 4, 2, 5])], { perm: ints([2, 3, 0, 1]) })]);
  }],
  ["squeeze and excitation", (s) => {
    const y = s.op("Conv", [s.input([1, 8, 6, 6]), s.c([12, 8, 3, 3])]);
    const g = s.op("ReduceMean", [y], { axes: ints([2, 3]), keepdims: attr.int(1) });
    const h = s.op("Relu", [s.op("Conv", [g, s.c([4, 12, 1, 1])])]);
    s.op("Mul", [y, s.op("Sigmoid", [s.op("Conv", [h, s.c([12, 4, 1, 1])])])]);
  }],
  ["batch normalizations", (s) => {
    const one = (C: number) => s.c([C], Array.from({ length: C }, (_, i) => 0.5 + i / 10));
    const x = s.op("BatchNormalization", [
      s.input([2, 6, 3, 3]),
      one(6),
      s.c([6]),
      s.c([6]),
      one(6),
    ]);
    const y = s.op("Reshape", [s.op("GlobalMaxPool", [x]), s.i([2, 6])]);
    s.op("BatchNormalization", [y, one(6), s.c([6]), s.c([6]), one(6)]);
  }],
  ["pools", (s) => {
    const x = s.op("Conv", [s.input([1, 3, 14, 13]), s.c([7, 3, 1, 1])]);
    const a = s.op("MaxPool", [x], {
      kernel_shape: ints([3, 2]),
      strides: ints([2, 2]),
      pads: ints([1, 0, 1, 0]),
      ceil_mode: attr.int(1),
    });
    const b = s.op("AveragePool", [a], { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]) });
    s.op("AveragePool", [b], {
      kernel_shape: ints([3, 3]),
      pads: ints([1, 1, 1, 1]),
      count_include_pad: attr.int(1),
    });
  }],
  ["resizes", (s) => {
    const x = s.op("Conv", [s.input([1, 3, 5, 6]), s.c([6, 3, 1, 1])]);
    const a = s.op("Resize", [x, "", s.c([4], [1, 1, 2, 2])], {
      mode: attr.string("nearest"),
      coordinate_transformation_mode: attr.string("asymmetric"),
      nearest_mode: attr.string("floor"),
    });
    const b = s.op("Resize", [a, "", "", s.i([1, 6, 7, 17])], { mode: attr.string("linear") });
    s.op("Resize", [b, "", "", s.i([1, 6, 15, 9])], {
      mode: attr.string("linear"),
      coordinate_transformation_mode: attr.string("align_corners"),
    });
  }],
  ["movement", (s) => {
    const x = s.op("Conv", [s.input([1, 3, 6, 8]), s.c([8, 3, 1, 1])]);
    const d = s.op("SpaceToDepth", [s.op("DepthToSpace", [x], { blocksize: attr.int(2) })], {
      blocksize: attr.int(2),
    });
    const crd = s.op("DepthToSpace", [d], { blocksize: attr.int(2), mode: attr.string("CRD") });
    const cut = s.op("Slice", [crd, s.i([1, -2]), s.i([9, 0]), s.i([2, 3]), s.i([2, -3])]);
    const pad = s.op("Pad", [cut, s.i([0, 0, 1, 2, 0, 1, 0, 3]), s.c([], [0.5])]);
    const both = s.op("Concat", [pad, pad], { axis: attr.int(1) });
    const half = s.op("Split", [both], { axis: attr.int(1) }, "", 2);
    const t = s.op("Transpose", [half], { perm: ints([0, 2, 3, 1]) });
    const u = s.op("Transpose", [s.op("Flatten", [t], { axis: attr.int(2) })]);
    const g = s.op("Gather", [u, s.i([2, 0, -1])], { axis: attr.int(0) });
    s.op("Expand", [s.op("Unsqueeze", [g, s.i([1])]), s.i([2, 3, 4, 1])]);
  }],
  ["dense layers and attention", (s) => {
    const x = s.op("Conv", [s.input([1, 3, 8, 8]), s.c([12, 3, 4, 4])], { strides: ints([4, 4]) });
    const tokens = s.op("Transpose", [s.op("Reshape", [x, s.i([1, 12, 4])])], {
      perm: ints([0, 2, 1]),
    });
    const heads = (name: string, perm: number[]) =>
      s.op("Transpose", [s.op("Reshape", [name, s.i([1, 4, 3, 4])])], { perm: ints(perm) });
    const q = heads(s.op("MatMul", [tokens, s.c([12, 12])]), [0, 2, 1, 3]);
    const k = heads(s.op("MatMul", [tokens, s.c([12, 12])]), [0, 2, 3, 1]);
    const p = s.op("Softmax", [s.op("MatMul", [q, k])], { axis: attr.int(-1) });
    const o = s.op("Reshape", [s.op("MatMul", [p, q]), s.i([4, 12])]);
    const w = s.op("Gemm", [o, s.c([5, 12]), s.c([5])], {
      transB: attr.int(1),
      alpha: attr.float(0.5),
      beta: attr.float(2),
    });
    s.op("ReduceSum", [s.op("Softmax", [w], { axis: attr.int(0) }), s.i([0])], {
      keepdims: attr.int(0),
    });
  }],
  ["reductions along every axis", (s) => {
    const x = s.op("Conv", [s.input([2, 3, 5, 4]), s.c([6, 3, 1, 1])]);
    const y = s.op("ReduceMean", [x], { axes: ints([1]), keepdims: attr.int(0) });
    const z = s.op("ReduceMin", [x], { axes: ints([1, 2]), keepdims: attr.int(1) });
    const w = s.op("ReduceMean", [x], { axes: ints([2]), keepdims: attr.int(0) });
    const v = s.op("Softmax", [x], { axis: attr.int(1) });
    const one = s.op("Slice", [x, s.i([0]), s.i([1]), s.i([0])]);
    const u = s.op("ReduceSum", [one, s.i([0])], { keepdims: attr.int(0) });
    const parts = [y, z, w, v, s.op("Reshape", [u, s.i([5, 24])])].map((t) =>
      s.op("ReduceMax", [t], { keepdims: attr.int(0) })
    );
    s.op("Concat", parts.map((t) => s.op("Reshape", [t, s.i([1])])), { axis: attr.int(0) });
  }],
  ["a conversion that is read again after one reader has changed its values", (s) => {
    const x = s.op("Conv", [s.input([1, 3, 4, 5]), s.c([3, 3, 1, 1])]);
    const a = s.op("Neg", [s.op("Reshape", [x, s.i([60])])]);
    const b = s.op("Reshape", [x, s.i([60])]);
    s.op("Add", [a, s.op("Mul", [b, s.c([60])])]);
  }],
  ["an output that is a view of the input", (s) => {
    s.op("Reshape", [s.input([1, 4, 1, 6]), s.i([4, 6])]);
  }],
];

Deno.test("every operator agrees with onnxruntime-web, looked at or fused", async () => {
  const ours = createKernelEngine();
  const other = createFloatEngine({ workers: 0, functions: functionsOf });
  const used = new Set<string>();
  for (const [name, build] of cases) {
    const sketch = new Sketch();
    build(sketch);
    const graph = { ...sketch.graph(), name }, feeds = feedsOf(graph);
    for (const n of graph.nodes) used.add(n.domain === "" ? n.op : `${n.domain} ${n.op}`);
    const all = graph.nodes.flatMap((n) => n.outputs);
    for (const fetch of [undefined, all]) {
      await agree(graph, feeds, ours, other, fetch, 3e-6);
    }
  }
  await other.close();
  // Same code under another name.
  for (const op of ["Squeeze", "Dropout", "Upsample"]) used.add(op);
  assert.deepEqual([...coveredOperators].filter((op) => !used.has(op)), []);
});

function small(): Graph {
  const s = new Sketch();
  const a = s.op("Conv", [s.input([1, 3, 4, 5]), s.c([8, 3, 1, 1])]);
  s.op("Add", [s.op("HzSwish", [a], {}, "horizon"), s.c([8, 1, 1])]);
  return s.graph();
}

Deno.test("a visitor sees what a run returns, in the layout it is told", async () => {
  const graph = small(), feeds = feedsOf(graph), names = ["x0", "t0", "t1", "t2", "c0", "c1"];
  const session = await createKernelEngine().open(graph, names);
  const copies = await session.run(feeds), seen: string[] = [];
  session.visit(feeds, (name, view, shape, layout) => {
    seen.push(name);
    const want = copies.get(name)!;
    assert.deepEqual(shape, want.shape);
    const [, c, h, w] = [...shape, 1, 1, 1, 1] as [number, number, number, number];
    const data = want.data as Float32Array;
    for (let i = 0; i < data.length; i++) {
      const [k, y, x] = [Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w];
      assert.equal(view[layout === "nhwc" ? (y * w + x) * c + k : i], data[i], `${name} ${i}`);
    }
  });
  assert.deepEqual(seen.sort(), [...names].sort());
  assert.deepEqual(copies.get("x0")!.data, feeds.get("x0")!.data);
  const again = await session.run(feeds);
  for (const name of names) assert.deepEqual(again.get(name), copies.get(name), name);
  for (const c of ["c0", "c1"]) assert.deepEqual(again.get(c)!.data, graph.constants.get(c)!.data);
  await session.close();
});

Deno.test("what is not covered has a reason, and wrong inputs are named", async () => {
  const s = new Sketch();
  s.op("Sin", [s.input([1, 3])]);
  const planned = planGraph(s.graph());
  assert.ok("reason" in planned && planned.reason.includes("Sin"));
  const refused = (e: unknown) => e instanceof BpuError && e.code === "unsupported";
  await assert.rejects(createKernelEngine().open(s.graph()), refused);
  const session = await createKernelEngine().open(small());
  const runtime = (e: unknown) => e instanceof BpuError && e.place.tensor === "x0";
  await assert.rejects(session.run(new Map()), runtime);
  await assert.rejects(
    session.run(new Map([["x0", f32([1, 3, 5, 4], new Float32Array(60))]])),
    runtime,
  );
});

Deno.test("threads change nothing but the time", async () => {
  const s = new Sketch();
  const x = s.op("Conv", [s.input([1, 32, 40, 40]), s.c([48, 32, 3, 3])]);
  s.op("Conv", [s.op("Relu", [x]), s.c([48, 1, 3, 3])], { group: attr.int(48) });
  const graph = s.graph(), feeds = feedsOf(graph), results: unknown[] = [];
  for (const workers of [0, 2]) {
    const session = await createKernelEngine({ workers }).open(graph, ["t1", "t2"]);
    for (let i = 0; i < 3; i++) results.push(await session.run(feeds));
    await session.close();
  }
  for (const r of results) assert.deepEqual(r, results[0]);
});
