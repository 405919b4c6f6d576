import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { einsumToMatmul } from "./einsum_to_matmul.ts";
import { apply, graphOf, ops, Rng } from "./test_support.ts";

type Shapes = readonly [readonly number[], readonly number[]];

const einsum = (equation: string, [x, z]: Shapes) =>
  graphOf({
    inputs: { x, z },
    outputs: ["y"],
    nodes: [node("Einsum", "e", ["x", "z"], ["y"], { equation: attr.string(equation) })],
  });

Deno.test("matrix products become MatMul, with Transposes only where they are needed", async () => {
  const cases: [string, Shapes, string][] = [
    ["bhij,bhjd->bhid", [[1, 2, 3, 4], [1, 2, 4, 5]], "MatMul"],
    ["bhid,bhjd->bhij", [[1, 2, 3, 4], [1, 2, 5, 4]], "Transpose MatMul"],
    // The result is columns times rows: the operands change places.
    ["bhid, bhjd -> bhji", [[1, 2, 3, 4], [1, 2, 5, 4]], "Transpose MatMul"],
    ["bihd,bjhd->bhij", [[1, 3, 2, 4], [1, 5, 2, 4]], "Transpose Transpose MatMul"],
    ["bhij,bjhd->bihd", [[1, 2, 3, 4], [1, 4, 2, 5]], "Transpose MatMul Transpose"],
    ["ij,jk->ik", [[3, 4], [4, 5]], "MatMul"],
    ["bnd,dk->bnk", [[2, 3, 4], [4, 5]], "MatMul"],
    ["bcij,dc->bdij", [[2, 3, 4, 5], [6, 3]], "Transpose Transpose MatMul Transpose"],
  ];
  for (const [equation, shapes, want] of cases) {
    const r = await apply(einsumToMatmul, einsum(equation, shapes));
    assert.equal(ops(r.graph), want, equation);
    assert.deepEqual(r.graph.nodes.find((n) => n.op === "MatMul")!.name, "e");
  }
});

Deno.test("other sums stay, with the reason", async () => {
  const cases: [string, Shapes, RegExp][] = [
    ["bi,bj->bij", [[2, 3], [2, 4]], /does not sum one common label/],
    ["bi,bi->b", [[2, 3], [2, 3]], /no product of matrices/],
    ["bij,bj->bi", [[2, 3, 4], [2, 4]], /no product of matrices/],
    ["bijk,bjkl->bil", [[1, 2, 3, 4], [1, 3, 4, 5]], /does not sum one common label/],
    ["ij,jkl->ik", [[2, 3], [3, 4, 5]], /sums a label of one input/],
    ["...ij,...jk->...ik", [[2, 3, 4], [2, 4, 5]], /ellipsis/],
    ["ii,ij->ij", [[3, 3], [3, 4]], /diagonal/],
    ["ij,jk", [[3, 4], [4, 5]], /no result/],
  ];
  for (const [equation, shapes, why] of cases) {
    const r = await einsumToMatmul.run(einsum(equation, shapes));
    assert.equal(r.fired, 0, equation);
    assert.match(r.reasons[0]!.why, why, equation);
  }
});

Deno.test("random equations compute the same", async () => {
  const rng = new Rng(5);
  let fired = 0;
  for (let k = 0; k < 40; k++) {
    const pick = (from: string) => [...from].filter(() => rng.next() > -0.3);
    const shuffled = (l: string[]) =>
      l.map((v) => [rng.next(), v] as const).sort((p, q) => p[0] - q[0]).map((p) => p[1]);
    const batch = pick("ab");
    const a = shuffled([...batch, "i", "k"]), b = shuffled([...batch, "k", "j"]);
    const out = shuffled([...batch, "i", "j"]);
    const size = (l: string) => ({ a: 2, b: 3, i: 4, j: 5, k: 6 })[l]!;
    const g = einsum(`${a.join("")},${b.join("")}->${out.join("")}`, [a.map(size), b.map(size)]);
    fired += (await apply(einsumToMatmul, g)).fired;
  }
  assert.equal(fired, 40);
});
