/** Pooling, reductions and resizing. */

import { attr, node } from "../../ir/graph.ts";
import { f32 } from "../../ir/tensor.ts";
import { exact, map, one } from "./harness.ts";
import type { Case, Random } from "./harness.ts";

function pool(op: string, r: Random): Case {
  const shape = map(r);
  const k = [r.int(1, 3), r.int(1, 3)];
  const ceil = r.next() < 0.4 ? 1 : 0;
  return one(op, r, shape, {
    kernel_shape: attr.ints(k),
    strides: attr.ints([r.int(1, 3), r.int(1, 3)]),
    pads: attr.ints([
      r.int(0, k[0]! - 1),
      r.int(0, k[1]! - 1),
      r.int(0, k[0]! - 1),
      r.int(0, k[1]! - 1),
    ]),
    ceil_mode: attr.int(ceil),
    ...(op === "AveragePool" && ceil === 0 ? { count_include_pad: attr.int(r.int(0, 1)) } : {}),
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
