/**
 * Camera pictures: NV12 to RGB, BGR or YUV 4:4:4 (BT.601, chroma repeated), and the -128 shift.
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { atLeast, expect, params, region } from "./check.ts";

/** Ranges by the names of `input_space_and_range`. */
export type ColourRange = "regular" | "bt601_video";

/** Fixed-point factors with 20 fraction bits: the contract of the kernel and of its reference. */
export interface ColourFactors {
  /** Value of black. */
  readonly offset: number;
  readonly luma: number;
  readonly redV: number;
  readonly greenU: number;
  readonly greenV: number;
  readonly blueU: number;
}

function factors(offset: number, lumaSteps: number, chromaSteps: number): ColourFactors {
  const fixed = (v: number) => Math.round(v * 2 ** 20), c = 255 / chromaSteps;
  return {
    offset,
    luma: fixed(255 / lumaSteps),
    redV: fixed(1.402 * c),
    greenU: fixed(-0.344136 * c),
    greenV: fixed(-0.714136 * c),
    blueU: fixed(1.772 * c),
  };
}

export const colourFactors: Readonly<Record<ColourRange, ColourFactors>> = {
  regular: factors(0, 255, 255),
  bt601_video: factors(16, 219, 224),
};

/** An NV12 picture at x (width * height * 3 / 2 bytes, even sizes) and its result at y (3 bytes per pixel, HWC). */
export interface Nv12Args {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** y = RGB (or BGR) bytes: clamp((Y - offset) * luma + chroma sums + 2^19 >> 20). */
export function nv12ToRgb(
  arena: Arena,
  g: Nv12Args & { readonly range?: ColourRange; readonly order?: "rgb" | "bgr" },
): void {
  check(arena, "nv12ToRgb", g);
  const f = colourFactors[g.range ?? "regular"];
  const k = params(arena, [f.offset, f.luma, f.redV, f.greenU, f.greenV, f.blueU]);
  arena.core.nv12ToRgb(g.x, g.y, g.width, g.height, k, g.order === "bgr" ? 1 : 0);
}

/** y = YUV 4:4:4 bytes; with `minus128` each byte is an int8, 128 less. */
export function nv12ToYuv444(arena: Arena, g: Nv12Args & { readonly minus128?: boolean }): void {
  check(arena, "nv12ToYuv444", g);
  arena.core.nv12ToYuv444(g.x, g.y, g.width, g.height, g.minus128 === true ? 0x80 : 0);
}

/** uint8 to int8, 128 less, or back; in place is allowed. */
export function shift128(
  arena: Arena,
  g: { readonly x: number; readonly y: number; readonly n: number },
): void {
  atLeast(0, "shift128", { n: g.n });
  region(arena, "shift128", "x", g.x, g.n);
  region(arena, "shift128", "y", g.y, g.n);
  arena.core.flipSign(g.x, g.y, g.n);
}

function check(arena: Arena, k: string, g: Nv12Args): void {
  atLeast(0, k, { width: g.width, height: g.height });
  expect(g.width % 2 === 0 && g.height % 2 === 0, k, "nv12 has even width and height");
  region(arena, k, "x", g.x, g.width * g.height * 3 / 2);
  region(arena, k, "y", g.y, g.width * g.height * 3);
}
