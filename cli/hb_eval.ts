/**
 * `hb_eval`: accuracy of a float model or a `.bin` on pictures.
 *
 *     deno run --allow-read cli/hb_eval.ts classification --model m.bin --images DIR --labels labels.csv --preprocess imagenet
 *
 * @module
 */

import type { Command } from "../src/deps.ts";
import { Option } from "../src/deps.ts";
import { BpuError } from "../src/errors.ts";
import {
  evaluateClassification,
  evaluateDetection,
  pictureFiles,
} from "../src/flow/accuracy_eval.ts";
import type { PictureSource } from "../src/flow/accuracy_eval.ts";
import { idxLabels, idxPictures } from "../src/flow/accuracy_idx.ts";
import { openPictureModel } from "../src/flow/accuracy_model.ts";
import type { PictureModel } from "../src/flow/accuracy_model.ts";
import { functionsOf } from "../src/ops/functions.ts";
import { parseLabels } from "../src/report/eval/classes.ts";
import { decoders } from "../src/report/eval/decoders/mod.ts";
import { chains, parseChain } from "../src/report/eval/preprocess.ts";
import type { Step } from "../src/report/eval/preprocess.ts";
import { parseYoloLabels } from "../src/report/eval/yolo_labels.ts";
import { createFloatEngine } from "../src/run/float.ts";
import type { FloatEngine } from "../src/run/float.ts";
import { sortByBytes } from "../src/formats/data/mod.ts";
import { command, main, tool } from "./app.ts";
import { fileSource, join, readFile, readText } from "./files.ts";
import { progress } from "./log.ts";

interface Flags {
  readonly model: string;
  readonly images: string;
  readonly labels?: string;
  readonly labelOffset: number;
  readonly preprocess?: string;
  readonly reference?: string;
  readonly referencePreprocess?: string;
  readonly inputShape?: readonly number[];
  readonly decoder?: string;
  readonly score: number;
  readonly exclude?: string;
  readonly limit?: number;
  readonly json?: boolean;
}

async function chainOf(name: string): Promise<readonly Step[]> {
  const known = chains.get(name);
  if (known !== undefined) return known;
  if (!/\.json$/i.test(name)) {
    throw new BpuError("usage", `${name} is neither a named preprocessing nor a .json file`, {
      hint: `Names: ${[...chains.keys()].join(", ")}.`,
    });
  }
  return parseChain(await readText(name, "preprocessing chain"), name);
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return sortByBytes((await fileSource.list(dir)).filter((n) => !n.startsWith(".")));
  } catch (cause) {
    throw new BpuError("file", `the folder ${dir} cannot be read`, { cause });
  }
}

async function pictures(flags: Flags): Promise<PictureSource> {
  if (/\bidx3-ubyte(\.gz)?$/.test(flags.images)) {
    const all = await idxPictures(await readFile(flags.images, "pictures"), flags.images);
    return { ...all, count: Math.min(all.count, flags.limit ?? Infinity) };
  }
  const out = new Set(flags.exclude === undefined ? [] : await namesIn(flags.exclude));
  const names = (await namesIn(flags.images)).filter((n) =>
    /\.(jpe?g|png|bmp|webp)$/i.test(n) && !out.has(n) && !out.has(n.replace(/\.\w+$/, ".npy")) &&
    !out.has(n.replace(/\.\w+$/, ".bin"))
  ).slice(0, flags.limit);
  if (names.length === 0) {
    throw new BpuError("file", `the folder ${flags.images} holds no pictures`);
  }
  return pictureFiles(names, (n) => readFile(join(flags.images, n), "picture"));
}

async function labelsOf(flags: Flags): Promise<ReadonlyMap<string, number>> {
  if (flags.labels === undefined) return new Map();
  if (/\bidx1-ubyte(\.gz)?$/.test(flags.labels)) {
    return await idxLabels(await readFile(flags.labels, "labels"), flags.labels);
  }
  return parseLabels(await readText(flags.labels, "labels"), flags.labels);
}

/** Opens the models, runs `body`, closes everything. */
async function withModels<T>(
  flags: Flags,
  name: string,
  body: (model: PictureModel, reference: PictureModel | undefined) => Promise<T>,
): Promise<T> {
  const engine: FloatEngine = createFloatEngine({
    workers: 0,
    optimization: "all",
    functions: functionsOf,
  });
  try {
    const open = async (file: string, chain: string) =>
      await openPictureModel(
        { file, bytes: await readFile(file, "model") },
        await chainOf(chain),
        engine,
        flags.inputShape,
      );
    const chain = flags.preprocess ?? name;
    const model = await open(flags.model, chain);
    const reference = flags.reference === undefined
      ? undefined
      : await open(flags.reference, flags.referencePreprocess ?? chain);
    return await body(model, reference);
  } finally {
    await engine.close();
  }
}

const percent = (v: number | null) => v === null ? "-" : `${(100 * v).toFixed(2)} %`;

function print(flags: Flags, result: object, rows: readonly (readonly [string, string])[]): void {
  if (flags.json) {
    console.log(JSON.stringify({ model: flags.model, ...result }));
    return;
  }
  const width = Math.max(...rows.map(([k]) => k.length));
  for (const [k, v] of rows) console.log(`${k.padEnd(width)}  ${v}`);
}

async function classification(flags: Flags): Promise<void> {
  const source = await pictures(flags), labels = await labelsOf(flags);
  const r = await withModels(
    flags,
    "imagenet",
    (model, reference) =>
      evaluateClassification(model, source, labels, flags.labelOffset, {
        ...(reference === undefined ? {} : { reference }),
        progress: progress("pictures"),
      }),
  );
  print(flags, r, [
    ["pictures", `${r.pictures} (${r.labelled} with a label)`],
    ["top-1", percent(r.top1)],
    ["top-5", percent(r.top5)],
    ...(r.reference === null ? [] : [
      ["top-1 of the reference", percent(r.reference.top1)] as const,
      ["agreement", percent(r.reference.agreement)] as const,
      ["cosine of the outputs", r.reference.cosine.toFixed(6)] as const,
    ]),
  ]);
}

async function detection(flags: Flags): Promise<void> {
  const decoder = decoders.get(flags.decoder ?? "");
  if (decoder === undefined) {
    throw new BpuError("usage", "detection needs a decoder", {
      hint: `Add --decoder ${[...decoders.keys()].join("|")}.`,
    });
  }
  const source = await pictures(flags);
  const { labels } = flags;
  const named = new Set(labels === undefined ? [] : await namesIn(labels));
  const r = await withModels(
    flags,
    flags.decoder!,
    (model, reference) =>
      evaluateDetection(model, source, {
        decoder,
        score: flags.score,
        ...(reference === undefined ? {} : { reference }),
        ...(labels === undefined ? {} : {
          async truth(i: number, width: number, height: number) {
            const file = source.name(i).replace(/\.\w+$/, ".txt");
            if (!named.has(file)) return []; // a picture without objects
            const path = join(labels, file);
            return parseYoloLabels(await readText(path, "labels"), path, width, height);
          },
        }),
        progress: progress("pictures"),
      }),
  );
  print(flags, r, [
    ["pictures", String(r.pictures)],
    ["mAP50", percent(r.map50)],
    ["mAP50:95", percent(r.map)],
    ...(r.reference === null ? [] : [
      ["mAP50 of the reference", percent(r.reference.map50)] as const,
      ["mAP50:95 of the reference", percent(r.reference.map)] as const,
      ["F1 against the reference", percent(r.reference.f1)] as const,
      ["IoU of the matched boxes", r.reference.iou.toFixed(4)] as const,
      [
        "matched, missed, extra",
        `${r.reference.matched}, ${r.reference.missed}, ${r.reference.extra}`,
      ] as const,
    ]),
  ]);
}

function shape(text: string): number[] {
  const dims = text.split("x").map(Number);
  if (dims.length !== 4 || !dims.every((d) => Number.isInteger(d) && d > 0)) {
    throw new BpuError("usage", `${text} is not a shape like 1x3x224x224`);
  }
  return dims;
}

function number(text: string): number {
  const v = Number(text);
  if (text.trim() === "" || !Number.isFinite(v)) {
    throw new BpuError("usage", `${JSON.stringify(text)} is not a number`);
  }
  return v;
}

function shared(c: Command): Command {
  return c
    .addOption(new Option("--model <file>", ".onnx or .bin").makeOptionMandatory())
    .addOption(
      new Option("--images <folder>", "folder of pictures, or an idx3-ubyte file")
        .makeOptionMandatory(),
    )
    .option("--preprocess <name>", `${[...chains.keys()].join(", ")}, or a .json chain`)
    .option("--reference <file>", "model to compare with, .onnx or .bin")
    .option("--reference-preprocess <name>", "its preprocessing; default: the same")
    .option("--input-shape <NxCxHxW>", "where the model leaves it open", shape)
    .option("--exclude <folder>", "leaves out pictures with the names of files in this folder")
    .option("--limit <n>", "evaluates the first n pictures", number)
    .option("--json", "print the result as one JSON object")
    .option("--debug", "show stack traces of errors");
}

if (import.meta.main) {
  await main(
    () =>
      tool("hb_eval", "Accuracy of a float model or a .bin on pictures.")
        .addCommand(
          shared(command("classification", "Top-1, top-5 and agreement with a reference."))
            .option("--labels <csv>", "columns file and class_index, or an idx1-ubyte file")
            .option("--label-offset <n>", "added to every class index", number, 0)
            .addHelpText(
              "after",
              "\nExample:\n  hb_eval classification --model m.bin --images val --labels labels.csv --preprocess imagenet --reference m.onnx",
            )
            .action(classification),
        )
        .addCommand(
          shared(command("detection", "Mean average precision, F1 and IoU against a reference."))
            .option("--labels <folder>", "YOLO txt files")
            .addOption(
              new Option("--decoder <name>", "decoder of the outputs").choices([
                ...decoders.keys(),
              ]),
            )
            .option("--score <s>", "smallest score of the F1 and IoU figures", number, 0.3)
            .addHelpText(
              "after",
              "\nExample:\n  hb_eval detection --model m.bin --images images --labels labels --decoder yolox --reference m.onnx",
            )
            .action(detection),
        ),
    Deno.args,
  );
}
