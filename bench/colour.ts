/**
 * NV12 to RGB and YUV 4:4:4 against plain TypeScript, 1080p.
 *
 * @module
 */

import { Arena } from "../src/kernels/arena.ts";
import { nv12ToRgb, nv12ToYuv444 } from "../src/kernels/colour.ts";
import { nv12ToRgbRef, nv12ToYuv444Ref } from "../src/kernels/colour_ref.ts";
import { interleave, type Results } from "./measure.ts";

export async function benchColour(results: Results): Promise<void> {
  const width = 1920, height = 1080, arena = Arena.create({ initialBytes: 2 ** 24 });
  const bytes = new Uint8Array(width * height * 3 / 2).map((_, i) => i * 2654435761 >>> 20);
  const out = new Uint8Array(width * height * 3);
  const x = arena.put(bytes), y = arena.alloc(out.length);
  const t = await interleave([
    { name: "rgb", run: () => nv12ToRgb(arena, { x, y, width, height }) },
    { name: "rgbTs", run: () => nv12ToRgbRef(bytes, out, width, height, "regular", "rgb") },
    { name: "yuv", run: () => nv12ToYuv444(arena, { x, y, width, height }) },
    { name: "yuvTs", run: () => nv12ToYuv444Ref(bytes, out, width, height) },
  ], { budgetMs: 2000 });
  const row = (kernel: string, key: string) =>
    results.add({
      kernel,
      shape: "1920x1080",
      value: t.get(key)!,
      unit: "ms",
      ratios: { TypeScript: t.get(`${key}Ts`)! / t.get(key)! },
    });
  row("nv12ToRgb", "rgb");
  row("nv12ToYuv444", "yuv");
}
