import { reduceOp } from "./reduce.ts";
import { everywhere, onCpu } from "./rules.ts";

/** Product. */
export const reduceProd = reduceOp({
  op: "ReduceProd",
  place: everywhere(onCpu()),
  number(v, at, n) {
    let p = 1;
    for (let i = at; i < at + n; i++) p *= v[i]!;
    return p;
  },
  big(v, at, n) {
    let p = 1n;
    // Wrapped as it grows, or the intermediate could take all memory.
    for (let i = at; i < at + n; i++) p = BigInt.asIntN(64, p * v[i]!);
    return p;
  },
});
