import { intAttr } from "../ir/graph.ts";
import { elementCount } from "../ir/tensor.ts";
import { axisOf, countInput } from "./args.ts";
import { modelError } from "./context.ts";
import { toDoubles } from "./convert.ts";
import { foldable, permute, reshaped, take } from "./nd.ts";
import type { InferContext, OpDef } from "./op.ts";
import { everywhere, onCpu } from "./rules.ts";

function parts(c: InferContext) {
  const indices = c.need(0).shape;
  const axis = axisOf(c.node, intAttr(c.node, "axis", -1), indices.length + 1);
  const depth = countInput(c, 1, "depth");
  return { axis, depth, shape: [...indices.slice(0, axis), depth, ...indices.slice(axis)] };
}

/** Indices as vectors with one value different from the others. */
export const oneHot: OpDef = {
  op: "OneHot",
  place: everywhere(onCpu()),
  infer: (c) => [{ dtype: c.need(2).dtype, shape: parts(c).shape }],
  fold(c) {
    const indices = c.constant(0);
    const values = c.constant(2);
    const { axis, depth, shape } = parts(c);
    if (indices === undefined || values === undefined || !foldable(shape)) return undefined;
    if (elementCount(values.shape) !== 2) modelError(c.node, "values must be [off, on]");
    const at = toDoubles(indices);
    const pick = new Int32Array(at.length * depth);
    at.forEach((v, i) => {
      const k = v < 0 ? v + depth : v;
      if (k >= 0 && k < depth) pick[i * depth + Math.trunc(k)] = 1;
    });
    const last = reshaped(take(values, [pick]), [...indices.shape, depth]);
    const perm = indices.shape.map((_, i) => i);
    perm.splice(axis, 0, indices.shape.length);
    return [permute(last, perm)];
  },
};
