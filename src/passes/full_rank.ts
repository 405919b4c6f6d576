/**
 * Constants beside a tensor of rank 4 get its rank, where the BPU wants that.
 *
 * @module
 */

import type { Node } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import { padShape } from "../ops/broadcast.ts";
import { offBpu } from "./bpu.ts";
import { withConstant } from "./match.ts";
import { nodePass } from "./pass.ts";

interface Match {
  readonly constantName: string;
  readonly wide: Tensor;
}

/** A scalar, or one value per channel, becomes 1x1x1x1 or 1xCx1x1: bernoulli2 multiplies by nothing less. */
export const fullRank = nodePass<Match>({
  name: "full_rank",
  doc: `Mul(x [1,C,H,W], k [])   =>   Mul(x, k [1,1,1,1])`,
  ops: ["Add", "Div", "Max", "Min", "Mul", "Sub"],
  check(w, n) {
    const c = w.isFloat(n.outputs[0]!) ? withConstant(w, n) : undefined;
    const rank = c === undefined ? 0 : w.shape(c.x)!.length;
    if (c === undefined || rank !== 4 || c.constant.shape.length >= rank) return undefined;
    if (offBpu(w, n) === undefined) return undefined;
    const wide = { ...c.constant, shape: padShape(c.constant.shape, rank) };
    const name = `${n.name} constant`;
    const inputs = n.inputs.map((t) => t === c.constantName ? name : t);
    const next: Node = { ...n, inputs };
    if (offBpu(w, next, { values: new Map([[name, wide]]) }) !== undefined) return undefined;
    return { constantName: c.constantName, wide };
  },
  rewrite(w, n, m) {
    const name = w.revise(m.constantName, n, m.wide);
    w.alter(n, { inputs: n.inputs.map((t) => t === m.constantName ? name : t) });
  },
});
