import { intAttr } from "../ir/graph.ts";
import { stridesOf } from "../ir/tensor.ts";
import { integerInput } from "./args.ts";
import { modelError } from "./context.ts";
import { foldable, offsetsOf, rampTable, reshaped, take } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { everywhere, onCpu } from "./rules.ts";

function axes(c: InferContext): { batch: number; time: number } {
  const { shape } = c.need(0);
  const batch = intAttr(c.node, "batch_axis", 1);
  const time = intAttr(c.node, "time_axis", 0);
  const valid = shape.length >= 2 && batch !== time &&
    [batch, time].every((a) => a === 0 || a === 1);
  if (!valid) shapeError(c.node, `batch_axis ${batch} and time_axis ${time} must be 0 and 1`);
  return { batch, time };
}

/** The first elements of each sequence in reverse order. */
export const reverseSequence: OpDef = {
  op: "ReverseSequence",
  place: everywhere(onCpu()),
  infer(c) {
    axes(c);
    const { dtype, shape } = c.need(0);
    return [{ dtype, shape }];
  },
  fold(c) {
    const x = c.constant(0);
    const lengths = integerInput(c, 1, "sequence_lens");
    if (x === undefined || lengths === undefined || !foldable(x.shape)) return undefined;
    const { batch, time } = axes(c);
    const strides = stridesOf(x.shape);
    const steps = x.shape[time]!;
    if (lengths.length !== x.shape[batch]) {
      shapeError(c.node, `${lengths.length} lengths for ${x.shape[batch]} sequences`);
    }
    if (lengths.some((l) => l < 0 || l > steps)) {
      modelError(c.node, `a sequence length is outside 0..${steps}`);
    }
    // The two leading axes share one table; the rest follows in order.
    const lead = new Int32Array(x.shape[0]! * x.shape[1]!);
    for (let i = 0; i < lead.length; i++) {
      const at = [Math.floor(i / x.shape[1]!), i % x.shape[1]!];
      const t = at[time]!;
      const l = lengths[at[batch]!]!;
      lead[i] = at[batch]! * strides[batch]! + (t < l ? l - 1 - t : t) * strides[time]!;
    }
    const rest = offsetsOf(x.shape.slice(2).map((d, i) => rampTable(d, strides[i + 2]!)));
    return [reshaped(take(x, [lead, rest]), x.shape)];
  },
};
