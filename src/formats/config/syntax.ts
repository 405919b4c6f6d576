/**
 * What a YAML syntax error most likely comes from. The parser notices a missing colon or quote lines
 * later, and in words of its grammar; people look for the line that they wrote.
 *
 * @module
 */

/** The line to show (1-based), what is wrong with it, and what to do. */
export interface Culprit {
  readonly line: number;
  /** Undefined for the parser's own place. */
  readonly column: number | undefined;
  readonly reason: string;
  readonly hint: string;
}

/** Slips that make a line unreadable, the most telling first. */
const SLIPS: readonly (readonly [test: RegExp, reason: string, hint: string])[] = [
  [/^[^#'"]*：/, "a full-width colon (：)", "Write an ordinary colon and a space behind it."],
  [/^[\s\u00a0\u3000]*[\u00a0\u3000]/, "a space that is not ASCII", "Indent with plain spaces."],
  [/^[^#]*(['"])[^'"]*\1#/, "a comment directly behind a value", "Put a space before #."],
  [/^\s*[A-Za-z_]\w*:[^\s:]/, "a colon without a space", "Put a space behind the colon."],
];

/** Lines above the parser's mark that may be the cause. */
const REACH = 2;

/**
 * Finds the line behind a syntax error.
 *
 * @param text the config
 * @param line where the parser gave up, 1-based
 * @returns undefined when no line looks wrong; the parser's own words are then the best there are
 *
 * @example
 * ```ts
 * import { findCulprit } from "./syntax.ts";
 * console.log(findCulprit("a:\n  march:'bayes'\n  b: 1\n", 3)?.reason); // a colon without a space
 * ```
 */
export function findCulprit(text: string, line: number): Culprit | undefined {
  const lines = text.split(/\r\n|[\r\n]/);
  for (let at = line; at >= Math.max(1, line - REACH); at--) {
    const written = lines[at - 1] ?? "";
    const column = written.length - written.replace(/^[\s\u00a0\u3000]+/, "").length + 1;
    if (written.trim() === "" || written.trim().startsWith("#")) continue;
    const slip = SLIPS.find(([test]) => test.test(written));
    if (slip !== undefined) return { line: at, column, reason: slip[1], hint: slip[2] };
    if (opensQuote(written)) {
      // A quoted text may run over lines: where it begins is a guess, where it fails is not.
      const hint = `Close the quote that begins in line ${at}.`;
      return { line, column: undefined, reason: "a quote that is not closed", hint };
    }
    if (at < line && /^\s*[A-Za-z_]\w*(\s+\S.*)?$/.test(written)) {
      return { line: at, column, reason: "a key without a colon", hint: "Write key: value." };
    }
  }
  return undefined;
}

/** Whether the value of a `key: value` line starts with a quote that the line does not end. */
function opensQuote(line: string): boolean {
  const value = /^[^'"#]*:\s+(['"])(.*)$/.exec(line);
  return value !== null && !value[2]!.includes(value[1]!);
}
