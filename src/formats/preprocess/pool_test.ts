import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import { encodePng, picture } from "../image/mod.ts";
import { blobModules } from "./blob_modules.ts";
import { chainOf, openPicturePool, preparePicture } from "./mod.ts";
import { pictureModules } from "./pool.ts";
import { workerTexts } from "./worker_texts.ts";

const root = new URL("../../", import.meta.url);

Deno.test("a pool prepares what one thread prepares, errors included", async () => {
  const data = Uint8Array.from({ length: 70 * 50 * 3 }, (_, i) => (i * i) % 251);
  const png = await encodePng(picture(70, 50, 3, data));
  // A BMP of 2x1 pixels goes through the codecs, which must start in the Worker.
  const bmp = new Uint8Array(62);
  const v = new DataView(bmp.buffer);
  bmp.set([0x42, 0x4d, 62]);
  for (const [at, n] of [[10, 54], [14, 40], [18, 2], [22, 1], [34, 8]]) v.setUint32(at!, n!, true);
  bmp.set([1, 0, 24], 26);
  bmp.set([1, 2, 3, 200, 100, 50], 54);
  const pool = await openPicturePool(2);
  try {
    equal(pool.workers, 2);
    const pictures = [png, bmp, png, bmp, png];
    const models = ["mobilenetv1", "resnet50", "ssd_mobilenetv1", "yolov5x", "centernet"];
    const all = await Promise.all(pictures.map((p, i) => pool.prepare(p, "x", models[i]!)));
    for (const [i, image] of all.entries()) {
      deepEqual(image, await preparePicture(pictures[i]!, "x", chainOf(models[i]!)));
    }
    const bad = pool.prepare(new Uint8Array(3), "bad.png", "resnet50");
    await rejects(bad, (e: Error & { sentence(): string }) => {
      match(e.sentence(), /^bad\.png: this is not a JPEG, PNG, BMP or WebP picture/);
      return true;
    });
    await rejects(pool.prepare(png, "x", "resnet5"), /no preprocessing for a model resnet5/);
  } finally {
    pool.close();
  }
  // Closed, the calling thread is left.
  equal((await pool.prepare(png, "x", "resnet50")).data.length, 224 * 224 * 3 / 2);
});

Deno.test("the Worker's texts are complete", async () => {
  // Without this a module that imports a new one would quietly lead to one thread.
  const linked = await pictureModules();
  match(linked.url("errors.ts"), /^blob:/);
  linked.revoke();
});

Deno.test("the Worker's texts are those of the modules, and its codecs those of deps.ts", async () => {
  for (const [path, text] of workerTexts) {
    equal(text, await Deno.readTextFile(new URL(path, root)), path);
  }
  const version = /canvaskit-wasm@[\d.]+/;
  const of = async (path: string) =>
    version.exec(await Deno.readTextFile(new URL(path, root)))?.[0];
  equal(await of("formats/image/canvaskit_text.js"), await of("deps.ts"));
});

Deno.test("modules that are missing or import each other are refused", () => {
  const texts = new Map([
    ["a.ts", 'import type { X } from "./gone.ts";\nimport {\n  b,\n} from "./d/b.ts";'],
    ["d/b.ts", 'export * from "../c.js";'],
    ["c.js", 'import "./a.ts";'],
    ["e.ts", 'export const f = () => import("./gone.ts");'],
  ]);
  throws(() => blobModules(texts).url("a.ts"), /c\.js imports a\.ts, in a circle/);
  throws(() => blobModules(texts).url("e.ts"), /e\.ts imports gone\.ts, which is not among/);
  texts.set("c.js", "export const b = 1;");
  const linked = blobModules(texts);
  match(linked.url("a.ts"), /^blob:/);
  linked.revoke();
});
