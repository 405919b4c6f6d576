import { strict as assert } from "node:assert";
import { check } from "../testing/harness.ts";
import { arr, at, build } from "../testing/reference.ts";
import { BpuError } from "../../../errors.ts";

Deno.test("Eltwise: operations, coefficients, two to four bottoms", async () => {
  const shape = [2, 3, 2, 2];
  for (let n = 2; n <= 4; n++) {
    const inputs = Array.from({ length: n }, () => shape);
    for (const op of ["PROD", "SUM", "MAX"]) {
      await check({
        layer: `type: "Eltwise" eltwise_param { operation: ${op} }`,
        inputs,
        expected: (xs) => [
          arr(
            shape,
            xs[0]!.data.map((_, i) => {
              const v = xs.map((x) => x.data[i]!);
              if (op === "MAX") return Math.max(...v);
              return v.reduce((a, b) => op === "PROD" ? a * b : a + b);
            }),
          ),
        ],
      });
    }
    for (const coeff of [[1, -1, 1, -1], [0.5, 2, -3, 1], [-1, 1, 1, 0]]) {
      const c = coeff.slice(0, n);
      await check({
        layer: `type: "Eltwise" eltwise_param { ${c.map((v) => `coeff: ${v}`).join(" ")} }`,
        inputs,
        expected: (xs) => [
          arr(shape, xs[0]!.data.map((_, i) => xs.reduce((a, x, k) => a + c[k]! * x.data[i]!, 0))),
        ],
      });
    }
  }
});

Deno.test("Eltwise: a + b is one Add and a - b one Sub", async () => {
  for (const [coeff, op] of [["", "Add"], ["coeff: 1 coeff: -1", "Sub"]]) {
    const graph = await check({
      layer: `type: "Eltwise" eltwise_param { ${coeff} }`,
      inputs: [[1, 2], [1, 2]],
      expected: () => [],
    });
    assert.deepEqual(graph.nodes.map((n) => n.op), [op]);
  }
});

Deno.test("Eltwise refuses what Caffe refuses", async () => {
  for (
    const [param, inputs] of [
      ["coeff: 1", [[2], [2]]],
      ["operation: PROD coeff: 1 coeff: 1", [[2], [2]]],
      ["", [[2], [3]]],
      ["", [[2]]],
    ] as const
  ) {
    await assert.rejects(
      check({ layer: `type: "Eltwise" eltwise_param { ${param} }`, inputs, expected: () => [] }),
      BpuError,
    );
  }
});

Deno.test("MatMul of two bottoms", async () => {
  await check({
    layer: `type: "MatMul"`,
    inputs: [[2, 3, 4], [2, 4, 5]],
    expected: ([a, b]) => [
      build(
        [2, 3, 5],
        (n, i, j) => [0, 1, 2, 3].reduce((s, k) => s + at(a!, n, i, k) * at(b!, n, k, j), 0),
      ),
    ],
  });
  await check({
    layer: `type: "MatMul" matmul_param { transpose_a: true transpose_b: true }`,
    inputs: [[4, 3], [5, 4]],
    expected: ([a, b]) => [
      build([3, 5], (i, j) => [0, 1, 2, 3].reduce((s, k) => s + at(a!, k, i) * at(b!, j, k), 0)),
    ],
  });
});
