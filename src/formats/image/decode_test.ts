import assert from "node:assert/strict";
import { BpuError } from "../../errors.ts";
import { decodePicture, pictureFormat } from "./decode.ts";
import { applyOrientation, orientationOf } from "./exif.ts";
import { encodePng } from "./png_encode.ts";
import { decodePng } from "./png.ts";

const shared = new URL("../../../../shared/data/images/", import.meta.url);

function read(path: string): Uint8Array {
  return Deno.readFileSync(new URL(path, shared));
}

function present(): boolean {
  try {
    Deno.statSync(shared);
    return true;
  } catch {
    console.log("skipped: 0 pictures found");
    return false;
  }
}

async function refusal(bytes: Uint8Array, maxPixels?: number): Promise<BpuError> {
  try {
    await decodePicture(bytes, { file: "p.x", ...(maxPixels === undefined ? {} : { maxPixels }) });
  } catch (e) {
    assert.ok(e instanceof BpuError, String(e));
    assert.equal(e.place.file, "p.x");
    return e;
  }
  throw new Error("not refused");
}

function binary(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

/** 24-bit BMP of 2x2 pixels. */
function bmp(): Uint8Array {
  const b = new Uint8Array(54 + 16);
  const v = new DataView(b.buffer);
  b.set([0x42, 0x4d]);
  v.setUint32(2, b.length, true);
  v.setUint32(10, 54, true);
  v.setUint32(14, 40, true);
  v.setInt32(18, 2, true);
  v.setInt32(22, 2, true);
  v.setUint16(26, 1, true);
  v.setUint16(28, 24, true);
  // Rows from the bottom, BGR, padded to four bytes.
  b.set([3, 2, 1, 6, 5, 4, 0, 0, 9, 8, 7, 12, 11, 10, 0, 0], 54);
  return b;
}

/** Lossless WebP of one pixel, red 128, green 64, blue 32. */
const webp = binary("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==");

Deno.test("decode: BMP rows and channels are in order", async () => {
  const d = await decodePicture(bmp(), { file: "x" });
  assert.equal(d.format, "bmp");
  assert.deepEqual([...d.picture.data], [7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6]);
});

Deno.test("decode: PNG with alpha keeps the colour under it, grey is repeated", async () => {
  const rgba = await encodePng({
    width: 1,
    height: 1,
    channels: 4,
    data: Uint8Array.of(200, 100, 50, 0),
  });
  const d = await decodePicture(rgba, { file: "x" });
  assert.deepEqual([...d.picture.data], [200, 100, 50]);
  assert.deepEqual(d.notes, ["alpha is dropped"]);
  const gray = await decodePicture(
    await encodePng({ width: 2, height: 1, channels: 1, data: Uint8Array.of(5, 250) }),
    { file: "x" },
  );
  assert.deepEqual([...gray.picture.data], [5, 5, 5, 250, 250, 250]);
  assert.deepEqual(gray.notes, ["grey is repeated in three channels"]);
});

Deno.test("decode: what is not a picture, too large or truncated is refused with the file's name", async () => {
  assert.match((await refusal(new Uint8Array(0))).message, /not a JPEG, PNG, BMP or WebP/);
  assert.match(
    (await refusal(new TextEncoder().encode("hello world, this is text"))).message,
    /not a JPEG/,
  );
  const large = await encodePng({ width: 40, height: 40, channels: 1, data: new Uint8Array(1600) });
  const e = await refusal(large, 1000);
  assert.equal(e.code, "limit");
  assert.match(e.message, /40x40 pixels are more than the limit of 1000/);
  assert.match(
    (await refusal(bmp().subarray(0, 60))).message,
    /truncated: it has 60 bytes of at least 70/,
  );
  assert.equal(pictureFormat(webp), "webp");
  for (let i = 12; i < webp.length; i++) await refusal(webp.subarray(0, i));
});

Deno.test("decode: WebP", async () => {
  const d = await decodePicture(webp, { file: "x" });
  assert.deepEqual([d.format, d.picture.width, d.picture.height], ["webp", 1, 1]);
});

Deno.test("decode: every flipped byte of small files gives a picture or a BpuError", async () => {
  const files = [
    bmp(),
    webp,
    await encodePng({ width: 3, height: 2, channels: 3, data: new Uint8Array(18) }),
  ];
  for (const file of files) {
    for (let i = 0; i < file.length; i++) {
      for (const bit of [1, 0x80]) {
        const b = file.slice();
        b[i]! ^= bit;
        try {
          await decodePicture(b, { file: "x", maxPixels: 1 << 16 });
        } catch (e) {
          assert.ok(e instanceof BpuError && e.code !== "internal", `${i}: ${e}`);
        }
      }
    }
  }
});

Deno.test("decode: runs without any permission", async () => {
  const source = `import { decodePicture } from ${
    JSON.stringify(import.meta.resolve("./decode.ts"))
  };
    const d = await decodePicture(Uint8Array.from(${JSON.stringify([...bmp()])}), { file: "x" });
    console.log(JSON.stringify([...d.picture.data]));`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(source));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), [
    7,
    8,
    9,
    10,
    11,
    12,
    1,
    2,
    3,
    4,
    5,
    6,
  ]);
});

Deno.test("exif: orientation 1 to 8 as the standard's figure shows it", () => {
  // The upright picture is 2 wide, 3 high; what each orientation stores of it.
  const upright = [1, 2, 3, 4, 5, 6];
  const stored: [number, number, number, number[]][] = [
    [1, 2, 3, [1, 2, 3, 4, 5, 6]],
    [2, 2, 3, [2, 1, 4, 3, 6, 5]],
    [3, 2, 3, [6, 5, 4, 3, 2, 1]],
    [4, 2, 3, [5, 6, 3, 4, 1, 2]],
    [5, 3, 2, [1, 3, 5, 2, 4, 6]],
    [6, 3, 2, [2, 4, 6, 1, 3, 5]],
    [7, 3, 2, [6, 4, 2, 5, 3, 1]],
    [8, 3, 2, [5, 3, 1, 6, 4, 2]],
  ];
  for (const [orientation, width, height, data] of stored) {
    const p = applyOrientation(
      { width, height, channels: 1, data: Uint8Array.from(data) },
      orientation,
    );
    assert.deepEqual([p.width, p.height, [...p.data]], [2, 3, upright], String(orientation));
  }
  assert.equal(orientationOf(new Uint8Array(4)), 1);
  const tiff = Uint8Array.of(
    0x4d,
    0x4d,
    0,
    42,
    0,
    0,
    0,
    8,
    0,
    1,
    1,
    0x12,
    0,
    3,
    0,
    0,
    0,
    1,
    0,
    6,
    0,
    0,
    0,
    0,
    0,
    0,
  );
  assert.equal(orientationOf(tiff), 6);
  for (let i = 0; i < tiff.length; i++) assert.ok(orientationOf(tiff.subarray(0, i)) <= 8);
});

Deno.test("decode: camera orientation is not applied unless asked for", async () => {
  if (!present()) return;
  const plain = await decodePicture(read("jpeg-variants/pillow/hopper_orientation_6.jpg"), {
    file: "x",
  });
  const turned = await decodePicture(read("jpeg-variants/pillow/hopper_orientation_6.jpg"), {
    file: "x",
    orient: true,
  });
  assert.equal(plain.orientation, 6);
  assert.deepEqual(plain.notes, ["EXIF orientation 6 is not applied"]);
  assert.deepEqual(turned.picture, applyOrientation(plain.picture, 6));
  // The four variants show the same upright picture: far closer than the unturned one.
  const upright =
    (await decodePicture(read("jpeg-variants/pillow/hopper.jpg"), { file: "x" })).picture;
  const distance = (a: Uint8Array) =>
    a.reduce((s, v, i) => s + Math.abs(v - upright.data[i]!), 0) / a.length;
  for (const o of [2, 4, 6, 8]) {
    const t = await decodePicture(read(`jpeg-variants/pillow/hopper_orientation_${o}.jpg`), {
      file: "x",
      orient: true,
    });
    assert.ok(distance(t.picture.data) < 8, `${o}: ${distance(t.picture.data)}`);
  }
  assert.ok(distance(plain.picture.data) > 30);
});

/** Pixels of a binary PPM. */
function ppm(bytes: Uint8Array): { width: number; height: number; data: Uint8Array } {
  const head = /^P6\s+(?:#.*\s+)?(\d+)\s+(\d+)\s+255\s/.exec(
    new TextDecoder("latin1").decode(bytes.subarray(0, 100)),
  )!;
  return { width: Number(head[1]), height: Number(head[2]), data: bytes.subarray(head[0].length) };
}

Deno.test("decode: JPEG variants", async () => {
  if (!present()) return;
  const cmyk = await decodePicture(read("jpeg-variants/pillow/pil_sample_cmyk.jpg"), { file: "x" });
  assert.match(cmyk.notes[0]!, /CMYK/);
  assert.deepEqual([cmyk.picture.width, cmyk.picture.height], [100, 100]);
  const arithmetic = await decodePicture(read("jpeg-variants/libjpeg-turbo/testimgari.jpg"), {
    file: "x",
  });
  const original = ppm(read("jpeg-variants/libjpeg-turbo/testorig.ppm"));
  const huffman = await decodePicture(read("jpeg-variants/libjpeg-turbo/testorig.jpg"), {
    file: "x",
  });
  assert.deepEqual([huffman.picture.width, huffman.picture.height], [
    original.width,
    original.height,
  ]);
  const max = (a: Uint8Array, b: Uint8Array) =>
    a.reduce((m, v, i) => Math.max(m, Math.abs(v - b[i]!)), 0);
  const mean = (a: Uint8Array, b: Uint8Array) =>
    a.reduce((s, v, i) => s + Math.abs(v - b[i]!), 0) / a.length;
  // The picture that both files were made from; the second one at the usual quality of 75.
  assert.ok(max(huffman.picture.data, original.data) <= 3);
  assert.ok(mean(arithmetic.picture.data, original.data) < 6);
  assert.match((await refusal(read("jpeg-variants/sharp/truncated.jpg"))).message, /truncated/);
  assert.match((await refusal(read("jpeg-variants/sharp/corrupt-header.jpg"))).message, /damaged/);
  assert.match((await refusal(read("jpeg-variants/pillow/truncated_image.png"))).message, /IDAT/);
});

Deno.test("decode: BMPs of the suite against its PNGs; the bad ones are refused or harmless", async () => {
  if (!present()) return;
  let compared = 0, worst = 0;
  for (const { name } of Deno.readDirSync(new URL("bmpsuite/g/", shared))) {
    const d = await decodePicture(read(`bmpsuite/g/${name}`), { file: name });
    let reference;
    try {
      reference = await decodePng(read(`bmpsuite/html/${name.replace(".bmp", ".png")}`));
    } catch {
      continue;
    }
    const c = reference.channels;
    assert.deepEqual([d.picture.width, d.picture.height], [reference.width, reference.height]);
    d.picture.data.forEach((v, i) => {
      const k = c >= 3 ? Math.floor(i / 3) * c + i % 3 : Math.floor(i / 3) * c;
      worst = Math.max(worst, Math.abs(v - reference.data[k]!));
    });
    compared++;
  }
  assert.equal(compared, 10);
  assert.ok(worst <= 1, String(worst));
  for (const { name } of Deno.readDirSync(new URL("bmpsuite/b/", shared))) {
    try {
      await decodePicture(read(`bmpsuite/b/${name}`), { file: name });
    } catch (e) {
      assert.ok(e instanceof BpuError && e.code !== "internal", name);
    }
  }
  assert.equal((await refusal(read("bmpsuite/b/reallybig.bmp"))).code, "limit");
});
