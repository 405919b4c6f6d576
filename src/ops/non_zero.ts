import { stridesOf, type Tensor } from "../ir/tensor.ts";
import type { OpDef } from "./op.ts";
import { dtypeIn, note, notIntegrated, onCpu, place, rule } from "./rules.ts";

const rankOf = rule("input rank in {1,4}", (c) => {
  const rank = c.need(0).shape.length;
  return rank === 1 || rank === 4 ? undefined : `input rank ${rank} is not 1 or 4`;
});

/** Positions of the values that are not zero, one column each; a scalar counts as a vector. */
function positions(x: Tensor): Tensor | undefined {
  if (Array.isArray(x.data)) return undefined;
  const shape = x.shape.length === 0 ? [1] : x.shape;
  const strides = stridesOf(shape);
  const half = x.dtype === "float16" || x.dtype === "bfloat16";
  const found: number[] = [];
  for (let i = 0; i < x.data.length; i++) {
    const v = x.data[i]!;
    // The bits of a negative zero are not zero.
    if (half ? (v as number) & 0x7fff : v !== 0 && v !== 0n) found.push(i);
  }
  const data = new BigInt64Array(shape.length * found.length);
  shape.forEach((d, a) =>
    found.forEach((o, i) => {
      data[a * found.length + i] = BigInt(Math.floor(o / strides[a]!) % d);
    })
  );
  return { dtype: "int64", shape: [shape.length, found.length], data };
}

/** Positions of the elements that are not zero, one column each. */
export const nonZero: OpDef = {
  op: "NonZero",
  place: place(
    notIntegrated(note("not listed for this march")),
    onCpu(dtypeIn(["float", "int32", "int8"]), rankOf),
  ),
  // How many there are depends on the data.
  infer(c) {
    const x = c.constant(0);
    const rank = Math.max(1, c.need(0).shape.length);
    return [{ dtype: "int64", shape: (x && positions(x)?.shape) ?? [rank, -1] }];
  },
  fold(c) {
    const x = c.constant(0);
    const y = x && positions(x);
    return y && [y];
  },
};
