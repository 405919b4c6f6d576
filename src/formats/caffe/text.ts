/**
 * Protobuf text format as a tree that remembers lines. It knows no schema: names are checked when the
 * tree is bound to messages (`bind.ts`), so that every error can name the line.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";

/** A value in the text: a block in braces, or one token. */
export type TextValue = TextBlock | TextScalar;

/** `{ field ... }`. */
export interface TextBlock {
  readonly kind: "block";
  readonly fields: readonly TextField[];
  /** Line of the opening brace (1 for the file itself). */
  readonly line: number;
}

/** A number, an identifier or a string (unescaped). */
export interface TextScalar {
  readonly kind: "scalar";
  readonly text: string;
  readonly quoted: boolean;
  readonly line: number;
}

/** `name: value`; a list `[a, b]` becomes one field per element. */
export interface TextField {
  readonly name: string;
  readonly value: TextValue;
  readonly line: number;
}

/** Blocks inside blocks; real nets stay below 8. */
const MAX_DEPTH = 64;
/** Of a prototxt in characters; the largest real ones are below 2 MB. */
const MAX_LENGTH = 256 * 2 ** 20;

interface Token {
  readonly kind: "word" | "number" | "string" | "mark" | "end";
  readonly text: string;
  readonly line: number;
}

const SPACE = /[ \t\r\n\f\v]*/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER =
  /(?:0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fF]?)(?![A-Za-z0-9_.])/y;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["v", "\v"],
]);

/** Cuts text into tokens, one at a time. */
class Scanner {
  #at = 0;
  #line = 1;

  constructor(readonly text: string, readonly file: string) {}

  fail(message: string, line = this.#line): never {
    throw new BpuError("format", message, { file: this.file, line });
  }

  next(): Token {
    const text = this.text;
    for (;;) {
      const from = this.#at;
      SPACE.lastIndex = from;
      SPACE.test(text);
      this.#at = SPACE.lastIndex;
      this.#count(from, this.#at);
      if (text[this.#at] !== "#") break;
      const end = text.indexOf("\n", this.#at);
      this.#at = end < 0 ? text.length : end;
    }
    const line = this.#line;
    const c = text[this.#at];
    if (c === undefined) return { kind: "end", text: "", line };
    if (c === '"' || c === "'") return { kind: "string", text: this.#string(c), line };
    for (const [kind, pattern] of [["word", WORD], ["number", NUMBER]] as const) {
      pattern.lastIndex = this.#at;
      const found = pattern.exec(text);
      if (found !== null) {
        this.#at = pattern.lastIndex;
        return { kind, text: found[0], line };
      }
    }
    if ("{}<>[]:,;-".includes(c)) {
      this.#at++;
      return { kind: "mark", text: c, line };
    }
    if (/[0-9.]/.test(c)) {
      return this.fail(`"${text.slice(this.#at, this.#at + 20).split(/\s/)[0]}" is not a number`);
    }
    return this.fail(`the character ${JSON.stringify(c)} has no place here`);
  }

  #count(from: number, to: number): void {
    for (let i = from; i < to; i++) if (this.text.charCodeAt(i) === 10) this.#line++;
  }

  #string(quote: string): string {
    const text = this.text;
    const line = this.#line;
    let out = "";
    let i = this.#at + 1;
    let from = i;
    for (;; i++) {
      const c = text[i];
      if (c === undefined || c === "\n") this.fail("this string has no closing quote", line);
      if (c === quote) break;
      if (c !== "\\") continue;
      out += text.slice(from, i);
      const e = text[++i];
      if (e === undefined || e === "\n") this.fail("this string has no closing quote", line);
      const code = /^(?:[0-7]{1,3}|[xX][0-9a-fA-F]{1,2})/.exec(text.slice(i, i + 3))?.[0];
      if (code !== undefined) {
        const value = /^[xX]/.test(code) ? parseInt(code.slice(1), 16) : parseInt(code, 8);
        out += String.fromCharCode(value & 255);
        i += code.length - 1;
      } else {
        out += ESCAPES.get(e) ?? e;
      }
      from = i + 1;
    }
    out += text.slice(from, i);
    this.#at = i + 1;
    return out;
  }
}

/**
 * Parses protobuf text format: `name: value`, `name { ... }`, `name < ... >`, lists, comments,
 * adjacent strings, hexadecimal and `1.5f` numbers.
 *
 * @param text the prototxt
 * @param file its name, for errors
 * @throws BpuError `format` with the line, `limit` for blocks nested deeper than 64
 *
 * @example
 * ```ts
 * import { parseText } from "./text.ts";
 * const net = parseText('name: "LeNet" layer { type: "ReLU" }', "lenet.prototxt");
 * console.log(net.fields.map((f) => f.name)); // [ "name", "layer" ]
 * ```
 */
export function parseText(text: string, file: string): TextBlock {
  if (text.length > MAX_LENGTH) {
    throw new BpuError("limit", "the prototxt is longer than 256 MB", { file });
  }
  const scan: Scanner = new Scanner(text.startsWith("\ufeff") ? text.slice(1) : text, file);
  let token = scan.next();
  const advance = (): Token => {
    const t = token;
    token = scan.next();
    return t;
  };
  const at = (mark: string): boolean => token.kind === "mark" && token.text === mark;
  const describe = (t: Token): string =>
    t.kind === "end" ? "the end of the file" : `"${t.text.slice(0, 60)}"`;

  const fields = (close: string, opened: number, depth: number): TextField[] => {
    const list: TextField[] = [];
    for (;;) {
      if (token.kind === "end") {
        if (close === "") return list;
        scan.fail(`the block opened here is never closed: "${close}" is missing`, opened);
      }
      if (at(close)) {
        advance();
        return list;
      }
      if (token.kind !== "word") {
        scan.fail(`expected a field name, found ${describe(token)}`, token.line);
      }
      const name = advance();
      let colon = false;
      if (at(":")) {
        advance();
        colon = true;
      }
      const field = { name: name.text, line: name.line };
      if (colon && at("[")) {
        advance();
        if (!at("]")) {
          for (;;) {
            list.push({ ...field, value: value(name.text, true, depth) });
            if (!at(",")) break;
            advance();
          }
        }
        if (!at("]")) {
          scan.fail(`expected "," or "]" in the list ${name.text}`, token.line);
        }
        advance();
      } else {
        list.push({ ...field, value: value(name.text, colon, depth) });
      }
      if (at(",") || at(";")) advance();
    }
  };

  const value = (name: string, colon: boolean, depth: number): TextValue => {
    const line = token.line;
    if (at("{") || at("<")) {
      const close = at("{") ? "}" : ">";
      if (depth >= MAX_DEPTH) {
        throw new BpuError("limit", `blocks are nested deeper than ${MAX_DEPTH}`, { file, line });
      }
      advance();
      return { kind: "block", fields: fields(close, line, depth + 1), line };
    }
    if (!colon) scan.fail(`expected ":" or "{" after ${name}, found ${describe(token)}`, line);
    if (token.kind === "string") {
      const parts = [advance().text];
      while (token.kind === "string") parts.push(advance().text);
      return { kind: "scalar", text: parts.join(""), quoted: true, line };
    }
    let sign = "";
    if (at("-")) {
      advance();
      sign = "-";
    }
    if (token.kind !== "word" && token.kind !== "number") {
      scan.fail(`expected a value for ${name}, found ${describe(token)}`, line);
    }
    return { kind: "scalar", text: sign + advance().text, quoted: false, line };
  };

  return { kind: "block", fields: fields("", 1, 0), line: 1 };
}
