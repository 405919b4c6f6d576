import assert from "node:assert/strict";
import { BpuError, type ErrorCode } from "../../errors.ts";
import { f32, i64, type Tensor } from "../../ir/tensor.ts";
import { isNpy, readNpy, writeNpy } from "./npy.ts";

/** A file with any header. */
function npy(header: string, data: ArrayLike<number>, version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const length = version === 1
    ? [text.length & 255, text.length >> 8]
    : [text.length & 255, text.length >> 8, 0, 0];
  const start = Array.from("\x93NUMPY", (c) => c.charCodeAt(0));
  return Uint8Array.from([...start, version, 0, ...length, ...text, ...Array.from(data)]);
}

const header = (descr: string, shape: string, fortran = "False") =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;

function fails(bytes: Uint8Array, code: ErrorCode, pattern: RegExp): void {
  assert.throws(() => readNpy(bytes, "a.npy"), (e) => {
    assert.ok(e instanceof BpuError, String(e));
    assert.equal(e.code, code, e.sentence());
    assert.match(e.sentence(), pattern);
    assert.match(e.sentence(), /^a\.npy: /);
    return true;
  });
}

const all: Tensor[] = [
  f32([2, 3], [0, -1.5, 3e38, Infinity, -0, 7]),
  { dtype: "float64", shape: [1], data: Float64Array.of(0.1) },
  { dtype: "float16", shape: [2], data: Uint16Array.of(0x3c00, 0xfbff) },
  { dtype: "int8", shape: [3], data: Int8Array.of(-128, 0, 127) },
  { dtype: "uint8", shape: [0, 4], data: new Uint8Array() },
  { dtype: "int16", shape: [1, 1, 2], data: Int16Array.of(-32768, 5) },
  { dtype: "uint16", shape: [2], data: Uint16Array.of(1, 65535) },
  { dtype: "int32", shape: [], data: Int32Array.of(-2147483648) },
  { dtype: "uint32", shape: [1], data: Uint32Array.of(4294967295) },
  i64([-1, 2 ** 40]),
  { dtype: "uint64", shape: [1], data: BigUint64Array.of(2n ** 64n - 1n) },
  { dtype: "bool", shape: [2], data: Uint8Array.of(0, 1) },
];

Deno.test("every dtype is read back, at any offset of its buffer", () => {
  for (const t of all) {
    const bytes = writeNpy(t);
    assert.deepEqual(readNpy(bytes), t);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    assert.deepEqual(readNpy(shifted.subarray(1)), t);
  }
});

Deno.test("what is written is what numpy.save writes", () => {
  // numpy.save of numpy.array([[1, 2]], dtype="<i2"): a header of 118 bytes, elements at 128.
  const bytes = writeNpy({ dtype: "int16", shape: [1, 2], data: Int16Array.of(1, 2) });
  const text = "{'descr': '<i2', 'fortran_order': False, 'shape': (1, 2), }";
  assert.deepEqual(bytes, npy(text.padEnd(117) + "\n", [1, 0, 2, 0]));
  assert.equal(bytes.length, 132);
  const flags = new TextDecoder("latin1").decode(writeNpy(all.at(-1)!));
  assert.match(flags, /'descr': '\|b1', .*'shape': \(2,\)/);
  assert.match(new TextDecoder("latin1").decode(writeNpy(all[7]!)), /'shape': \(\)/);
});

Deno.test("big endian, native order, versions 2 and 3", () => {
  const big = npy(header(">i4", "(2,)"), [0, 0, 1, 2, 255, 255, 255, 254]);
  assert.deepEqual(readNpy(big).data, Int32Array.of(258, -2));
  const half = npy(header(">f2", "(1,)"), [0x3c, 0x00], 2);
  assert.deepEqual(readNpy(half).data, Uint16Array.of(0x3c00));
  const wide = npy(header(">f8", "(1,)"), [0x3f, 0xf0, 0, 0, 0, 0, 0, 0], 3);
  assert.deepEqual(readNpy(wide).data, Float64Array.of(1));
  assert.deepEqual(readNpy(npy(header("|b1", "(3,)"), [0, 7, 1])).data, Uint8Array.of(0, 1, 1));
});

Deno.test("Fortran order becomes row-major", () => {
  // a[i, j, k] = 100 i + 10 j + k, first index fastest in the file.
  const values: number[] = [];
  for (let k = 0; k < 4; k++) {
    for (let j = 0; j < 3; j++) for (let i = 0; i < 2; i++) values.push(100 * i + 10 * j + k);
  }
  const t = readNpy(npy(header("|u1", "(2, 3, 4)", "True"), values));
  const want: number[] = [];
  for (let i = 0; i < 2; i++) {
    for (let j = 0; j < 3; j++) for (let k = 0; k < 4; k++) want.push(100 * i + 10 * j + k);
  }
  assert.deepEqual([...t.shape], [2, 3, 4]);
  assert.deepEqual(Array.from(t.data as Uint8Array), want);
  assert.deepEqual(
    readNpy(npy(header("|u1", "(3,)", "True"), [1, 2, 3])).data,
    Uint8Array.of(1, 2, 3),
  );
});

Deno.test("wrong lengths", () => {
  fails(
    npy(header("<f4", "(2,)"), [1, 2, 3, 4]),
    "format",
    /takes 8 bytes, the file has 4.*truncated/,
  );
  fails(npy(header("|u1", "(2,)"), [1, 2, 3]), "format", /takes 2 bytes, the file has 3.*extra/);
  const whole = writeNpy(all[0]!);
  for (let n = 0; n < whole.length; n++) {
    assert.throws(() => readNpy(whole.subarray(0, n)), BpuError, `${n} bytes`);
  }
});

Deno.test("files that are something else, or hold no numbers", () => {
  fails(new TextEncoder().encode("1 2 3"), "format", /begins differently/);
  fails(Uint8Array.of(0x50, 0x4b, 3, 4), "format", /npz/);
  fails(npy(header("<f4", "(1,)"), [0, 0, 0, 0], 9), "format", /version 9/);
  fails(npy("{'descr': '<f4'}", []), "format", /header/);
  fails(npy(header("<f4", "(-1,)"), []), "format", /header/);
  fails(npy(header("|O", "(1,)"), [0]), "unsupported", /Python objects/);
  fails(npy(header("<c8", "(1,)"), [0]), "unsupported", /<c8/);
  fails(npy(header("<U3", "(1,)"), [0]), "unsupported", /<U3/);
  const record = "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }";
  fails(npy(record, [0, 0, 0, 0]), "unsupported", /records/);
});

Deno.test("shapes that lie", () => {
  fails(npy(header("<f4", "(4294967296, 4294967296)"), []), "limit", /too large/);
  fails(npy(header("<f4", "(2147483647, 2147483647, 0)"), []), "limit", /too large/);
  fails(npy(header("<f4", "(1000000000,)"), []), "format", /takes 4000000000 bytes/);
  fails(npy(header("<f4", `(${"1, ".repeat(40)})`), [0, 0, 0, 0]), "limit", /dimensions/);
});

Deno.test("what npy cannot hold is refused", () => {
  const refuses = (t: Tensor) =>
    assert.throws(() => writeNpy(t), (e) => e instanceof BpuError && e.code === "unsupported");
  refuses({ dtype: "string", shape: [1], data: ["a"] });
  refuses({ dtype: "bfloat16", shape: [1], data: Uint16Array.of(0) });
});

Deno.test("keys in any order, in either quotes", () => {
  const text = '{"shape": (2L, ), "fortran_order": False, "descr": "|i1"}\n';
  assert.deepEqual(readNpy(npy(text, [255, 1], 2)).data, Int8Array.of(-1, 1));
});

Deno.test("any flipped byte gives a result or a clear error", () => {
  const good = writeNpy(f32([2, 3], [1, 2, 3, 4, 5, 6]));
  for (let i = 0; i < good.length; i++) {
    for (const mask of [0x55, 0x10, 0x01]) {
      const flipped = good.slice();
      flipped[i] = flipped[i]! ^ mask;
      try {
        readNpy(flipped);
        assert.ok(isNpy(flipped));
      } catch (e) {
        assert.ok(e instanceof BpuError, `byte ${i}: ${e}`);
      }
    }
  }
});
