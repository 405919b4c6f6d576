import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { i64 } from "../ir/tensor.ts";
import { factor } from "./factors.ts";
import { mergeTransposes } from "./merge_transposes.ts";
import { removeIdentity } from "./remove_identity.ts";
import { apply, graphOf, ops, Rng, why } from "./test_support.ts";

function perm(...p: number[]) {
  return { perm: attr.ints(p) };
}

Deno.test("two Transposes are one, or none", async () => {
  const g = graphOf({
    inputs: { x: [2, 3, 4, 5] },
    outputs: ["y", "z"],
    nodes: [
      node("Transpose", "a", ["x"], ["t"], perm(0, 2, 3, 1)),
      node("Transpose", "b", ["t"], ["y"], perm(3, 0, 2, 1)),
      node("Transpose", "c", ["t"], ["u"], perm(0, 3, 1, 2)),
      node("Neg", "neg", ["u"], ["z"]),
    ],
  });
  const r = await apply(removeIdentity, (await apply(mergeTransposes, g, 0)).graph, 0);
  assert.equal(ops(r.graph), "Transpose Neg");
});

Deno.test("Transpose, Reshape, Transpose as in attention heads", async () => {
  const cases: [number[], number[], number[], number[], string][] = [
    // keys: [1,48,1,5] -> NHWC -> heads -> [1,3,16,5] is only a Reshape
    [[1, 48, 1, 5], [0, 2, 3, 1], [1, 5, 3, 16], [0, 2, 3, 1], "Reshape"],
    // queries: one Transpose remains
    [[1, 48, 1, 5], [0, 2, 3, 1], [1, 5, 3, 16], [0, 2, 1, 3], "Reshape Transpose"],
    // the way back
    [[1, 3, 5, 16], [0, 2, 1, 3], [1, 1, 5, 48], [0, 3, 1, 2], "Transpose Reshape"],
    // a dimension of 1 more
    [[2, 4, 6], [0, 2, 1], [2, 1, 6, 4], [0, 3, 1, 2], "Reshape"],
    [[2, 3, 4], [2, 0, 1], [8, 3], [1, 0], "Reshape Transpose Reshape"],
  ];
  for (const [x, p, shape, q, want] of cases) {
    const g = graphOf({
      inputs: { x },
      outputs: ["y"],
      nodes: [
        node("Transpose", "a", ["x"], ["t"], perm(...p)),
        node("Reshape", "r", ["t", "shape"], ["u"]),
        node("Transpose", "b", ["u"], ["y"], perm(...q)),
      ],
      constants: { shape: i64(shape) },
    });
    assert.equal(ops((await apply(mergeTransposes, g, 0)).graph), want, `${x}`);
  }
});

Deno.test("a Reshape that cuts across dimensions, or is shared, stays", async () => {
  const build = (shape: number[], outputs: string[]) =>
    graphOf({
      inputs: { x: [4, 6] },
      outputs,
      nodes: [
        node("Transpose", "a", ["x"], ["t"], perm(1, 0)),
        node("Reshape", "r", ["t", "shape"], ["u"]),
        node("Transpose", "b", ["u"], ["y"], perm(1, 0)),
      ],
      constants: { shape: i64(shape) },
    });
  const cut = await apply(mergeTransposes, build([8, 3], ["y"]), 0);
  assert.match(why(cut, "b"), /do not divide/);
  const shared = await apply(mergeTransposes, build([3, 8], ["y", "t"]), 0);
  assert.match(why(shared, "b"), /output of the model/);
});

Deno.test("factors: any chain of Transposes and Reshapes gives the same elements", () => {
  for (let seed = 0; seed < 300; seed++) {
    const rng = new Rng(seed);
    const shape = [rng.pick([1, 2, 4]), rng.pick([2, 3, 6]), rng.pick([1, 4, 12])];
    const count = shape.reduce((a, b) => a * b, 1);
    // The chain on positions, by brute force.
    let dims = shape;
    let values = Array.from({ length: count }, (_, i) => i);
    const moves = [];
    for (let k = 0; k < 4; k++) {
      if (rng.int(0, 1) === 0) {
        const p = dims.map((_, i) => i).sort(() => rng.next());
        values = transposeOf(values, dims, p);
        dims = p.map((i) => dims[i]!);
        moves.push({ perm: p });
      } else {
        const d = rng.pick([1, 2, 3, 4, 6].filter((v) => count % v === 0));
        dims = rng.pick([[d, count / d], [1, count / d, d], [count]]);
        moves.push({ shape: dims });
      }
    }
    const f = factor(shape, moves);
    if (f === undefined) continue;
    const direct = transposeOf(Array.from({ length: count }, (_, i) => i), f.sizes, f.order);
    assert.deepEqual(direct, values, `seed ${seed}`);
    f.order.forEach((d, i) => assert.ok(i === 0 || d !== f.order[i - 1]! + 1, "not merged"));
  }
});

function transposeOf(values: number[], dims: readonly number[], p: readonly number[]): number[] {
  const strides = dims.map((_, i) => dims.slice(i + 1).reduce((a, b) => a * b, 1));
  const out = p.map((i) => dims[i]!);
  const steps = out.map((_, i) => out.slice(i + 1).reduce((a, b) => a * b, 1));
  return values.map((_, flat) => {
    let at = 0;
    out.forEach((d, i) => at += Math.floor(flat / steps[i]!) % d * strides[p[i]!]!);
    return values[at]!;
  });
}
