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

// Slopes along any neighbouring axes of any rank.
exact("PRelu of other ranks and slopes", (r) => {
  const shape = r.pick(map(r), map(r).slice(1), map(r).slice(2), [...map(r, 4), 2]);
  const [from, to] = [r.int(0, shape.length), r.int(0, shape.length)].sort() as [number, number];
  const slope = shape.map((d, i) => i >= from && i < to ? d : 1).slice(r.pick(0, from));
  return one("PRelu", r, shape, {}, { slope: r.values(slope) });
});

/** Divisors away from zero, and some zeros among them where bits are all that counts. */
function divisors(zeros: boolean) {
  return (r: Random, name: string, shape: readonly number[]) => {
    const t = r.values(shape, 4);
    if (name === "x0") return t;
    const data = Float32Array.from(
      t.data as Float32Array,
      (v) => zeros && r.next() < 0.2 ? 0 : Math.sign(v) * (1 + Math.abs(v)),
    );
    return { ...t, data };
  };
}
const two = (op: string, r: Random): Case => {
  const shape = map(r);
  const other = r.pick(shape, [1, shape[1]!, 1, 1], [shape[0]!, 1, shape[2]!, shape[3]!]);
  return { inputs: [shape, other], nodes: [node(op, "n", ["x0", "x1"], ["y"])] };
};
exact("Div", (r) => two("Div", r), { feed: divisors(false) });
exact("Div by zeros", (r) => two("Div", r), {
  feed: divisors(true),
  error: Infinity,
});

/** Any number of inputs, one of them perhaps a constant. */
function many(op: string, r: Random): Case {
  const shape = map(r);
  const n = r.int(1, 4);
  const inputs = Array.from(
    { length: n },
    (_, i) => i === 0 ? shape : r.pick(shape, [1, shape[1]!, 1, 1], [shape[0]!, 1, 1, shape[3]!]),
  );
  const names = inputs.map((_, i) => `x${i}`);
  const constant = r.next() < 0.4;
  return {
    inputs,
    ...(constant ? { constants: { k: r.values([shape[1]!, 1, 1], 1) } } : {}),
    nodes: [node(op, "n", constant ? [...names, "k"] : names, ["y"])],
  };
}
for (const op of ["Max", "Min", "Sum", "Mean"]) exact(op, (r) => many(op, r));
exact("Add of rank 5", (r) => {
  const shape = [1, r.int(1, 3), r.int(1, 4), r.int(1, 4), r.int(1, 3)];
  const other = r.pick(shape, [1, 1, 1, shape[3]!, shape[4]!]);
  return { inputs: [shape, other], nodes: [node("Add", "n", ["x0", "x1"], ["y"])] };
});
