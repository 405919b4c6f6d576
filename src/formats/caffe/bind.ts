/**
 * Binds a text tree to a generated message: names, types and ranges are checked against the schema,
 * and each error names the line.
 *
 * @module
 */

import { create, type DescField, type DescMessage, type Message, ScalarType } from "../../deps.ts";
import { BpuError } from "../../errors.ts";
import type { TextBlock, TextField, TextScalar } from "./text.ts";

/** What binding needs to know of the file. */
export interface BindContext {
  readonly file: string;
  /** Fields that are skipped whatever they hold, by name. */
  readonly skip?: ReadonlySet<string>;
  /**
   * Called for an unknown block at the outermost level (parameters of a fork's layers); without it,
   * or for an unknown scalar, or for a name that looks like a slip, binding fails.
   */
  readonly unknownBlock?: (field: TextField) => void;
}

/** Declared only as far as they fix a shape (see caffe.proto): their other fields are skipped. */
const PARTIAL: ReadonlySet<string> = new Set([
  "DataParameter",
  "HDF5DataParameter",
  "ImageDataParameter",
  "MemoryDataParameter",
  "TransformationParameter",
  "WindowDataParameter",
]);

const fieldsOf = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

function fieldMap(schema: DescMessage): ReadonlyMap<string, DescField> {
  let map = fieldsOf.get(schema);
  if (map === undefined) fieldsOf.set(schema, map = new Map(schema.fields.map((f) => [f.name, f])));
  return map;
}

/** The candidate closest to `name`, at most two edits away. */
export function closest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = 3;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= least) continue;
    const d = distance(name, candidate);
    if (d < least) [least, best] = [d, candidate];
  }
  return best;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

function fail(ctx: BindContext, line: number, message: string, hint?: string): never {
  throw new BpuError("format", message, { file: ctx.file, line, hint });
}

/**
 * A message of `schema` from a text block.
 *
 * @throws BpuError `format` for an unknown field, a value of the wrong type or out of range, and a
 * singular field that is given twice; each with its line
 */
export function bind<T extends Message>(
  schema: DescMessage,
  block: TextBlock,
  ctx: BindContext,
): T {
  // The message type of a descriptor is known to its caller only; reflection sets fields by name.
  const message = create(schema) as Message & Record<string, unknown>;
  const known = fieldMap(schema);
  const seen = new Map<string, number>();
  for (const field of block.fields) {
    if (ctx.skip?.has(field.name)) continue;
    const desc = known.get(field.name);
    if (desc === undefined) {
      if (PARTIAL.has(schema.name)) continue;
      const like = closest(field.name, known.keys());
      if (like === undefined && field.value.kind === "block" && ctx.unknownBlock !== undefined) {
        ctx.unknownBlock(field);
        continue;
      }
      fail(
        ctx,
        field.line,
        `${schema.name} has no field ${field.name.slice(0, 60)}`,
        like === undefined ? undefined : `Did you mean ${like}?`,
      );
    }
    const value = valueOf(desc, field, ctx);
    if (desc.fieldKind === "list") {
      (message[desc.localName] as unknown[]).push(value);
      continue;
    }
    const first = seen.get(field.name);
    if (first !== undefined) {
      fail(ctx, field.line, `${field.name} is given twice (first in line ${first})`);
    }
    seen.set(field.name, field.line);
    message[desc.localName] = value;
  }
  return message as unknown as T;
}

function valueOf(desc: DescField, field: TextField, ctx: BindContext): unknown {
  const kind = desc.fieldKind === "list" ? desc.listKind : desc.fieldKind;
  const v = field.value;
  if (kind === "message") {
    if (v.kind !== "block") fail(ctx, field.line, `${field.name} is a block: write { ... }`);
    return bind(desc.message!, v, { file: ctx.file });
  }
  if (v.kind === "block") fail(ctx, field.line, `${field.name} is a value, not a block`);
  if (kind === "enum") {
    const values = desc.enum!.values;
    const found = v.quoted
      ? undefined
      : values.find((e) => e.name === v.text || String(e.number) === v.text);
    if (found === undefined) {
      const names = values.map((e) => e.name);
      fail(
        ctx,
        v.line,
        `${field.name} cannot be ${
          v.quoted ? '"' + v.text.slice(0, 60) + '"' : v.text.slice(0, 60)
        }`,
        `It is one of ${names.join(", ")}${v.quoted ? ", without quotes" : ""}.`,
      );
    }
    return found.number;
  }
  return scalarOf(desc.scalar!, field.name, v, ctx);
}

function scalarOf(type: ScalarType, name: string, v: TextScalar, ctx: BindContext): unknown {
  const said = v.quoted ? JSON.stringify(v.text.slice(0, 60)) : v.text.slice(0, 60);
  switch (type) {
    case ScalarType.STRING:
      if (!v.quoted) fail(ctx, v.line, `${name} must be in quotes: ${name}: "${said}"`);
      return v.text;
    case ScalarType.BOOL:
      if (!v.quoted && /^(true|True|t|1)$/.test(v.text)) return true;
      if (!v.quoted && /^(false|False|f|0)$/.test(v.text)) return false;
      return fail(ctx, v.line, `${name} must be true or false, not ${said}`);
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE: {
      const value = v.quoted ? NaN : numberOf(v.text);
      if (!Number.isFinite(Math.fround(value))) {
        fail(ctx, v.line, `${name} must be a finite number, not ${said}`);
      }
      return Math.fround(value);
    }
    case ScalarType.INT32:
    case ScalarType.UINT32: {
      const value = v.quoted || /[.]|[eE][+-]?\d+f?$/.test(v.text) && !/^-?0[xX]/.test(v.text)
        ? NaN
        : numberOf(v.text);
      const least = type === ScalarType.UINT32 ? 0 : -(2 ** 31);
      if (!Number.isInteger(value) || value < least || value >= 2 ** 31) {
        const want = least === 0 ? "an integer of at least 0" : "an integer";
        fail(ctx, v.line, `${name} must be ${want} and fit 32 bits, not ${said}`);
      }
      return value;
    }
    default:
      throw new BpuError("internal", `a field of scalar type ${type} is not read`);
  }
}

/** A number token: decimal, `0x` hexadecimal, `0` octal, with `f` allowed behind a decimal. */
function numberOf(text: string): number {
  const negative = text.startsWith("-");
  const body = negative ? text.slice(1) : text;
  let value: number;
  if (/^0[xX][0-9a-fA-F]+$/.test(body)) value = Number(body);
  else if (/^0[0-7]+$/.test(body)) value = parseInt(body, 8);
  else if (/^[0-9.][0-9.eE+-]*[fF]?$/.test(body)) value = Number(body.replace(/[fF]$/, ""));
  else value = NaN;
  return negative ? -value : value;
}
