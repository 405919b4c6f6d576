/**
 * Element types that onnxruntime-web has no kernel for: Casts to a wider type stand around the node.
 *
 * @module
 */

import { dtypeToOnnx } from "../formats/onnx/dtypes.ts";
import { attr, type Node } from "../ir/graph.ts";
import type { DType } from "../ir/tensor.ts";
import { nodePass } from "./pass.ts";
import type { Rewriter } from "./rewriter.ts";

/** What some inputs of an operator are cast to. */
interface Wider {
  readonly inputs: readonly number[] | "all";
  readonly types: ReadonlyMap<DType, DType>;
  /** Whether outputs have the type of the inputs. */
  readonly back: boolean;
}

const types = (...pairs: readonly (readonly [DType, DType])[]) => new Map(pairs);

/** The narrow type's values are exact in the wider one, and the cast back wraps as the type does. */
const table: ReadonlyMap<string, Wider> = new Map<string, Wider>([
  ...["Max", "Min"].map((op): [string, Wider] => [op, {
    inputs: "all",
    types: types(["int8", "int32"], ["int16", "int32"], ["uint8", "int32"], ["uint16", "int32"]),
    back: true,
  }]),
  ["BitShift", { inputs: "all", types: types(["uint16", "uint32"]), back: true }],
  ["Where", {
    inputs: [1, 2],
    types: types(["int8", "int32"], ["int16", "int32"], ["uint16", "int32"], ["bool", "uint8"]),
    back: true,
  }],
  ["Pow", {
    inputs: [1],
    types: types(["uint32", "int64"], ["uint64", "int64"], ["int8", "int32"], ["int16", "int32"]),
    back: false,
  }],
  ...["IsInf", "IsNaN"].map((op): [string, Wider] => [op, {
    inputs: "all",
    types: types(["float16", "float32"], ["bfloat16", "float32"]),
    back: false,
  }]),
  ...["ReduceMax", "ReduceMin"].map((op): [string, Wider] => [op, {
    inputs: [0],
    types: types(["bool", "int32"]),
    back: true,
  }]),
  ["QLinearMatMul", { inputs: [1, 4, 6], types: types(["float16", "float32"]), back: false }],
]);

const at = (wider: Wider, i: number) => wider.inputs === "all" || wider.inputs.includes(i);

function cast(w: Rewriter, n: Node, from: string, to: DType, out?: string): Node {
  return w.make("Cast", `${n.name}_${to}`, [from], [out ?? wide(w, from, to)], {
    to: attr.int(dtypeToOnnx(to)),
  });
}

/** A tensor like `t` of another type. */
function wide(w: Rewriter, t: string, dtype: DType): string {
  const shape = w.type(t)?.shape;
  const name = `${t}_${dtype}`;
  return shape === undefined ? w.tensorName(name) : w.temp(name, { dtype, shape });
}

/** Casts around nodes on element types that the engine does not take. */
export const legalTypes = nodePass<{ readonly wider: Wider }>({
  name: "legal_types",
  doc: `Max(int16)   =>   Cast(int32) -> Max -> Cast(int16)`,
  ops: [...table.keys()],
  check(w, n) {
    const wider = table.get(n.op)!;
    const narrow = n.inputs.some((t, i) => {
      const dtype = at(wider, i) ? w.type(t)?.dtype : undefined;
      return dtype !== undefined && wider.types.has(dtype);
    });
    return narrow ? { wider } : undefined;
  },
  rewrite(w, n, { wider }) {
    const before: Node[] = [], after: Node[] = [];
    let narrow: DType | undefined;
    const inputs = n.inputs.map((t, i) => {
      const dtype = w.type(t)?.dtype;
      const to = dtype === undefined || !at(wider, i) ? undefined : wider.types.get(dtype);
      if (to === undefined) return t;
      narrow ??= dtype;
      const c = cast(w, n, t, to);
      before.push(c);
      return c.outputs[0]!;
    });
    const from = narrow;
    const outputs = n.outputs.map((t) => {
      if (!wider.back || t === "" || from === undefined) return t;
      const y = wide(w, t, wider.types.get(from)!);
      after.push(cast(w, n, y, from, t));
      return y;
    });
    w.replace([n], [...before, { ...n, inputs, outputs }, ...after]);
  },
});
