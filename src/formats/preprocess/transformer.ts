/**
 * What all transformers are, and how a chain of them runs.
 *
 * @module
 */

import type { ImageArray } from "./image.ts";

/** One step of preprocessing: a pure function of an image. */
export interface Transformer {
  /** The public name, with its parameters. */
  readonly name: string;
  apply(x: ImageArray): ImageArray;
}

/** Makes a transformer; `parameters` are shown in its name. */
export function transformer(
  name: string,
  parameters: Readonly<Record<string, unknown>>,
  apply: (x: ImageArray) => ImageArray,
): Transformer {
  const list = Object.entries(parameters).filter(([, v]) => v !== undefined).map(([k, v]) =>
    `${k}=${JSON.stringify(v)}`
  );
  return { name: `${name}(${list.join(", ")})`, apply };
}

/**
 * Runs a chain on a list of images.
 *
 * @example
 * ```ts
 * import { runChain } from "./transformer.ts";
 * import { hwc2chw } from "./layout.ts";
 * import { scale } from "./arithmetic.ts";
 *
 * const image = { shape: [1, 2, 2], data: Uint8Array.of(1, 2, 3, 4) };
 * const [y] = runChain([hwc2chw(), scale(0.5)], [image]);
 * console.log(y!.shape, [...y!.data]); // [2, 1, 2] [0.5, 1.5, 1, 2]
 * ```
 */
export function runChain(
  chain: readonly Transformer[],
  images: readonly ImageArray[],
): ImageArray[] {
  return images.map((image) => chain.reduce((x, t) => t.apply(x), image));
}
