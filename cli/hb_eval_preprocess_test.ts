import { deepEqual, equal, match } from "node:assert/strict";
import { encodePng, picture } from "../src/formats/image/mod.ts";
import { modelChains } from "../src/formats/preprocess/mod.ts";
import { inFolder, runTool } from "./testing.ts";

async function png(w: number, h: number, seed: number): Promise<Uint8Array> {
  const data = Uint8Array.from(
    { length: w * h * 3 },
    (_, i) => (Math.floor(i / 3) * 3 + i * seed) % 256,
  );
  return await encodePng(picture(w, h, 3, data));
}

Deno.test("hb_eval_preprocess writes one file a picture, names those it cannot read", async () => {
  const files = new Map<string, Uint8Array | string>([
    ["images/a.png", await png(60, 40, 7)],
    ["images/sub/b.png", await png(30, 50, 3)],
    ["images/bad.png", "no picture"],
    ["images/cut.png", (await png(60, 40, 5)).subarray(0, 80)],
    ["good.txt", "# labels follow\na.png 12\n\nsub/b 3\n"],
    ["val.txt", "a.png\nbad.png\nmissing\nsub/b.png\ncut.png\n"],
  ]);
  await inFolder(files, async (dir) => {
    const run = (...args: string[]) =>
      runTool("hb_eval_preprocess", [`--allow-read=${dir}`, `--allow-write=${dir}/out`], [
        ...["-i", "images", "-m"],
        ...args,
      ], dir);
    const good = await run("ssd_mobilenetv1", "-o", "out", "-v", "good.txt");
    equal(good.code, 0, good.err);
    equal(good.out, "2 of 2 pictures written to out (nv12, 300x300)\n");
    const a = await Deno.readFile(`${dir}/out/a.bin`);
    equal(a.length, 300 * 300 * 3 / 2);
    equal((await Deno.readFile(`${dir}/out/sub/b.bin`)).length, a.length);

    // A folder of links, without a list.
    await Deno.mkdir(`${dir}/links`);
    await Deno.symlink("../images/a.png", `${dir}/links/a.png`);
    const links = await run("ssd_mobilenetv1", "-i", "links", "-o", "out/3");
    equal(links.out, "1 of 1 pictures written to out/3 (nv12, 300x300)\n", links.err);
    deepEqual(await Deno.readFile(`${dir}/out/3/a.bin`), a);

    const again = await run("ssd_mobilenetv1", "-o", "out/2", "-v", "val.txt", "--json");
    equal(again.code, 4);
    match(again.err, /skipped: images\/bad\.png: this is not a JPEG, PNG, BMP or WebP/);
    match(again.err, /skipped: images\/missing does not exist/);
    match(again.err, /ERROR 3 of 5 pictures could not be prepared/);
    const report = JSON.parse(again.out);
    equal(report.written, 2);
    deepEqual(report.skipped.map((s: { name: string }) => s.name), [
      "bad.png",
      "missing",
      "cut.png",
    ]);
    deepEqual(await Deno.readFile(`${dir}/out/2/a.bin`), a);
    deepEqual([...Deno.readDirSync(`${dir}/out/2`)].map((e) => e.name).sort(), ["a.bin", "sub"]);
  });
});

Deno.test("hb_eval_preprocess: same bytes, same messages for any number of threads", async () => {
  const files = new Map<string, Uint8Array | string>();
  const names: string[] = [];
  for (let i = 0; i < 9; i++) {
    const name = `${i}.png`;
    names.push(name);
    // The broken ones are the quickest: their messages would come too early.
    files.set(
      `images/${name}`,
      i % 3 === 1 ? "no picture" : await png(200 - 20 * i, 50 + 9 * i, i),
    );
  }
  files.set("val.txt", ["gone", ...names].join("\n"));
  await inFolder(files, async (dir) => {
    const run = async (jobs: number) => {
      const r = await runTool(
        "hb_eval_preprocess",
        [`--allow-read=${dir}`, `--allow-write=${dir}`],
        ...[[
          ...["-m", "resnet50", "-i", "images", "-v", "val.txt", "-o", `out${jobs}`],
          ...["--jobs", String(jobs), "--json"],
        ], dir] as const,
      );
      equal(r.code, 4, r.err);
      const written = [...Deno.readDirSync(`${dir}/out${jobs}`)].map((e) => e.name).sort();
      const bytes = await Promise.all(written.map((n) => Deno.readFile(`${dir}/out${jobs}/${n}`)));
      const report = JSON.parse(r.out);
      equal(report.threads, Math.max(1, jobs));
      return { err: r.err, written, bytes, skipped: report.skipped };
    };
    const one = await run(1);
    equal(one.written.length, 6);
    deepEqual(one.skipped.map((s: { name: string }) => s.name), [
      ...["gone", "1.png", "4.png", "7.png"],
    ]);
    for (const jobs of [2, 3]) deepEqual(await run(jobs), one);
  });
});

Deno.test("hb_eval_preprocess says what is wrong", async () => {
  const files = new Map<string, Uint8Array | string>([
    ["images/a.png", await png(10, 10, 7)],
    ["out.txt", "../a.png\n"],
    ["one.txt", "a.png\n"],
    ["same.txt", "a.png\na.jpg\n"],
  ]);
  await inFolder(files, async (dir) => {
    const run = (permissions: string[], ...args: string[]) =>
      runTool("hb_eval_preprocess", permissions, args, dir);
    const all = [`--allow-read=${dir}`, `--allow-write=${dir}`];
    const io = ["-i", "images", "-o", "out"];
    const help = await run([], "--help");
    equal(help.code, 0);
    for (const name of modelChains.keys()) match(help.out, new RegExp(`\\b${name}\\b`));
    match(help.out, /Example:/);
    match((await run([], "--version")).out, /^hb_eval_preprocess version /);
    const unknown = await run(all, "-m", "resnet5", ...io);
    equal(unknown.code, 2);
    match(
      unknown.err,
      /no preprocessing for a model resnet5\. Did you mean resnet18, resnet50, fcos_resnet50\?/,
    );
    const outside = await run(all, "-m", "resnet50", ...io, "-v", "out.txt");
    equal(outside.code, 5);
    match(outside.err, /out\.txt:1: '\.\.\/a\.png' is not a path inside of the folder/);
    const same = await run(all, "-m", "resnet50", ...io, "-v", "same.txt");
    match(same.err, /same\.txt:2: 'a\.jpg' and line 1 give the same file a\.bin/);
    const nowhere = await run(all, "-m", "resnet50", "-i", "no", "-o", "out");
    deepEqual([nowhere.code, /no does not exist/.test(nowhere.err)], [4, true]);
    const refused = await run([], "-m", "resnet50", ...io);
    deepEqual([refused.code, /--allow-read/.test(refused.err)], [4, true]);
    // A result that cannot be written is not the picture's fault: one sentence, not one a picture.
    const list = ["-v", "one.txt", "-m", "resnet50"];
    const rename = await run(
      [`--allow-read=${dir}/images,${dir}/one.txt`, all[1]!],
      ...list,
      ...io,
    );
    deepEqual([rename.code, rename.err.trim().split("\n").length], [4, 1]);
    match(rename.err, /^ERROR folder out: .*rename files in it\. Add it to --allow-read as well/);
    const write = await run([all[0]!], ...list, ...io);
    match(write.err, /^ERROR folder out: Deno was not allowed to write it\. .*--allow-write\.\n$/);
    equal((await run(all, "-m", "resnet50")).code, 2);
    const jobs = await run(all, "-m", "resnet50", ...io, "--jobs", "none");
    deepEqual([jobs.code, /--jobs takes a whole number from 1 up/.test(jobs.err)], [2, true]);
  });
});
