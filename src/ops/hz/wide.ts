/**
 * Requantization of accumulators beyond 32 bits (docs/arithmetic.md section 4, int16 operands).
 *
 * @module
 */

/**
 * floor(acc * m * 2^-s + 0.5) of an integer below 2^53. Products below 2^52 are exact in binary64 (and
 * so is the sum with a half, or it cannot reach the next integer); larger ones go through BigInt.
 */
export function requantWide(acc: number, m: number, s: number): number {
  const p = acc * m;
  if (Math.abs(p) <= 2 ** 52) return Math.floor(p * 2 ** -s + 0.5);
  const t = BigInt(acc) * BigInt(m) + (s === 0 ? 0n : 1n << BigInt(s - 1));
  return Number(t >> BigInt(s));
}
