/**
 * Real configs close a flow mapping that spans lines in the column of its key:
 *
 *     node_info: {
 *       "Conv_0": {'ON': 'BPU'}
 *     }            <- or further left
 *
 * YAML asks for more indentation than that; the original tool's parser does not. Joining the lines of
 * flow collections makes such files valid without moving any character.
 *
 * @module
 */

/** The text with line breaks and comments inside flow collections blanked; same length. */
export function joinFlowLines(text: string): string {
  return new Joiner(text).run();
}

class Joiner {
  private i = 0;
  private readonly blanks: [number, number][] = [];

  constructor(private readonly text: string) {}

  run(): string {
    while (this.i < this.text.length) this.line();
    let out = "";
    let from = 0;
    for (const [a, b] of this.blanks) {
      out += this.text.slice(from, a) + " ".repeat(b - a);
      from = b;
    }
    return out + this.text.slice(from);
  }

  /** One line outside of flow collections, or several when a value spans lines. */
  private line(): void {
    const start = this.i;
    this.spaces();
    let indent = this.i - start;
    while (/[-?]/.test(this.peek()) && /\s/.test(this.peek(1))) {
      this.i++;
      this.spaces();
      indent = this.i - start;
    }
    for (let values = 0; values < 2; values++) {
      this.properties();
      const c = this.peek();
      if (c === "{" || c === "[") this.flow();
      else if (c === '"' || c === "'") this.quoted(c);
      else if (c === "|" || c === ">") return this.block(indent);
      else this.plain();
      this.spaces();
      if (this.peek() !== ":") break;
      this.i++;
      this.spaces();
    }
    this.rest();
  }

  private peek(ahead = 0): string {
    return this.text[this.i + ahead] ?? "\n";
  }

  private spaces(): void {
    while (this.i < this.text.length && /[ \t]/.test(this.peek())) this.i++;
  }

  /** Anchors and tags. */
  private properties(): void {
    while (this.i < this.text.length && /[&!]/.test(this.peek())) {
      while (this.i < this.text.length && /\S/.test(this.peek())) this.i++;
      this.spaces();
    }
  }

  /** A plain scalar up to `: `, ` #` or the end of the line. */
  private plain(): void {
    while (this.i < this.text.length && this.peek() !== "\n") {
      if (this.peek() === ":" && /\s/.test(this.peek(1))) return;
      if (this.peek() === "#" && (this.i === 0 || /\s/.test(this.text[this.i - 1]!))) return;
      this.i++;
    }
  }

  private quoted(mark: string): void {
    this.i++;
    while (this.i < this.text.length) {
      const c = this.peek();
      if (c === "\\" && mark === '"') this.i++;
      else if (c === mark) {
        if (mark === "'" && this.peek(1) === "'") this.i++;
        else {
          this.i++;
          return;
        }
      }
      this.i++;
    }
  }

  /** A literal or folded scalar: every following line that is indented deeper. */
  private block(indent: number): void {
    this.rest();
    while (this.i < this.text.length) {
      let k = this.i;
      while (this.text[k] === " ") k++;
      const blank = k >= this.text.length || /[\r\n]/.test(this.text[k]!);
      if (!blank && k - this.i <= indent) return;
      this.rest();
    }
  }

  private rest(): void {
    const end = this.text.indexOf("\n", this.i);
    this.i = end < 0 ? this.text.length : end + 1;
  }

  private flow(): void {
    let depth = 0;
    while (this.i < this.text.length) {
      const c = this.peek();
      if (c === '"' || c === "'") {
        // A quote inside a plain word is a letter.
        if (/[\s,:{}[\]]/.test(this.text[this.i - 1] ?? " ")) {
          this.quoted(c);
          continue;
        }
      } else if (c === "{" || c === "[") depth++;
      else if (c === "}" || c === "]") {
        this.i++;
        if (--depth === 0) return;
        continue;
      } else if (c === "\n" || c === "\r") this.blanks.push([this.i, this.i + 1]);
      else if (c === "#" && /\s/.test(this.text[this.i - 1] ?? " ")) {
        const end = this.text.indexOf("\n", this.i);
        const stop = end < 0 ? this.text.length : end;
        this.blanks.push([this.i, stop]);
        this.i = stop;
        continue;
      }
      this.i++;
    }
  }
}
