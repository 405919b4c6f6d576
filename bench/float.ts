/**
 * The float32 engine's convolutions against onnxruntime-web.
 *
 * @module
 */

import { Arena } from "../src/kernels/arena.ts";
import { convF32, packConvF32 } from "../src/kernels/conv_f32.ts";
import { competitor } from "./conv.ts";
import { interleave, type Results } from "./measure.ts";
import { type Layer, operations } from "./shapes.ts";

const copies = 4;

export async function benchFloat(
  results: Results,
  layers: readonly Layer[],
  kernel: string,
): Promise<void> {
  for (const { name, shape: s } of layers) {
    const arena = Arena.create({ initialBytes: 2 ** 24 });
    const n = s.outC * s.inC / s.group * s.kernelH * s.kernelW;
    const packed = Array.from({ length: copies }, (_, k) => {
      return packConvF32(
        arena,
        new Float32Array(n).map((_, i) => ((i + k) * 7 % 255 - 127) / 1000),
        s,
      );
    });
    const x = arena.put(new Float32Array(s.inC * s.inH * s.inW).map((_, i) => i * 31 % 200 - 100));
    const y = arena.alloc(s.outC * s.outH * s.outW * 4);
    const other = await competitor(s, "f32");
    const ours = {
      name: "ours",
      run: () => packed.forEach((p) => convF32(arena, { x, y, packed: p, bias: 0, shape: s })),
    };
    const t = await interleave([ours, other], { budgetMs: 800, least: 7 });
    results.add({
      kernel,
      shape: name,
      value: copies * operations(s) / t.get("ours")! / 1e6,
      unit: "GFLOPS",
      ratios: { "ort-web f32": t.get("f32")! / t.get("ours")! },
    });
    await other.close();
  }
}
