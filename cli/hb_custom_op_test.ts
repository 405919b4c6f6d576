import { deepEqual, equal, match } from "node:assert/strict";
import { openCustomOperators } from "../src/run/custom/operators.ts";
import { attr, node } from "../src/ir/graph.ts";
import type { Tensor } from "../src/ir/tensor.ts";
import { inFolder, runTool } from "./testing.ts";

const example = new URL("../examples/custom_op/", import.meta.url);

/** Runs a file of the example in a folder. */
async function runExample(file: string, permissions: string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", ...permissions, new URL(file, example).href],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("hb_custom_op create writes an operator that runs", async () => {
  await inFolder(new Map(), async (dir) => {
    const write = [`--allow-write=${dir}`];
    const made = await runTool("hb_custom_op", write, ["create"], dir);
    equal(made.code, 0, made.err);
    equal(made.out, "sample_custom.ts is the template of the operator Sample\n");
    const again = await runTool("hb_custom_op", write, ["create"], dir);
    equal(again.code, 4);
    match(again.err, /sample_custom\.ts exists\. .*--force/);
    const args = ["create", "--name", "Clip0", "--output", "ops.ts", "--json"];
    const json = await runTool("hb_custom_op", write, args, dir);
    deepEqual(JSON.parse(json.out), { operator: "Clip0", file: "ops.ts" });
    match(await Deno.readTextFile(`${dir}/ops.ts`), /op_register_files: ops\.ts/);

    const ops = await openCustomOperators([
      { file: "ops.ts", bytes: await Deno.readFile(`${dir}/ops.ts`) },
    ]);
    try {
      const n = node("PyOp", "n", ["x"], ["y"], {
        class_name: attr.string("Clip0"),
        threshold: attr.float(1),
      }, "horizon.custom");
      const x: Tensor = { dtype: "float32", shape: [3], data: Float32Array.of(-1, 1, 2) };
      const [y] = await ops.compute(n, [x], await ops.infer(n, [x]));
      deepEqual(y!.data, Float32Array.of(0, 0, 2));
    } finally {
      ops.close();
    }
  });
});

Deno.test("hb_custom_op says what is wrong", async () => {
  await inFolder(new Map(), async (dir) => {
    const write = [`--allow-write=${dir}`];
    const run = (permissions: string[], ...args: string[]) =>
      runTool("hb_custom_op", permissions, ["create", ...args], dir);
    const name = await run(write, "--name", "1x");
    deepEqual([name.code, /cannot be the name of an operator/.test(name.err)], [2, true]);
    const python = await run(write, "--output", "a.py");
    deepEqual([python.code, /is TypeScript/.test(python.err)], [2, true]);
    const refused = await run([]);
    deepEqual([refused.code, /--allow-write/.test(refused.err)], [4, true]);
    const folder = await run(write, "--output", "no/a.ts");
    deepEqual([folder.code, /folder exists/.test(folder.err)], [4, true]);
    const help = await runTool("hb_custom_op", [], ["create", "--help"], dir);
    deepEqual([help.code, /Example:/.test(help.out)], [0, true]);
  });
});

Deno.test("the example: a custom operator from model to .bin, with its folder's permissions only", async () => {
  const files = new Map<string, string>();
  for (const name of ["config.yaml", "custom_op/squash.ts"]) {
    files.set(name, await Deno.readTextFile(new URL(name, example)));
  }
  await inFolder(files, async (dir) => {
    await runExample("make_model.ts", [`--allow-write=${dir}`], dir);
    const permissions = [`--allow-read=${dir}`, `--allow-write=${dir}`];
    const args = ["makertbin", "-c", "config.yaml", "--model-type", "onnx"];
    const made = await runTool("hb_mapper", permissions, args, dir);
    equal(made.code, 0, made.err);
    match(made.out, /custom operators: Squash/);
    match(made.out, /squash +CPU/);
    match(made.out, / 0 of \d+ values differ/);

    const out = await runExample("run.ts", [`--allow-read=${dir}`], dir);
    const worst = new Map(
      [...out.matchAll(/^(\S+): .* (\S+)$/gm)].map((m) => [m[1]!, Number(m[2])]),
    );
    equal(worst.size, 6);
    equal(worst.get("model_output/squash_original_float_model.onnx"), 0);
    equal(worst.get("model_output/squash_optimized_float_model.onnx")! < 1e-4, true);
    const quantized = worst.get("model_output/squash_quantized_model.onnx")!;
    equal(quantized > 0 && quantized < 0.1, true, out);
    equal(worst.get("model_output/squash.bin"), quantized);

    const infer = await runTool("hb_mapper", permissions, [
      ...["infer", "-c", "config.yaml", "--model-type", "onnx", "--model-file"],
      ...["model_output/squash.bin", "--image-file", "data", "calibration/3.bin"],
    ], dir);
    equal(infer.code, 0, infer.err);

    // The tools that run a .bin get the files themselves.
    const prefix = "model_output/squash";
    const bin = ["--model_file", `${prefix}.bin`, "--input_file", "calibration/3.bin"];
    const op = ["--custom_op", "custom_op/squash.ts"];
    const exec = (...args: string[]) => runTool("hrt_model_exec", permissions, args, dir);
    const ran = await exec("infer", ...bin, ...op, "--enable_dump", "--dump_path", "d");
    equal(ran.code, 0, ran.err);
    equal((await Deno.stat(`${dir}/d/model_infer_output_0_y.bin`)).size, 5 * 8 * 8 * 4);
    const without = await exec("infer", ...bin);
    equal(without.code, 9, without.err);
    match(without.err, /Squash squash: this is a custom operator\. .*--custom_op FILE\.ts/);
    const perf = await exec("perf", ...bin, ...op, "--frame_count", "3", "--json");
    equal(JSON.parse(perf.out).frames, 3, perf.err);
    const models = ["-m", `${prefix}_quantized_model.onnx,${prefix}.bin`, "-s", "True"];
    const verified = await runTool(
      "hb_verifier",
      permissions,
      [...models, "-r", "True", ...op],
      dir,
    );
    equal(verified.code, 0, verified.err);
    match(verified.out, /tensors of equal name compared, 0 differ\n.*Strict check PASSED/);
    const absent = await runTool(
      "hb_verifier",
      permissions,
      [...models, "--custom_op", "x.ts"],
      dir,
    );
    deepEqual([absent.code, /operator file x\.ts does not exist/.test(absent.err)], [4, true]);

    // The sentence of an operator that fails leads to the user's line.
    await Deno.writeTextFile(
      `${dir}/custom_op/squash.ts`,
      files.get("custom_op/squash.ts")!.replace(
        "return [x.data",
        "throw new Error('no');\n[x.data",
      ),
    );
    const failed = await runTool("hb_mapper", permissions, args, dir);
    equal(failed.code, 12, failed.err);
    const line = files.get("custom_op/squash.ts")!.split("\n").findIndex((l) =>
      l.includes("return [x.data")
    );
    match(failed.err, new RegExp(`custom_op/squash\\.ts:${line + 1}:\\d+: Squash squash: no`));
    const stopped = await exec("infer", ...bin, ...op);
    match(
      stopped.err,
      new RegExp(`^ERROR custom_op/squash\\.ts:${line + 1}:\\d+: Squash squash: no`),
    );
    await Deno.remove(`${dir}/custom_op/squash.ts`);
    const missing = await runTool("hb_mapper", permissions, args, dir);
    equal(missing.code, 4);
    match(missing.err, /custom operator file .*squash\.ts does not exist/);
  });
});
