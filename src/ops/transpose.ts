import { intsAttr } from "../ir/graph.ts";
import { permute } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { anyOf, note, onBpu, onCpu, place } from "./rules.ts";
import { movementQuant } from "./lower/movement.ts";
import { runTranspose } from "./movement_run.ts";

/** Order of the axes; the reverse when the attribute is absent. */
export function permOf(c: InferContext): readonly number[] {
  const rank = c.need(0).shape.length;
  const perm = intsAttr(c.node, "perm", Array.from({ length: rank }, (_, i) => rank - 1 - i));
  const seen = new Set(perm);
  const valid = perm.length === rank && seen.size === rank &&
    perm.every((p) => Number.isInteger(p) && p >= 0 && p < rank);
  if (!valid) shapeError(c.node, `perm [${perm.join(", ")}] does not order ${rank} axes`);
  return perm;
}

const cpu = anyOf(
  "any of: (a) NHWC to NCHW, perm [0,3,1,2] (b) NCHW to NHWC, perm [0,2,3,1] " +
    "(c) given perm, dtype in {float,int8,int32}",
  "the dtype is not float, int8 or int32",
  (c) => ["0,3,1,2", "0,2,3,1"].includes(permOf(c).join()),
  (c) => c.node.attrs.has("perm") && ["float32", "int8", "int32"].includes(c.need(0).dtype),
);

/** Axes in another order. */
export const transpose: OpDef = {
  op: "Transpose",
  quant: movementQuant,
  run: runTranspose,
  place: place(onBpu("in+out", [note("any input rank")], [cpu]), onCpu(cpu)),
  infer(c) {
    const { dtype, shape } = c.need(0);
    return [{ dtype, shape: permOf(c).map((p) => shape[p]!) }];
  },
  fold(c) {
    const x = c.constant(0);
    return x === undefined ? undefined : [permute(x, permOf(c))];
  },
};
