/** Products of feature maps and softmax. */

import { attr, node } from "../../ir/graph.ts";
import { exact, map, one } from "./harness.ts";
import type { Case, Random } from "./harness.ts";

/** Batched, broadcast, of rank 2 to 5; sometimes with a constant. */
function product(r: Random, deep: boolean): Case {
  const [m, n] = [r.int(1, 6), r.int(1, 6)];
  const k = deep ? r.int(1025, 1400) : r.int(1, 9);
  const [b, h] = [r.int(1, 3), r.int(1, 3)];
  const a = r.pick([m, k], [b, m, k], [b, h, m, k], [1, h, m, k], [1, 1, m, k], [1, b, h, m, k]);
  const lead = a.slice(0, -2);
  const other = r.pick(lead, lead.map(() => 1), lead.map((d, i) => i === 0 ? d : 1), []);
  const second = [...other, k, n];
  const nodes = [node("MatMul", "n", ["x0", "x1"], ["y"])];
  if (r.next() < 0.3) {
    return {
      inputs: [a],
      constants: { k: r.values(second) },
      nodes: [{ ...nodes[0]!, inputs: ["x0", "k"] }],
    };
  }
  return { inputs: [a, second], nodes };
}
exact("MatMul", (r) => product(r, false), { cases: 60 });
exact("MatMul, more than 1024 products", (r) => product(r, true));
exact("MatMul then Relu", (r) => {
  const c = product(r, false);
  return {
    ...c,
    nodes: [{ ...c.nodes[0]!, outputs: ["t"] }, node("Relu", "a", ["t"], ["y"])],
  };
});

exact("Softmax", (r) => {
  const shape = r.pick(map(r), map(r).slice(1), map(r).slice(2));
  return one("Softmax", r, shape, { axis: attr.int(r.int(-shape.length, shape.length - 1)) });
}, { cases: 48 });
exact(
  "Softmax of a thousand classes",
  (r) => one("Softmax", r, [2, 1000], { axis: attr.int(-1) }),
  {
    cases: 6,
    feed: (r, _, shape) => r.values(shape, 9),
  },
);
