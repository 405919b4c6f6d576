/** Data movement. */

import { attr, node } from "../../ir/graph.ts";
import { f32, i64 } from "../../ir/tensor.ts";
import { exact, map, one } from "./harness.ts";
import type { Case, Random } from "./harness.ts";

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
function padCase(r: Random, value: number): Case {
  return one("Pad", r, map(r), {}, {
    pads: i64([0, 0, r.int(-1, 3), r.int(0, 3), 0, r.int(0, 2), r.int(0, 3), r.int(-1, 2)]),
    value: f32([], [value]),
  });
}
exact("Pad", (r) => padCase(r, r.pick(0, 0.2)));
// What fills has the scale of the picture and saturates there.
exact("Pad with a value out of range", (r) => padCase(r, -500), { error: Infinity });

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

exact("Gather with constant indices", (r) => {
  const shape = r.pick(map(r, 5), map(r, 5).slice(1));
  const axis = r.int(0, shape.length - 1), size = shape[axis]!;
  const index = () => r.int(-size, size - 1);
  const dims = r.pick([], [1], [3], ...(shape.length === 3 ? [[2, 2]] : []));
  const values = Array.from({ length: dims.reduce((a, b) => a * b, 1) }, index);
  return one("Gather", r, shape, { axis: attr.int(r.pick(axis, axis - shape.length)) }, {
    indices: { ...i64(values), shape: dims },
  });
});
exact("Expand", (r) => {
  const shape = map(r, 5);
  const at = r.int(0, 3);
  const from = shape.map((d, i) => i === at ? 1 : d);
  const cut = from[0] === 1 && r.next() < 0.5 ? from.slice(1) : from;
  return one("Expand", r, cut, {}, { shape: i64(r.pick(shape, [...shape].fill(1, 0, 0))) });
});
exact("Tile", (r) => {
  const shape = r.pick(map(r, 5), map(r, 5).slice(1));
  return one("Tile", r, shape, {}, { repeats: i64(shape.map(() => r.pick(1, 1, 2, 3))) });
});
for (const op of ["Squeeze", "Unsqueeze"]) {
  exact(op, (r) => {
    const [n, c, h, w] = map(r, 5) as [number, number, number, number];
    const shape = op === "Squeeze" ? r.pick([n, c, h, 1], [n, 1, h, w]) : r.pick([n, c, h], [c, h]);
    const axis = op === "Squeeze" ? (shape[1] === 1 ? 1 : 3) : r.int(0, 2);
    return one(op, r, shape, {}, { axes: i64([axis]) });
  });
}
exact("Concat with a constant", (r) => {
  const shape = map(r);
  return {
    inputs: [shape],
    constants: { k: r.values([shape[0]!, 3, shape[2]!, shape[3]!]) },
    nodes: [node("Concat", "n", ["x0", "k"], ["y"], { axis: attr.int(1) })],
  };
});

exact("GatherElements with constant indices", (r) => {
  const shape = r.pick(map(r, 5), map(r, 5).slice(1));
  const axis = r.int(0, shape.length - 1), size = shape[axis]!;
  const to = shape.map((d, i) => i === axis ? r.int(1, 7) : r.int(1, d));
  const count = to.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: count }, () => r.int(-size, size - 1));
  return one("GatherElements", r, shape, { axis: attr.int(axis) }, {
    indices: { ...i64(values), shape: to },
  });
});
