/**
 * What the row of the operator table says about one node, with what our integer forms add to it. Placement
 * asks it, and passes ask it before they trade one node for another.
 *
 * @module
 */

import type { OpDef, RuleContext } from "./op.ts";

/**
 * Why the BPU of the context's march cannot run a node of an operator whose row is on the BPU; undefined
 * where it can.
 */
export function brokenLimit(def: OpDef, c: RuleContext): string | undefined {
  for (const rule of def.place?.[c.march.name].bpu ?? []) {
    const broken = rule.check(c);
    if (broken !== undefined) return broken;
  }
  if (def.quant === undefined) return `${def.op} has no integer form in bpukit yet`;
  return def.quant.limits?.(c);
}
