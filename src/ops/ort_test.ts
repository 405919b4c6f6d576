/** Inferred shapes and folded values of part A against stock onnxruntime-web. */

import assert from "node:assert/strict";
import { random, randomTensor, runOrt, testModel } from "../formats/onnx/test_models.ts";
import { type Attr, attr, type Node, node } from "../ir/graph.ts";
import { type DType, f32, sameShape, type Tensor, tensor } from "../ir/tensor.ts";
import { inferContext, type Lookup } from "./context.ts";
import { fromDoubles, toDoubles } from "./convert.ts";
import { foldNode } from "./infer.ts";
import { listA } from "./list_a.ts";
import { opOf } from "./registry.ts";

function lookupOf(values: ReadonlyMap<string, Tensor>): Lookup {
  return { type: (name) => values.get(name), value: (name) => values.get(name) };
}

/** Output types by our inference; the error's message when it refuses. */
function inferred(n: Node, values: ReadonlyMap<string, Tensor>) {
  try {
    return opOf(n)!.infer(inferContext(n, lookupOf(values)));
  } catch (e) {
    return (e as Error).message;
  }
}

async function reference(
  n: Node,
  values: ReadonlyMap<string, Tensor>,
  gives: readonly DType[],
  opset = 17,
) {
  const model = testModel({
    opset,
    nodes: [n],
    inputs: [...values].map(([name, t]) => ({ name, dtype: t.dtype, shape: t.shape })),
    outputs: n.outputs.map((name, i) => ({ name, dtype: gives[i]! })),
  });
  const out = await runOrt(model, values);
  return out.get(n.outputs[0]!)!;
}

function pick<T>(next: () => number, list: readonly T[]): T {
  return list[Math.floor((next() + 1) / 2 * list.length)]!;
}

Deno.test("windows: output shapes are those of onnxruntime", async () => {
  const next = random(7);
  let [same, refused] = [0, 0];
  for (let i = 0; i < 240; i++) {
    const op = pick(next, ["Conv", "MaxPool", "AveragePool", "ConvTranspose", "LpPool"]);
    const rank = pick(next, [1, 2, 2, 3]);
    const list = (choices: readonly number[], count = rank) =>
      Array.from({ length: count }, () => pick(next, choices));
    const size = list([1, 4, 5, 7, 8]);
    const kernel = list([1, 2, 3, 4]);
    const auto = pick(next, ["NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]);
    const attrs: Record<string, Attr> = { kernel_shape: attr.ints(kernel) };
    attrs["strides"] = attr.ints(list([1, 2, 3]));
    // onnxruntime has dilated averages only from opset 19 on, and no dilated SAME.
    const dilates = op !== "AveragePool" && op !== "LpPool" && !auto.startsWith("SAME");
    if (dilates && next() > 0) attrs["dilations"] = attr.ints(list([1, 2]));
    if (auto === "NOTSET") {
      // Pads smaller than the kernel: onnxruntime refuses others for pooling.
      const begins = kernel.map((k) => pick(next, k > 1 ? [0, 1] : [0]));
      const ends = kernel.map((k) => pick(next, k > 1 ? [0, 1] : [0]));
      attrs["pads"] = attr.ints([...begins, ...ends]);
    } else attrs["auto_pad"] = attr.string(auto);
    if (op === "MaxPool" || op === "AveragePool") attrs["ceil_mode"] = attr.int(next() > 0 ? 1 : 0);
    const group = pick(next, [1, 2]);
    const conv = op.startsWith("Conv");
    if (conv) attrs["group"] = attr.int(group);
    if (op === "ConvTranspose" && auto === "NOTSET" && next() > 0) {
      attrs["strides"] = attr.ints(list([2, 3]));
      attrs["output_padding"] = attr.ints(list([0, 1]));
    }
    const values = new Map([["x", randomTensor([2, 4, ...size], i + 1)]]);
    if (conv) {
      const w = op === "Conv" ? [6, 4 / group, ...kernel] : [4, 3, ...kernel];
      values.set("w", randomTensor(w, i + 2));
    }
    const n = node(op, `${op} ${i}`, conv ? ["x", "w"] : ["x"], ["y"], attrs);
    const ours = inferred(n, values);
    const where = `${op} ${size} ${JSON.stringify(attrs)}`;
    let theirs: Tensor;
    try {
      theirs = await reference(n, values, ["float32"]);
    } catch (e) {
      const why = (e as Error).message;
      refused++;
      // Its own limit where a stride is larger than the kernel and SAME asks for no pads.
      if (why.includes("padding values must be non-negative")) continue;
      assert.equal(typeof ours, "string", `${where}: ${JSON.stringify(ours)}, but ${why}`);
      continue;
    }
    // It rounds a negative room towards zero and pools a window that lies half outside; the
    // specification has no output there.
    if (typeof ours === "string" && /larger than its padded input/.test(ours)) {
      refused++;
      continue;
    }
    if (typeof ours === "string") throw new Error(`${where}: ${ours}, but it is ${theirs.shape}`);
    assert.deepEqual(ours[0]!.shape, theirs.shape, where);
    same++;
  }
  console.log(`${same} shapes equal, ${refused} refused`);
});

const grid = f32([1, 37], [
  ...[NaN, Infinity, -Infinity, 0, -0, 0.5, 1, 1.5, 2, 2.5, 3, 5, 10, 20, 50, 90, 1e-3, 1e-7, 0.3],
  ...[-0.5, -1, -1.5, -2, -2.5, -3, -5, -10, -20, -50, -90, -1e-3, -1e-7, -0.3],
  ...[0.7, -0.7, 0.9999, 6],
]);

/** Relative difference that float32 kernels of two makers may have; see the exceptions below. */
function close(a: number, b: number, tolerance: number, smallest: number): boolean {
  const scale = Math.max(Math.abs(b), smallest);
  return Object.is(a, b) || a === b || Math.abs(a - b) <= tolerance * scale;
}

function differs(
  ours: Tensor,
  theirs: Tensor,
  tolerance: number,
  smallest = 1e-3,
): string | undefined {
  if (ours.dtype !== theirs.dtype) return `${ours.dtype} is not ${theirs.dtype}`;
  if (!sameShape(ours.shape, theirs.shape)) return `${ours.shape} is not ${theirs.shape}`;
  const [a, b] = [toDoubles(ours), toDoubles(theirs)];
  for (let i = 0; i < a.length; i++) {
    if (!close(a[i]!, b[i]!, tolerance, smallest)) return `element ${i}: ${a[i]} is not ${b[i]}`;
  }
  return undefined;
}

/** Not in opset 17, or with a second input. */
const later = new Set(["Pow", "Gelu", "Mish", "BitwiseNot"]);

Deno.test("functions of one input: values are those of onnxruntime", async () => {
  const failures: string[] = [];
  let count = 0;
  for (const d of listA) {
    if (!("real" in d) || d.domain !== undefined || later.has(d.op)) continue;
    // A Clip without bounds limits infinities to the largest float there, ours leaves them.
    const finite = d.op === "Clip" ? f32([1, 3], [-2, 0, 2]) : grid;
    const x = d.op === "Not" ? tensor("bool", [1, 2], Uint8Array.of(0, 1)) : finite;
    const n = node(d.op, d.op, ["x"], ["y"]);
    const values = new Map([["x", x]]);
    const ours = foldNode(n, lookupOf(values))![0]!;
    const theirs = await reference(n, values, [ours.dtype]);
    // Its vectorised functions saturate inputs (and do not keep NaN) where ours follow the formula.
    const loose = new Set(["Erf", "Gelu", "Sigmoid", "Tanh", "Softplus", "Elu", "Selu", "Celu"]);
    const wrong = differs(ours, theirs, loose.has(d.op) ? 1e-4 : 4e-6);
    if (wrong === undefined) count++;
    else failures.push(`${d.op}: ${wrong}`);
  }
  console.log(`${count} functions agree`);
  assert.deepEqual(failures, []);
});

Deno.test("elementwise operators: values are those of onnxruntime, in every type", async () => {
  const failures: string[] = [];
  const run = async (n: Node, values: Map<string, Tensor>, tolerance: number, opset = 17) => {
    const ours = foldNode(n, lookupOf(values))?.[0];
    if (ours === undefined) return failures.push(`${n.op}: not folded`);
    let theirs: Tensor;
    try {
      theirs = await reference(n, values, [ours.dtype], opset);
    } catch (e) {
      // No kernel for that type.
      if (/NOT_IMPLEMENTED|type|Could not find/i.test((e as Error).message)) return skipped++;
      throw e;
    }
    count++;
    const wrong = differs(ours, theirs, tolerance);
    if (wrong !== undefined) failures.push(`${n.op} ${values.get("a")!.dtype}: ${wrong}`);
  };
  let [count, skipped] = [0, 0];
  const next = random(11);
  const make = (dtype: DType, shape: readonly number[], positive: boolean): Tensor => {
    const n = shape.reduce((a, b) => a * b, 1);
    const whole = dtype !== "float32" && dtype !== "float64";
    const list = Array.from({ length: n }, () => {
      const v = next() * 9;
      const u = dtype === "bool" ? Number(v > 0) : whole ? Math.trunc(v) : v;
      return positive
        ? Math.abs(u) + (dtype === "bool" ? 0 : 1)
        : dtype[0] === "u"
        ? Math.abs(u)
        : u;
    });
    return tensor(dtype, shape, fromDoubles(dtype, list));
  };
  const numbers: DType[] = ["float32", "float64", "int32", "int64", "uint8", "int8"];
  const integers: DType[] = ["int32", "int64", "uint8"];
  const shapes = [[[2, 3, 4], [3, 1]], [[4], [2, 1, 4]], [[], [3]], [[2, 1, 4], [1, 3, 1]]];
  for (
    const [op, types, attrs] of [
      ["Add", numbers, {}],
      ["Sub", numbers, {}],
      ["Mul", numbers, {}],
      ["Div", numbers, {}],
      ["Pow", ["float32", "float64", "int32", "int64"], {}],
      ["Max", numbers, {}],
      ["Min", numbers, {}],
      ["Sum", ["float32"], {}],
      ["Mean", ["float32"], {}],
      ["Equal", [...numbers, "bool"], {}],
      ["Greater", numbers, {}],
      ["GreaterOrEqual", numbers, {}],
      ["Less", numbers, {}],
      ["LessOrEqual", numbers, {}],
      ["And", ["bool"], {}],
      ["Or", ["bool"], {}],
      ["Xor", ["bool"], {}],
      ["Mod", integers, {}],
      ["Mod", ["float32", "int32", "int64"], { fmod: attr.int(1) }],
      ["BitShift", ["uint8", "uint32", "uint64"], { direction: attr.string("LEFT") }],
      ["BitShift", ["uint8", "uint32", "uint64"], { direction: attr.string("RIGHT") }],
      ["BitwiseAnd", integers, {}],
      ["BitwiseOr", integers, {}],
      ["BitwiseXor", integers, {}],
      ["PRelu", ["float32"], {}],
    ] as [string, DType[], Record<string, Attr>][]
  ) {
    for (const dtype of types) {
      for (const [sa, sb] of shapes) {
        if (op === "PRelu" && sb!.length > sa!.length) continue;
        if (op === "PRelu" && sa![1] === 1) continue;
        const positive = op === "Div" || op === "Mod" || op === "Pow";
        const a = make(dtype, sa!, op === "Pow" && dtype.startsWith("float"));
        const values = new Map([["a", a], ["b", make(dtype, sb!, positive)]]);
        const tolerance = op === "Pow" ? 4e-6 : dtype === "float32" ? 2e-7 : 1e-15;
        const opset = op.startsWith("Bitwise") ? 18 : 17;
        await run(node(op, op, ["a", "b"], ["y"], attrs), values, tolerance, opset);
      }
    }
  }
  const shifts = tensor("uint64", [4], BigUint64Array.of(1n, 63n, 64n, 2n ** 63n));
  const huge = new Map([["a", tensor("uint64", [], BigUint64Array.of(7n))], ["b", shifts]]);
  const left = { direction: attr.string("LEFT") };
  const shifted = foldNode(node("BitShift", "shift", ["a", "b"], ["y"], left), lookupOf(huge))!;
  assert.deepEqual([...shifted[0]!.data], [14n, 2n ** 63n, 0n, 0n]);
  const k = make("bool", [2, 1, 4], false);
  for (const dtype of ["float32", "int64", "uint8"] as const) {
    const values = new Map([["k", k], ["a", make(dtype, [3, 1], false)], [
      "b",
      make(dtype, [4], false),
    ]]);
    await run(node("Where", "where", ["k", "a", "b"], ["y"]), values, 0);
  }
  console.log(`${count} cases agree, ${skipped} types without a kernel`);
  assert.deepEqual(failures, []);
});

Deno.test("products, normalisation, quantization: values are those of onnxruntime", async () => {
  const failures: string[] = [];
  let count = 0;
  const check = async (n: Node, list: readonly Tensor[], tolerance = 1e-5) => {
    const values = new Map(list.map((t, i): [string, Tensor] => [n.inputs[i]!, t]));
    const all = foldNode(n, lookupOf(values));
    const ours = all?.[0];
    if (all === undefined || ours === undefined) return failures.push(`${n.name}: not folded`);
    const theirs = await reference(n, values, all.map((t) => t.dtype));
    // Sums cancel, so that small results carry the rounding of large terms.
    const wrong = differs(ours, theirs, tolerance, 1);
    if (wrong === undefined) count++;
    else failures.push(`${n.op} ${list.map((t) => t.shape.join("x"))}: ${wrong}`);
  };
  const r = randomTensor;
  const ab = ["a", "b"];
  for (
    const [a, b] of [
      [[4, 5], [5, 6]],
      [[5], [5, 6]],
      [[4, 5], [5]],
      [[5], [5]],
      [[2, 1, 4, 5], [3, 5, 6]],
      [[3, 4, 5], [5]],
    ] as const
  ) await check(node("MatMul", "mm", ab, ["y"]), [r(a, 1), r(b, 2)]);
  for (const [ta, tb] of [[0, 0], [1, 0], [0, 1], [1, 1]]) {
    const attrs = {
      transA: attr.int(ta!),
      transB: attr.int(tb!),
      alpha: attr.float(0.5),
      beta: attr.float(2),
    };
    const [a, b] = [ta ? [3, 2] : [2, 3], tb ? [4, 3] : [3, 4]];
    for (const bias of [[2, 4], [4], [2, 1], []]) {
      await check(node("Gemm", "gemm", ["a", "b", "c"], ["y"], attrs), [
        r(a, 1),
        r(b, 2),
        r(bias, 3),
      ]);
    }
  }
  for (const axis of [0, 1, 2, -1, -2]) {
    const attrs = { axis: attr.int(axis) };
    for (const op of ["Softmax", "LogSoftmax", "Hardmax", "LpNormalization"]) {
      await check(node(op, op, ["a"], ["y"], attrs), [r([2, 3, 4], 5)]);
    }
    const x = r([2, 3, 4], 5);
    const channels = x.shape.at(axis)!;
    const scale = tensor(
      "float32",
      [channels],
      Float32Array.from(Array(channels), (_, i) => .01 + i),
    );
    const zero = tensor("uint8", [channels], Uint8Array.from(Array(channels), (_, i) => 100 + i));
    const [quantize, dequantize] = ["QuantizeLinear", "DequantizeLinear"].map((op) =>
      node(op, op, ["a", "b", "c"], ["y"], attrs)
    );
    await check(quantize!, [x, scale, zero], 0);
    const q = tensor("uint8", [2, 3, 4], Uint8Array.from(Array(24), (_, i) => i * 10));
    await check(dequantize!, [q, scale, zero], 0);
  }
  const lot = randomTensor([1, 1000], 9, 3);
  const half = tensor("float32", [], Float32Array.of(0.017));
  await check(node("QuantizeLinear", "q", ab, ["y"]), [lot, half], 0);
  await check(node("DynamicQuantizeLinear", "dq", ["a"], ["y", "s", "z"]), [lot], 0);
  const positive = f32([3], [0.5, 1, 2]);
  await check(node("BatchNormalization", "bn", ["x", "s", "b", "m", "v"], ["y"]), [
    r([2, 3, 4, 2], 1),
    r([3], 2),
    r([3], 3),
    r([3], 4),
    positive,
  ]);
  await check(node("LayerNormalization", "ln", ["x", "s", "b"], ["y"], { axis: attr.int(1) }), [
    r([2, 3, 4], 1),
    r([3, 4], 2),
    r([3, 4], 3),
  ]);
  console.log(`${count} cases agree`);
  assert.deepEqual(failures, []);
});
