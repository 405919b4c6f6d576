/** Elementwise operators. */

import { node } from "../../ir/graph.ts";
import { exact, map, one } from "./harness.ts";
import type { Case, Random } from "./harness.ts";

function broadcast(op: string, r: Random): Case {
  const shape = map(r);
  const other = r.pick(
    shape,
    [1, shape[1]!, 1, 1],
    [1, shape[1]!, 1, shape[3]!],
    [shape[0]!, 1, shape[2]!, shape[3]!],
    [shape[1]!, 1, 1],
    [1],
    [],
  );
  if (r.next() < 0.5) {
    const second = other.length === 4 ? other : [1, shape[1]!, 1, 1];
    const [a, b] = r.next() < 0.5 ? ["x0", "x1"] : ["x1", "x0"];
    return { inputs: [shape, second], nodes: [node(op, "n", [a!, b!], ["y"])] };
  }
  const k = r.values(other, 2 ** r.int(-3, 3));
  const order = r.next() < 0.5 ? ["x0", "k"] : ["k", "x0"];
  return { inputs: [shape], constants: { k }, nodes: [node(op, "n", order, ["y"])] };
}

exact("Add", (r) => broadcast("Add", r));
exact("Sub", (r) => broadcast("Sub", r));
exact("Mul", (r) => broadcast("Mul", r));
exact("PRelu", (r) => {
  const shape = map(r);
  return one("PRelu", r, shape, {}, { slope: r.values(r.pick([shape[1]!, 1, 1], [1])) });
});
