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
  const placed: { live: Live; at: number; end: number }[] = [];
  const offsets = new Map<string, number>();
  let bytes = 0;
  for (const live of order) {
    const size = Math.ceil(Math.max(live.bytes, 1) / ALIGN) * ALIGN;
    let at = 0;
    for (const p of placed) {
      if (p.live.to < live.from || p.live.from > live.to) continue;
      if (at + size <= p.at) break;
      at = Math.max(at, p.end);
    }
    offsets.set(live.name, at);
    // `placed` stays sorted by offset, so that one scan finds the lowest gap.
    let i = placed.length;
    while (i > 0 && placed[i - 1]!.at > at) i--;
    placed.splice(i, 0, { live, at, end: at + size });
    bytes = Math.max(bytes, at + size);
  }
  return { offsets, bytes };
}
