import { strict as assert } from "node:assert";
import { BpuError } from "../../errors.ts";
import { concat, encodeModel, type TestBlob } from "./testing/encode.ts";
import { generator } from "./testing/random.ts";
import { readCaffemodel } from "./weights.ts";

const DATA = [1.5, -2, 0.25, 3, -0.5, 8];

Deno.test("caffemodel: every storage of a blob, in V0, V1 and V2", () => {
  const forms: TestBlob["as"][] = [
    "packed",
    "unpacked",
    "double",
    "double unpacked",
    "half",
    "raw float",
  ];
  for (const version of [0, 1, 2] as const) {
    for (const as of forms) {
      for (const loose of [false, true]) {
        const model = readCaffemodel(
          encodeModel([
            { name: "x", blobs: [] },
            {
              name: "y",
              blobs: [{ shape: [2, 3], data: DATA, as, loose }, { shape: [], data: [7] }],
            },
          ], version),
          "m",
        );
        assert.deepEqual([...model.names], ["x", "y"]);
        assert.equal(model.count("x"), 0);
        assert.equal(model.count("z"), undefined);
        const [a, b] = model.blobs("y");
        assert.deepEqual(a, { shape: [2, 3], legacy: false, data: Float32Array.from(DATA) });
        assert.deepEqual([...b!.shape, ...b!.data], [7]);
      }
    }
  }
});

Deno.test("caffemodel: legacy dimensions, a layer saved twice", () => {
  const legacy = { shape: [1, 1, 2, 3], data: DATA, legacy: true };
  const [old] = readCaffemodel(encodeModel([{ name: "a", blobs: [legacy] }], 1), "m").blobs("a");
  assert.deepEqual([old!.shape, old!.legacy], [[1, 1, 2, 3], true]);
  const twice = concat([
    encodeModel([{ name: "a", blobs: [{ shape: [1], data: [1] }] }]),
    encodeModel([{ name: "a", blobs: [] }]),
  ]);
  assert.deepEqual([...readCaffemodel(twice, "m").blobs("a")[0]!.data], [1]);
});

Deno.test("caffemodel: a blob of many values stays off the heap of numbers", () => {
  const n = 3_000_000;
  const data = new Float32Array(n).map((_, i) => i);
  for (const as of ["packed", "unpacked"] as const) {
    const bytes = encodeModel([{ name: "big", blobs: [{ shape: [n], data, as }] }]);
    const before = Deno.memoryUsage().heapUsed;
    const [blob] = readCaffemodel(bytes, "m").blobs("big");
    const grown = Deno.memoryUsage().heapUsed - before;
    assert.equal(blob!.data[n - 1], n - 1);
    // A number[] would take 24 MB of the heap; a Float32Array lies outside of it.
    assert.ok(grown < 8e6, `${as}: ${grown} bytes`);
  }
});

function fails(bytes: Uint8Array, message: RegExp): void {
  assert.throws(
    () => {
      const m = readCaffemodel(bytes, "net.caffemodel");
      for (const name of m.names) m.blobs(name);
    },
    (e: unknown) => {
      assert.ok(e instanceof BpuError, String(e));
      assert.equal(e.code, "format");
      assert.equal(e.place.file, "net.caffemodel");
      assert.match(e.message, message);
      return true;
    },
  );
}

Deno.test("caffemodel: what is not one is named", () => {
  const text = (s: string): Uint8Array => new TextEncoder().encode(s);
  fails(new Uint8Array(0), /empty/);
  fails(text('name: "LeNet"\nlayer {}'), /is a prototxt/);
  fails(text("version https://git-lfs.github.com/spec/v1"), /Git LFS/);
  fails(Uint8Array.of(0x89, 72, 68, 70, 13, 10), /HDF5/);
  fails(new Uint8Array(1000).fill(0xff), /truncated, damaged or not a caffemodel/);
  fails(new Uint8Array(1000), /truncated, damaged or not a caffemodel/);
  fails(Uint8Array.of(10, 3, 97, 98, 99), /holds no layers/);
  // Nested groups would recurse.
  fails(new Uint8Array(100_000).fill(0x0b), /group/);
});

Deno.test("caffemodel: shapes must fit the data", () => {
  const one = (blob: TestBlob): Uint8Array => encodeModel([{ name: "a", blobs: [blob] }]);
  fails(one({ shape: [4], data: [1, 2, 3] }), /shape 4 needs 4 values, got 3/);
  fails(one({ shape: [2 ** 30, 2 ** 30], data: [1] }), /too large/);
  fails(one({ shape: [2 ** 40], data: [1] }), /a dimension of/);
  fails(one({ shape: new Array<number>(40).fill(1), data: [1] }), /32 axes/);
});

Deno.test("caffemodel: every truncation fails cleanly or reads less", () => {
  const bytes = encodeModel([
    { name: "a", blobs: [{ shape: [3], data: [1, 2, 3] }] },
    { name: "b", blobs: [{ shape: [2], data: [4, 5], as: "unpacked" }] },
  ]);
  for (let n = 0; n < bytes.length; n++) {
    try {
      const m = readCaffemodel(bytes.subarray(0, n), "m");
      for (const name of m.names) m.blobs(name);
    } catch (e) {
      assert.ok(e instanceof BpuError, `${n}: ${e}`);
    }
  }
});

Deno.test("caffemodel: 3000 mutations give blobs or one BpuError", () => {
  const random = generator(42);
  const base = encodeModel([
    { name: "conv", blobs: [{ shape: [2, 1, 3, 3], data: new Float32Array(18) }] },
    { name: "fc", blobs: [{ shape: [1, 1, 2, 3], data: DATA, legacy: true, as: "unpacked" }] },
    { name: "bn", blobs: [{ shape: [2], data: [1, 2], as: "double" }] },
  ], 2);
  let refused = 0;
  for (let i = 0; i < 3000; i++) {
    const bytes = base.slice();
    for (let k = 0; k <= random() * 4; k++) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    }
    try {
      const m = readCaffemodel(bytes, "m");
      for (const name of m.names) m.blobs(name);
    } catch (e) {
      assert.ok(e instanceof BpuError, `mutation ${i}: ${e}`);
      refused++;
    }
  }
  assert.ok(refused > 300, `${refused}`);
});
