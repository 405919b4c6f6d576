/**
 * User code must stand alone: imports would reach out of the Worker, and could not be resolved where the
 * commands run. This check refuses every text that can be an import before it is loaded.
 *
 * It works on the raw text, strings and comments included: where it is in doubt it refuses, so that no
 * trick with quotes can hide an import.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";

/** What may follow `import` in a sentence, but not in an import. */
const harmless =
  /^[ \t]+(?!(?:defer|source|from)\b)[A-Za-z_$][\w$]*[ \t]+(?!from\b)[A-Za-z][\w]*\b/;
/** `import type { X } from "y"` disappears when the types do. */
const typeOnly =
  /^[ \t]+type[ \t]+(?:\{[^}"'`]*\}|\*[ \t]+as[ \t]+[\w$]+|(?!from\b)[\w$]+)[ \t]+from\b/;
/** Names of this file, not another's. */
const ownNames = /^\{[^}"'`/]*\}(?!\s*(?:from\b|\/))/;

function lineOf(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: before.at(-1)!.length + 1 };
}

/**
 * Refuses imports in a file of user code.
 *
 * @throws BpuError("unsupported") with file and line
 */
export function checkSource(text: string, file: string): void {
  const refuse = (at: number, what: string): never => {
    throw new BpuError("unsupported", `${what} is not possible in custom operators`, {
      file,
      ...lineOf(text, at),
      hint: "Copy what is needed into the file; `import type` may stay.",
    });
  };
  for (const m of text.matchAll(/\bimport\b/g)) {
    const rest = text.slice(m.index + "import".length);
    if (typeOnly.test(rest)) continue;
    if (/^[ \t]+type\b/.test(rest) || !harmless.test(rest)) {
      refuse(m.index, "`import`");
    }
  }
  for (const m of text.matchAll(/\bexport\b\s*(?=[*{/])/g)) {
    const rest = text.slice(m.index + m[0].length);
    if (!ownNames.test(rest)) refuse(m.index, "this form of `export`");
  }
}
