import { alongAxis } from "./normalised.ts";
import type { OpDef } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** 1 at the first largest element along one axis, else 0. */
export const hardmax: OpDef = alongAxis(
  "Hardmax",
  () => (line) => {
    let best = 0;
    for (let i = 1; i < line.length; i++) if (line[i]! > line[best]!) best = i;
    line.fill(0);
    if (line.length > 0) line[best] = 1;
  },
  everywhere(notIntegrated()),
);
