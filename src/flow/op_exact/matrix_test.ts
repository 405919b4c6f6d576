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

/** Rows with a constant matrix, as marches without Reshape keep them. */
exact("MatMul by one constant matrix, a row or a column of it", (r) => {
  const [m, k, n] = [r.int(1, 6), r.int(1, 40), r.int(1, 6)];
  const x = r.pick([k], [m, k], [2, m, k], [1, 3, m, k]);
  const w = r.pick([k], [k, n], [1, k, n], [1, 1, k, n]);
  const column = x.length === 1 && w.length === 1;
  return {
    inputs: [x],
    constants: { w: r.values(column ? [k, n] : w) },
    nodes: [node("MatMul", "n", ["x0", "w"], ["y"])],
  };
}, { cases: 48, error: 0.1 });
exact("Gemm then Relu", (r) => {
  const [m, k, n] = [r.int(1, 6), r.int(1, 40), r.int(1, 6)];
  const transB = r.int(0, 1);
  const bias = r.pick<readonly number[] | undefined>(undefined, [n], [1, n], [1], []);
  return {
    inputs: [[m, k]],
    constants: {
      w: r.values(transB === 1 ? [n, k] : [k, n]),
      ...(bias === undefined ? {} : { b: r.values(bias) }),
    },
    nodes: [
      node("Gemm", "n", ["x0", "w", ...(bias === undefined ? [] : ["b"])], ["t"], {
        transB: attr.int(transB),
        alpha: attr.float(0.75),
        beta: attr.float(1.5),
      }),
      node("Relu", "a", ["t"], ["y"]),
    ],
  };
}, { cases: 48, error: 0.1 });

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
