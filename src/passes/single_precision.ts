/**
 * Models that compute in half or double precision become float32 models, which is what calibration,
 * quantization and the BPU know.
 *
 * @module
 */

import { dtypeToOnnx } from "../formats/onnx/dtypes.ts";
import { type Attr, attr, type Graph, type Node } from "../ir/graph.ts";
import { type DType, f32, numbersOf, type Tensor } from "../ir/tensor.ts";

/** Operators whose weights say in which precision a network computes. */
const WEIGHTED: ReadonlySet<string> = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul"]);

/** Attributes that name an element type. */
const TYPE_ATTRIBUTES: ReadonlySet<string> = new Set(["to", "dtype", "output_datatype"]);

/**
 * Says in which other precision a network computes: that of its inputs or weights. A float64 detour of
 * a float32 network (sizes, indices) is none: there the digits may be needed.
 */
export function otherPrecision(g: Graph): "float16" | "float64" | undefined {
  const seen = [
    ...g.inputs.map((p) => p.dtype),
    ...g.nodes.filter((n) => WEIGHTED.has(n.op)).map((n) =>
      (g.constants.get(n.inputs[1] ?? "") ?? g.types.get(n.inputs[1] ?? ""))?.dtype
    ),
  ];
  for (const d of ["float16", "float64"] as const) if (seen.includes(d)) return d;
  return undefined;
}

/**
 * Before and after: `float16 x -> Conv(float16 w) -> float16 y   =>   x -> Conv(w) -> y`, all float32.
 * Half precision values are exact in float32, double precision ones are rounded.
 *
 * @param from the precision that goes, of {@linkcode otherPrecision}
 */
export function singlePrecision(g: Graph, from: "float16" | "float64"): Graph {
  const type = (d: DType): DType => d === from ? "float32" : d;
  const typed = <T extends { readonly dtype: DType }>(t: T): T => ({ ...t, dtype: type(t.dtype) });
  const value = (t: Tensor): Tensor => t.dtype === from ? f32(t.shape, numbersOf(t)) : t;
  const code = dtypeToOnnx(from);
  const changed = (key: string, a: Attr): Attr => {
    switch (a.type) {
      case "int":
        return TYPE_ATTRIBUTES.has(key) && a.value === code ? attr.int(dtypeToOnnx("float32")) : a;
      case "tensor":
        return attr.tensor(value(a.value));
      case "tensors":
        return { type: "tensors", value: a.value.map(value) };
      case "graph":
        return { type: "graph", value: graph(a.value) };
      case "graphs":
        return { type: "graphs", value: a.value.map(graph) };
      default:
        return a;
    }
  };
  const graph = (x: Graph): Graph => ({
    ...x,
    inputs: x.inputs.map(typed),
    outputs: x.outputs.map(typed),
    constants: new Map([...x.constants].map(([name, t]) => [name, value(t)])),
    types: new Map([...x.types].map(([name, t]) => [name, typed(t)])),
    nodes: x.nodes.map((n): Node => ({
      ...n,
      attrs: new Map([...n.attrs].map(([key, a]) => [key, changed(key, a)])),
    })),
  });
  return graph(g);
}
