import { deepStrictEqual as equal, match } from "node:assert/strict";
import { makeModel } from "../src/flow/testing.ts";
import { inFolder, runTool } from "./testing.ts";

Deno.test("hb_pack packs, hb_model_info shows, --extract gives the models back", async () => {
  const a = (await makeModel({ prefix: "aa" })).get("aa.bin")!;
  const b = (await makeModel({ prefix: "bb", typeRt: "nv12" })).get("bb.bin")!;
  await inFolder(new Map([["a.bin", a], ["b.bin", b]]), async (dir) => {
    const access = [`--allow-read=${dir}`, `--allow-write=${dir}`];
    const pack = (...args: string[]) => runTool("hb_pack", access, args, dir);
    equal((await pack("a.bin", "b.bin", "-o", "ab.bin")).code, 0);
    equal((await pack("b.bin", "a.bin", "-o", "ba.bin")).code, 0);
    equal(await Deno.readFile(`${dir}/ab.bin`), await Deno.readFile(`${dir}/ba.bin`));

    const twice = await pack("a.bin", "ab.bin", "-o", "x.bin");
    equal(twice.code, 2);
    equal(twice.err.split("\n").slice(0, 2), [
      "ERROR exception in command: pack",
      "ERROR model: ab.bin is a packed model, it can not be packed again! " +
      "Extract its models with --extract and pack those.",
    ]);

    const out = await pack("--extract", "ab.bin", "-o", "models", "--json");
    equal(JSON.parse(out.out), { files: ["models/aa.bin", "models/bb.bin"] });
    equal(await Deno.readFile(`${dir}/models/aa.bin`), a);
    equal(await Deno.readFile(`${dir}/models/bb.bin`), b);

    const read = [`--allow-read=${dir}`];
    const info = await runTool("hb_model_info", read, ["ab.bin", "-m", "bb"], dir);
    equal(info.code, 0);
    match(info.out, /\*{8} bb info \*{9}\n/);
    match(info.out, /\nmodel input types {3}: \[<InputDataType\.NV12: 7>\]\n/);
    equal(info.out.includes("aa info"), false);
    equal((await runTool("hb_model_info", read, ["ab.bin", "-m", "cc"], dir)).code, 2);
  });
});

Deno.test("hb_model_info says in one sentence what is wrong with a file", async () => {
  const good = (await makeModel({})).get("small.bin")!;
  const hurt = good.slice();
  hurt[hurt.length - 1]! ^= 1;
  const files = new Map([
    ["good.bin", good],
    ["hurt.bin", hurt],
    ["short.bin", good.subarray(0, 500)],
    ["vendor.bin", new Uint8Array(5000).fill(7)],
  ]);
  await inFolder(files, async (dir) => {
    const info = (...args: string[]) =>
      runTool("hb_model_info", [`--allow-read=${dir}`], args, dir);
    const verify = await info("good.bin", "--verify");
    equal(verify.code, 0);
    match(verify.out, /^Start hb_model_info\.\.\.\.\nhb_model_info version \d/);
    match(verify.out, /section weights {5}: \d+ bytes, sha256 ok/);
    const json = JSON.parse((await info("good.bin", "--json")).out);
    equal(json.models[0].outputs, [{ name: "y", dtype: "float32", shape: [1, 5, 8, 8] }]);
    for (
      const [file, why] of [
        ["hurt.bin", /does not match its hash/],
        ["short.bin", /its header says/],
        ["vendor.bin", /not a bpukit \.bin file.*Vendor \.bin files cannot be read/],
      ] as const
    ) {
      const r = await info(file);
      equal(r.code, 5);
      equal(r.out, "");
      match(r.err, why);
      equal(r.err.trim().split("\n").length, 1);
    }
    equal((await info("none.bin")).code, 4);
  });
});
