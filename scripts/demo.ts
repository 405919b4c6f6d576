/**
 * The main job on a real model: a text direction classifier (MobileNetV3-like) from an npm package,
 * pictures of digits that this script draws, a yaml like a user's, then `hb_mapper checker` and
 * `hb_mapper makertbin` as a user types them. Everything goes to work/demo.
 *
 * @module
 */

import { loadOcrModels } from "../src/deps.ts";
import { encodePng } from "../src/formats/image/mod.ts";
import { drawText } from "./draw_text.ts";

const root = new URL("../", import.meta.url);
const folder = new URL("work/demo/", root);

const { default: models } = await loadOcrModels();
const assets = models.detectionPath.replace(/[^/\\]+$/, "");
const model = "ch_ppocr_mobile_v2.0_cls_infer.onnx";

await Deno.remove(folder, { recursive: true }).catch(() => undefined);
await Deno.mkdir(new URL("pictures/", folder), { recursive: true });
await Deno.copyFile(`${assets}${model}`, new URL(model, folder));
for (let i = 0; i < 20; i++) {
  const name = `pictures/text_${String(i).padStart(2, "0")}.png`;
  await Deno.writeFile(new URL(name, folder), await encodePng(drawText(192, 48, i, i % 2 === 1)));
}
await Deno.writeTextFile(
  new URL("config.yaml", folder),
  `# Text direction classifier of PP-OCR: BGR, (x / 255 - 0.5) / 0.5
model_parameters:
  onnx_model: '${model}'
  march: 'bayes'
  working_dir: 'model_output'
  output_model_file_prefix: 'ppocr_cls_48x192_nv12'
input_parameters:
  input_name: 'x'
  input_shape: '1x3x48x192'
  input_type_rt: 'nv12'
  input_type_train: 'bgr'
  input_layout_train: 'NCHW'
  norm_type: 'data_mean_and_scale'
  mean_value: 127.5
  scale_value: 0.00784313725
calibration_parameters:
  cal_data_dir: 'pictures'
  preprocess_on: True
  calibration_type: 'default'
compiler_parameters:
  compile_mode: 'latency'
  optimize_level: 'O3'
`,
);

/** Runs a command in the demo folder with the permissions that it needs, and shows it. */
async function run(...args: string[]): Promise<void> {
  console.log(`\n$ hb_mapper ${args.join(" ")}`);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-read",
      "--allow-write=.",
      new URL("cli/hb_mapper.ts", root).href,
      ...args,
    ],
    cwd: folder,
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (code !== 0) Deno.exit(code);
}

const start = performance.now();
await run(
  ...["checker", "--model-type", "onnx", "--march", "bayes", "--model", model],
  ...["--input-shape", "x", "1x3x48x192"],
);
await run("makertbin", "--config", "config.yaml", "--model-type", "onnx");
const log = await Deno.readTextFile(new URL("hb_mapper_makertbin.log", folder));
const table = log.slice(log.indexOf("The quantify model output:")).split("\n").slice(1, 5);
const written = [...Deno.readDirSync(new URL("model_output/", folder))].map((e) => e.name).sort();
const proof = /simulator vs onnxruntime-web: .*/.exec(log)?.[0] ?? "there is no proof";
console.log(`\n${table.join("\n")}\n`);
for (const name of written) console.log(`work/demo/model_output/${name}`);
console.log(`\n${proof}`);
console.log(`\nwork/demo holds the results; ${((performance.now() - start) / 1000).toFixed(1)} s.`);
Deno.exit(0);
