/**
 * Random cases of normalisations.
 *
 * @module
 */

import { arrayOf, type Case, inArena, type KernelRow, type Random } from "./cases.ts";
import { inverseRoots, layerNorm, type NormSpec } from "./layer_norm.ts";
import { layerNormRef } from "./layer_norm_ref.ts";

function layerNormCase(r: Random): Case {
  const rows = r.int(0, 6), n = r.chance(0.02) ? r.int(3000, 65536) : r.int(1, r.pick([8, 70]));
  const xType = r.pick(["int8", "int8", "int16"] as const);
  const yType = r.pick(["int8", "int8", "int16", "int32"] as const);
  const reach = 2 ** r.int(0, xType === "int8" ? 7 : 15);
  const x = r.ints(arrayOf(xType, rows * n), -reach, reach - 1);
  const m = r.int16(n), b = r.int32(n, ...(r.chance(0.5) ? [-(2 ** 20), 2 ** 20] : []));
  const g: NormSpec = {
    rows,
    n,
    xType,
    yType,
    xZero: xType === "int8" && r.chance(0.3) ? r.int(-128, 127) : 0,
    mean: r.chance(0.6),
    epsilon: r.pick([0, 1, r.int(0, 2 ** 30), r.int(0, 2 ** 20) * 2 ** 32]),
    s: r.chance(0.2) ? r.int(0, 62) : yType === "int8" ? r.int(20, 30) : r.int(12, 22),
    ...r.limits(yType),
  };
  return {
    params: { ...g },
    inputs: { x, m, b },
    kernel: (arena) =>
      inArena(
        arena,
        [x, m, b, inverseRoots],
        arrayOf(yType, rows * n),
        ([px, pm, pb, roots], y) => {
          layerNorm(arena, { ...g, x: px!, y, m: pm!, b: pb!, roots: roots! });
        },
      ),
    reference: () => {
      const y = arrayOf(yType, rows * n);
      layerNormRef(x, y, m, b, g);
      return y;
    },
  };
}

export const layerNormRows: readonly KernelRow[] = [
  { name: "layerNorm", section: "9c", weight: 2, make: layerNormCase },
];
