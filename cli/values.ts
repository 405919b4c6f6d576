/**
 * Values of flags.
 *
 * @module
 */

import { BpuError } from "../src/errors.ts";

/** `true`, `1` (or nothing behind the flag), `false`, `0`. */
export function parseBool(text: string | boolean): boolean {
  if (typeof text === "boolean") return text;
  if (/^(true|t|yes|y|1)$/i.test(text)) return true;
  if (/^(false|f|no|n|0)$/i.test(text)) return false;
  throw new BpuError("usage", `'${text}' is neither true nor false`);
}

/** A whole number from `min` up. */
export function parseCount(flag: string, min: number): (text: string) => number {
  return (text) => {
    const v = Number(text);
    if (text.trim() === "" || !Number.isSafeInteger(v) || v < min) {
      throw new BpuError("usage", `${flag} takes a whole number from ${min} up, not '${text}'`);
    }
    return v;
  };
}
