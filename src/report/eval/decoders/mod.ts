/**
 * Detection decoders by name.
 *
 * @module
 */

import type { Decoder } from "./decoder.ts";
import { nanodet } from "./nanodet.ts";
import { ultraface } from "./ultraface.ts";
import { yolox } from "./yolox.ts";

/** All decoders. */
export const decoders: ReadonlyMap<string, Decoder> = new Map([
  ["yolox", yolox],
  ["nanodet", nanodet],
  ["ultraface", ultraface],
]);
export type { DecodeContext, Decoder } from "./decoder.ts";
