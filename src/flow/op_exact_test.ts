/**
 * Every operator that has an integer form, on random shapes, attributes and scales: the simulator and
 * stock onnxruntime-web (running the function bodies) must give the same bits.
 */

import { equal } from "node:assert/strict";
import { compile } from "../compile/compile.ts";
import type { Attr, Graph, Node } from "../ir/graph.ts";
import { attr, node } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import { elementCount, f32, i64 } from "../ir/tensor.ts";
import { bayes } from "../march/bayes.ts";
import { functionsOf } from "../ops/functions.ts";
import { inferTypes } from "../ops/infer.ts";
import { layoutOf } from "../quantize/layout.ts";
import type { TensorPlan } from "../quantize/plan.ts";
import { quantize } from "../quantize/quantize.ts";
import { createFloatEngine } from "../run/float.ts";
import { openProgram } from "../run/simulator.ts";
import { exactness } from "./prove.ts";

/** Seeded numbers. */
class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 2654435761) >>> 0;
  }
  next(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return (this.#state >>> 8) / 2 ** 24;
  }
  int(lo: number, hi: number): number {
    return lo + Math.floor(this.next() * (hi - lo + 1));
  }
  pick<T>(...list: readonly T[]): T {
    return list[this.int(0, list.length - 1)]!;
  }
  values(shape: readonly number[], size = 1): Tensor {
    const n = elementCount(shape);
    return f32(shape, Array.from({ length: n }, () => (2 * this.next() - 1) * size));
  }
}

/** One node with constant inputs, or several nodes in a row. */
interface Case {
  readonly inputs: readonly (readonly number[])[];
  readonly constants?: Readonly<Record<string, Tensor>>;
  readonly nodes: readonly Node[];
  readonly output?: string;
  /** Extra outputs (Split). */
  readonly outputs?: readonly string[];
}

const one = (
  op: string,
  r: Random,
  shape: readonly number[],
  a: Record<string, Attr> = {},
  constants: Record<string, Tensor> = {},
): Case => {
  void r;
  return {
    inputs: [shape],
    constants,
    nodes: [node(op, "n", ["x0", ...Object.keys(constants)], ["y"], a)],
  };
};
const map = (
  r: Random,
  maxC = 9,
): number[] => [r.int(1, 2), r.int(1, maxC), r.int(3, 11), r.int(3, 11)];

function convCase(r: Random): Case {
  const depthwise = r.next() < 0.3;
  const group = depthwise ? r.int(2, 17) : r.pick(1, 1, 2, 3);
  const inPer = depthwise ? 1 : r.int(1, 7), outPer = r.int(1, 9);
  const [kh, kw] = [r.int(1, 4), r.int(1, 4)];
  const d = r.pick(1, 1, 2);
  const extent = Math.max(kh, kw) * d;
  const h = extent + d * r.int(0, 5), w = extent + d * r.int(0, 5);
  // bayes: the input must be a multiple of the dilation, and dilated kernels have stride 1.
  const [H, W] = [Math.ceil(h / d) * d, Math.ceil(w / d) * d];
  const stride = d > 1 ? 1 : r.pick(1, 1, 2, 3);
  const activation = r.pick("none", "Relu", "Clip");
  const constants: Record<string, Tensor> = {
    w: r.values([group * outPer, inPer, kh, kw], 2 ** r.int(-6, 3)),
  };
  if (r.next() < 0.7) constants["b"] = r.values([group * outPer], 2 ** r.int(-4, 4));
  const ins = ["x0", ...Object.keys(constants)];
  const nodes = [
    node("Conv", "n", ins, [activation === "none" ? "y" : "c"], {
      group: attr.int(group),
      strides: attr.ints([stride, r.pick(stride, 1)]),
      dilations: attr.ints([d, d]),
      pads: attr.ints([r.int(0, kh - 1), r.int(0, kw - 1), r.int(0, kh - 1), r.int(0, kw - 1)]),
    }),
  ];
  if (activation === "Relu") nodes.push(node("Relu", "a", ["c"], ["y"]));
  if (activation === "Clip") {
    constants["lo"] = f32([], [r.pick(0, -1)]);
    constants["hi"] = f32([], [r.pick(1, 6)]);
    nodes.push(node("Clip", "a", ["c", "lo", "hi"], ["y"]));
  }
  return { inputs: [[r.int(1, 2), group * inPer, H, W]], constants, nodes };
}

function broadcast(op: string, r: Random): Case {
  const shape = map(r);
  const other = r.pick(
    shape,
    [1, shape[1]!, 1, 1],
    [1, shape[1]!, 1, shape[3]!],
    [shape[0]!, 1, shape[2]!, shape[3]!],
    [shape[1]!, 1, 1],
    [1],
    [],
  );
  if (r.next() < 0.5) {
    const second = other.length === 4 ? other : [1, shape[1]!, 1, 1];
    const [a, b] = r.next() < 0.5 ? ["x0", "x1"] : ["x1", "x0"];
    return { inputs: [shape, second], nodes: [node(op, "n", [a!, b!], ["y"])] };
  }
  const k = r.values(other, 2 ** r.int(-3, 3));
  const order = r.next() < 0.5 ? ["x0", "k"] : ["k", "x0"];
  return { inputs: [shape], constants: { k }, nodes: [node(op, "n", order, ["y"])] };
}

function pool(op: string, r: Random): Case {
  const shape = map(r);
  const k = [r.int(1, 3), r.int(1, 3)];
  const ceil = r.next() < 0.4 ? 1 : 0;
  return one(op, r, shape, {
    kernel_shape: attr.ints(k),
    strides: attr.ints([r.int(1, 3), r.int(1, 3)]),
    pads: attr.ints([
      r.int(0, k[0]! - 1),
      r.int(0, k[1]! - 1),
      r.int(0, k[0]! - 1),
      r.int(0, k[1]! - 1),
    ]),
    ceil_mode: attr.int(ceil),
    ...(op === "AveragePool" && ceil === 0 ? { count_include_pad: attr.int(r.int(0, 1)) } : {}),
  });
}

function resize(r: Random): Case {
  const shape = map(r, 5);
  const mode = r.pick("nearest", "linear");
  const [sh, sw] = [r.pick(1, 2, 3, 0.5, 1.5), r.pick(1, 2, 4, 0.5, 1.25)];
  return {
    inputs: [shape],
    constants: { scales: f32([4], [1, 1, sh, sw]) },
    nodes: [node("Resize", "n", ["x0", "", "scales"], ["y"], {
      mode: attr.string(mode),
      coordinate_transformation_mode: attr.string(
        r.pick("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"),
      ),
      ...(mode === "nearest"
        ? { nearest_mode: attr.string(r.pick("floor", "ceil", "round_prefer_floor")) }
        : {}),
    })],
  };
}

/** A convolution whose result stays int8: a table behind it reads integers. */
function convThenTable(r: Random): Case {
  const c = convCase(r);
  const last = c.nodes[c.nodes.length - 1]!;
  const nodes = [
    ...c.nodes.slice(0, -1),
    { ...last, outputs: ["t"] },
    node("Sigmoid", "table", ["t"], ["y"]),
  ];
  return { ...c, nodes };
}

/** Sums beyond 2^24: the float32 form of the function body would not be exact. */
function deepConv(r: Random): Case {
  const [inC, outC] = [r.int(1050, 1400), r.int(1, 5)];
  const w = r.values([outC, inC, 1, 1]);
  const data = Float32Array.from(w.data as Float32Array, (v) => Math.sign(v));
  const plain = r.next() < 0.5;
  const nodes = [node("Conv", "n", ["x0", "w"], [plain ? "y" : "t"])];
  if (!plain) nodes.push(node("Sigmoid", "table", ["t"], ["y"]));
  return { inputs: [[1, inC, 2, 3]], constants: { w: { ...w, data } }, nodes };
}

const generators: Record<string, (r: Random) => Case> = {
  Conv: convCase,
  "Conv, int8 out": convThenTable,
  "Conv, more than 1024 taps": deepConv,
  Add: (r) => broadcast("Add", r),
  Sub: (r) => broadcast("Sub", r),
  Mul: (r) => broadcast("Mul", r),
  Relu: (r) => one("Relu", r, map(r)),
  Clip: (r) => one("Clip", r, map(r), {}, { lo: f32([], [-0.5]), hi: f32([], [0.7]) }),
  LeakyRelu: (r) => one("LeakyRelu", r, map(r), { alpha: attr.float(0.1) }),
  Sigmoid: (r) => one("Sigmoid", r, map(r)),
  HardSigmoid: (r) => one("HardSigmoid", r, map(r)),
  HardSwish: (r) => one("HardSwish", r, map(r)),
  Tanh: (r) => one("Tanh", r, map(r)),
  PRelu(r) {
    const shape = map(r);
    return one("PRelu", r, shape, {}, { slope: r.values(r.pick([shape[1]!, 1, 1], [1])) });
  },
  MaxPool: (r) => pool("MaxPool", r),
  AveragePool: (r) => pool("AveragePool", r),
  GlobalAveragePool: (r) => one("GlobalAveragePool", r, map(r)),
  ReduceMean: (r) =>
    one("ReduceMean", r, map(r), {
      axes: attr.ints(r.pick([2, 3], [1], [1, 2, 3], [-1, -2])),
      keepdims: attr.int(1),
    }),
  Concat(r) {
    const shape = map(r);
    const axis = r.int(1, 3);
    const other = shape.map((d, i) => i === axis ? r.int(1, 5) : d);
    return {
      inputs: [shape, other],
      nodes: [node("Concat", "n", ["x0", "x1", "x0"], ["y"], { axis: attr.int(axis) })],
    };
  },
  Split(r) {
    const axis = r.int(1, 3);
    const shape = map(r).map((d, i) => i === axis ? 6 : d);
    const n = r.pick(2, 3);
    const outputs = ["y", "y1", "y2"].slice(0, n);
    return {
      inputs: [shape],
      nodes: [node("Split", "n", ["x0"], outputs, { axis: attr.int(axis) })],
      outputs: outputs.slice(1),
    };
  },
  Slice(r) {
    const shape = map(r);
    const axis = r.int(1, 3), step = r.pick(1, 1, 2, -1);
    const size = shape[axis]!;
    const start = step > 0 ? r.int(0, size - 1) : size - 1;
    const end = step > 0 ? r.pick(size, r.int(start + 1, size + 3)) : -size - 1;
    return one("Slice", r, shape, {}, {
      starts: i64([start]),
      ends: i64([end]),
      axes: i64([r.pick(axis, axis - 4)]),
      steps: i64([step]),
    });
  },
  Pad: (r) =>
    one("Pad", r, map(r), {}, {
      pads: i64([0, 0, r.int(-1, 3), r.int(0, 3), 0, r.int(0, 2), r.int(0, 3), r.int(-1, 2)]),
      value: f32([], [r.pick(0, 0.3, -5)]),
    }),
  Reshape(r) {
    const shape = map(r);
    const [n, c, h, w] = shape as [number, number, number, number];
    const to = r.pick([n, c * h * w], [n, h, c, w], [n, c, h * w], [n, w, h, c], [n, 1, c, h, w]);
    return one("Reshape", r, shape, {}, { shape: i64(to) });
  },
  Flatten: (r) => one("Flatten", r, map(r), { axis: attr.int(1) }),
  Transpose(r) {
    const perm = r.pick([0, 2, 3, 1], [0, 3, 1, 2], [0, 1, 3, 2], [0, 2, 1, 3]);
    return one("Transpose", r, map(r), { perm: attr.ints(perm) });
  },
  Resize: resize,
  DepthToSpace(r) {
    const b = r.pick(2, 3);
    const shape = [r.int(1, 2), b * b * r.int(1, 4), r.int(1, 5), r.int(1, 5)];
    return one("DepthToSpace", r, shape, {
      blocksize: attr.int(b),
      mode: attr.string(r.pick("DCR", "CRD")),
    });
  },
  SpaceToDepth(r) {
    const b = r.pick(2, 3);
    const shape = [r.int(1, 2), r.int(1, 5), b * r.int(1, 4), b * r.int(1, 4)];
    return one("SpaceToDepth", r, shape, { blocksize: attr.int(b) });
  },
};

function graphOf(c: Case): Graph {
  const float = (name: string, shape: readonly number[]) =>
    ({ name, dtype: "float32", shape }) as const;
  const bare: Graph = {
    name: "case",
    opset: 17,
    domains: new Map(),
    nodes: c.nodes,
    inputs: c.inputs.map((s, i) => float(`x${i}`, s)),
    outputs: [],
    constants: new Map(Object.entries(c.constants ?? {})),
    types: new Map(),
    metadata: new Map(),
  };
  const types = inferTypes(bare).types;
  const outputs = ["y", ...c.outputs ?? []].map((t) => ({ name: t, ...types.get(t)! }));
  return { ...bare, types, outputs };
}

const CASES = 24;
const engine = createFloatEngine({ workers: 0, functions: functionsOf });

for (const [op, generate] of Object.entries(generators)) {
  Deno.test(`${op}: the simulator equals onnxruntime-web bit for bit`, async () => {
    for (let seed = 0; seed < CASES; seed++) {
      const r = new Random(seed * 131 + op.length);
      const graph = graphOf(generate(r));
      // What the operator table refuses must be exact too, so placement is not asked here.
      const where = new Map(graph.nodes.map((n) => [n.name, { on: "BPU" } as const]));
      // The first third is all int8, then any mixture of int8 and int16.
      const wide = new Set(
        seed < CASES / 3 ? [] : graph.nodes.flatMap((n) => [...n.inputs, ...n.outputs])
          .filter(() => r.next() < 0.6),
      );
      const layout = layoutOf(graph, where, bayes, wide);
      const tensors = new Map([...layout.needed].map((t): [string, TensorPlan] => [t, {
        dtype: wide.has(t) ? "int16" : "int8",
        threshold: 2 ** (6 * r.next() - 3),
        zero: 0,
        method: "test",
      }]));
      const q = quantize(graph, { march: "bayes", nodes: where, tensors, weights: new Map() });
      const feeds = new Map(
        graph.inputs.map((p) => [p.name, r.values(p.shape, 2 ** r.int(-2, 3))]),
      );
      const simulator = await openProgram(compile(q.graph, "bayes"), { cpu: engine });
      const session = await engine.open(q.graph);
      const exact = exactness(await simulator.run(feeds), await session.run(feeds));
      await session.close();
      await simulator.close();
      equal(exact.differing, 0, `seed ${seed}: ${exact.differing} of ${exact.total} differ`);
    }
  });
}
