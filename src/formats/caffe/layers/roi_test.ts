import { check } from "../testing/harness.ts";
import { arr, psroi, roi } from "../testing/reference.ts";

// Inside, across an edge, outside, one pixel, the second picture.
const ROIS = arr([6, 5], [
  ...[0, 0, 0, 15, 15],
  ...[0, 3, 2, 12, 9],
  ...[0, 10, 10, 40, 30],
  ...[0, 60, 60, 70, 70],
  ...[0, 5, 5, 5, 5],
  ...[1, 1.4, 2.6, 9.2, 13.7],
]);

Deno.test("ROIPooling", async () => {
  for (const rois of [ROIS, arr([6, 5, 1, 1], ROIS.data)]) {
    await check({
      layer: `type: "ROIPooling" roi_pooling_param { pooled_h: 3 pooled_w: 2 spatial_scale: 0.5 }`,
      inputs: [[2, 3, 8, 8], rois],
      expected: ([x, r]) => [roi(x!, r!, 0.5, 3, 2)],
    });
  }
});

Deno.test("PSROIPooling", async () => {
  await check({
    layer:
      `type: "PSROIPooling" psroi_pooling_param { spatial_scale: 0.5 output_dim: 2 group_size: 3 }`,
    inputs: [[2, 18, 8, 7], ROIS],
    expected: ([x, r]) => [psroi(x!, r!, 0.5, 2, 3)],
  });
});
