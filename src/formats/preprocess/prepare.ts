/**
 * From a picture file to what a named model takes on the board.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { decodePicture, swapRedBlue } from "../image/mod.ts";
import { type ModelChain, modelChains } from "./chains.ts";
import { fromPicture, type ImageArray } from "./image.ts";
import { runChain } from "./transformer.ts";

/** The chain of a named model. Throws BpuError("usage") with near names. */
export function chainOf(model: string): ModelChain {
  const found = modelChains.get(model);
  if (found !== undefined) return found;
  const near = [...modelChains.keys()].filter((n) =>
    n.startsWith(model.slice(0, 4).toLowerCase()) || n.includes(model.toLowerCase())
  );
  throw new BpuError("usage", `there is no preprocessing for a model ${model}`, {
    hint: near.length > 0 && model !== ""
      ? `Did you mean ${near.join(", ")}?`
      : "--help lists the names.",
  });
}

/**
 * Prepares one picture.
 *
 * @param file for messages
 * @throws BpuError of {@linkcode decodePicture}, or `shape` where a transformer does not fit the picture
 */
export async function preparePicture(
  bytes: Uint8Array,
  file: string,
  model: ModelChain,
): Promise<ImageArray> {
  const bgr = model.reader === "opencv";
  // OpenCV turns pictures as the camera says; PIL and skimage do not.
  const { picture } = await decodePicture(bytes, { file, orient: bgr });
  try {
    return runChain(model.chain, [fromPicture(bgr ? swapRedBlue(picture) : picture)])[0]!;
  } catch (error) {
    if (!(error instanceof BpuError)) throw error;
    throw new BpuError(error.code, error.message, { file, ...error.place });
  }
}

const PICTURE = /\.(?:jpe?g|png|bmp|webp)$/i;

/** One line of a list of pictures. */
export interface ListedPicture {
  /** As it is written: a name or a path inside the folder, perhaps without its ending. */
  readonly name: string;
  /** Name of the result. */
  readonly output: string;
  /** 1-based. */
  readonly line: number;
}

/** Name of the result for a picture: its ending becomes `.bin`. */
export function outputName(name: string): string {
  return `${name.replace(PICTURE, "")}.bin`;
}

/**
 * The pictures of a `val.txt`: the first word of each line (labels may follow); empty lines and lines
 * that begin with # do not count.
 *
 * @throws BpuError("format") for paths out of the folder, names that would give the same result and
 * lists without a name
 */
export function parsePictureList(text: string, file: string): ListedPicture[] {
  const list: ListedPicture[] = [];
  const lines = new Map<string, number>();
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const line = i + 1;
    const name = (/^\s*(\S+)/.exec(raw)?.[1] ?? "").replace(/^(?:\.\/)+/, "");
    if (name === "" || name.startsWith("#")) continue;
    if (/^[/\\]|^[A-Za-z]:|\\/.test(name) || name.split("/").includes("..")) {
      throw new BpuError("format", `'${name.slice(0, 200)}' is not a path inside of the folder`, {
        file,
        line,
        hint: "Write names relative to --image_dir, with /.",
      });
    }
    const output = outputName(name);
    const before = lines.get(output);
    if (before !== undefined) {
      throw new BpuError("format", `'${name}' and line ${before} give the same file ${output}`, {
        file,
        line,
      });
    }
    lines.set(output, line);
    list.push({ name, output, line });
  }
  if (list.length > 0) return list;
  throw new BpuError("format", "the list names no picture", { file });
}

/** Endings that are tried for a name without one, in this order. */
export const pictureEndings: readonly string[] = [
  ...[".jpg", ".jpeg", ".JPEG", ".JPG", ".png", ".PNG", ".bmp", ".webp"],
];
