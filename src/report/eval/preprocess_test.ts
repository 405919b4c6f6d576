import assert from "node:assert/strict";
import { BpuError } from "../../errors.ts";
import { toPicture } from "./decoders/decoder.ts";
import { applyChain, chains, parseChain } from "./preprocess.ts";

const picture = (width: number, height: number) => ({
  width,
  height,
  channels: 3,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => [10, 20, 30][i % 3]!),
});

Deno.test("letterbox, colour order and the way back to the picture", () => {
  const { tensor, placement } = applyChain(picture(8, 4), chains.get("yolox")!, [1, 3, 4, 4]);
  assert.deepEqual(tensor.shape, [1, 3, 4, 4]);
  const data = tensor.data as Float32Array;
  assert.deepEqual([data[0], data[16], data[32]], [30, 20, 10]); // blue first
  assert.equal(data[8], 114); // below the picture
  assert.deepEqual(toPicture(0, 0, 4, 2, placement), [0, 0, 8, 4]);
  assert.deepEqual(toPicture(1, 1, 9, 9, placement), [2, 2, 8, 4]);
});

Deno.test("a centre crop moves boxes", () => {
  const chain = parseChain(
    '[{"step":"short_side","size":8},{"step":"center_crop"}]',
    "c.json",
  );
  const { placement } = applyChain(picture(8, 4), chain, [1, 3, 4, 4]);
  assert.deepEqual(toPicture(0, 0, 4, 4, placement), [3, 1, 5, 3]);
});

Deno.test("normalize, left out where the model does it", () => {
  const chain = parseChain('[{"step":"normalize","mean":[10,0,0],"scale":[2]}]', "c.json");
  const at = (
    raw: boolean,
  ) => [...applyChain(picture(1, 1), chain, [1, 3, 1, 1], { raw }).tensor.data as Float32Array];
  assert.deepEqual(at(false), [0, 40, 60]);
  assert.deepEqual(at(true), [10, 20, 30]);
});

Deno.test("layout and order of the model win", () => {
  const { tensor } = applyChain(picture(2, 1), [], [1, 1, 2, 3], { layout: "NHWC", order: "bgr" });
  assert.deepEqual([...tensor.data as Float32Array], [30, 20, 10, 30, 20, 10]);
});

Deno.test("wrong chains are refused with the step", () => {
  for (
    const text of [
      "{}",
      "[1]",
      '[{"step":"blur"}]',
      '[{"step":"resize","size":3}]',
      '[{"step":"resize","width":"a"}]',
      '[{"step":"color"}]',
      '[{"step":"normalize","mean":[1]}]',
      '[{"step":"letterbox","anchor":"left"}]',
      "[",
    ]
  ) assert.throws(() => parseChain(text, "c.json"), BpuError, text);
});

Deno.test("a result of the wrong size is refused", () => {
  assert.throws(() => applyChain(picture(5, 5), [], [1, 3, 4, 4]), /takes 3 of 4x4/);
});
