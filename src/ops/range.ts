import { allocate, elementCount, type Tensor } from "../ir/tensor.ts";
import { modelError } from "./context.ts";
import { foldable } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { fromDoubles, isBig, toDoubles } from "./convert.ts";
import { dtypeIn, everywhere, onCpu } from "./rules.ts";

function scalar(c: InferContext, i: number): Tensor | undefined {
  const t = c.constant(i);
  if (t !== undefined && elementCount(t.shape) !== 1) {
    return modelError(c.node, `input ${i} is not a scalar`);
  }
  return t;
}

/** start, delta and count; undefined when an input is not constant. */
function parts(c: InferContext) {
  const [a, b, d] = [scalar(c, 0), scalar(c, 1), scalar(c, 2)];
  if (a === undefined || b === undefined || d === undefined) return undefined;
  const [start, limit, delta] = [toDoubles(a)[0]!, toDoubles(b)[0]!, toDoubles(d)[0]!];
  if (delta === 0) modelError(c.node, "delta is 0");
  const span = a.dtype === "float32" ? Math.fround(limit - start) : limit - start;
  const count = Math.max(0, Math.ceil(span / delta));
  if (!Number.isSafeInteger(count)) modelError(c.node, `${start}..${limit} is not a finite range`);
  return { a, d, start, delta, count };
}

/** Numbers from a start up to a limit in steps. */
export const range: OpDef = {
  op: "Range",
  place: everywhere(onCpu(dtypeIn(["float", "int64", "int32", "int16"]))),
  infer(c) {
    const { dtype } = c.need(0);
    for (const i of [1, 2]) {
      const other = c.need(i).dtype;
      if (other !== dtype) shapeError(c.node, `start is ${dtype}, input ${i} is ${other}`);
    }
    return [{ dtype, shape: [parts(c)?.count ?? -1] }];
  },
  fold(c) {
    const p = parts(c);
    if (p === undefined || !foldable([p.count])) return undefined;
    const { dtype } = p.a;
    const shape = [p.count];
    if (isBig(dtype)) {
      const [start, delta] = [(p.a.data as BigInt64Array)[0]!, (p.d.data as BigInt64Array)[0]!];
      const data = allocate(dtype, p.count) as BigInt64Array;
      for (let i = 0; i < p.count; i++) data[i] = start + BigInt(i) * delta;
      return [{ dtype, shape, data }];
    }
    // A running sum in the element type, as onnxruntime has it.
    const round = dtype === "float32" ? Math.fround : (v: number) => v;
    const values = new Float64Array(p.count);
    for (let i = 0, v = p.start; i < p.count; i++, v = round(v + p.delta)) values[i] = v;
    return [{ dtype, shape, data: fromDoubles(dtype, values) }];
  },
};
