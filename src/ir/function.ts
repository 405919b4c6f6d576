/**
 * Model-local functions: the standard-operator bodies that make a stage model run in any ONNX
 * runtime, and a small text form to write them in.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { Attr, Attrs } from "./graph.ts";
import { allocate, type DType, type Tensor } from "./tensor.ts";

/** The kinds of attribute that a function can take. */
export type ParamKind = "int" | "ints" | "float" | "floats" | "string" | "tensor";

/** A reference to an attribute of the function, in the place of an attribute's value. */
export interface AttrRef {
  readonly type: "ref";
  /** Name of the function's attribute. */
  readonly attr: string;
  readonly of: ParamKind;
}

/** An operator call in a function body. */
export interface FunctionNode {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attrs: ReadonlyMap<string, Attr | AttrRef>;
}

/** A model-local function of our domain. */
export interface FunctionDef {
  readonly name: string;
  readonly domain: "horizon";
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attributes that every call must give. */
  readonly attributes: readonly string[];
  /** Attributes that a call may leave out. */
  readonly defaults?: Attrs;
  readonly nodes: readonly FunctionNode[];
}

const dtypes: ReadonlyMap<string, DType> = new Map([
  ["i8", "int8"],
  ["u8", "uint8"],
  ["i16", "int16"],
  ["u16", "uint16"],
  ["i32", "int32"],
  ["u32", "uint32"],
  ["i64", "int64"],
  ["u64", "uint64"],
  ["f32", "float32"],
  ["f64", "float64"],
  ["bool", "bool"],
]);

/** ONNX element types, for the attribute `to`. */
const codes: ReadonlyMap<string, number> = new Map([
  ["f32", 1],
  ["u8", 2],
  ["i8", 3],
  ["u16", 4],
  ["i16", 5],
  ["i32", 6],
  ["i64", 7],
  ["bool", 9],
  ["f64", 11],
  ["u32", 12],
  ["u64", 13],
]);

const kinds: ReadonlySet<string> = new Set<ParamKind>([
  "int",
  "ints",
  "float",
  "floats",
  "string",
  "tensor",
]);

function wrong(fnName: string, what: string): BpuError {
  return new BpuError("internal", `function ${fnName}: ${what}`);
}

/**
 * Builds a function from text. `attributes` declares kinds, `"pads:ints"`; a default makes it
 * optional, `"keepdims:int=1"` (int, float and string only). The body is a list of statements
 * separated by `;`:
 *
 *     out = Op(a, b){attr=1 other=@pads}      one output
 *     v, i = TopK(x, k){axis=-1}              several outputs
 *     y = horizon.HzRequant(x, m, s){qmin=@qmin}
 *
 * Arguments are tensor names, nothing (an input left out), literals `f64:0.5`, `i64:[1,2]`,
 * `i8:-128`, which become Constant nodes, and `@attr`, which becomes a Constant holding the function's
 * attribute. Attribute values are integers, floats (with a point or exponent), lists, `"text"`, dtype
 * names (`to=i32`) and `@attr`. Names that start with `_` are reserved.
 *
 * @example
 * ```ts
 * import { fn } from "./function.ts";
 * const lut = fn("HzLut8", "x, lut", "y", [], "i=Cast(x){to=i32}; y=Gather(lut, i)");
 * console.log(lut.nodes.length); // 2
 * ```
 */
export function fn(
  name: string,
  inputs: string | readonly string[],
  outputs: string | readonly string[],
  attributes: readonly string[],
  body: string,
): FunctionDef {
  const params = new Map<string, ParamKind>();
  const required: string[] = [];
  const defaults = new Map<string, Attr>();
  for (const declared of attributes) {
    const m = /^(\w+):(\w+)(?:=(.*))?$/.exec(declared.trim());
    if (m === null || !kinds.has(m[2]!)) throw wrong(name, `attribute ${declared} has no kind`);
    const kind = m[2] as ParamKind;
    params.set(m[1]!, kind);
    if (m[3] === undefined) required.push(m[1]!);
    else defaults.set(m[1]!, defaultValue(name, kind, m[3]));
  }
  const ins = list(inputs);
  const outs = list(outputs);
  const b = new Body(name, params, ins);
  for (const statement of splitTop(body, ";")) {
    if (statement.trim() !== "") b.statement(statement.trim());
  }
  for (const o of outs) if (!b.known.has(o)) throw wrong(name, `nothing produces ${o}`);
  return {
    name,
    domain: "horizon",
    inputs: ins,
    outputs: outs,
    attributes: required,
    ...(defaults.size > 0 ? { defaults } : {}),
    nodes: b.nodes,
  };
}

function list(names: string | readonly string[]): string[] {
  const items = typeof names === "string" ? names.split(",") : [...names];
  return items.map((s) => s.trim()).filter((s) => s !== "");
}

function defaultValue(fnName: string, kind: ParamKind, text: string): Attr {
  if (kind === "int") return { type: "int", value: Number(text) };
  if (kind === "float") return { type: "float", value: Number(text) };
  if (kind === "string") return { type: "string", value: text };
  throw wrong(fnName, `a default of kind ${kind} is not supported`);
}

/** Splits at a separator outside of brackets and quotes. */
function splitTop(text: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '"') quoted = !quoted;
    if (quoted) continue;
    if ("([{".includes(c)) depth++;
    else if (")]}".includes(c)) depth--;
    else if (c === separator && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

/** Reads the statements of one body. */
class Body {
  readonly nodes: FunctionNode[] = [];
  readonly known: Set<string>;
  private readonly constants = new Map<string, string>();

  constructor(
    private readonly fnName: string,
    private readonly params: ReadonlyMap<string, ParamKind>,
    inputs: readonly string[],
  ) {
    this.known = new Set(inputs);
  }

  statement(text: string): void {
    const m = /^([\w\s,]+)=\s*(?:(\w+)\.)?(\w+)\s*\(([^()]*)\)\s*(?:\{(.*)\})?$/s.exec(text);
    if (m === null) throw wrong(this.fnName, `cannot read ${JSON.stringify(text)}`);
    const outputs = m[1]!.split(",").map((s) => s.trim());
    const inputs = m[4]!.trim() === "" ? [] : splitTop(m[4]!, ",").map((s) => this.arg(s.trim()));
    const attrs = new Map<string, Attr | AttrRef>();
    for (const item of splitTop((m[5] ?? "").trim().replaceAll(/\s*=\s*/g, "="), " ")) {
      if (item === "") continue;
      const at = item.indexOf("=");
      if (at < 1) throw wrong(this.fnName, `cannot read attribute ${item}`);
      attrs.set(item.slice(0, at), this.value(item.slice(at + 1).replace(/,$/, "")));
    }
    this.push(m[3]!, m[2] ?? "", inputs, outputs, attrs);
  }

  private push(
    op: string,
    domain: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attrs: ReadonlyMap<string, Attr | AttrRef>,
  ): void {
    for (const o of outputs) {
      if (o === "") continue;
      if (this.known.has(o)) throw wrong(this.fnName, `${o} is produced twice`);
      this.known.add(o);
    }
    this.nodes.push({ name: `${op}_${this.nodes.length}`, op, domain, inputs, outputs, attrs });
  }

  /** A Constant node, one for each distinct value. */
  private constant(key: string, attrName: string, value: Attr | AttrRef): string {
    const before = this.constants.get(key);
    if (before !== undefined) return before;
    const name = `_c${this.constants.size}`;
    this.constants.set(key, name);
    this.push("Constant", "", [], [name], new Map([[attrName, value]]));
    return name;
  }

  private param(name: string): ParamKind {
    const kind = this.params.get(name);
    if (kind === undefined) throw wrong(this.fnName, `attribute ${name} is not declared`);
    return kind;
  }

  private arg(text: string): string {
    if (text === "") return "";
    if (text.startsWith("@")) {
      const attr = text.slice(1);
      const of = this.param(attr);
      const holder = of === "tensor" ? "value" : `value_${of}`;
      return this.constant(text, holder, { type: "ref", attr, of });
    }
    const m = /^(\w+):(.+)$/s.exec(text);
    if (m !== null) return this.constant(text, "value", this.literal(m[1]!, m[2]!.trim()));
    if (!this.known.has(text)) throw wrong(this.fnName, `nothing produces ${text}`);
    return text;
  }

  private literal(dtypeName: string, text: string): Attr {
    const dtype = dtypes.get(dtypeName);
    if (dtype === undefined) throw wrong(this.fnName, `${dtypeName} is no dtype`);
    const many = /^\[(.*)\]$/s.exec(text);
    const items = many === null ? [text] : many[1]!.trim() === "" ? [] : many[1]!.split(",");
    const data = allocate(dtype, items.length);
    items.forEach((item, i) => {
      const s = item.trim();
      try {
        if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(s);
        else (data as Float64Array)[i] = number(s);
      } catch {
        throw wrong(this.fnName, `${s} is no number`);
      }
    });
    const value: Tensor = { dtype, shape: many === null ? [] : [items.length], data };
    return { type: "tensor", value };
  }

  private value(text: string): Attr | AttrRef {
    if (text.startsWith("@")) {
      return { type: "ref", attr: text.slice(1), of: this.param(text.slice(1)) };
    }
    const code = codes.get(text);
    if (code !== undefined) return { type: "int", value: code };
    const quoted = /^"(.*)"$/s.exec(text);
    if (quoted !== null) return { type: "string", value: quoted[1]! };
    const many = /^\[(.*)\]$/s.exec(text);
    const isFloat = (s: string) => /[.eEf]/.test(s);
    try {
      if (many !== null) {
        const items = many[1]!.trim() === "" ? [] : many[1]!.split(",").map((s) => s.trim());
        return { type: items.some(isFloat) ? "floats" : "ints", value: items.map(number) };
      }
      return { type: isFloat(text) ? "float" : "int", value: number(text) };
    } catch {
      throw wrong(this.fnName, `cannot read the attribute value ${text}`);
    }
  }
}

/** A number, `inf` and `-inf` included. */
function number(text: string): number {
  if (text === "inf") return Infinity;
  if (text === "-inf") return -Infinity;
  const v = Number(text);
  if (text === "" || Number.isNaN(v)) throw new RangeError(text);
  return v;
}

/** Calls of our own domain in a body. */
export function callsOf(f: FunctionDef): string[] {
  return f.nodes.filter((n) => n.domain === f.domain).map((n) => n.op);
}
