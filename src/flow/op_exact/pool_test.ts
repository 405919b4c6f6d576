/** Pooling, reductions and resizing. */

import { attr, node } from "../../ir/graph.ts";
import { f32, i64 } from "../../ir/tensor.ts";
import { exact, map, one } from "./harness.ts";
import type { Case, Random } from "./harness.ts";

function pool(op: string, r: Random): Case {
  const shape = map(r);
  const k = [r.int(1, 3), r.int(1, 3)];
  const ceil = r.next() < 0.4 ? 1 : 0;
  return one(op, r, shape, {
    kernel_shape: attr.ints(k),
    // In ceil mode a window that starts behind the picture is counted differently by opsets.
    strides: attr.ints(k.map((d) => ceil === 1 ? r.int(1, d) : r.int(1, 3))),
    pads: attr.ints([
      r.int(0, k[0]! - 1),
      r.int(0, k[1]! - 1),
      ceil === 1 ? 0 : r.int(0, k[0]! - 1),
      ceil === 1 ? 0 : r.int(0, k[1]! - 1),
    ]),
    ceil_mode: attr.int(ceil),
    ...(op === "AveragePool" ? { count_include_pad: attr.int(r.int(0, 1)) } : {}),
  });
}

function resize(r: Random): Case {
  const shape = map(r, 5);
  const mode = r.pick("nearest", "linear");
  const [sh, sw] = [r.pick(1, 2, 3, 0.5, 1.5), r.pick(1, 2, 4, 0.5, 1.25)];
  return {
    inputs: [shape],
    constants: { scales: f32([4], [1, 1, sh, sw]) },
    nodes: [node("Resize", "n", ["x0", "", "scales"], ["y"], {
      mode: attr.string(mode),
      coordinate_transformation_mode: attr.string(
        r.pick("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"),
      ),
      ...(mode === "nearest"
        ? { nearest_mode: attr.string(r.pick("floor", "ceil", "round_prefer_floor")) }
        : {}),
    })],
  };
}

exact("MaxPool", (r) => pool("MaxPool", r));
exact("AveragePool", (r) => pool("AveragePool", r));
exact("GlobalAveragePool", (r) => one("GlobalAveragePool", r, map(r)));
exact("ReduceMean", (r) =>
  one("ReduceMean", r, map(r), {
    axes: attr.ints(r.pick([2, 3], [1], [1, 2, 3], [-1, -2])),
    keepdims: attr.int(1),
  }));
exact("Resize", resize);

exact("GlobalMaxPool", (r) => one("GlobalMaxPool", r, map(r)));

/** Any axes of any rank, axes as an attribute or as an input. */
function reduction(op: string, r: Random): Case {
  const shape = r.pick(map(r, 5), map(r, 5).slice(1), [2, r.int(1, 5), 3, r.int(1, 4), 2]);
  const all = shape.map((_, i) => i);
  const axes = all.filter(() => r.next() < 0.4);
  if (axes.length === 0) axes.push(r.int(0, all.length - 1));
  const signed = axes.map((a) => r.next() < 0.5 ? a - shape.length : a);
  const keepdims = attr.int(r.int(0, 1));
  if (op === "ReduceSum") return one(op, r, shape, { keepdims }, { axes: i64(signed) });
  return one(op, r, shape, { keepdims, axes: attr.ints(signed) });
}
// Means and sums of uniform values are small against what they sum.
for (const op of ["ReduceMean", "ReduceSum"]) {
  exact(`${op} over any axes`, (r) => reduction(op, r), { error: 0.5 });
}
for (const op of ["ReduceMax", "ReduceMin"]) {
  exact(`${op} over any axes`, (r) => reduction(op, r));
}

function gridSample(r: Random, grid: "computed" | "constant"): Case {
  const shape = map(r, 5);
  const points = [shape[0]!, r.int(1, 6), r.int(1, 6), 2];
  const attrs = {
    mode: attr.string(r.pick("bilinear", "bilinear", "nearest")),
    padding_mode: attr.string(r.pick("zeros", "border")),
    align_corners: attr.int(r.int(0, 1)),
  };
  if (grid === "constant") {
    return one("GridSample", r, shape, attrs, { grid: r.values(points, 1.4) });
  }
  return {
    inputs: [shape, points],
    nodes: [node("GridSample", "n", ["x0", "x1"], ["y"], attrs)],
  };
}
// Positions in between two pixels: the even one is the nearest.
exact("GridSample at ties", (r) => {
  const size = 5;
  const at = Array.from({ length: 16 }, (_, i) => (i % 7 - 1 + 0.5 * r.int(0, 2)) / 2 - 1);
  return one("GridSample", r, [1, r.int(1, 3), size, size], {
    mode: attr.string("nearest"),
    padding_mode: attr.string(r.pick("zeros", "border")),
    align_corners: attr.int(1),
  }, { grid: f32([1, 2, 4, 2], at) });
});
// Where a position falls between two pixels, nearest may take the other one.
exact("GridSample", (r) => gridSample(r, "computed"), { error: Infinity, cases: 36 });
exact("GridSample with a constant grid", (r) => gridSample(r, "constant"), { error: 0.25 });

function box(r: Random, mode: string): Case {
  const [n, c, h, w] = [r.int(1, 2), r.int(1, 5), r.int(4, 11), r.int(4, 11)];
  const [top, left] = [r.int(0, 1), r.int(0, 1)],
    [bottom, right] = [r.int(2, h - 1), r.int(2, w - 1)];
  const roi = [0, 0, top / (h - 1), left / (w - 1), 1, 1, bottom / (h - 1), right / (w - 1)];
  return {
    inputs: [[n, c, h, w]],
    constants: { roi: f32([8], roi), sizes: i64([n, c, r.int(1, 9), r.int(2, 9)]) },
    nodes: [node("Resize", "n", ["x0", "roi", "", "sizes"], ["y"], {
      mode: attr.string(mode),
      coordinate_transformation_mode: attr.string("tf_crop_and_resize"),
      ...(mode === "nearest" ? { nearest_mode: attr.string(r.pick("floor", "ceil")) } : {}),
    })],
  };
}
exact("Resize of a box, linear", (r) => box(r, "linear"), { cases: 36 });
// floor and ceil of a position that is an integer up to rounding may differ by a pixel.
exact("Resize of a box, nearest", (r) => box(r, "nearest"), { error: Infinity });
