import { deepStrictEqual as equal } from "node:assert/strict";
import { consistency, mismatchLines, together, verdict } from "./consistency.ts";

Deno.test("values are counted as missing, different or NaN", () => {
  const c = consistency([1, 2, NaN, 4, 5], [1, 2.000004, 3, 8], 5);
  equal(c, { miss: 1, diff: 1, nan: 1, total: 5, ratio: 0.5, maxAbsolute: 4 });
  equal(consistency([1], [1.00001], 5).diff, 1);
  equal(consistency([1], [1.00001], 4).diff, 0);
  equal(consistency([Infinity, -Infinity], [Infinity, 1], 5).diff, 1);
  equal(together(c, c), { ...c, miss: 2, diff: 2, nan: 2, total: 10 });
});

Deno.test("the report is the original's", () => {
  const c = consistency([1, 2, 3, 4], [1, 2, 3, 8], 5);
  equal(mismatchLines("Quanti.onnx", "Arm", c), [
    "compare source: Quanti.onnx VS Arm",
    "mismatch result num: 1",
    "****************************",
    "mismatch.line_miss num: 0",
    "mismatch.line_diff num: 1",
    "mismatch.line_nan num: 0",
    "****************************",
    "total result num: 4",
    "mismatch rate: 0.25",
    "relative mismatch ratio: 0.5",
    "max abs error: 4.0",
  ]);
  equal(verdict("Quanti.onnx", "Arm", c), "Quanti.onnx and Arm result Strict check FAILED");
  equal(
    verdict("Quanti.onnx", "Arm", consistency([1], [1], 5)),
    "Quanti.onnx and Arm result Strict check PASSED",
  );
});
