/** Data movement. */

import { attr, node } from "../../ir/graph.ts";
import { f32, i64 } from "../../ir/tensor.ts";
import { exact, map, one } from "./harness.ts";

exact("Concat", (r) => {
  const shape = map(r);
  const axis = r.int(1, 3);
  const other = shape.map((d, i) => i === axis ? r.int(1, 5) : d);
  return {
    inputs: [shape, other],
    nodes: [node("Concat", "n", ["x0", "x1", "x0"], ["y"], { axis: attr.int(axis) })],
  };
});
exact("Split", (r) => {
  const axis = r.int(1, 3);
  const shape = map(r).map((d, i) => i === axis ? 6 : d);
  const n = r.pick(2, 3);
  const outputs = ["y", "y1", "y2"].slice(0, n);
  return {
    inputs: [shape],
    nodes: [node("Split", "n", ["x0"], outputs, { axis: attr.int(axis) })],
    outputs: outputs.slice(1),
  };
});
exact("Slice", (r) => {
  const shape = map(r);
  const axis = r.int(1, 3), step = r.pick(1, 1, 2, -1);
  const size = shape[axis]!;
  const start = step > 0 ? r.int(0, size - 1) : size - 1;
  const end = step > 0 ? r.pick(size, r.int(start + 1, size + 3)) : -size - 1;
  return one("Slice", r, shape, {}, {
    starts: i64([start]),
    ends: i64([end]),
    axes: i64([r.pick(axis, axis - 4)]),
    steps: i64([step]),
  });
});
exact("Pad", (r) =>
  one("Pad", r, map(r), {}, {
    pads: i64([0, 0, r.int(-1, 3), r.int(0, 3), 0, r.int(0, 2), r.int(0, 3), r.int(-1, 2)]),
    value: f32([], [r.pick(0, 0.3, -5)]),
  }));
exact("Reshape", (r) => {
  const shape = map(r);
  const [n, c, h, w] = shape as [number, number, number, number];
  const to = r.pick([n, c * h * w], [n, h, c, w], [n, c, h * w], [n, w, h, c], [n, 1, c, h, w]);
  return one("Reshape", r, shape, {}, { shape: i64(to) });
});
exact("Flatten", (r) => one("Flatten", r, map(r), { axis: attr.int(1) }));
exact("Transpose", (r) => {
  const perm = r.pick([0, 2, 3, 1], [0, 3, 1, 2], [0, 1, 3, 2], [0, 2, 1, 3]);
  return one("Transpose", r, map(r), { perm: attr.ints(perm) });
});
exact("DepthToSpace", (r) => {
  const b = r.pick(2, 3);
  const shape = [r.int(1, 2), b * b * r.int(1, 4), r.int(1, 5), r.int(1, 5)];
  return one("DepthToSpace", r, shape, {
    blocksize: attr.int(b),
    mode: attr.string(r.pick("DCR", "CRD")),
  });
});
exact("SpaceToDepth", (r) => {
  const b = r.pick(2, 3);
  const shape = [r.int(1, 2), r.int(1, 5), b * r.int(1, 4), b * r.int(1, 4)];
  return one("SpaceToDepth", r, shape, { blocksize: attr.int(b) });
});
