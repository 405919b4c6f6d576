import { check } from "../testing/harness.ts";
import { type Arr, at, build } from "../testing/reference.ts";

Deno.test("Upsample repeats pixels", async () => {
  for (
    const [param, sy, sx] of [["scale: 2", 2, 2], ["", 2, 2], ["scale_h: 3 scale_w: 1", 3, 1], [
      "upsample_h: 8 upsample_w: 15",
      2,
      3,
    ]] as const
  ) {
    await check({
      layer: `type: "Upsample" upsample_param { ${param} }`,
      inputs: [[2, 3, 4, 5]],
      expected: ([x]) => [
        build(
          [2, 3, 4 * sy, 5 * sx],
          (n, c, h, w) => at(x!, n, c, Math.floor(h / sy), Math.floor(w / sx)),
        ),
      ],
    });
  }
});

/** Bilinear with corners on corners. */
function interp(x: Arr, h: number, w: number, crop = 0): Arr {
  const [n, c, ih, iw] = x.shape as [number, number, number, number];
  const [ch, cw] = [ih - 2 * crop, iw - 2 * crop];
  const [ry, rx] = [h > 1 ? (ch - 1) / (h - 1) : 0, w > 1 ? (cw - 1) / (w - 1) : 0];
  return build([n, c, h, w], (bn, bc, y, xx) => {
    const [fy, fx] = [y * ry, xx * rx];
    const [y0, x0] = [Math.min(Math.floor(fy), ch - 1), Math.min(Math.floor(fx), cw - 1)];
    const [y1, x1] = [Math.min(y0 + 1, ch - 1), Math.min(x0 + 1, cw - 1)];
    const v = (a: number, b: number): number => at(x, bn, bc, a + crop, b + crop);
    const top = v(y0, x0) * (1 - fx + x0) + v(y0, x1) * (fx - x0);
    const bottom = v(y1, x0) * (1 - fx + x0) + v(y1, x1) * (fx - x0);
    return top * (1 - fy + y0) + bottom * (fy - y0);
  });
}

Deno.test("Interp: factors, sizes, cropping, a second bottom", async () => {
  const cases = [
    ["zoom_factor: 2", [[1, 2, 4, 5]], 7, 9, 0],
    ["shrink_factor: 2", [[1, 2, 5, 6]], 3, 3, 0],
    ["zoom_factor: 3 shrink_factor: 2", [[1, 2, 5, 7]], 7, 10, 0],
    ["height: 9 width: 4", [[2, 1, 5, 6]], 9, 4, 0],
    ["height: 6 width: 6 pad_beg: -1 pad_end: -1", [[1, 1, 6, 7]], 6, 6, 1],
    ["", [[1, 2, 4, 4], [1, 9, 3, 8]], 3, 8, 0],
  ] as const;
  for (const [param, inputs, h, w, crop] of cases) {
    await check({
      layer: `type: "Interp" interp_param { ${param} }`,
      inputs,
      expected: ([x]) => [interp(x!, h, w, crop)],
    });
  }
});
