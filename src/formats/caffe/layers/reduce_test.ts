import { check } from "../testing/harness.ts";
import { type Arr, arr, at, build } from "../testing/reference.ts";

/** Values and indices along one axis, greatest first; of equal ones the later first. */
function ranked(values: number[]): [number, number][] {
  return values.map((v, i): [number, number] => [v, i]).sort((a, b) => b[0] - a[0] || b[1] - a[1]);
}

Deno.test("ArgMax over samples: indices, pairs, several", async () => {
  for (const [k, pairs] of [[1, false], [1, true], [3, false], [2, true]] as const) {
    await check({
      layer: `type: "ArgMax" argmax_param { top_k: ${k} out_max_val: ${pairs} }`,
      inputs: [[3, 4, 2, 2]],
      expected: ([x]) => [
        build([3, pairs ? 2 : 1, k, 1], (n, row, i) => {
          const best = ranked([...x!.data.subarray(n * 16, (n + 1) * 16)]);
          return best[i]![row === 0 ? 1 : 0]!;
        }),
      ],
    });
  }
  // A matrix becomes a blob of three axes.
  await check({
    layer: `type: "ArgMax"`,
    inputs: [[2, 5]],
    expected: ([x]) => [
      build([2, 1, 1], (n) => ranked([...x!.data.subarray(n * 5, n * 5 + 5)])[0]![1]),
    ],
  });
});

Deno.test("ArgMax along an axis; the last of equal values wins", async () => {
  for (const values of [false, true]) {
    for (const k of [1, 2]) {
      await check({
        layer: `type: "ArgMax" argmax_param { axis: 1 top_k: ${k} out_max_val: ${values} }`,
        inputs: [[2, 5, 3]],
        expected: ([x]) => [
          build([2, k, 3], (n, i, w) => {
            const best = ranked([0, 1, 2, 3, 4].map((c) => at(x!, n, c, w)));
            return best[i]![values ? 0 : 1]!;
          }),
        ],
      });
    }
  }
  await check({
    layer: `type: "ArgMax" argmax_param { axis: -1 }`,
    inputs: [arr([1, 4], [1, 3, 3, 0])],
    expected: () => [arr([1, 1], [2])],
  });
});

Deno.test("Reduction: operations, axis, coefficient", async () => {
  const ops: [string, (v: number[]) => number][] = [
    ["SUM", (v) => v.reduce((a, b) => a + b)],
    ["ASUM", (v) => v.reduce((a, b) => a + Math.abs(b), 0)],
    ["SUMSQ", (v) => v.reduce((a, b) => a + b * b, 0)],
    ["MEAN", (v) => v.reduce((a, b) => a + b) / v.length],
    ["MAX", (v) => Math.max(...v)],
    ["MIN", (v) => Math.min(...v)],
    ["PROD", (v) => v.reduce((a, b) => a * b)],
  ];
  for (const [op, f] of ops) {
    for (const [axis, coeff] of [[0, 1], [1, 2.5], [-1, 1]] as const) {
      const shape = [2, 3, 4];
      const from = axis < 0 ? 2 : axis;
      await check({
        layer:
          `type: "Reduction" reduction_param { operation: ${op} axis: ${axis} coeff: ${coeff} }`,
        inputs: [shape],
        expected: ([x]: Arr[]) => {
          const lead = shape.slice(0, from);
          const rows = lead.reduce((a, b) => a * b, 1);
          const width = 24 / rows;
          return [
            arr(
              lead,
              Array.from(
                { length: rows },
                (_, r) => coeff * f([...x!.data.subarray(r * width, (r + 1) * width)]),
              ),
            ),
          ];
        },
      });
    }
  }
});

Deno.test("Reduction: the logarithm of a sum", async () => {
  await check({
    layer: `type: "Reduction" reduction_param { operation: LOGSUM axis: 1 }`,
    inputs: [arr([2, 2], [1, 2, 3, 0.5])],
    expected: () => [arr([2], [Math.log(3), Math.log(3.5)])],
  });
});
