import assert from "node:assert/strict";
import { encodePng } from "../src/formats/image/mod.ts";
import { makeModel, smallGraph } from "../src/flow/testing.ts";
import { saveOnnx } from "../src/formats/onnx/save.ts";

const script = new URL("./hb_eval.ts", import.meta.url);

async function run(dir: string, args: readonly string[]): Promise<{ code: number; out: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", `--allow-read=${dir}`, script.href, ...args],
    cwd: dir,
  }).output();
  const text = (b: Uint8Array) => new TextDecoder().decode(b);
  return { code, out: code === 0 ? text(stdout) : text(stderr) };
}

Deno.test("classification of pictures by a .bin against its float model, with read access only", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const files = await makeModel({ typeRt: "rgb", softmax: true });
    await Deno.writeFile(`${dir}/m.bin`, files.get("small.bin")!);
    await Deno.writeFile(`${dir}/m.onnx`, saveOnnx(smallGraph({ softmax: true })));
    await Deno.mkdir(`${dir}/images`);
    for (const [i, name] of ["a", "b"].entries()) {
      const data = Uint8Array.from({ length: 10 * 9 * 3 }, (_, k) => (k * 37 + i * 91) % 256);
      const png = await encodePng({ width: 10, height: 9, channels: 3, data });
      await Deno.writeFile(`${dir}/images/${name}.png`, png);
    }
    await Deno.writeTextFile(`${dir}/labels.csv`, "file,class_index\na.png,4\nb.png,5\n");
    const chain = [{ step: "resize" }, {
      step: "normalize",
      mean: [123.68, 116.779, 103.939],
      scale: [0.017],
    }];
    await Deno.writeTextFile(`${dir}/chain.json`, JSON.stringify(chain));
    const common = ["--images", "images", "--labels", "labels.csv", "--preprocess", "chain.json"];
    const { code, out } = await run(dir, [
      "classification",
      "--model",
      "m.bin",
      "--reference",
      "m.onnx",
      "--json",
      ...common,
    ]);
    assert.equal(code, 0, out);
    const r = JSON.parse(out);
    assert.equal(r.pictures, 2);
    assert.equal(r.labelled, 2);
    // Only when the .bin is given the values before mean and scale do the two agree.
    assert.ok(r.reference.cosine > 0.99, out);
    const wrong = await run(dir, ["classification", "--model", "m.bin", ...common.slice(0, 4)]);
    assert.equal(wrong.code, 0, wrong.out); // the default chain fits any size
    const bad = await run(dir, ["detection", "--model", "m.bin", "--images", "images"]);
    assert.equal(bad.code, 2);
    assert.match(bad.out, /--decoder/);
    const none = await run(dir, ["classification", "--model", "m.bin", "--images", "no"]);
    assert.notEqual(none.code, 0);
    assert.doesNotMatch(none.out, /defect/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
