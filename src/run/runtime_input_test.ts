import { deepStrictEqual as equal, rejects } from "node:assert/strict";
import { readInfo } from "../container/bin.ts";
import { tensorsOf } from "../container/tensors.ts";
import type { ModelTensor } from "../container/tensors.ts";
import { makeModel } from "../flow/testing.ts";
import type { SmallModel } from "../flow/testing.ts";
import { f32 } from "../ir/tensor.ts";
import { writeNpy } from "../formats/npy/npy.ts";
import {
  fromRuntimeBytes,
  randomRuntimeBytes,
  readRuntimeInput,
  toRuntimeBytes,
} from "./runtime_input.ts";

async function input(m: SmallModel): Promise<ModelTensor> {
  const bytes = (await makeModel(m)).get("small.bin")!;
  return tensorsOf(await readInfo(bytes, "small.bin"), "small.bin").inputs[0]!;
}

Deno.test("runtime bytes become the port's tensor and come back", async () => {
  for (const typeRt of ["nv12", "rgb", "featuremap"] as const) {
    const t = await input({ typeRt });
    const bytes = randomRuntimeBytes(t, 3);
    const x = fromRuntimeBytes(bytes, t, "x.bin");
    equal({ dtype: x.dtype, shape: [...x.shape] }, {
      dtype: typeRt === "featuremap" ? "float32" : "int8",
      shape: [...t.port.shape],
    });
    equal(toRuntimeBytes(x, t), bytes, typeRt);
    equal(randomRuntimeBytes(t, 3), bytes);
  }
});

Deno.test("nv12: luma, then U and V of 2x2 blocks, minus 128", async () => {
  const t = await input({ typeRt: "nv12" });
  equal([t.byteSize, t.type, t.layout], [96, "NV12", "NCHW"]);
  const bytes = Uint8Array.from({ length: 96 }, (_, i) => i);
  const x = fromRuntimeBytes(bytes, t, "x.bin");
  const nhwc = t.portLayout === "NHWC";
  const at = (c: number, h: number, w: number) =>
    Number(x.data[nhwc ? (h * 8 + w) * 3 + c : (c * 8 + h) * 8 + w]);
  equal(at(0, 1, 2), 10 - 128);
  equal([at(1, 2, 3), at(2, 2, 3)], [64 + 10 - 128, 64 + 11 - 128]);
  equal([at(1, 3, 2), at(2, 3, 2)], [64 + 10 - 128, 64 + 11 - 128]);
});

Deno.test("text and npy hold the values of the runtime input; other sizes are refused", async () => {
  const t = await input({});
  const values = Array.from({ length: 192 }, (_, i) => i / 4);
  const want = Float32Array.from(values);
  const text = new TextEncoder().encode(values.join(" "));
  equal((await readRuntimeInput(text, t, "x.txt")).data, want);
  equal((await readRuntimeInput(writeNpy(f32([1, 3, 8, 8], values)), t, "x.npy")).data, want);
  await rejects(readRuntimeInput(new Uint8Array(10), t, "x.bin"), /takes 768 bytes .* has 10$/);
  await rejects(
    readRuntimeInput(new TextEncoder().encode("1 x"), t, "x.txt"),
    /'x' is not a number/,
  );
  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0);
  await rejects(readRuntimeInput(png, t, "x.png"), /is a feature map, not a picture/);
});
