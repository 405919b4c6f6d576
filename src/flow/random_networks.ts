/**
 * For tests only: random small networks of the idioms that exporters write, as ONNX files.
 *
 * @module
 */

import { testModel, type TestPort } from "../formats/onnx/test_models.ts";
import { type Attr, attr, type Node, node } from "../ir/graph.ts";
import { elementCount, f32, i64, type Tensor } from "../ir/tensor.ts";

/** A network and a sample for it. */
export interface RandomNetwork {
  readonly model: Uint8Array;
  readonly feeds: ReadonlyMap<string, Tensor>;
}

type Shape = readonly number[];

interface Value {
  readonly name: string;
  readonly shape: Shape;
}

class Net {
  readonly nodes: Node[] = [];
  readonly constants = new Map<string, Tensor>();
  /** Float activations. */
  readonly pool: Value[] = [];
  readonly outputs: TestPort[] = [];
  readonly #weights: { name: string; shape: Shape }[] = [];
  #state: number;
  #count = 0;

  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
    for (let i = 0; i < 4; i++) this.real();
  }

  /** 0 <= x < 1. */
  real(): number {
    this.#state = this.#state + 0x6d2b79f5 >>> 0;
    let t = Math.imul(this.#state ^ this.#state >>> 15, 1 | this.#state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  }

  /** low <= n <= high. */
  int(low: number, high: number): number {
    return low + Math.floor(this.real() * (high - low + 1));
  }

  chance(p: number): boolean {
    return this.real() < p;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)]!;
  }

  values(shape: Shape, range = 1): Tensor {
    return f32(
      shape,
      Array.from({ length: elementCount(shape) }, () => (this.real() * 2 - 1) * range),
    );
  }

  constant(t: Tensor): string {
    const name = `k${this.#count++}`;
    this.constants.set(name, t);
    return name;
  }

  /** A weight; sometimes one of the same shape that is there already. */
  weight(shape: Shape): string {
    const same = this.#weights.filter((w) => w.shape.join() === shape.join());
    if (same.length > 0 && this.chance(0.4)) return this.pick(same).name;
    const fan = Math.max(1, elementCount(shape.slice(1)));
    const name = this.constant(this.values(shape, 1.5 / Math.sqrt(fan)));
    this.#weights.push({ name, shape });
    return name;
  }

  /** Adds a node; its first output joins the pool when a shape is given. */
  op(
    op: string,
    inputs: readonly string[],
    shape: Shape | undefined,
    attrs: Readonly<Record<string, Attr>> = {},
    outputs = 1,
  ): Value & { readonly all: readonly string[] } {
    const all = Array.from({ length: outputs }, () => `t${this.#count++}`);
    const name = this.chance(0.3) ? "" : `${op}_${this.#count}`;
    this.nodes.push(node(op, name, inputs, all, attrs));
    return { name: all[0]!, shape: shape ?? [], all };
  }

  keep(v: Value): Value {
    this.pool.push({ name: v.name, shape: v.shape });
    return v;
  }

  /** A recent tensor of the pool that fits. */
  any(fits: (s: Shape) => boolean = () => true): Value | undefined {
    const list = this.pool.filter((v) => fits(v.shape));
    if (list.length === 0) return undefined;
    return this.chance(0.7) ? list[Math.max(0, list.length - this.int(1, 3))] : this.pick(list);
  }
}

const pixels = (s: Shape) => s.length === 4 && s.every((d) => d > 0);
const notEmpty = (s: Shape) => s.length > 0 && s.every((d) => d > 0);

type Idiom = (n: Net) => void;

const unary: Idiom = (n) => {
  const x = n.any(notEmpty);
  if (x === undefined) return;
  const op = n.pick([
    ..."Relu Sigmoid Tanh LeakyRelu Elu HardSigmoid HardSwish Softplus Abs Neg Erf Sin Floor".split(
      " ",
    ),
    ..."Clip Silu Gelu Sqrt Exp Identity Dropout Ceil Round Sign Reciprocal".split(" "),
  ]);
  const { name, shape } = x;
  const one = (o: string, ...inputs: string[]) => n.op(o, inputs, shape).name;
  switch (op) {
    case "Clip":
      n.keep(n.op("Clip", [name, n.constant(f32([], [-0.5])), n.constant(f32([], [2]))], shape));
      return;
    case "Silu":
      n.keep(n.op("Mul", [name, one("Sigmoid", name)], shape));
      return;
    case "Gelu": {
      const e = one("Erf", one("Div", name, n.constant(f32([], [Math.SQRT2]))));
      const s = one("Add", e, n.constant(f32([], [1])));
      n.keep(n.op("Mul", [one("Mul", name, s), n.constant(f32([], [0.5]))], shape));
      return;
    }
    case "Sqrt":
      n.keep(n.op("Sqrt", [one("Abs", name)], shape));
      return;
    case "Exp":
      n.keep(n.op("Exp", [one("Tanh", name)], shape));
      return;
    case "Reciprocal": {
      const far = one("Add", one("Abs", name), n.constant(f32([], [1])));
      n.keep(n.op("Reciprocal", [far], shape));
      return;
    }
    default:
      n.keep(n.op(op, [name], shape));
  }
};

const conv: Idiom = (n) => {
  const x = n.any(pixels);
  if (x === undefined) return;
  const [b, c, h, w] = x.shape as [number, number, number, number];
  const depthwise = n.chance(0.3);
  const group = depthwise ? c : c % 2 === 0 && n.chance(0.2) ? 2 : 1;
  const o = depthwise ? c : group * n.int(1, 6);
  const k = n.pick([1, 1, 3, 3, 5].filter((v) => v <= h + 2 && v <= w + 2));
  const pad = Math.floor(k / 2), stride = n.pick([1, 1, 2]);
  const inputs = [x.name, n.weight([o, c / group, k, k])];
  if (n.chance(0.7)) inputs.push(n.weight([o]));
  const size = (d: number) => Math.floor((d + 2 * pad - k) / stride) + 1;
  const y = n.op("Conv", inputs, [b, o, size(h), size(w)], {
    kernel_shape: attr.ints([k, k]),
    pads: attr.ints([pad, pad, pad, pad]),
    strides: attr.ints([stride, stride]),
    group: attr.int(group),
  });
  if (n.chance(0.3)) {
    const p = [0, 1, 2].map(() => n.weight([o]));
    const positive = n.constant(f32([o], Array.from({ length: o }, () => 0.5 + n.real())));
    n.keep(n.op("BatchNormalization", [y.name, ...p, positive], y.shape));
  } else n.keep(y);
};

const convTranspose: Idiom = (n) => {
  const x = n.any((s) => pixels(s) && s[2]! <= 8 && s[3]! <= 8);
  if (x === undefined) return;
  const [b, c, h, w] = x.shape as [number, number, number, number];
  const o = n.int(1, 4), k = n.pick([2, 4]);
  const pad = k === 4 ? 1 : 0;
  const size = (d: number) => (d - 1) * 2 + k - 2 * pad;
  n.keep(n.op("ConvTranspose", [x.name, n.weight([c, o, k, k])], [b, o, size(h), size(w)], {
    strides: attr.ints([2, 2]),
    pads: attr.ints([pad, pad, pad, pad]),
  }));
};

const pool: Idiom = (n) => {
  const x = n.any((s) => pixels(s) && s[2]! >= 3 && s[3]! >= 3);
  if (x === undefined) return;
  const [b, c, h, w] = x.shape as [number, number, number, number];
  const op = n.pick(["MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"]);
  if (op.startsWith("Global")) {
    n.keep(n.op(op, [x.name], [b, c, 1, 1]));
    return;
  }
  const k = n.pick([2, 3]), stride = n.pick([1, 2]), ceil = n.chance(0.3);
  const size = (d: number) => (ceil ? Math.ceil : Math.floor)((d - k) / stride) + 1;
  n.keep(n.op(op, [x.name], [b, c, size(h), size(w)], {
    kernel_shape: attr.ints([k, k]),
    strides: attr.ints([stride, stride]),
    ...(ceil ? { ceil_mode: attr.int(1) } : {}),
  }));
};

const concat: Idiom = (n) => {
  const x = n.any(notEmpty);
  if (x === undefined) return;
  const axis = n.int(0, x.shape.length - 1);
  const fits = n.pool.filter((v) =>
    v.shape.length === x.shape.length && v.shape.every((d, i) => i === axis || d === x.shape[i])
  );
  const parts = Array.from({ length: n.int(1, 3) }, () => n.pick(fits));
  const sum = [x, ...parts].reduce((s, v) => s + v.shape[axis]!, 0);
  if (sum > 64) return;
  n.keep(n.op(
    "Concat",
    [x, ...parts].map((v) => v.name),
    x.shape.map((d, i) => i === axis ? sum : d),
    { axis: attr.int(n.chance(0.3) ? axis - x.shape.length : axis) },
  ));
};

const split: Idiom = (n) => {
  const x = n.any((s) => s.some((d) => d >= 2));
  if (x === undefined) return;
  const axis = n.pick(x.shape.flatMap((d, i) => d >= 2 ? [i] : []));
  const first = n.int(1, x.shape[axis]! - 1), second = x.shape[axis]! - first;
  const s = n.op("Split", [x.name, n.constant(i64([first, second]))], undefined, {
    axis: attr.int(axis),
  }, 2);
  [first, second].forEach((d, i) =>
    n.keep({ name: s.all[i]!, shape: x.shape.map((v, j) => j === axis ? d : v) })
  );
};

const slice: Idiom = (n) => {
  const x = n.any((s) => s.some((d) => d >= 2));
  if (x === undefined) return;
  const axis = n.pick(x.shape.flatMap((d, i) => d >= 2 ? [i] : []));
  const d = x.shape[axis]!, step = n.pick([1, 1, 2]), start = n.int(0, d - 1);
  const ints = (v: number) => n.constant(i64([v]));
  n.keep(n.op(
    "Slice",
    [x.name, ints(start), ints(n.chance(0.5) ? d : 1 << 30), ints(axis), ints(step)],
    x.shape.map((v, i) => i === axis ? Math.ceil((d - start) / step) : v),
  ));
};

const transpose: Idiom = (n) => {
  const x = n.any((s) => s.length >= 2);
  if (x === undefined) return;
  const perm = x.shape.map((_, i) => i);
  for (let i = perm.length - 1; i > 0; i--) {
    const j = n.int(0, i);
    [perm[i], perm[j]] = [perm[j]!, perm[i]!];
  }
  n.keep(n.op("Transpose", [x.name], perm.map((p) => x.shape[p]!), { perm: attr.ints(perm) }));
};

const reshape: Idiom = (n) => {
  const x = n.any(notEmpty);
  if (x === undefined) return;
  const count = elementCount(x.shape);
  const divisors = Array.from({ length: Math.min(count, 16) }, (_, i) => i + 1)
    .filter((d) => count % d === 0);
  const a = n.pick(divisors);
  const forms: Shape[] = [
    [count],
    [1, count],
    [a, count / a],
    [1, a, count / a],
    [1, a, 1, count / a],
    [1, 1, a, 1, count / a],
    [x.shape[0]!, count / x.shape[0]!],
  ];
  const shape = n.pick(forms);
  const open = n.int(0, shape.length - 1);
  const target = n.chance(0.5) ? shape : shape.map((d, i) => i === open ? -1 : d);
  n.keep(n.op("Reshape", [x.name, n.constant(i64(target))], shape));
};

/** The shape chain of an exporter: Shape, Gather, Unsqueeze, Concat, Reshape. */
const flattenByShape: Idiom = (n) => {
  const x = n.any((s) => s.length >= 2 && notEmpty(s));
  if (x === undefined) return;
  const s = n.op("Shape", [x.name], undefined);
  const zero = n.constant({ dtype: "int64", shape: [], data: BigInt64Array.of(0n) });
  const b = n.op("Gather", [s.name, zero], undefined, { axis: attr.int(0) });
  const u = n.op("Unsqueeze", [b.name, n.constant(i64([0]))], undefined);
  const target = n.op("Concat", [u.name, n.constant(i64([-1]))], undefined, { axis: attr.int(0) });
  n.keep(n.op("Reshape", [x.name, target.name], [x.shape[0]!, elementCount(x.shape.slice(1))]));
};

const squeeze: Idiom = (n) => {
  const x = n.any(notEmpty);
  if (x === undefined) return;
  const ones = x.shape.flatMap((d, i) => d === 1 ? [i] : []);
  if (ones.length > 0 && x.shape.length > 1 && n.chance(0.5)) {
    const axis = n.pick(ones);
    const shape = x.shape.filter((_, i) => i !== axis);
    n.keep(n.op("Squeeze", [x.name, n.constant(i64([axis]))], shape));
  } else if (x.shape.length < 5) {
    const axis = n.int(0, x.shape.length);
    const shape = [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)];
    n.keep(n.op("Unsqueeze", [x.name, n.constant(i64([axis]))], shape));
  }
};

const resize: Idiom = (n) => {
  const x = n.any((s) => pixels(s) && s[2]! <= 8 && s[3]! <= 8);
  if (x === undefined) return;
  const [b, c, h, w] = x.shape as [number, number, number, number];
  const linear = n.chance(0.5);
  const modes = linear
    ? ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"]
    : ["asymmetric", "half_pixel"];
  const attrs = {
    mode: attr.string(linear ? "linear" : "nearest"),
    coordinate_transformation_mode: attr.string(n.pick(modes)),
    ...(linear ? {} : { nearest_mode: attr.string("floor") }),
  };
  const bySize = n.chance(0.4);
  const [y, z] = bySize ? [n.int(1, 12), n.int(1, 12)] : [h * 2, w * 2];
  const inputs = bySize
    ? [x.name, "", "", n.constant(i64([b, c, y, z]))]
    : [x.name, "", n.constant(f32([4], [1, 1, 2, 2]))];
  n.keep(n.op("Resize", inputs, [b, c, y, z], attrs));
};

const binary: Idiom = (n) => {
  const x = n.any(notEmpty);
  if (x === undefined) return;
  const op = n.pick(["Add", "Mul", "Sub", "Add", "Mul", "Max", "Min", "Div"]);
  const same = n.pool.filter((v) => v.shape.join() === x.shape.join());
  const kind = n.int(0, 4);
  let other: string;
  if (kind < 2) other = n.pick(same).name;
  else if (kind === 2) other = n.constant(f32([], [0.5 + n.real()]));
  else if (kind === 3) {
    const axis = n.int(0, x.shape.length - 1);
    other = n.constant(n.values(x.shape.map((d, i) => i === axis ? d : 1)));
  } else other = n.constant(n.values(x.shape));
  if (op === "Div") {
    const far = n.op("Add", [n.op("Abs", [other], x.shape).name, n.constant(f32([1], [0.7]))], []);
    other = far.name;
  }
  n.keep(n.op(op, n.chance(0.3) && op !== "Div" ? [other, x.name] : [x.name, other], x.shape));
};

const excite: Idiom = (n) => {
  const x = n.any(pixels);
  if (x === undefined) return;
  const [b, c] = x.shape as [number, number];
  const one: Shape = [b, c, 1, 1];
  const mean = n.chance(0.5)
    ? n.op("GlobalAveragePool", [x.name], one)
    : n.op("ReduceMean", [x.name], one, { axes: attr.ints([2, 3]), keepdims: attr.int(1) });
  const middle = Math.max(1, c >> 1);
  const down = n.op("Conv", [mean.name, n.weight([middle, c, 1, 1])], [b, middle, 1, 1]);
  const up = n.op("Conv", [
    n.op("Relu", [down.name], down.shape).name,
    n.weight([c, middle, 1, 1]),
  ], one);
  const gate = n.op(n.pick(["Sigmoid", "HardSigmoid"]), [up.name], one);
  n.keep(n.op("Mul", [x.name, gate.name], x.shape));
};

const shuffle: Idiom = (n) => {
  const x = n.any((s) => pixels(s) && s[1]! % 2 === 0);
  if (x === undefined) return;
  const [b, c, h, w] = x.shape as [number, number, number, number];
  const five: Shape = [b, 2, c / 2, h, w];
  const r = n.op("Reshape", [x.name, n.constant(i64(five))], five);
  const t = n.op("Transpose", [r.name], [b, c / 2, 2, h, w], { perm: attr.ints([0, 2, 1, 3, 4]) });
  n.keep(n.op("Reshape", [t.name, n.constant(i64(x.shape))], x.shape));
};

const pixelShuffle: Idiom = (n) => {
  const x = n.any((s) => pixels(s) && s[1]! % 4 === 0 && s[2]! <= 8 && s[3]! <= 8);
  if (x === undefined) return;
  const [b, c, h, w] = x.shape as [number, number, number, number];
  const y: Shape = [b, c / 4, h * 2, w * 2];
  if (n.chance(0.5)) {
    n.keep(n.op("DepthToSpace", [x.name], y, {
      blocksize: attr.int(2),
      mode: attr.string(n.pick(["CRD", "DCR"])),
    }));
    return;
  }
  const six: Shape = [b, c / 4, 2, 2, h, w];
  const r = n.op("Reshape", [x.name, n.constant(i64(six))], six);
  const t = n.op("Transpose", [r.name], [], { perm: attr.ints([0, 1, 4, 2, 5, 3]) });
  n.keep(n.op("Reshape", [t.name, n.constant(i64(y))], y));
};

const attention: Idiom = (n) => {
  const x = n.any((s) => s.length === 3 && notEmpty(s) && s[1]! <= 64 && s[2]! <= 64);
  if (x === undefined) return;
  const [b, t, d] = x.shape as [number, number, number];
  const project = () => n.op("MatMul", [x.name, n.weight([d, d])], x.shape).name;
  const k = n.op("Transpose", [project()], [b, d, t], { perm: attr.ints([0, 2, 1]) });
  const scores = n.op("MatMul", [project(), k.name], [b, t, t]);
  const scaled = n.op("Mul", [scores.name, n.constant(f32([], [1 / Math.sqrt(d)]))], scores.shape);
  const p = n.op("Softmax", [scaled.name], scores.shape, { axis: attr.int(-1) });
  n.keep(n.op("MatMul", [p.name, project()], x.shape));
};

const norm: Idiom = (n) => {
  const x = n.any((s) => s.length >= 2 && notEmpty(s));
  if (x === undefined) return;
  const d = x.shape.at(-1)!;
  if (n.chance(0.4)) {
    n.keep(n.op("LayerNormalization", [x.name, n.weight([d]), n.weight([d])], x.shape, {
      axis: attr.int(-1),
    }));
    return;
  }
  const axes = { axes: attr.ints([-1]), keepdims: attr.int(1) };
  const one = [...x.shape.slice(0, -1), 1];
  if (n.chance(0.4)) {
    const sq = n.op("Mul", [x.name, x.name], x.shape);
    const v = n.op("ReduceMean", [sq.name], one, axes);
    const s = n.op("Sqrt", [n.op("Add", [v.name, n.constant(f32([], [1e-5]))], one).name], one);
    const y = n.op("Div", [x.name, s.name], x.shape);
    n.keep(n.op("Mul", [y.name, n.weight([d])], x.shape));
    return;
  }
  const mean = n.op("ReduceMean", [x.name], one, axes);
  const c = n.op("Sub", [x.name, mean.name], x.shape);
  const sq = n.op("Pow", [c.name, n.constant(f32([], [2]))], x.shape);
  const v = n.op("ReduceMean", [sq.name], one, axes);
  const s = n.op("Sqrt", [n.op("Add", [v.name, n.constant(f32([], [1e-5]))], one).name], one);
  const y = n.op("Div", [c.name, s.name], x.shape);
  n.keep(n.op("Mul", [y.name, n.weight([d])], x.shape));
};

const softmax: Idiom = (n) => {
  const x = n.any(notEmpty);
  if (x === undefined) return;
  const axis = n.int(0, x.shape.length - 1);
  n.keep(n.op(n.pick(["Softmax", "LogSoftmax"]), [x.name], x.shape, { axis: attr.int(axis) }));
};

const reduce: Idiom = (n) => {
  const x = n.any(notEmpty);
  if (x === undefined) return;
  const axis = n.int(0, x.shape.length - 1), keep = n.chance(0.5);
  const op = n.pick(["ReduceMean", "ReduceMax", "ReduceSum", "ReduceMin", "ReduceL2"]);
  const shape = x.shape.flatMap((d, i) => i !== axis ? [d] : keep ? [1] : []);
  const keepdims = attr.int(keep ? 1 : 0);
  n.keep(
    op === "ReduceSum"
      ? n.op(op, [x.name, n.constant(i64([axis]))], shape, { keepdims })
      : n.op(op, [x.name], shape, { axes: attr.ints([axis]), keepdims }),
  );
};

/** Everything to a scalar, which scales another tensor. */
const scalar: Idiom = (n) => {
  const x = n.any(notEmpty), y = n.any(notEmpty);
  if (x === undefined || y === undefined) return;
  const s = n.op("ReduceMean", [x.name], [], { keepdims: attr.int(0) });
  if (n.chance(0.3)) n.keep(s);
  n.keep(n.op("Mul", [y.name, n.op("Sigmoid", [s.name], []).name], y.shape));
};

const argMax: Idiom = (n) => {
  const x = n.any(notEmpty);
  if (x === undefined) return;
  const axis = n.int(0, x.shape.length - 1);
  const y = n.op(n.pick(["ArgMax", "ArgMin"]), [x.name], undefined, {
    axis: attr.int(axis),
    keepdims: attr.int(n.int(0, 1)),
  });
  n.outputs.push({ name: y.name, dtype: "int64" });
};

const topK: Idiom = (n) => {
  const x = n.any(notEmpty);
  if (x === undefined) return;
  const d = x.shape.at(-1)!, k = n.int(1, d);
  const y = n.op("TopK", [x.name, n.constant(i64([k]))], [...x.shape.slice(0, -1), k], {}, 2);
  n.keep(y);
  n.outputs.push({ name: y.all[1]!, dtype: "int64" });
};

const pad: Idiom = (n) => {
  const x = n.any((s) => pixels(s) && s[2]! <= 12 && s[3]! <= 12 && s[2]! > 1 && s[3]! > 1);
  if (x === undefined) return;
  const [b, c, h, w] = x.shape as [number, number, number, number];
  const p = [n.int(0, 1), n.int(0, 1), n.int(0, 1), n.int(0, 1)] as const;
  const pads = n.constant(i64([0, 0, p[0], p[1], 0, 0, p[2], p[3]]));
  n.keep(
    n.op("Pad", [x.name, pads], [b, c, h + p[0] + p[2], w + p[1] + p[3]], {
      mode: attr.string(n.pick(["constant", "constant", "edge", "reflect"])),
    }),
  );
};

const dense: Idiom = (n) => {
  const x = n.any((s) => s.length >= 2 && notEmpty(s) && s.at(-1)! <= 256);
  if (x === undefined) return;
  const d = x.shape.at(-1)!, o = n.int(1, 8);
  const y = [...x.shape.slice(0, -1), o];
  if (x.shape.length === 2 && n.chance(0.6)) {
    const turned = n.chance(0.5);
    n.keep(n.op("Gemm", [x.name, n.weight(turned ? [o, d] : [d, o]), n.weight([o])], y, {
      transB: attr.int(turned ? 1 : 0),
    }));
  } else {
    const m = n.op("MatMul", [x.name, n.weight([d, o])], y);
    n.keep(n.chance(0.5) ? n.op("Add", [m.name, n.weight([o])], y) : m);
  }
};

const gather: Idiom = (n) => {
  const x = n.any(notEmpty);
  if (x === undefined) return;
  const axis = n.int(0, x.shape.length - 1), d = x.shape[axis]!;
  const rows = Array.from({ length: n.int(1, 4) }, () => n.int(0, d - 1));
  const index = n.chance(0.3)
    ? n.constant({ dtype: "int64", shape: [], data: BigInt64Array.of(BigInt(rows[0]!)) })
    : n.constant(i64(rows));
  const middle = n.constants.get(index)!.shape;
  n.keep(n.op("Gather", [x.name, index], [
    ...x.shape.slice(0, axis),
    ...middle,
    ...x.shape.slice(axis + 1),
  ], { axis: attr.int(axis) }));
};

const where: Idiom = (n) => {
  const x = n.any(notEmpty);
  if (x === undefined) return;
  const same = n.pick(n.pool.filter((v) => v.shape.join() === x.shape.join()));
  const c = n.op(n.pick(["Greater", "Less"]), [x.name, n.constant(f32([], [0.1]))], undefined);
  n.keep(n.op("Where", [c.name, x.name, same.name], x.shape));
  if (n.chance(0.3)) n.outputs.push({ name: c.name, dtype: "bool" });
};

const prelu: Idiom = (n) => {
  const x = n.any(pixels);
  if (x === undefined) return;
  n.keep(n.op("PRelu", [x.name, n.weight([x.shape[1]!, 1, 1])], x.shape));
};

const expand: Idiom = (n) => {
  const x = n.any((s) => notEmpty(s) && s.includes(1));
  if (x === undefined) return;
  const shape = x.shape.map((d) => d === 1 && n.chance(0.5) ? 3 : d);
  if (n.chance(0.5)) n.keep(n.op("Expand", [x.name, n.constant(i64(shape))], shape));
  else {
    const repeats = i64(shape.map((d, i) => d / x.shape[i]!));
    n.keep(n.op("Tile", [x.name, n.constant(repeats)], shape));
  }
};

/** A tensor without elements joins nothing but a Concat. */
const empty: Idiom = (n) => {
  const x = n.any(notEmpty);
  if (x === undefined) return;
  const ints = (v: number) => n.constant(i64([v]));
  const none = n.op("Slice", [x.name, ints(0), ints(0), ints(0)], [0, ...x.shape.slice(1)]);
  n.keep(n.op("Concat", [none.name, x.name], x.shape, { axis: attr.int(0) }));
  if (n.chance(0.3)) n.outputs.push({ name: none.name });
};

/** Every tensor with its share of the choices. */
const idioms: readonly (readonly [number, Idiom])[] = [
  [6, conv],
  [4, unary],
  [3, binary],
  [2, pool],
  [2, concat],
  [2, reshape],
  [2, transpose],
  ...[convTranspose, split, slice, flattenByShape, squeeze, resize, excite, shuffle, pixelShuffle]
    .map((i) => [1, i] as const),
  ...[attention, norm, softmax, reduce, scalar, argMax, topK, pad, dense, gather, where, prelu]
    .map((i) => [1, i] as const),
  [0.5, expand],
  [0.3, empty],
];

/** Builds network number `seed`. */
export function randomNetwork(seed: number): RandomNetwork {
  const n = new Net(seed);
  const inputs: TestPort[] = [];
  const feeds = new Map<string, Tensor>();
  const input = (name: string, t: Tensor) => {
    inputs.push({ name, dtype: t.dtype, shape: t.shape });
    feeds.set(name, t);
    if (t.dtype === "float32" && t.shape.length > 0) n.pool.push({ name, shape: t.shape });
  };
  const batch = n.pick([1, 1, 1, 2, 3]);
  input("x", n.values([batch, n.pick([1, 3, 4, 8]), n.int(4, 12), n.int(4, 12)], 3));
  if (n.chance(0.3)) input("tokens", n.values([batch, n.int(2, 6), n.pick([4, 8])], 2));
  if (n.chance(0.15)) input("row", n.values([n.int(1, 3), n.int(2, 9)]));
  if (n.chance(0.1)) input("volume", n.values([1, 2, 3, 4, 5]));
  if (n.chance(0.1)) input("unused", n.values([2, 2]));
  if (n.chance(0.1)) {
    input("side", i64([n.int(0, 3)]));
    const picked = n.op("Gather", [n.weight([4, 3]), "side"], [1, 3], { axis: attr.int(0) });
    n.keep(picked);
  }
  if (n.chance(0.1)) {
    input("whole", i64([1, 2, 3]));
    const as = n.op("Cast", ["whole"], [3], { to: attr.int(1) });
    n.keep(as);
  }
  const total = idioms.reduce((s, [w]) => s + w, 0);
  const length = n.int(3, 16);
  for (let i = 0; i < length; i++) {
    let at = n.real() * total;
    const [, idiom] = idioms.find(([w]) => (at -= w) < 0) ?? idioms[0]!;
    idiom(n);
  }
  const read = new Set(n.nodes.flatMap((m) => m.inputs));
  const given = new Set(feeds.keys());
  for (const v of n.pool) {
    const leaf = !read.has(v.name) && !given.has(v.name);
    if (leaf || n.chance(given.has(v.name) ? 0.05 : 0.08)) n.outputs.push({ name: v.name });
  }
  const outputs = [...new Map(n.outputs.map((p) => [p.name, p])).values()];
  if (outputs.length === 0) outputs.push({ name: n.pool.at(-1)!.name });
  const model = testModel({
    opset: 17,
    nodes: n.nodes,
    inputs,
    outputs,
    initializers: n.constants,
  });
  return { model, feeds };
}
