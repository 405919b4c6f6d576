/**
 * AffineGrid (opset 20).
 *
 * @module
 */

import { attr, intAttr, type Node } from "../../../ir/graph.ts";
import { elementCount } from "../../../ir/tensor.ts";
import { Chain } from "./chain.ts";
import { constantInput, type Context, refuse, reserve } from "./context.ts";

/** The positions of all pixels (a constant) times theta, in float64: not for the steps of the BPU. */
export function affineGrid(n: Node, c: Context): readonly Node[] {
  const theta = n.inputs[0] ?? "";
  const size = constantInput(n, c, 1, "the size");
  if (size === undefined || size.length < 4 || size.length > 5) {
    throw refuse(n, "the size of the grid must have 4 or 5 values");
  }
  const space = size.slice(2);
  const total = elementCount(space);
  if (space.some((d) => d < 1)) throw refuse(n, "the size of the grid must be positive");
  reserve(n, 4 * total);
  const corners = intAttr(n, "align_corners", 0) !== 0;
  const rank = space.length;
  const base = new Float64Array(total * (rank + 1));
  for (let p = 0; p < total; p++) {
    let rest = p;
    for (let i = rank - 1; i >= 0; i--) {
      const d = space[i]!;
      const at = rest % d;
      rest = Math.floor(rest / d);
      // x, y(, z): the last axis first. A single pixel lies in the middle, as in PyTorch.
      base[p * (rank + 1) + rank - 1 - i] = corners
        ? (d === 1 ? 0 : 2 * at / (d - 1) - 1)
        : (2 * at + 1) / d - 1;
    }
    base[p * (rank + 1) + rank] = 1;
  }
  const chain = new Chain(n, c);
  const points = chain.constant("points", {
    dtype: "float64",
    shape: [1, total, rank + 1],
    data: base,
  });
  const turned = chain.add("Transpose", [chain.cast(theta, "float64")], {
    perm: attr.ints([0, 2, 1]),
  });
  const grid = chain.cast(chain.add("MatMul", [points, turned]), c.fact(theta).dtype ?? "float32");
  chain.add("Reshape", [grid, chain.ints("shape", [-1, ...space, rank])]);
  return chain.end();
}
