/**
 * Operators of opsets 1 to 6 in the form of opset 7: most differ by an attribute that has gone. Sources:
 * the operator schemas of ONNX, `Changelog.md`.
 *
 * @module
 */

import { type Attr, attr, intAttr, type Node } from "../../../ir/graph.ts";
import { elementCount, i64 } from "../../../ir/tensor.ts";
import { dtypeToOnnx } from "../dtypes.ts";
import { addInts, type Context, helper, refuse, rewired, without } from "./context.ts";

const binary: ReadonlySet<string> = new Set([
  ..."Add Sub Mul Div Pow And Or Xor Greater Less Equal Gemm".split(" "),
]);

/** Names of element types as Cast of opset 1 writes them. */
const castNames: ReadonlyMap<string, number> = new Map([
  ...(["float64", "float16", "int8", "uint8", "int16", "uint16", "int32", "uint32"] as const)
    .map((d) => [d.toUpperCase(), dtypeToOnnx(d)] as const),
  ...(["int64", "uint64", "bool", "string"] as const)
    .map((d) => [d.toUpperCase(), dtypeToOnnx(d)] as const),
  ["FLOAT", dtypeToOnnx("float32")],
  ["DOUBLE", dtypeToOnnx("float64")],
]);

/** Nodes of opset 7; the last one is the node itself. */
export function legacy(original: Node, c: Context): readonly [...Node[], Node] {
  const n = rewired(original, original.inputs, without(original.attrs, "consumed_inputs"));
  const set = (key: string, value: Attr, ...gone: string[]): [Node] => [
    rewired(n, n.inputs, new Map([...without(n.attrs, ...gone), [key, value]])),
  ];
  if (binary.has(n.op)) return broadcast(n, c);
  switch (n.op) {
    case "PRelu":
      return slope(n, c);
    case "Concat":
      return c.opset < 4 && !n.attrs.has("axis") ? set("axis", attr.int(1)) : [n];
    case "Pad": {
      const pads = n.attrs.get("paddings");
      return pads === undefined ? [n] : set("pads", pads, "paddings");
    }
    case "Reshape": {
      const shape = n.attrs.get("shape");
      if (shape?.type !== "ints") return [n];
      const target = addInts(n, c, "shape", shape.value);
      return [rewired(n, [n.inputs[0] ?? "", target], without(n.attrs, "shape"))];
    }
    case "Cast": {
      const to = n.attrs.get("to");
      if (to?.type !== "string") return [n];
      const code = castNames.get(to.value.toUpperCase());
      if (code === undefined) throw refuse(n, `the element type ${to.value} is not known`);
      return set("to", attr.int(code));
    }
    case "Upsample": {
      const h = n.attrs.get("height_scale"), w = n.attrs.get("width_scale");
      if (h?.type !== "float" || w?.type !== "float") return [n];
      return set("scales", attr.floats([1, 1, h.value, w.value]), "height_scale", "width_scale");
    }
    case "LpPool":
    case "GlobalLpPool": {
      const p = n.attrs.get("p");
      return p?.type === "float" ? set("p", attr.int(p.value)) : [n];
    }
    case "RNN":
    case "GRU":
    case "LSTM":
      return [rewired(n, n.inputs, without(n.attrs, "output_sequence"))];
    case "Tile":
      if (c.opset < 6) throw refuse(n, "Tile of opset 1 is not supported", "Use opset 6 or later.");
      return [n];
    default:
      return [n];
  }
}

/** `broadcast=1` with `axis`: the dimensions of B stand at that axis of A, ones follow. */
function broadcast(n: Node, c: Context): readonly [...Node[], Node] {
  const plain = without(n.attrs, "broadcast", "axis");
  const bare = rewired(n, n.inputs, plain);
  if (intAttr(n, "broadcast", 0) === 0 || !n.attrs.has("axis")) return [bare];
  const [a = "", b = ""] = n.inputs;
  const rankA = c.fact(a).rank, rankB = c.fact(b).rank;
  if (rankA === undefined || rankB === undefined) {
    throw refuse(n, "the rank of an input is not known", "Convert the model to opset 7 or later.");
  }
  const at = intAttr(n, "axis");
  const behind = rankA - (at < 0 ? at + rankA : at) - rankB;
  if (behind < 0) throw refuse(n, `the second input does not fit at axis ${at}`);
  if (behind === 0) return [bare];
  const wide = trailing(n, c, b, rankB, behind);
  return [wide, rewired(n, [a, wide.outputs[0]!], plain)];
}

/** A slope for each channel becomes [C, 1, ...]. */
function slope(n: Node, c: Context): readonly [...Node[], Node] {
  const [x = "", s = ""] = n.inputs;
  const { rank } = c.fact(x);
  const { shape } = c.fact(s);
  if (shape?.length !== 1 || elementCount(shape) === 1 || rank === undefined || rank < 3) {
    return [n];
  }
  const wide = trailing(n, c, s, 1, rank - 2);
  return [wide, rewired(n, [x, wide.outputs[0]!])];
}

function trailing(n: Node, c: Context, t: string, rank: number, count: number): Node {
  const axes = Array.from({ length: count }, (_, i) => rank + i);
  // The form of opset 6; the upgrade of Unsqueeze is not run on helpers, so the axes are an input.
  return helper(n, c, "Unsqueeze", "trailing", [
    t,
    c.addConstant(`${n.name}_trailing_axes`, i64(axes)),
  ]);
}
