/**
 * What the BPU of the march takes: a pass asks before it makes other nodes of one that runs there.
 *
 * @module
 */

import { HORIZON, type Node } from "../ir/graph.ts";
import { isStatic, type Tensor, type TensorType } from "../ir/tensor.ts";
import { ruleContextIn } from "../ops/context.ts";
import { opOf } from "../ops/registry.ts";
import { brokenLimit } from "../ops/row.ts";
import type { Rewriter } from "./rewriter.ts";

/** Tensors that a rewrite would make or change, by name. */
export interface Proposed {
  readonly types?: ReadonlyMap<string, TensorType>;
  readonly values?: ReadonlyMap<string, Tensor>;
}

/**
 * Why the BPU does not run a node, of the graph or of a rewrite that is considered; undefined where it does,
 * and where no march is given.
 */
export function offBpu(w: Rewriter, n: Node, proposed: Proposed = {}): string | undefined {
  const { march } = w;
  if (march === undefined) return undefined;
  const def = opOf(n), row = def?.place?.[march.name];
  if (def === undefined || row?.on !== "BPU") return `${n.op} is no BPU operator on ${march.name}`;
  if (def.quant?.kind === "manual") return `${n.op} runs in float unless it is asked for`;
  const { types, values } = proposed;
  const c = ruleContextIn(
    {
      type: (t) => types?.get(t) ?? values?.get(t) ?? w.type(t),
      value: (t) => values?.get(t) ?? w.constant(t),
      producer: (t) => w.producer(t),
      readers: (t) => w.users(t),
    },
    n,
    march,
  );
  const all = [...n.inputs, ...n.outputs].filter((t) => t !== "");
  const known = all.every((t) => {
    const type = types?.get(t) ?? values?.get(t) ?? w.type(t);
    return type !== undefined && isStatic(type.shape);
  });
  if (!known) return "its shape is not known";
  if (n.domain !== HORIZON && c.input(0)?.dtype !== "float32") return "its input is no feature map";
  return brokenLimit(def, c);
}

/**
 * Why `news` are a loss for the BPU: it runs one of `olds` and not one of them. Undefined where they are
 * none, and where no march is given.
 */
export function lossOf(
  w: Rewriter,
  olds: readonly Node[],
  news: readonly Node[],
  proposed: Proposed = {},
): string | undefined {
  if (w.march === undefined) return undefined;
  const off = news.map((n) => offBpu(w, n, proposed)).find((why) => why !== undefined);
  if (off === undefined) return undefined;
  const kept = olds.find((n) => offBpu(w, n) === undefined);
  if (kept === undefined) return undefined;
  return `the BPU of ${w.march.name} runs ${kept.name} (${kept.op}), and not what it would become: ${off}`;
}
