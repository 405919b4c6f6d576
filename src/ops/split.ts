import { intAttr } from "../ir/graph.ts";
import { axisOf, checkedShape, listArg } from "./args.ts";
import { axisTables, take } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { axisIn, dtypeFloat, inputRank, note, onBpu, place, rule } from "./rules.ts";
import { movementQuant } from "./lower/movement.ts";
import { runSplit } from "./movement_run.ts";

/** Lengths of the parts along the axis; -1 where unknown. */
export function splitOf(c: InferContext): { axis: number; parts: number[] } {
  const { shape } = c.need(0);
  const axis = axisOf(c.node, intAttr(c.node, "axis", 0), shape.length);
  const size = shape[axis]!;
  const count = c.node.outputs.length;
  const list = listArg(c, 1, "split");
  if (list === "dynamic") return { axis, parts: new Array<number>(count).fill(-1) };
  if (list !== "absent") {
    const parts = checkedShape(c.node, list, "split");
    const sum = parts.reduce((a, b) => a + b, 0);
    if (parts.length !== count) {
      shapeError(c.node, `split has ${parts.length} parts for ${count} outputs`);
    }
    if (size >= 0 && sum !== size) {
      shapeError(c.node, `split [${parts.join(", ")}] does not add up to ${size}`);
    }
    return { axis, parts };
  }
  if (size < 0) return { axis, parts: new Array<number>(count).fill(-1) };
  // Opset 18 allows a shorter last part, and says so by num_outputs.
  if (size % count !== 0 && !c.node.attrs.has("num_outputs")) {
    shapeError(c.node, `dimension ${axis} of ${size} does not split into ${count} equal parts`);
  }
  const chunk = Math.ceil(size / count);
  const parts = Array.from({ length: count }, (_, i) => {
    return Math.max(0, Math.min(chunk, size - i * chunk));
  });
  return { axis, parts };
}

const multiples = rule("input length a multiple of each split length", (c) => {
  const { axis, parts } = splitOf(c);
  const size = c.need(0).shape[axis]!;
  const bad = parts.find((p) => p <= 0 || size % p !== 0);
  return bad === undefined ? undefined : `the length ${size} is not a multiple of ${bad}`;
});
const evenly = rule("split count divides evenly", (c) => {
  const { axis, parts } = splitOf(c);
  const size = c.need(0).shape[axis]!;
  return size % parts.length === 0
    ? undefined
    : `${parts.length} parts do not divide the length ${size} evenly`;
});
const notBatch = rule(
  "any axis except N",
  (c) => splitOf(c).axis === 0 ? "the split axis is N" : undefined,
);

/** A tensor cut along an axis. */
export const split: OpDef = {
  op: "Split",
  quant: movementQuant,
  run: runSplit,
  place: place(
    onBpu(
      "in+out",
      [multiples, notBatch, evenly, note("input/output rank other than 4 allowed")],
      [dtypeFloat],
    ),
    onBpu(
      "no",
      [inputRank(4, "input NCHW only"), multiples, axisIn([1, 2, 3], 0), evenly],
      [dtypeFloat],
    ),
  ),
  infer(c) {
    const { dtype, shape } = c.need(0);
    const { axis, parts } = splitOf(c);
    return parts.map((p) => ({ dtype, shape: shape.map((d, i) => i === axis ? p : d) }));
  },
  fold(c) {
    const x = c.constant(0);
    if (x === undefined) return undefined;
    const { axis, parts } = splitOf(c);
    if (parts.includes(-1)) return undefined;
    let at = 0;
    return parts.map((p) => {
      const tables = axisTables(x.shape);
      tables[axis] = tables[axis]!.subarray(at, at + p);
      at += p;
      return take(x, tables);
    });
  },
};
