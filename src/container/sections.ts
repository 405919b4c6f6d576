/**
 * The outer form of a `.bin`: named sections with hashes (see `layout.md`).
 *
 * @module
 */

import { BpuError } from "../errors.ts";

/** A named run of bytes. */
export interface Section {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const MAGIC = Uint8Array.of(0x42, 0x50, 0x55, 0x4b, 0x49, 0x54, 0x0d, 0x0a);
const VERSION = 1;
const HEADER = 64;
const ENTRY = 80;
const NAME = 24;
const ALIGN = 64;
/** More sections than any file needs; bounds what a damaged count makes us read. */
const MAX_SECTIONS = 4096;

const up = (n: number) => Math.ceil(n / ALIGN) * ALIGN;

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
}

/** Writes sections into one file image. Names are at most 24 ASCII characters. */
export async function writeSections(sections: readonly Section[]): Promise<Uint8Array> {
  const table = new Uint8Array(ENTRY * sections.length);
  const view = new DataView(table.buffer);
  let at = up(HEADER + table.length);
  const offsets: number[] = [];
  for (const [i, s] of sections.entries()) {
    const name = new TextEncoder().encode(s.name);
    if (name.length > NAME) throw new BpuError("internal", `section name ${s.name} is too long`);
    table.set(name, i * ENTRY);
    view.setBigUint64(i * ENTRY + NAME, BigInt(at), true);
    view.setBigUint64(i * ENTRY + NAME + 8, BigInt(s.bytes.length), true);
    table.set(await sha256(s.bytes), i * ENTRY + 48);
    offsets.push(at);
    at = up(at + s.bytes.length);
  }
  const last = sections.length - 1;
  const size = last < 0 ? up(HEADER) : offsets[last]! + sections[last]!.bytes.length;
  const file = new Uint8Array(size);
  const head = new DataView(file.buffer);
  file.set(MAGIC);
  head.setUint32(8, VERSION, true);
  head.setUint32(12, sections.length, true);
  head.setBigUint64(16, BigInt(size), true);
  file.set(await sha256(table), 32);
  file.set(table, HEADER);
  for (const [i, s] of sections.entries()) file.set(s.bytes, offsets[i]!);
  return file;
}

function damaged(file: string, what: string): never {
  throw new BpuError("format", what, {
    file,
    hint: "The file is damaged or was copied in text mode; convert or copy it again.",
  });
}

/**
 * Reads the sections of a file image (views, no copies).
 *
 * @param verify also compares every section's hash
 * @throws BpuError("format") for a foreign, newer, truncated or damaged file
 */
export async function readSections(
  bytes: Uint8Array,
  file: string,
  verify = true,
): Promise<Map<string, Uint8Array>> {
  if (bytes.length < HEADER || !MAGIC.every((b, i) => bytes[i] === b)) {
    throw new BpuError("format", "this is not a bpukit .bin file", {
      file,
      hint: "Vendor .bin files cannot be read: their format is not public.",
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(8, true);
  if (version !== VERSION) {
    throw new BpuError("format", `container version ${version} is not known to this bpukit`, {
      file,
      hint: "Use a newer bpukit.",
    });
  }
  const count = view.getUint32(12, true);
  const size = view.getBigUint64(16, true);
  if (BigInt(bytes.length) !== size) {
    damaged(file, `the file has ${bytes.length} bytes, its header says ${size}`);
  }
  if (count > MAX_SECTIONS || HEADER + count * ENTRY > bytes.length) {
    damaged(file, `the section count ${count} is impossible`);
  }
  const table = bytes.subarray(HEADER, HEADER + count * ENTRY);
  const same = (a: Uint8Array, b: Uint8Array) => a.every((v, i) => v === b[i]);
  if (!same(await sha256(table), bytes.subarray(32, 64))) {
    damaged(file, "the section table does not match its hash");
  }
  const sections = new Map<string, Uint8Array>();
  for (let i = 0; i < count; i++) {
    const entry = HEADER + i * ENTRY;
    const raw = bytes.subarray(entry, entry + NAME);
    const end = raw.indexOf(0);
    const name = new TextDecoder().decode(end < 0 ? raw : raw.subarray(0, end));
    const offset = view.getBigUint64(entry + NAME, true);
    const length = view.getBigUint64(entry + NAME + 8, true);
    if (offset + length > size) damaged(file, `section ${name} lies outside the file`);
    const part = bytes.subarray(Number(offset), Number(offset + length));
    if (verify && !same(await sha256(part), bytes.subarray(entry + 48, entry + 80))) {
      damaged(file, `section ${name} does not match its hash`);
    }
    sections.set(name, part);
  }
  return sections;
}
