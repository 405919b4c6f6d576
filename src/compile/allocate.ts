/**
 * Places activations in one arena: tensors that live at the same time do not overlap.
 *
 * @module
 */

/** Lifetime of a tensor in steps, both ends inclusive. */
export interface Live {
  readonly name: string;
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}

const ALIGN = 64;

/**
 * Greedy by size: the largest tensor first, each at the lowest free offset. Deterministic: ties go by
 * first step, then by name.
 */
export function allocateArena(
  tensors: readonly Live[],
): { offsets: Map<string, number>; bytes: number } {
  const order = [...tensors].sort((a, b) =>
    b.bytes - a.bytes || a.from - b.from || (a.name < b.name ? -1 : 1)
  );
  // What is placed, sorted by offset, so that one scan finds the lowest gap. Typed columns: the scan is
  // the hot loop of the schedule search.
  const n = order.length;
  const froms = new Int32Array(n), tos = new Int32Array(n);
  const starts = new Float64Array(n), ends = new Float64Array(n);
  const offsets = new Map<string, number>();
  let bytes = 0;
  order.forEach((live, placed) => {
    const { from, to } = live;
    const size = Math.ceil(Math.max(live.bytes, 1) / ALIGN) * ALIGN;
    let at = 0;
    for (let i = 0; i < placed; i++) {
      if (tos[i]! < from || froms[i]! > to) continue;
      if (at + size <= starts[i]!) break;
      at = Math.max(at, ends[i]!);
    }
    offsets.set(live.name, at);
    let i = placed;
    while (i > 0 && starts[i - 1]! > at) i--;
    for (const column of [froms, tos, starts, ends]) column.copyWithin(i + 1, i, placed);
    froms[i] = from;
    tos[i] = to;
    starts[i] = at;
    ends[i] = at + size;
    bytes = Math.max(bytes, at + size);
  });
  return { offsets, bytes };
}
