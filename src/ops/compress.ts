import { intAttr } from "../ir/graph.ts";
import { elementCount } from "../ir/tensor.ts";
import { axisOf, product } from "./args.ts";
import { axisTables, reshaped, take } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** Positions that the condition keeps; undefined when it is not constant. */
function kept(c: InferContext, size: number): number[] | undefined {
  const condition = c.constant(1);
  if (condition === undefined) return undefined;
  const out: number[] = [];
  (condition.data as Uint8Array).forEach((v, i) => v && out.push(i));
  if (size >= 0 && condition.data.length > size) {
    shapeError(c.node, `the condition has ${condition.data.length} entries for ${size} elements`);
  }
  return out;
}

function axisFor(c: InferContext): number | undefined {
  if (!c.node.attrs.has("axis")) return undefined;
  return axisOf(c.node, intAttr(c.node, "axis"), c.need(0).shape.length);
}

/** Elements or slices where a condition holds. */
export const compress: OpDef = {
  op: "Compress",
  place: everywhere(notIntegrated()),
  infer(c) {
    const { dtype, shape } = c.need(0);
    const axis = axisFor(c);
    const n = kept(c, axis === undefined ? product(shape) : shape[axis]!)?.length ?? -1;
    return [{ dtype, shape: axis === undefined ? [n] : shape.map((d, i) => i === axis ? n : d) }];
  },
  fold(c) {
    const x = c.constant(0);
    if (x === undefined) return undefined;
    const axis = axisFor(c);
    const from = axis === undefined ? reshaped(x, [elementCount(x.shape)]) : x;
    const a = axis ?? 0;
    const keep = kept(c, from.shape[a]!);
    if (keep === undefined) return undefined;
    const tables = axisTables(from.shape);
    tables[a] = Int32Array.from(keep, (k) => tables[a]![k]!);
    return [take(from, tables)];
  },
};
