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

/** The factors of each dimension after `moves`. */
function follow(shape: readonly number[], moves: readonly Move[]): Factor[][] | undefined {
  let dims: Factor[][] = shape.map((size, i) => size === 1 ? [] : [{ size, at: [i] }]);
  for (const m of moves) {
    if ("perm" in m) dims = m.perm.map((p) => dims[p]!);
    else {
      const next = regroup(dims, m.shape);
      if (next === undefined) return undefined;
      dims = next;
    }
  }
  return dims;
}

/** Source order and result order of factors, with those merged that stay neighbours. */
function arrange(out: readonly Factor[]): Factored {
  const sorted = [...out].sort((a, b) => compare(a.at, b.at));
  const rank = new Map(sorted.map((f, i) => [f, i]));
  const order = out.map((f) => rank.get(f)!);
  const starts = new Set<number>();
  order.forEach((r, i) => {
    if (i === 0 || r !== order[i - 1]! + 1) starts.add(r);
  });
  const sizes: number[] = [];
  const groupOf: number[] = [];
  sorted.forEach((f, r) => {
    if (starts.has(r)) sizes.push(f.size);
    else sizes[sizes.length - 1]! *= f.size;
    groupOf.push(sizes.length - 1);
  });
  return { sizes, order: order.filter((r) => starts.has(r)).map((r) => groupOf[r]!) };
}

/** The chain `moves` on a tensor of shape `shape`; undefined when sizes do not divide each other. */
export function factor(shape: readonly number[], moves: readonly Move[]): Factored | undefined {
  const dims = follow(shape, moves);
  return dims === undefined ? undefined : arrange(dims.flat());
}

/** Part of a dimension taken behind a chain, as a slice in front of it. */
export interface Picked {
  /** Dimension of the source, seen as outer x count x inner. */
  readonly axis: number;
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
  /** What the chain does to the slice. */
  readonly rest: Factored;
}

/**
 * Where in the source the dimension `axis` behind `moves` lies, when it is one factor of it, and what is
 * left to do when `size` of its entries are taken.
 */
export function pick(
  shape: readonly number[],
  moves: readonly Move[],
  axis: number,
  size: number,
): Picked | undefined {
  const dims = follow(shape, moves);
  const f = dims?.[axis]?.[0];
  if (dims === undefined || f === undefined || dims[axis]!.length !== 1) return undefined;
  const rest = dims.flatMap((d, i) => i === axis ? [] : d);
  const part = size === 1 ? [] : [{ ...f, size }];
  const same = rest.filter((r) => r.at[0] === f.at[0]);
  const product = (list: readonly Factor[]) => list.reduce((p, r) => p * r.size, 1);
  return {
    axis: f.at[0]!,
    count: f.size,
    outer: product(same.filter((r) => compare(r.at, f.at) < 0)),
    inner: product(same.filter((r) => compare(r.at, f.at) > 0)),
    rest: arrange(dims.flatMap((d, i) => i === axis ? part : d)),
  };
}
