import { given, modelError } from "./context.ts";
import { axesOf, type IntegerList, listArg } from "./args.ts";
import { stridesOf } from "../ir/tensor.ts";
import { rampTable, take } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { note, onBpu, place, unrestricted } from "./rules.ts";
import { movementQuant } from "./lower/movement.ts";
import { runSlice } from "./movement_run.ts";

/** What a Slice takes of one axis: `count` elements from `start` in steps; -1 counts are unknown. */
export interface AxisSlice {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

function clamp(v: number, lo: number, hi: number): number {
  return Math.min(Math.max(v, lo), hi);
}

function needList(c: InferContext, i: number, key: string): readonly number[] | undefined {
  const l = listArg(c, i, key);
  if (l === "absent") return modelError(c.node, `${key} are missing`);
  return l === "dynamic" ? undefined : l;
}

/** The slice per axis of the input. */
export function slicesOf(c: InferContext): AxisSlice[] {
  const { shape } = c.need(0);
  const rank = shape.length;
  const out = shape.map((d): AxisSlice => ({ start: 0, step: 1, count: d }));
  const unknown: AxisSlice = { start: 0, step: 1, count: -1 };
  const starts = needList(c, 1, "starts");
  const ends = needList(c, 2, "ends");
  const axesList: IntegerList = listArg(c, 3, "axes");
  const stepsList: IntegerList = given(c, 4) ? listArg(c, 4, "steps") : "absent";
  if (axesList === "dynamic") return out.map(() => unknown);
  const count = starts?.length ?? ends?.length ?? c.need(1).shape[0] ?? -1;
  const axes = axesList === "absent"
    ? Array.from({ length: count < 0 ? rank : count }, (_, i) => i)
    : axesList;
  if (axes.length > rank) shapeError(c.node, `${axes.length} starts for ${rank} axes`);
  const at = axesOf(c.node, axes, rank);
  if (starts === undefined || ends === undefined || stepsList === "dynamic") {
    for (const a of at) out[a] = unknown;
    return out;
  }
  const steps = stepsList === "absent" ? axes.map(() => 1) : stepsList;
  if (ends.length !== count || axes.length !== count || steps.length !== count) {
    shapeError(
      c.node,
      `${count} starts, ${ends.length} ends, ${axes.length} axes and ${steps.length} steps`,
    );
  }
  at.forEach((a, i) => {
    const size = shape[a]!;
    const step = steps[i]!;
    if (step === 0) modelError(c.node, "a step is 0");
    if (size < 0) {
      out[a] = unknown;
      return;
    }
    const s = starts[i]! < 0 ? starts[i]! + size : starts[i]!;
    const e = ends[i]! < 0 ? ends[i]! + size : ends[i]!;
    const start = step > 0 ? clamp(s, 0, size) : clamp(s, 0, size - 1);
    const end = step > 0 ? clamp(e, 0, size) : clamp(e, -1, size - 1);
    out[a] = { start, step, count: Math.max(0, Math.ceil((end - start) / step)) };
  });
  return out;
}

/** Elements from start to end in steps, per axis. */
export const slice: OpDef = {
  op: "Slice",
  quant: movementQuant,
  run: runSlice,
  place: place(
    onBpu("in+out", [unrestricted, note("input/output rank other than 4 allowed")], [unrestricted]),
    onBpu("no", [unrestricted], [unrestricted]),
  ),
  infer: (c) => [{ dtype: c.need(0).dtype, shape: slicesOf(c).map((s) => s.count) }],
  fold(c) {
    const x = c.constant(0);
    if (x === undefined) return undefined;
    const slices = slicesOf(c);
    if (slices.some((s) => s.count < 0)) return undefined;
    const strides = stridesOf(x.shape);
    return [take(
      x,
      slices.map((s, i) =>
        // A huge step with one element must not overflow the table.
        rampTable(s.count, s.count > 1 ? s.step * strides[i]! : 0, s.start * strides[i]!)
      ),
    )];
  },
};
