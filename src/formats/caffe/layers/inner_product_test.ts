import { check, randomBlob } from "../testing/harness.ts";
import { innerProduct } from "../testing/reference.ts";

Deno.test("InnerProduct: any axis, transposed or not, with and without bias", async () => {
  const cases = [
    ["", [2, 3, 4, 5], 1, 60],
    ["axis: 2", [2, 3, 4, 5], 2, 20],
    ["axis: -1", [2, 3, 4], 2, 4],
    ["axis: 0", [2, 3], 0, 6],
    ["", [3, 4], 1, 4],
  ] as const;
  for (const [param, shape, axis, depth] of cases) {
    for (const transpose of [false, true]) {
      for (const bias of [false, true]) {
        const w = randomBlob(transpose ? [depth, 4] : [4, depth], 1);
        const b = randomBlob([4], 2);
        await check({
          layer: `type: "InnerProduct" inner_product_param { num_output: 4 ${param}
            transpose: ${transpose} bias_term: ${bias} weight_filler { type: "xavier" } }`,
          inputs: [shape],
          blobs: bias ? [w, b] : [w],
          expected: ([x]) => [innerProduct(x!, w, bias ? b : undefined, axis, transpose)],
        });
      }
    }
  }
});
