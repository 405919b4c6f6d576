/**
 * Every row of the operator table that is on the BPU of bayes: a model that keeps the constraints, the
 * operator between two convolutions, is placed on the BPU, and its program gives the bits of stock
 * onnxruntime-web. Skips where the table (../shared) is absent.
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import type { Attr, Graph, Node } from "../../ir/graph.ts";
import { attr, node } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { elementCount, f32, i64, numbersOf } from "../../ir/tensor.ts";
import { bayes } from "../../march/bayes.ts";
import { inferTypes } from "../../ops/infer.ts";
import { convert } from "../convert.ts";
import { exactness } from "../prove.ts";
import { openProgram } from "../../run/simulator.ts";
import { engine, Random } from "./harness.ts";

interface Row {
  readonly op: string;
  readonly bayes: { readonly on: string; readonly bpu: readonly string[] };
}

/** One operator as the table wants it. */
interface Spec {
  /** Shape that the operator reads (rank 4: made by a convolution; else reshaped from one). */
  readonly shape?: readonly number[];
  readonly attrs?: Readonly<Record<string, Attr>>;
  /** Inputs behind the first: constants, or the name `feature` for another feature map. */
  readonly more?: readonly (Tensor | { readonly feature: readonly number[] })[];
  /** Outputs beside y. */
  readonly outputs?: readonly string[];
  /** What the passes make of it: the operator vanishes, and these stand on the BPU instead. */
  readonly becomes?: readonly string[];
  /** Nothing is left of it (constants, dropouts). */
  readonly folds?: boolean;
}

const S = [1, 8, 8, 8];
const r0 = new Random(7);
const same = { feature: S };

const specs: Readonly<Record<string, Spec>> = {
  Acos: {},
  Add: { more: [same] },
  ArgMax: { attrs: { axis: attr.int(1) } },
  ArgMin: { attrs: { axis: attr.int(1) } },
  AveragePool: {
    attrs: { kernel_shape: attr.ints([3, 3]), pads: attr.ints([1, 1, 1, 1]) },
  },
  BatchNormalization: {
    more: [r0.values([8]), r0.values([8]), r0.values([8]), f32([8], [1, 2, 3, 4, 5, 6, 7, 8])],
    becomes: ["HzSQuantizedConv"],
  },
  Clip: { more: [f32([], [-0.5]), f32([], [0.75])], becomes: ["HzSQuantizedConv"] },
  Concat: { more: [same], attrs: { axis: attr.int(1) } },
  Constant: { folds: true },
  ConstantOfShape: { folds: true },
  Conv: { more: [r0.values([6, 8, 3, 3]), r0.values([6])] },
  ConvTranspose: { more: [r0.values([8, 5, 2, 2])], attrs: { strides: attr.ints([2, 2]) } },
  DepthToSpace: { shape: [1, 16, 8, 8], attrs: { blocksize: attr.int(2) } },
  Div: { more: [same] },
  Dropout: { folds: true },
  Equal: { more: [same] },
  Expand: { shape: [1, 8, 1, 8], more: [i64([1, 8, 8, 8])] },
  Flatten: { becomes: ["Reshape"] },
  Gather: { more: [i64([2, 0, -1])], attrs: { axis: attr.int(1) } },
  GatherElements: {
    more: [{ ...i64(Array.from({ length: 8 * 4 * 8 }, (_, i) => i % 8)), shape: [1, 8, 4, 8] }],
    attrs: { axis: attr.int(2) },
  },
  Gemm: { shape: [4, 128], more: [r0.values([128, 5])], becomes: ["HzSQuantizedConv"] },
  Greater: { more: [same] },
  GreaterOrEqual: { more: [same] },
  GridSample: { more: [{ feature: [1, 4, 4, 2] }] },
  LSTM: {
    shape: [4, 1, 128],
    more: [r0.values([1, 12, 128]), r0.values([1, 12, 3]), r0.values([1, 24])],
    attrs: { hidden_size: attr.int(3) },
  },
  LeakyRelu: { attrs: { alpha: attr.float(0.1) } },
  Less: { more: [same] },
  LessOrEqual: { more: [same] },
  MatMul: { shape: [1, 2, 8, 32], more: [{ feature: [1, 2, 32, 4] }] },
  Max: { more: [same] },
  MaxPool: { attrs: { kernel_shape: attr.ints([2, 2]), strides: attr.ints([2, 2]) } },
  Min: { more: [same] },
  Mul: { more: [same] },
  Pad: { more: [i64([0, 0, 1, 1, 0, 0, 1, 1]), f32([], [0.5])] },
  Pow: { more: [f32([], [2])] },
  ReduceMax: { attrs: { axes: attr.ints([1]) } },
  ReduceMean: { attrs: { axes: attr.ints([1]) } },
  ReduceSum: { more: [i64([1])] },
  Relu: { becomes: ["HzSQuantizedConv"] },
  Reshape: { more: [i64([1, 16, 4, 8])] },
  Resize: {
    more: [f32([0], []), f32([4], [1, 1, 2, 2])],
    attrs: {
      mode: attr.string("nearest"),
      coordinate_transformation_mode: attr.string("asymmetric"),
    },
  },
  Shape: { folds: true },
  Size: { folds: true },
  Slice: { more: [i64([1]), i64([6]), i64([2])] },
  Softmax: { attrs: { axis: attr.int(3) } },
  SpaceToDepth: { attrs: { blocksize: attr.int(2) } },
  Split: { attrs: { axis: attr.int(1) }, outputs: ["y1"] },
  Squeeze: { more: [i64([0])], becomes: ["Reshape"] },
  Sub: { more: [same] },
  Sum: { more: [same] },
  Tile: { more: [i64([1, 1, 2, 1])] },
  TopK: { more: [i64([3])], attrs: { axis: attr.int(1) }, outputs: ["y1"] },
  Transpose: { attrs: { perm: attr.ints([0, 2, 1, 3]) } },
  Unsqueeze: { shape: [8, 8, 8], more: [i64([0])], becomes: ["HzSQuantizedConv"] },
  Upsample: { folds: true },
};

function graphOf(op: string, spec: Spec, r: Random): Graph {
  const nodes: Node[] = [];
  const constants = new Map<string, Tensor>();
  const store = (name: string, t: Tensor) => {
    constants.set(name, t);
    return name;
  };
  /** A feature map of a shape, made by a convolution of the input. */
  const feature = (name: string, shape: readonly number[]): string => {
    const count = elementCount(shape);
    const channels = count / 64;
    const rank4 = shape.length === 4 && shape[0] === 1 && shape[2] === 8 && shape[3] === 8;
    const made = rank4 ? name : `${name}_conv`;
    const out = Math.ceil(channels);
    nodes.push(
      node("Conv", `${name}_c`, ["x", store(`${name}_w`, r.values([out, 8, 1, 1]))], [made]),
    );
    if (rank4) return name;
    let from = made;
    if (out * 64 !== count) {
      const flat = store(`${name}_flat`, i64([1, 1, 1, out * 64]));
      nodes.push(node("Reshape", `${name}_f`, [from, flat], [`${name}_flat_out`]));
      const ends = [i64([0]), i64([count]), i64([3])].map((t, i) => store(`${name}_cut${i}`, t));
      nodes.push(node("Slice", `${name}_s`, [`${name}_flat_out`, ...ends], [`${name}_cut`]));
      from = `${name}_cut`;
    }
    nodes.push(node("Reshape", `${name}_r`, [from, store(`${name}_shape`, i64(shape))], [name]));
    return name;
  };
  const x = feature("a", spec.shape ?? S);
  const inputs = [
    x,
    ...(spec.more ?? []).map((m, i) => {
      if ("feature" in m) return feature(`b${i}`, m.feature);
      return m.data.length === 0 ? "" : store(`k${i}`, m);
    }),
  ];
  nodes.push(node(op, "it", inputs, ["y", ...spec.outputs ?? []], spec.attrs ?? {}));
  const graph = (outputs: Graph["outputs"]): Graph => ({
    name: op,
    opset: 17,
    domains: new Map(),
    nodes,
    inputs: [{ name: "x", dtype: "float32", shape: S }],
    outputs,
    constants,
    types: new Map(),
    metadata: new Map(),
  });
  // Every output goes into another convolution.
  const types = inferTypes(graph([])).types;
  const ends = ["y", ...spec.outputs ?? []].map((name) => {
    const t = types.get(name)!;
    let from = name;
    if (t.dtype !== "float32") {
      nodes.push(node("Cast", `${name}_cast`, [from], [`${name}_float`], { to: attr.int(1) }));
      from = `${name}_float`;
    }
    let shape = t.shape;
    if (shape.length !== 4) {
      shape = [1, elementCount(shape), 1, 1];
      nodes.push(
        node("Reshape", `${name}_back`, [from, store(`${name}_4`, i64(shape))], [`${name}4`]),
      );
      from = `${name}4`;
    }
    const w = store(`${name}_end_w`, r.values([3, shape[1]!, 1, 1]));
    nodes.push(node("Conv", `${name}_end`, [from, w], [`${name}_out`]));
    return `${name}_out`;
  });
  const bare = inferTypes(graph([]));
  return { ...bare, outputs: ends.map((name) => ({ name, ...bare.types.get(name)! })) };
}

async function convertRow(graph: Graph, feeds: ReadonlyMap<string, Tensor>) {
  const thresholds = new Map<string, number>();
  return await convert(graph, {
    march: bayes,
    engine,
    place: { bpu: new Set(["it"]) },
    calibrator: {
      candidates: ["max"],
      async observe(g, tensors) {
        const session = await engine.open(g, tensors);
        for (const [name, t] of await session.run(feeds)) {
          let most = 1e-3;
          for (const v of numbersOf(t)) if (Math.abs(v) > most) most = Math.abs(v);
          thresholds.set(name, Math.min(most, 1e6));
        }
        await session.close();
      },
      threshold: (_, t, dtype) => ({
        dtype,
        threshold: thresholds.get(t) ?? 1,
        zero: 0,
        method: "max",
      }),
    },
  });
}

const table = new URL("../../../../shared/reference/operators.json", import.meta.url);
let rows: Row[] = [];
try {
  rows = JSON.parse(Deno.readTextFileSync(table)).onnx;
} catch {
  console.log("skipped: the operator table is absent");
}
const onBpu = rows.filter((r) => r.bayes.on === "BPU");

Deno.test({ name: "every BPU row of bayes has a model here", ignore: onBpu.length === 0 }, () => {
  // Functions of one input need nothing but their name.
  const simple = new Set(Object.keys(specs));
  const missing = onBpu.map((r) => r.op).filter((op) => !simple.has(op) && !unary.has(op));
  deepEqual(missing, []);
});

const unary = new Set(
  "Abs Atan Ceil Cos Elu Exp Floor GlobalAveragePool GlobalMaxPool HardSigmoid Log Reciprocal Sigmoid Sin Softplus Sqrt Tanh"
    .split(" "),
);

for (const { op } of onBpu) {
  const spec = specs[op] ?? {};
  if (spec.folds) continue;
  Deno.test(`${op} between two convolutions runs on the BPU of bayes`, async () => {
    for (const seed of [1, 2]) {
      const r = new Random(seed);
      const graph = graphOf(op, spec, r);
      const feeds = new Map([["x", r.values(S)]]);
      const c = await convertRow(graph, feeds);
      // What reads indices and truth values (the Cast before the last convolution) is float.
      const cpu = [...c.plan.nodes].filter(([name, p]) =>
        p.on === "CPU" && !name.endsWith("_cast")
      );
      deepEqual(cpu, [], `${op} is not on the BPU`);
      if (spec.becomes === undefined) {
        ok(c.plan.nodes.has("it"), `node it vanished: ${c.optimized.nodes.map((n) => n.op)}`);
      } else {
        const ops = c.quantized.graph.nodes.map((n) => n.op);
        for (const want of spec.becomes) {
          ok(ops.some((o) => o.startsWith(want)), `no ${want} among ${ops}`);
        }
      }
      const simulator = await openProgram(c.program, { cpu: engine });
      const session = await engine.open(c.quantized.graph);
      const found = exactness(await simulator.run(feeds), await session.run(feeds));
      await session.close();
      await simulator.close();
      equal(found.differing, 0, `${found.differing} of ${found.total} differ`);
    }
  });
}
