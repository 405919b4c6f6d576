import assert from "node:assert/strict";
import { f32 } from "../../ir/tensor.ts";
import { parseLabels, topK } from "./classes.ts";
import { decoders } from "./decoders/mod.ts";
import type { DecodeContext } from "./decoders/mod.ts";
import { parseYoloLabels } from "./yolo_labels.ts";

const context: DecodeContext = {
  input: [32, 32],
  placement: { scaleX: 0.5, scaleY: 0.5, left: 0, top: 0, width: 64, height: 64 },
  score: 0.1,
};

Deno.test("yolox: cell, stride, exponential size, original pixels", () => {
  const data = new Float32Array(21 * 7); // 16 + 4 + 1 cells, 2 classes
  // cell 5 of stride 8 is x 1, y 1
  data.set([0.5, 0.5, Math.log(2), 0, 0.9, 0, 1], 5 * 7);
  const [found, ...rest] = decoders.get("yolox")!(new Map([["y", f32([1, 21, 7], data)]]), context);
  assert.equal(rest.length, 0);
  assert.equal(found!.label, 1);
  assert.ok(Math.abs(found!.score - 0.9) < 1e-6);
  assert.deepEqual(found!.box.map(Math.round), [8, 16, 40, 32]);
  assert.throws(
    () => decoders.get("yolox")!(new Map([["y", f32([1, 3, 7], new Float32Array(21))]]), context),
    /decoder yolox/,
  );
});

Deno.test("ultraface: fractions of the input", () => {
  const found = decoders.get("ultraface")!(
    new Map([
      ["scores", f32([1, 2, 2], [0.2, 0.8, 0.99, 0.01])],
      ["boxes", f32([1, 2, 4], [0.25, 0.5, 0.5, 1.5, 0, 0, 1, 1])],
    ]),
    context,
  );
  assert.deepEqual(found.map((d) => d.box), [[16, 32, 32, 64]]);
});

Deno.test("nanodet: distributions over eight distances", () => {
  const classes = 2, width = classes + 32, cells = 16 + 4 + 1;
  const data = new Float32Array(cells * width);
  const at = 5 * width; // x 1, y 1 of stride 8: centre 12, 12
  data[at + 1] = 0.6;
  for (let side = 0; side < 4; side++) data[at + classes + side * 8 + 1] = 100; // one stride
  const found = decoders.get("nanodet")!(
    new Map([["y", f32([1, cells, width], data)]]),
    context,
  );
  assert.deepEqual(found.map((d) => [d.label, ...d.box.map(Math.round)]), [[1, 8, 8, 40, 40]]);
});

Deno.test("labels", () => {
  assert.deepEqual(
    [...parseLabels("name,file,class_index\nx,a.jpg,7\n\n", "l.csv")],
    [["a.jpg", 7]],
  );
  assert.throws(() => parseLabels("file,class\na,1", "l.csv"), /columns/);
  assert.throws(() => parseLabels("file,class_index\na,x", "l.csv"), /class index/);
  assert.deepEqual(parseYoloLabels("3 0.5 0.5 0.5 1\n", "a.txt", 100, 50), [
    { label: 3, box: [25, 0, 75, 50] },
  ]);
  assert.throws(() => parseYoloLabels("3 0.5 0.5", "a.txt", 1, 1), /label line/);
});

Deno.test("equal values: the lower index is first", () => {
  assert.deepEqual(topK([1, 3, 3, 2], 3), [1, 2, 3]);
});
