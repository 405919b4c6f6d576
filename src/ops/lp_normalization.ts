import { intAttr } from "../ir/graph.ts";
import { modelError } from "./context.ts";
import { alongAxis } from "./normalised.ts";
import type { OpDef } from "./op.ts";
import { attrOneOf, dtypeIn, everywhere, onCpu } from "./rules.ts";

/** x divided by its p-norm along one axis. */
export const lpNormalization: OpDef = alongAxis(
  "LpNormalization",
  (c) => {
    const p = intAttr(c.node, "p", 2);
    if (p !== 1 && p !== 2) modelError(c.node, `p ${p} is not 1 or 2`);
    return (line) => {
      let sum = 0;
      for (const v of line) sum += p === 1 ? Math.abs(v) : v * v;
      const norm = p === 1 ? sum : Math.sqrt(sum);
      for (let i = 0; i < line.length; i++) line[i] = norm === 0 ? 0 : line[i]! / norm;
    };
  },
  everywhere(onCpu(attrOneOf("p", [1, 2], 2), dtypeIn(["float", "double"]))),
);
