import { check, randomBlob } from "../testing/harness.ts";
import { type Arr, arr, build } from "../testing/reference.ts";

Deno.test("Embed takes rows of its table and adds the bias", async () => {
  const [words, width] = [6, 3];
  const table = randomBlob([words, width], 1), bias = randomBlob([width], 2);
  const x = arr([2, 2], [5, 0, 3, 3]);
  const rows = (b?: Arr) =>
    build([2, 2, width], (i, j, k) =>
      Math.fround(
        table.data[x.data[i! * 2 + j!]! * width + k!]! + (b === undefined ? 0 : b.data[k!]!),
      ));
  const layer = `type: "Embed" embed_param { num_output: ${width} input_dim: ${words}`;
  await check({
    layer: `${layer} }`,
    inputs: [x],
    blobs: [table, bias],
    expected: () => [rows(bias)],
  });
  await check({
    layer: `${layer} bias_term: false }`,
    inputs: [x],
    blobs: [table],
    expected: () => [rows()],
  });
});
