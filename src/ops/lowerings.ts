/**
 * Which BPU rows of the operator table have an integer form, per march.
 *
 * @module
 */

import type { MarchName } from "../march/march.ts";
import { allOps } from "./registry.ts";

/** What becomes of BPU rows that need no integer form of their own. */
export const replaced: ReadonlyMap<string, string> = new Map([
  ["BatchNormalization", "folded into the Conv before or behind it, else a depthwise Conv"],
  ["Constant", "a value of the model"],
  ["ConstantOfShape", "computed at conversion"],
  ["Dropout", "taken out"],
  ["Shape", "computed at conversion"],
  ["Size", "computed at conversion"],
  ["Upsample", "a Resize"],
]);

/** Rows of one march that are on the BPU. */
export interface Lowerings {
  readonly march: MarchName;
  /** Operators with an integer form of their own. */
  readonly own: readonly string[];
  /** Operators that a pass or the loader turns into others. */
  readonly replaced: readonly string[];
  /** Operators that lack one. */
  readonly lacking: readonly string[];
}

/** The BPU rows of a march by what becomes of them, each list in order of name. */
export function lowerings(march: MarchName): Lowerings {
  const rows = allOps().filter((d) => (d.domain ?? "") === "" && d.place?.[march].on === "BPU");
  const names = (keep: (d: typeof rows[number]) => boolean) =>
    rows.filter(keep).map((d) => d.op).sort();
  return {
    march,
    own: names((d) => d.quant !== undefined),
    replaced: names((d) => d.quant === undefined && replaced.has(d.op)),
    lacking: names((d) => d.quant === undefined && !replaced.has(d.op)),
  };
}
