/**
 * `vec_diff`: compares dumped tensors, file by file or folder by folder.
 *
 *     deno run --allow-read --allow-write=. cli/vec_diff.ts left right -o vec_diff_out.csv
 *
 * @module
 */

import type { Command } from "../src/deps.ts";
import { Option } from "../src/deps.ts";
import { BpuError } from "../src/errors.ts";
import type { DType } from "../src/ir/tensor.ts";
import {
  compareFiles,
  pairFiles,
  vectorCsv,
  vectorFiles,
  vectorTable,
  worstFirst,
} from "../src/report/vec_diff.ts";
import type { VectorRow } from "../src/report/vec_diff.ts";
import { main, tool } from "./app.ts";
import { dirname, join, readFile, writeFiles } from "./files.ts";
import { isFolder, listFiles } from "./folders.ts";

interface Flags {
  readonly outputFile: string;
  readonly all?: boolean;
  readonly dtype: DType;
  readonly leftDtype?: DType;
  readonly rightDtype?: DType;
  readonly json?: boolean;
}

const dtypes = [
  ...["float32", "float64", "float16", "int8", "uint8", "int16", "uint16", "int32", "uint32"],
  ...["int64", "uint64"],
];

async function run(left: string, right: string, flags: Flags): Promise<void> {
  const folders = await Promise.all([isFolder(left), isFolder(right)]);
  if (folders[0] !== folders[1]) {
    throw new BpuError("usage", "vec_diff compares two files or two folders, not one of each");
  }
  const rows: VectorRow[] = [];
  let leftOnly: readonly string[] = [], rightOnly: readonly string[] = [];
  let pairs: readonly (readonly [string, string])[] = [["", ""]];
  if (folders[0] === true) {
    const names = async (dir: string) => (await listFiles(dir)).filter((n) => vectorFiles.test(n));
    ({ pairs, leftOnly, rightOnly } = pairFiles(await names(left), await names(right)));
    if (pairs.length === 0) {
      throw new BpuError("file", `no file of ${left} has a counterpart in ${right}`, {
        hint: "Files are matched by name: y_float.bin, y.npy, y.txt, model_infer_output_0_y.bin.",
      });
    }
  }
  const last = (path: string) => path.slice(path.lastIndexOf("/") + 1);
  const side = async (root: string, name: string, dtype: DType | undefined) => ({
    name: name === "" ? last(root) : name,
    bytes: await readFile(name === "" ? root : join(root, name), "file"),
    dtype: dtype ?? flags.dtype,
  });
  for (const [l, r] of pairs) {
    rows.push(compareFiles(
      await side(left, l, flags.leftDtype),
      await side(right, r, flags.rightDtype),
    ));
  }
  const csv = new TextEncoder().encode(vectorCsv(rows, flags.all === true));
  const [file] = await writeFiles(
    dirname(flags.outputFile),
    new Map([[last(flags.outputFile), csv]]),
  );
  for (const f of leftOnly) console.error(`WARNING only in ${left}: ${f}`);
  for (const f of rightOnly) console.error(`WARNING only in ${right}: ${f}`);
  if (flags.json) {
    const finite = (v: number) => Number.isFinite(v) ? v : String(v);
    console.log(JSON.stringify({
      rows: worstFirst(rows).map((r) => ({
        left: r.left,
        right: r.right,
        shape: r.shape,
        elements: r.count,
        ...(r.figures === undefined ? { note: r.note } : {
          cosine: finite(r.figures.cosine),
          relative_euclidean: finite(r.figures.relativeEuclidean),
          max_absolute: finite(r.figures.maxAbsolute),
          mean_square: finite(r.figures.meanSquare),
          sqnr: finite(r.figures.sqnr),
        }),
      })),
      left_only: leftOnly,
      right_only: rightOnly,
      file,
    }));
    return;
  }
  for (const line of vectorTable(rows, flags.all === true)) console.log(line);
  console.log(`result saved in ${file}`);
}

/** `vec_diff`. */
export function vecDiffCommand(): Command {
  const type = (flag: string, text: string) => new Option(flag, text).choices(dtypes);
  return tool("vec_diff", "Compares dumped tensors: two files, or two folders by file name.")
    .argument("<left>", "file or folder (.bin, .npy, .txt)")
    .argument("<right>", "file or folder; the reference")
    .option("-o, --output-file <file>", "the result as CSV", "vec_diff_out.csv")
    .option("--all", "also shape, number of elements and SQNR")
    .addOption(
      type("--dtype <type>", "type of .bin files (those named _float.bin are float32)")
        .default("float32"),
    )
    .addOption(type("--left-dtype <type>", "type of the left .bin files"))
    .addOption(type("--right-dtype <type>", "type of the right .bin files"))
    .option("--json", "print the result as one JSON object")
    .option("--debug", "show stack traces of errors")
    .addHelpText("after", "\nExample:\n  vec_diff board_dump quantized_infer -o vec_diff_out.csv")
    .action(run);
}

if (import.meta.main) await main(vecDiffCommand, Deno.args);
