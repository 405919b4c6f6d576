import { deepStrictEqual as equal, match } from "node:assert/strict";
import { writeNpy } from "../src/formats/npy/npy.ts";
import { f32 } from "../src/ir/tensor.ts";
import { inFolder, runTool } from "./testing.ts";

Deno.test("vec_diff compares folders, reports the worst first and what is alone", async () => {
  const raw = (...v: number[]) => new Uint8Array(Float32Array.from(v).buffer);
  const files = new Map<string, Uint8Array | string>([
    ["l/y_float.bin", raw(1, 2, 3)],
    ["l/z_float.bin", raw(1, 2, 3)],
    ["l/extra.bin", raw(1)],
    ["r/model_infer_output_0_y.bin", raw(1, 2, 3)],
    ["r/z.npy", writeNpy(f32([1, 3], [1, 2, 4]))],
    ["r/notes.md", "no tensor"],
    ["words.txt", "1 2 three"],
  ]);
  await inFolder(files, async (dir) => {
    const access = [`--allow-read=${dir}`, `--allow-write=${dir}`];
    const diff = (...args: string[]) => runTool("vec_diff", access, args, dir);
    const both = await diff("l", "r", "-o", "out.csv", "--all");
    equal(both.code, 0);
    equal(both.err, "WARNING only in l: extra.bin\n");
    const lines = both.out.trim().split("\n");
    match(
      lines[3]!,
      /^z_float\.bin +z\.npy +0\.9\d+ +0\.218218 +1\.00000 +0\.333333 +13\.22 +1x3$/,
    );
    match(lines[4]!, /^y_float\.bin +model_infer_output_0_y\.bin +1\.00000 /);
    const csv = (await Deno.readTextFile(`${dir}/out.csv`)).split("\n");
    equal(csv[1], "y_float.bin,model_infer_output_0_y.bin,1,0,0,0,3,3,Infinity,");

    const single = await diff("l/z_float.bin", "r/z.npy", "--json");
    equal(JSON.parse(single.out).rows[0].max_absolute, 1);
    equal((await Deno.stat(`${dir}/vec_diff_out.csv`)).isFile, true);
    match((await diff("l/z_float.bin", "words.txt")).out, /'three' is not a number/);
    equal((await diff("l", "words.txt")).code, 2);
    equal((await diff("l", "none")).code, 4);
  });
});
