import assert from "node:assert/strict";
import { BpuError } from "../../errors.ts";
import { decodePng, pngHeader } from "./png.ts";
import { encodePng } from "./png_encode.ts";
import { crc32, deflate } from "./zlib.ts";

const shared = new URL("../../../../shared/data/images/", import.meta.url);

function read(path: string): Uint8Array | undefined {
  try {
    return Deno.readFileSync(new URL(path, shared));
  } catch {
    return undefined;
  }
}

/** Files of a tar archive by name. */
function* untar(tar: Uint8Array): Generator<[string, Uint8Array]> {
  const text = (a: number, n: number) =>
    new TextDecoder().decode(tar.subarray(a, a + n)).replace(/\0.*$/s, "");
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const size = parseInt(text(at + 124, 12), 8);
    yield [text(at, 100), tar.subarray(at + 512, at + 512 + size)];
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

/** A PNG from parts, for damage. */
async function png(
  header: readonly number[],
  raw: Uint8Array,
  extra: readonly [string, Uint8Array][] = [],
): Promise<Uint8Array> {
  const chunk = (type: string, data: Uint8Array) => {
    const out = new Uint8Array(12 + data.length);
    const v = new DataView(out.buffer);
    v.setUint32(0, data.length);
    out.set(new TextEncoder().encode(type), 4);
    out.set(data, 8);
    v.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)));
    return [...out];
  };
  return Uint8Array.from([
    ...[137, 80, 78, 71, 13, 10, 26, 10],
    ...chunk("IHDR", Uint8Array.from(header)),
    ...extra.flatMap(([t, d]) => chunk(t, d)),
    ...chunk("IDAT", await deflate(raw)),
    ...chunk("IEND", new Uint8Array(0)),
  ]);
}

async function message(bytes: Uint8Array): Promise<string> {
  try {
    await decodePng(bytes);
    return "";
  } catch (e) {
    assert.ok(e instanceof BpuError, String(e));
    return e.message;
  }
}

Deno.test("png: what is encoded is decoded, 1 to 4 channels, odd sizes", async () => {
  for (const channels of [1, 2, 3, 4]) {
    for (const [width, height] of [[1, 1], [7, 5], [64, 3]] as const) {
      const data = Uint8Array.from(
        { length: width * height * channels },
        (_, i) => (i * 37 + (i >> 3) * 11) & 255,
      );
      const picture = { width, height, channels, data };
      const bytes = await encodePng(picture);
      const back = await decodePng(bytes);
      assert.deepEqual([back.width, back.height, back.channels], [width, height, channels]);
      assert.deepEqual(back.data, data);
      assert.deepEqual(await encodePng(picture), bytes);
    }
  }
  await assert.rejects(
    encodePng({ width: 1, height: 1, channels: 5, data: new Uint8Array(5) }),
    BpuError,
  );
});

Deno.test("png: PngSuite is decoded to the stored values (8 and 16 bits, all filters, interlaced)", async () => {
  const archive = read("pngsuite/decoded-json.tar.gz");
  if (archive === undefined) return console.log("skipped: 0 PngSuite files found");
  const tar = new Uint8Array(
    await new Response(
      new Blob([archive as Uint8Array<ArrayBuffer>]).stream().pipeThrough(
        new DecompressionStream("gzip"),
      ),
    ).arrayBuffer(),
  );
  let exact = 0;
  for (const [name, bytes] of untar(tar)) {
    const base = /^json\/(\w+)\.json$/.exec(name)?.[1];
    if (base === undefined || base.endsWith("_to8") || base.startsWith("x")) continue;
    const file = read(`pngsuite/png/${base}.png`);
    if (file === undefined) continue;
    const expected = JSON.parse(new TextDecoder().decode(bytes)) as number[];
    const image = await decodePng(file);
    const values = image.data16 ?? image.data;
    const top = image.data16 === undefined ? 255 : 65535;
    const c = image.channels;
    const rgba: number[] = [];
    for (let i = 0; i < image.width * image.height; i++) {
      for (let k = 0; k < 3; k++) rgba.push(values[i * c + (c >= 3 ? k : 0)]!);
      rgba.push(c % 2 === 0 ? values[i * c + c - 1]! : top);
    }
    assert.deepEqual(rgba, expected, base);
    if (image.data16 !== undefined) {
      assert.ok(image.data.every((v, i) => v === image.data16![i]! >> 8), base);
    }
    exact++;
  }
  assert.equal(exact, 161);
});

Deno.test("png: the damaged files of PngSuite are refused", async () => {
  const names =
    "xc1n0g08 xc9n2c08 xcrn0g04 xcsn0g01 xd0n2c08 xd3n2c08 xd9n2c08 xdtn0g01 xhdn0g08 xlfn0g04 xs1n0g01 xs2n0g01 xs4n0g01 xs7n0g01";
  for (const name of names.split(" ")) {
    const bytes = read(`pngsuite/png/${name}.png`);
    if (bytes === undefined) return console.log("skipped: 0 PngSuite files found");
    assert.match(await message(bytes), /this PNG is damaged: .+/, name);
  }
});

Deno.test("png: damage of every kind is said", async () => {
  const head = [0, 0, 0, 2, 0, 0, 0, 1, 8, 2, 0, 0, 0];
  const row = Uint8Array.of(0, 1, 2, 3, 4, 5, 6);
  const good = await png(head, row);
  assert.equal(await message(good), "");
  assert.match(await message(await png(head, row.subarray(0, 5))), /ends after 5 of 7 bytes/);
  assert.match(await message(await png(head, Uint8Array.of(9, 1, 2, 3, 4, 5, 6))), /row filter 9/);
  const palette = [0, 0, 0, 1, 0, 0, 0, 1, 8, 3, 0, 0, 0];
  assert.match(await message(await png(palette, Uint8Array.of(0, 0))), /no palette/);
  const one: [string, Uint8Array] = ["PLTE", Uint8Array.of(1, 2, 3)];
  assert.match(
    await message(await png(palette, Uint8Array.of(0, 1), [one])),
    /colour 1, the palette has 1/,
  );
  assert.match(await message(Uint8Array.of(1, 2, 3)), /signature/);
  for (let i = 0; i < good.length; i++) {
    // Nothing but the last checksum (IEND) may be missing.
    const cut = await message(good.subarray(0, i));
    if (i < good.length - 12) assert.notEqual(cut, "", String(i));
  }
  assert.throws(() => pngHeader(good.subarray(0, 20)), BpuError);
});

Deno.test("png: a bomb does not grow: only the pixels that the header names are inflated", async () => {
  const bytes = await png([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0], new Uint8Array(50 << 20));
  assert.ok(bytes.length < 100_000);
  assert.equal((await decodePng(bytes)).data.length, 1);
});
