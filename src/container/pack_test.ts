import { deepStrictEqual as equal, rejects } from "node:assert/strict";
import { makeModel } from "../flow/testing.ts";
import { readBin } from "./bin.ts";
import { isPacked, membersOf, packModels, selectModel } from "./pack.ts";

const model = async (prefix: string) => ({
  file: `${prefix}.bin`,
  bytes: (await makeModel({ prefix })).get(`${prefix}.bin`)!,
});

Deno.test("models go into a pack and come out as they were, in any order", async () => {
  const a = await model("aaa"), b = await model("bbb");
  const packed = await packModels([b, a]);
  equal(packed, await packModels([a, b]));
  const file = { file: "p.bin", bytes: packed };
  equal(await isPacked(file), true);
  equal(await isPacked(a), false);
  equal((await membersOf(file)).map((m) => m.name), ["aaa", "bbb"]);
  equal((await selectModel(file, "bbb")).bytes, b.bytes);
  equal((await selectModel(a)).bytes, a.bytes);
  await rejects(selectModel(file), /holds 2 models: aaa, bbb/);
  await rejects(selectModel(file, "ccc"), /no model ccc in p.bin/);
  await rejects(readBin(packed, "p.bin"), /pack model is not supported/);
});

Deno.test("a pack in a pack, equal names and foreign files are refused", async () => {
  const a = await model("aaa");
  const packed = { file: "p.bin", bytes: await packModels([a]) };
  await rejects(
    packModels([a, packed]),
    /model: p\.bin is a packed model, it can not be packed again!/,
  );
  await rejects(packModels([a, { ...a, file: "copy.bin" }]), /models of one name, aaa/);
  await rejects(
    packModels([{ file: "x.bin", bytes: new Uint8Array(100) }]),
    /not a bpukit \.bin file/,
  );
});
