/**
 * Writes caffemodels for tests, in all the forms that Caffe has used.
 *
 * @module
 */

/** A weight array to write. */
export interface TestBlob {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
  /** How the values are stored. */
  readonly as?: "packed" | "unpacked" | "double" | "double unpacked" | "half" | "raw float";
  /** num, channels, height, width instead of a shape. */
  readonly legacy?: boolean;
  /** The dimensions as a packed list (default) or one by one. */
  readonly loose?: boolean;
}

export interface TestLayer {
  readonly name: string;
  readonly blobs: readonly TestBlob[];
}

function varint(value: number): number[] {
  const out: number[] = [];
  let v = BigInt.asUintN(64, BigInt(value));
  for (; v >= 128n; v >>= 7n) out.push(Number(v & 127n) | 128);
  return [...out, Number(v)];
}

function bytesField(field: number, bytes: Uint8Array): Uint8Array {
  return concat([Uint8Array.from([...varint(field * 8 + 2), ...varint(bytes.length)]), bytes]);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

function values(data: ArrayLike<number>, size: 2 | 4 | 8, tag: number[]): Uint8Array {
  const step = tag.length + size;
  const out = new Uint8Array(data.length * step);
  const view = new DataView(out.buffer);
  for (let i = 0; i < data.length; i++) {
    out.set(tag, i * step);
    const at = i * step + tag.length;
    if (size === 4) view.setFloat32(at, data[i]!, true);
    else if (size === 8) view.setFloat64(at, data[i]!, true);
    else view.setFloat16(at, data[i]!, true);
  }
  return out;
}

export function encodeBlob(b: TestBlob): Uint8Array {
  const parts: Uint8Array[] = [];
  if (b.legacy) {
    b.shape.forEach((d, i) => parts.push(Uint8Array.from([(i + 1) * 8, ...varint(d)])));
  } else {
    const dims = b.loose
      ? b.shape.flatMap((d) => [8, ...varint(d)])
      : [...bytesField(1, Uint8Array.from(b.shape.flatMap(varint)))];
    parts.push(bytesField(7, Uint8Array.from(dims)));
  }
  switch (b.as ?? "packed") {
    case "packed":
      parts.push(bytesField(5, values(b.data, 4, [])));
      break;
    case "unpacked":
      parts.push(values(b.data, 4, [5 * 8 + 5]));
      break;
    case "double":
      parts.push(bytesField(8, values(b.data, 8, [])));
      break;
    case "double unpacked":
      parts.push(values(b.data, 8, [8 * 8 + 1]));
      break;
    case "half":
      parts.push(Uint8Array.from([10 * 8, 2]), bytesField(12, values(b.data, 2, [])));
      break;
    case "raw float":
      parts.push(Uint8Array.from([10 * 8, 1]), bytesField(12, values(b.data, 4, [])));
      break;
  }
  return concat(parts);
}

/** A whole caffemodel of V2, V1 or V0 layers. */
export function encodeModel(layers: readonly TestLayer[], version: 0 | 1 | 2 = 2): Uint8Array {
  const text = (field: number, s: string): Uint8Array =>
    bytesField(field, new TextEncoder().encode(s));
  const parts = [text(1, "net")];
  for (const l of layers) {
    const [name, blobs] = version === 2 ? [1, 7] : version === 1 ? [4, 6] : [1, 50];
    const body = concat([
      text(name, l.name),
      ...l.blobs.map((b) => bytesField(blobs, encodeBlob(b))),
    ]);
    if (version === 2) parts.push(bytesField(100, body));
    else parts.push(bytesField(2, version === 1 ? body : bytesField(1, body)));
  }
  return concat(parts);
}
