/**
 * Element types and ranks of tensors, as far as they follow from the operators alone. Full shape
 * inference comes later and works on opset 17; this much is needed to get there.
 *
 * @module
 */

import type { Node } from "../../../ir/graph.ts";
import { type DType, numbersOf } from "../../../ir/tensor.ts";
import { heldDtype } from "../narrow.ts";
import type { Context, Fact } from "./context.ts";

const set = (names: string): ReadonlySet<string> => new Set(names.split(" "));

/** Output shape and dtype are those of the first input. */
const alike = set(
  "Relu LeakyRelu PRelu Elu Selu Celu ThresholdedRelu Sigmoid HardSigmoid HardSwish Tanh Softplus " +
    "Softsign Softmax LogSoftmax Hardmax Clip Abs Neg Exp Log Sqrt Reciprocal Floor Ceil Round Sign " +
    "Erf Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Identity Dropout BatchNormalization " +
    "InstanceNormalization LayerNormalization LRN LpNormalization MeanVarianceNormalization CumSum " +
    "Shrink Gelu Mish GroupNormalization ScatterElements ScatterND Scatter Trilu BitwiseNot",
);
/** Rank and dtype are those of the first input. */
const sameRank = set(
  "Conv ConvTranspose AveragePool MaxPool LpPool GlobalAveragePool GlobalMaxPool GlobalLpPool " +
    "Transpose Pad Slice Split Tile Resize Upsample Concat DepthToSpace SpaceToDepth TopK " +
    "GatherElements ReverseSequence Compress",
);
const broadcast = set("Add Sub Mul Div Pow Mod Max Min Sum Mean BitwiseAnd BitwiseOr BitwiseXor");
const comparison = set("Equal Greater Less GreaterOrEqual LessOrEqual And Or Xor");
const reduce = set(
  "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum " +
    "ReduceLogSumExp ReduceSumSquare ArgMax ArgMin",
);
const toInt64 = set("Shape Size ArgMax ArgMin NonZero");

/** What is known about the first output of a node. */
export function factOf(n: Node, c: Context): Fact {
  if (n.domain !== "") return {};
  const input = (i: number): Fact => {
    const name = n.inputs[i] ?? "";
    return name === "" ? {} : c.fact(name);
  };
  const a = input(0);
  if (alike.has(n.op)) return a;
  const dtype = dtypeOf(n, input);
  const shape = vectorOf(n, c, input);
  const rank = shape?.length ?? rankOf(n, c, input);
  return {
    ...(dtype === undefined ? {} : { dtype }),
    ...(rank === undefined ? {} : { rank }),
    ...(shape === undefined ? {} : { shape }),
  };
}

/**
 * Shape of a small vector: exporters build the target of a Reshape from Shape, Gather, Unsqueeze and
 * Concat, and its length is the rank of what follows.
 */
function vectorOf(n: Node, c: Context, input: (i: number) => Fact): readonly number[] | undefined {
  const a = input(0);
  switch (n.op) {
    case "Shape":
      return a.rank === undefined || n.attrs.size > 0 ? undefined : [a.rank];
    case "Cast":
      return a.rank !== undefined && a.rank <= 1 ? a.shape : undefined;
    case "Unsqueeze":
      return a.rank === 0 && axesCount(n, c, 1) === 1 ? [1] : undefined;
    case "Gather":
      return a.rank === 1 ? input(1).shape : undefined;
    case "Concat": {
      let length = 0;
      for (let i = 0; i < n.inputs.length; i++) {
        const { shape } = input(i);
        if (shape?.length !== 1 || shape[0]! < 0) return undefined;
        length += shape[0]!;
      }
      return [length];
    }
    case "Slice": {
      const numbers = (i: number, key: string): readonly number[] | undefined => {
        const stated = n.attrs.get(key);
        if (stated?.type === "ints") return stated.value;
        const t = c.constant(n.inputs[i] ?? "");
        return t === undefined ? undefined : Array.from(numbersOf(t));
      };
      const size = a.shape?.length === 1 ? a.shape[0]! : -1;
      const start = numbers(1, "starts")?.[0];
      const end = numbers(2, "ends")?.[0];
      if (size < 0 || start === undefined || end === undefined || n.inputs.length > 4) return;
      const at = (v: number) => Math.min(size, Math.max(0, v < 0 ? v + size : v));
      return [Math.max(0, at(end) - at(start))];
    }
  }
  return undefined;
}

function dtypeOf(n: Node, input: (i: number) => Fact): DType | undefined {
  if (toInt64.has(n.op)) return "int64";
  if (comparison.has(n.op) || n.op === "Not" || n.op === "IsNaN" || n.op === "IsInf") return "bool";
  switch (n.op) {
    case "Cast": {
      const to = n.attrs.get("to");
      return to?.type === "int" ? heldDtype(to.value, { node: n.name, op: n.op }) : undefined;
    }
    case "Where":
      return input(1).dtype;
    case "QuantizeLinear":
      return n.inputs.length < 3 ? "uint8" : input(2).dtype;
    case "DequantizeLinear":
      return input(1).dtype;
    case "ConstantOfShape": {
      const v = n.attrs.get("value");
      return v?.type === "tensor" ? v.value.dtype : "float32";
    }
    case "MatMul":
    case "Gemm":
    case "Reshape":
    case "Flatten":
    case "Squeeze":
    case "Unsqueeze":
    case "Gather":
    case "GatherND":
    case "Expand":
      return input(0).dtype;
  }
  return sameRank.has(n.op) || broadcast.has(n.op) || reduce.has(n.op) ? input(0).dtype : undefined;
}

function rankOf(n: Node, c: Context, input: (i: number) => Fact): number | undefined {
  const a = input(0).rank;
  const int = (key: string, fallback: number): number => {
    const v = n.attrs.get(key);
    return v?.type === "int" ? v.value : fallback;
  };
  if (sameRank.has(n.op) || n.op === "Cast" || n.op === "Not") return a;
  if (n.op === "QuantizeLinear" || n.op === "DequantizeLinear") return a;
  if (broadcast.has(n.op) || comparison.has(n.op) || n.op === "Where") {
    return n.inputs.reduce<number | undefined>((r, _, i) => {
      const k = input(i).rank;
      return r === undefined || k === undefined ? undefined : Math.max(r, k);
    }, 0);
  }
  if (reduce.has(n.op)) {
    if (int("keepdims", 1) === 1) return a;
    if (n.op.startsWith("Arg")) return a === undefined ? undefined : a - 1;
    const axes = axesCount(n, c, 1);
    return a === undefined || axes === undefined ? undefined : axes === 0 ? 0 : a - axes;
  }
  switch (n.op) {
    case "Gemm":
    case "Flatten":
      return 2;
    case "Shape":
      return 1;
    case "Size":
      return 0;
    case "Reshape":
    case "ConstantOfShape":
    case "Expand": {
      const name = n.inputs[n.op === "ConstantOfShape" ? 0 : 1] ?? "";
      const length = name === "" ? undefined : c.constant(name)?.data.length ??
        c.fact(name).shape?.[0];
      if (length === undefined || length < 0) return undefined;
      return n.op === "Expand" ? (a === undefined ? undefined : Math.max(a, length)) : length;
    }
    case "MatMul": {
      const b = input(1).rank;
      if (a === undefined || b === undefined) return undefined;
      return a >= 2 && b >= 2 ? Math.max(a, b) : Math.max(a, b) - 1;
    }
    case "Unsqueeze":
    case "Squeeze": {
      const axes = axesCount(n, c, 1);
      if (a === undefined || axes === undefined || axes === 0) return undefined;
      return n.op === "Squeeze" ? a - axes : a + axes;
    }
    case "Gather": {
      const b = input(1).rank;
      return a === undefined || b === undefined ? undefined : a - 1 + b;
    }
  }
  return undefined;
}

/** How many axes a node names, as attribute or as constant input; 0 when it names none. */
function axesCount(n: Node, c: Context, index: number): number | undefined {
  const attr = n.attrs.get("axes");
  if (attr?.type === "ints") return attr.value.length;
  const name = n.inputs[index] ?? "";
  if (name === "") return 0;
  const t = c.constant(name);
  return t === undefined ? undefined : numbersOf(t).length;
}
