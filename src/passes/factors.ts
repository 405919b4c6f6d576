/**
 * Transpose and Reshape as a permutation of factors: every dimension is a product of factors, a
 * Transpose reorders them, a Reshape regroups them. So a whole chain is at most Reshape, Transpose, Reshape.
 *
 * @module
 */

/** A chain of Transposes and Reshapes from one shape to another. */
export interface Factored {
  /** Sizes in the order of the source, neighbours that stay together merged, none of them 1. */
  readonly sizes: readonly number[];
  /** `sizes[order[i]]` is the i-th factor of the result. */
  readonly order: readonly number[];
}

/** One step of a chain. */
export type Move =
  | { readonly perm: readonly number[] }
  | { readonly shape: readonly number[] };

interface Factor {
  size: number;
  /** Position in the source. */
  at: number[];
}

/** Splits the factors of a group sequence so that they can be regrouped to `shape`. */
function regroup(dims: readonly Factor[][], shape: readonly number[]): Factor[][] | undefined {
  const flat = dims.flat();
  const result: Factor[][] = [];
  let i = 0;
  for (const d of shape) {
    const group: Factor[] = [];
    let left = d;
    while (left > 1) {
      const f = flat[i];
      if (f === undefined) return undefined;
      if (left % f.size === 0) {
        group.push(f);
        left /= f.size;
        i++;
      } else if (f.size % left === 0) {
        // The head of this factor belongs here, its tail to the next dimension.
        group.push({ size: left, at: [...f.at, 0] });
        flat[i] = { size: f.size / left, at: [...f.at, 1] };
        left = 1;
      } else return undefined;
    }
    result.push(group);
  }
  return i === flat.length ? result : undefined;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}

/** The chain `moves` on a tensor of shape `shape`; undefined when sizes do not divide each other. */
export function factor(shape: readonly number[], moves: readonly Move[]): Factored | undefined {
  let dims: Factor[][] = shape.map((size, i) => size === 1 ? [] : [{ size, at: [i] }]);
  for (const m of moves) {
    if ("perm" in m) dims = m.perm.map((p) => dims[p]!);
    else {
      const next = regroup(dims, m.shape);
      if (next === undefined) return undefined;
      dims = next;
    }
  }
  const out = dims.flat();
  const sorted = [...out].sort((a, b) => compare(a.at, b.at));
  const rank = new Map(sorted.map((f, i) => [f, i]));
  const order = out.map((f) => rank.get(f)!);
  // Merge what stays together.
  const sizes: number[] = [];
  const merged: number[] = [];
  const starts = new Set<number>();
  order.forEach((r, i) => {
    if (i === 0 || r !== order[i - 1]! + 1) starts.add(r);
  });
  const groupOf: number[] = [];
  sorted.forEach((f, r) => {
    if (starts.has(r)) sizes.push(f.size);
    else sizes[sizes.length - 1]! *= f.size;
    groupOf.push(sizes.length - 1);
  });
  order.forEach((r) => {
    if (starts.has(r)) merged.push(groupOf[r]!);
  });
  return { sizes, order: merged };
}
