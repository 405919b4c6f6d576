/**
 * AveragePool (19: `dilations`) and LpPool (18: `ceil_mode`, `dilations`).
 *
 * @module
 */

import { attr, intAttr, intsAttr, type Node, stringAttr } from "../../../ir/graph.ts";
import { elementCount, f32 } from "../../../ir/tensor.ts";
import { Chain } from "./chain.ts";
import { type Context, refuse, reserve, without } from "./context.ts";

/** The newer attributes are dropped where they say nothing; else the node becomes a depthwise Conv. */
export function pool(n: Node, c: Context): readonly Node[] | undefined {
  const dilated = n.attrs.has("dilations") && intsAttr(n, "dilations").some((d) => d !== 1);
  if (dilated || n.op === "LpPool" && intAttr(n, "ceil_mode", 0) !== 0) return asConv(n, c);
  const attrs = n.op === "LpPool"
    ? without(n.attrs, "dilations", "ceil_mode")
    : without(n.attrs, "dilations");
  return attrs.size === n.attrs.size ? undefined : [{ ...n, attrs }];
}

/** One spatial axis: pads as they are, and the number of values under each window. */
interface Axis {
  readonly out: number;
  readonly begin: number;
  readonly end: number;
  readonly counts: readonly number[];
}

function axisOf(n: Node, size: number, i: number, rank: number): Axis {
  const at = (key: string, fallback: number) => intsAttr(n, key, [])[i] ?? fallback;
  const span = (intsAttr(n, "kernel_shape")[i]! - 1) * at("dilations", 1) + 1;
  const stride = at("strides", 1);
  let begin = at("pads", 0);
  let end = intsAttr(n, "pads", [])[i + rank] ?? 0;
  const auto = stringAttr(n, "auto_pad", "NOTSET");
  let out: number;
  if (auto.startsWith("SAME")) {
    out = Math.ceil(size / stride);
    const total = Math.max((out - 1) * stride + span - size, 0);
    begin = auto === "SAME_UPPER" ? total >> 1 : total - (total >> 1);
    end = total - begin;
  } else {
    if (auto === "VALID") begin = end = 0;
    const room = (size + begin + end - span) / stride;
    const ceil = intAttr(n, "ceil_mode", 0) !== 0;
    out = (ceil ? Math.ceil(room) : Math.floor(room)) + 1;
    // A window that starts behind the image and its padding is none.
    if (ceil && (out - 1) * stride >= size + begin) out--;
  }
  if (out < 1) throw refuse(n, "a window is larger than the padded input");
  reserve(n, out * intsAttr(n, "kernel_shape")[i]!);
  const padded = n.op === "AveragePool" && intAttr(n, "count_include_pad", 0) !== 0;
  // What ceil_mode adds behind the padding counts as nothing, as in onnxruntime and PyTorch.
  const [low, high] = padded ? [-begin, size + end] : [0, size];
  const step = at("dilations", 1);
  const counts = Array.from({ length: out }, (_, o) => {
    let count = 0;
    for (let p = o * stride - begin, k = 0; k < span; k += step) {
      if (p + k >= low && p + k < high) count++;
    }
    return count;
  });
  return { out, begin, end: Math.max(0, (out - 1) * stride + span - size - begin), counts };
}

/**
 *     AveragePool: Conv(ones) -> Mul(1 / values under each window); one Conv where these are all the same
 *     LpPool: Abs -> Pow(p) -> Conv(ones) -> Pow(1 / p)
 */
function asConv(n: Node, c: Context): Node[] {
  const x = n.inputs[0] ?? "";
  const { shape, dtype } = c.fact(x);
  if (shape === undefined || shape.slice(1).includes(-1) || (dtype ?? "float32") !== "float32") {
    throw refuse(n, "the input size of a dilated window is not known", "Fix the input shape.");
  }
  const kernel = intsAttr(n, "kernel_shape");
  const rank = shape.length - 2;
  if (kernel.length !== rank) throw refuse(n, "kernel_shape does not fit the input");
  for (const key of ["kernel_shape", "strides", "dilations"]) {
    if (intsAttr(n, key, []).some((v) => v < 1)) throw refuse(n, `${key} must be at least 1`);
  }
  const axes = shape.slice(2).map((size, i) => axisOf(n, size, i, rank));
  reserve(n, axes.reduce((all, a) => all * a.out, 1));
  reserve(n, shape[1]! * elementCount(kernel));
  const counts = axes.reduce<number[]>(
    (all, a) => all.flatMap((v) => a.counts.map((k) => v * k)),
    [1],
  );
  const average = n.op === "AveragePool";
  const uniform = average && counts.every((v) => v === counts[0]);
  const chain = new Chain(n, c);
  const power = (t: string, p: number) =>
    chain.add("Pow", [t, chain.constant("power", f32([], [p]))]);
  const p = intAttr(n, "p", 2);
  const channels = shape[1]!;
  const weight = new Float32Array(channels * elementCount(kernel)).fill(
    uniform ? 1 / counts[0]! : 1,
  );
  const sums = chain.add("Conv", [
    average ? x : power(chain.add("Abs", [x]), p),
    chain.constant("window", f32([channels, 1, ...kernel], weight)),
  ], {
    group: attr.int(channels),
    kernel_shape: attr.ints(kernel),
    dilations: attr.ints(intsAttr(n, "dilations", kernel.map(() => 1))),
    strides: attr.ints(intsAttr(n, "strides", kernel.map(() => 1))),
    pads: attr.ints([...axes.map((a) => a.begin), ...axes.map((a) => a.end)]),
  });
  if (!average) power(sums, 1 / p);
  else if (!uniform) {
    const share = f32([1, 1, ...axes.map((a) => a.out)], counts.map((v) => v === 0 ? 0 : 1 / v));
    chain.add("Mul", [sums, chain.constant("share", share)]);
  }
  return chain.end();
}
