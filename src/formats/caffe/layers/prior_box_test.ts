import { check, compare } from "../testing/harness.ts";
import { arr } from "../testing/reference.ts";
import { strict as assert } from "node:assert";

Deno.test("PriorBox: sizes, ratios, steps, variances", async () => {
  await check({
    layer: `type: "PriorBox" prior_box_param { min_size: 30 max_size: 60 aspect_ratio: 2
      flip: true clip: false variance: [0.1, 0.1, 0.2, 0.2] offset: 0.5 }`,
    inputs: [[1, 4, 2, 3], [1, 3, 100, 150]],
    expected: () => {
      const boxes: number[] = [];
      const sizes: [number, number][] = [[30, 30], [Math.sqrt(1800), Math.sqrt(1800)], [
        30 * Math.SQRT2,
        30 / Math.SQRT2,
      ], [30 / Math.SQRT2, 30 * Math.SQRT2]];
      for (let y = 0; y < 2; y++) {
        for (let x = 0; x < 3; x++) {
          const [cx, cy] = [(x + 0.5) * 50, (y + 0.5) * 50];
          for (const [w, h] of sizes) {
            boxes.push(
              (cx - w / 2) / 150,
              (cy - h / 2) / 100,
              (cx + w / 2) / 150,
              (cy + h / 2) / 100,
            );
          }
        }
      }
      const variance = boxes.map((_, i) => [0.1, 0.1, 0.2, 0.2][i % 4]!);
      return [arr([1, 2, boxes.length], [...boxes, ...variance])];
    },
    tolerance: 1e-6,
  });
});

Deno.test("PriorBox: clipping, explicit image size and step, one variance", async () => {
  const graph = await check({
    layer: `type: "PriorBox" prior_box_param { min_size: 8 min_size: 4 flip: false clip: true
      img_size: 10 step: 5 variance: 0.3 }`,
    inputs: [[1, 1, 1, 2], [1, 1, 3, 3]],
    expected: () => [],
  });
  const boxes = graph.constants.values().next().value!;
  // Centres (2.5, 2.5) and (7.5, 2.5), sizes 8 and 4, in an image of 10.
  const want = [
    ...[0, 0, 0.65, 0.65, 0.05, 0.05, 0.45, 0.45],
    ...[0.35, 0, 1, 0.65, 0.55, 0.05, 0.95, 0.45],
    ...new Array<number>(16).fill(0.3),
  ];
  assert.deepEqual([...boxes.shape], [1, 2, 16]);
  compare(arr([32], boxes.data as Float32Array), arr([32], want), 1e-6, "boxes");
});
