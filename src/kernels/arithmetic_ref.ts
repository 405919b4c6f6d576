/**
 * docs/arithmetic.md in plain TypeScript, for the references and for converters that fold constants.
 *
 * @module
 */

/** Half away from zero. */
export function roundAway(v: number): number {
  const a = Math.floor(Math.abs(v) + 0.5);
  return v < 0 ? -a : a;
}

export function clamp(v: number, lo: number, hi: number): number {
  return v < lo ? lo : v > hi ? hi : v;
}

/** `floor(acc * m * 2^-s + 0.5)` for any acc below 2^47 and m below 2^16 in magnitude. */
export function requantOf(acc: number, m: number, s: number): number {
  if (Math.abs(acc) <= 2 ** 31) return Math.floor(acc * (m * 2 ** -s) + 0.5);
  const half = s > 0 ? 1n << BigInt(s - 1) : 0n;
  return Number((BigInt(acc) * BigInt(m) + half) >> BigInt(s));
}

/** `(p + 2^(s-1)) >> s` for an exact product p below 2^53 in magnitude. */
export function shiftRound(p: number, s: number): number {
  if (Math.abs(p) < 2 ** 46) return Math.floor(p * 2 ** -s + 0.5);
  const half = s > 0 ? 1n << BigInt(s - 1) : 0n;
  return Number((BigInt(p) + half) >> BigInt(s));
}

/** Multiplier and shift of a positive real factor (section 3). Null when the factor is too large. */
export function factorOf(M: number): { m: number; s: number } | null {
  if (!(M > 0) || !Number.isFinite(M)) return M === 0 ? { m: 0, s: 62 } : null;
  let s = 14 - floorLog2(M);
  if (s > 62) return { m: roundAway(M * 2 ** 62), s: 62 };
  let m = roundAway(M * 2 ** s);
  if (m === 32768) {
    m = 16384;
    s--;
  }
  return s < 0 ? null : { m, s };
}

/** floor(log2(v)) of a positive finite number, exactly. */
export function floorLog2(v: number): number {
  let e = Math.floor(Math.log2(v));
  if (2 ** e > v) e--;
  else if (2 ** (e + 1) <= v) e++;
  return e;
}
