/**
 * Pad disappears into the window of the convolution or pooling behind it.
 *
 * @module
 */

import { attr, intAttr, intsAttr, type Node, stringAttr } from "../ir/graph.ts";
import { lossOf } from "./bpu.ts";
import { FLT_MAX, intsOf, scalarOf } from "./match.ts";
import { rangeOf } from "./merge_clip.ts";
import { nodePass } from "./pass.ts";
import { type Rewriter, withAttrs } from "./rewriter.ts";

interface Match {
  /** Readers that take the padding over, with their new attributes. */
  readonly takers: readonly { readonly node: Node; readonly attrs: Attrs }[];
}

type Attrs = NonNullable<Parameters<Rewriter["alter"]>[1]["attrs"]>;

const BOUNDED = new Set(["Sigmoid", "HardSigmoid", "Softmax", "Abs", "Exp", "Sqrt", "Softplus"]);
const KEEPS_SIGN = new Set(["MaxPool", "AveragePool", "GlobalAveragePool", "Reshape", "Transpose"]);

/** Whether no element of a tensor can be negative. */
function nonNegative(w: Rewriter, name: string, depth = 8): boolean {
  const p = w.producer(name);
  if (p === undefined || p.domain !== "" || depth === 0) return false;
  if (BOUNDED.has(p.op)) return true;
  if (KEEPS_SIGN.has(p.op)) return nonNegative(w, p.inputs[0]!, depth - 1);
  if (p.op === "Concat") return p.inputs.every((i) => nonNegative(w, i, depth - 1));
  const range = rangeOf(w, p);
  return range !== undefined && typeof range !== "string" && range.lo >= 0;
}

/** Begin and end padding of the spatial dimensions, or why it cannot be folded. */
function spatialPads(w: Rewriter, n: Node): number[] | string {
  const mode = stringAttr(n, "mode", "constant");
  if (mode !== "constant") return `its mode is ${mode}`;
  const given = intsOf(w, n.inputs[1]);
  if (given === undefined) return "its pads are not constant";
  const rank = w.shape(n.inputs[0]!)?.length;
  if (rank === undefined || rank < 3) return "its input has no spatial dimensions";
  let pads = given;
  if ((n.inputs[3] ?? "") !== "") {
    const axes = intsOf(w, n.inputs[3]);
    if (axes === undefined || axes.length * 2 !== given.length) return "its axes are not constant";
    pads = new Array<number>(rank * 2).fill(0);
    axes.forEach((a, i) => {
      const axis = a < 0 ? a + rank : a;
      pads[axis] = given[i]!;
      pads[axis + rank] = given[i + axes.length]!;
    });
  }
  if (pads.length !== rank * 2) return "its pads do not fit its input";
  if (pads.some((p) => p < 0)) return "it crops";
  if (pads[0] !== 0 || pads[1] !== 0 || pads[rank] !== 0 || pads[rank + 1] !== 0) {
    return "it pads the batch or the channels";
  }
  return [...pads.slice(2, rank), ...pads.slice(rank + 2)];
}

/** The attributes of `user` with the padding taken over, or why it cannot. */
function takeOver(
  w: Rewriter,
  n: Node,
  user: Node,
  more: readonly number[],
  value: number,
): Attrs | string {
  const who = `${user.name} (${user.op})`;
  if (user.domain !== "" || !["Conv", "MaxPool", "AveragePool"].includes(user.op)) {
    return `${who}, which reads it, has no padding`;
  }
  if (
    user.inputs.filter((i) => i === n.outputs[0]).length !== 1 || user.inputs[0] !== n.outputs[0]
  ) {
    return `${who} reads it as weights`;
  }
  const auto = stringAttr(user, "auto_pad", "NOTSET");
  if (auto !== "NOTSET" && auto !== "VALID") return `${who} has auto_pad ${auto}`;
  const own = auto === "VALID" ? [] : intsAttr(user, "pads", []);
  const pads = more.map((p, i) => p + (own[i] ?? 0));
  const explicit = { pads: attr.ints(pads), auto_pad: undefined };
  if (user.op === "Conv") {
    return value === 0 ? explicit : `it pads with ${value}, ${who} with 0`;
  }
  const kernel = intsAttr(user, "kernel_shape");
  if (intAttr(user, "ceil_mode", 0) !== 0) return `${who} rounds its size up`;
  if (pads.some((p, i) => p >= kernel[i % kernel.length]!)) {
    return `the padding would be as large as the window of ${who}`;
  }
  if (user.op === "AveragePool") {
    if (value !== 0) return `it pads with ${value}`;
    if (intAttr(user, "count_include_pad", 0) === 0 && own.some((p) => p !== 0)) {
      return `${who} does not count its own padding`;
    }
    return { ...explicit, count_include_pad: attr.int(1) };
  }
  if (user.outputs.length > 1 && user.outputs[1] !== "") return `${who} returns indices`;
  if (value <= -FLT_MAX) return explicit;
  if (value > 0 || !nonNegative(w, n.inputs[0]!)) {
    return `it pads with ${value}, which can win in ${who}`;
  }
  if (value < 0 || pads.every((p, i) => p < kernel[i % kernel.length]!)) return explicit;
  return `${who} has windows of padding only`;
}

/**
 * Zero padding goes into the pads of a Conv, of an AveragePool that counts padding, and of a MaxPool
 * over values that are not negative. Each reader takes it over on its own; the Pad stays for the rest.
 */
export const foldPad = nodePass<Match>({
  name: "fold_pad",
  doc: `Pad(0) -> Conv(pads a)          =>  Conv(pads a + pad)
Pad(0) -> AveragePool               =>  AveragePool(count_include_pad)
Relu -> Pad(0) -> MaxPool           =>  Relu -> MaxPool(pads)`,
  ops: ["Pad"],
  check(w, n) {
    if (!w.isFloat(n.outputs[0]!)) return undefined;
    const pads = spatialPads(w, n);
    if (typeof pads === "string") return pads;
    const value = (n.inputs[2] ?? "") === "" ? 0 : scalarOf(w, n.inputs[2]);
    if (value === undefined) return "its value is not constant";
    const takers: { node: Node; attrs: Attrs }[] = [];
    let why: string | undefined;
    for (const user of w.users(n.outputs[0]!)) {
      const attrs = takeOver(w, n, user, pads, value);
      if (typeof attrs === "string") {
        why ??= attrs;
        continue;
      }
      const inputs = [n.inputs[0]!, ...user.inputs.slice(1)];
      const loss = lossOf(w, [user], [{ ...user, inputs, attrs: withAttrs(user.attrs, attrs) }]);
      if (loss !== undefined) why ??= loss;
      else takers.push({ node: user, attrs });
    }
    if (takers.length === 0) return why ?? "nothing reads it but the model's outputs";
    return { takers };
  },
  rewrite(w, n, m) {
    for (const { node, attrs } of m.takers) {
      w.alter(node, { inputs: [n.inputs[0]!, ...node.inputs.slice(1)], attrs });
    }
    const out = n.outputs[0]!;
    if (w.users(out).length === 0 && !w.pinned(out)) w.remove(n);
  },
});
