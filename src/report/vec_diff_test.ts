import { deepStrictEqual as equal, throws } from "node:assert/strict";
import { writeNpy } from "../formats/npy/npy.ts";
import { f32 } from "../ir/tensor.ts";
import {
  compareFiles,
  pairFiles,
  readVector,
  vectorCsv,
  vectorFigures,
  vectorKey,
  vectorTable,
  worstFirst,
} from "./vec_diff.ts";

const bytes = (a: ArrayBufferView) => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);

Deno.test("figures of a pair", () => {
  const f = vectorFigures([3, 0], [4, 3]);
  equal(f.cosine, 12 / 3 / 5);
  equal(f.relativeEuclidean, Math.sqrt(10 / 25));
  equal(f.maxAbsolute, 3);
  equal(f.meanSquare, 5);
  equal(f.sqnr, 10 * Math.log10(2.5));
  equal(vectorFigures([1, 2], [1, 2]), {
    cosine: 1,
    relativeEuclidean: 0,
    maxAbsolute: 0,
    meanSquare: 0,
    sqnr: Infinity,
  });
  equal(vectorFigures([0, 0], [0, 1]).cosine, 0);
  equal(vectorFigures([1], [0]).relativeEuclidean, Infinity);
  equal(vectorFigures([NaN, 1], [0, 1]).maxAbsolute, NaN);
  // Accumulators above 2^24 are not rounded to float32.
  equal(vectorFigures([16777217], [16777216]).maxAbsolute, 1);
});

Deno.test("all file types give the same numbers", () => {
  const v = Float32Array.of(1.5, -2, 0.25);
  const want = [1.5, -2, 0.25];
  const read = (b: Uint8Array, name: string, d: Parameters<typeof readVector>[2] = "int8") =>
    Array.from(readVector(b, name, d).values);
  equal(read(bytes(v), "y_float.bin"), want);
  equal(read(bytes(v), "y.bin", "float32"), want);
  equal(read(writeNpy(f32([3, 1], v)), "y.npy"), want);
  equal(read(new TextEncoder().encode("1.5 -2\n0.25,\n"), "y.txt"), want);
  equal(read(new TextEncoder().encode("nan inf -inf"), "y.txt"), [NaN, Infinity, -Infinity]);
  equal(read(Uint8Array.of(255, 2), "q.bin"), [-1, 2]);
  throws(
    () => read(bytes(v).subarray(1), "y_float.bin"),
    /11 bytes are no whole number of float32/,
  );
  throws(() => read(new TextEncoder().encode("1 two"), "y.txt"), /'two' is not a number/);
  throws(() => read(bytes(v), "y.npy"), /not an \.npy file/);
});

Deno.test("files are matched by what they hold", () => {
  equal(vectorKey("a/model_infer_output_0_y.bin"), "a/y");
  equal(vectorKey("layer-1-Dequantize-y_HzDequantize-output-0-y.txt"), "y");
  equal(
    pairFiles(["y_float.bin", "b.npy", "only.txt"], [
      "b.npy",
      "model_infer_output_0_y.bin",
      "z.bin",
    ]),
    {
      pairs: [["b.npy", "b.npy"], ["y_float.bin", "model_infer_output_0_y.bin"]],
      leftOnly: ["only.txt"],
      rightOnly: ["z.bin"],
    },
  );
});

Deno.test("rows: csv in order, table worst first, sizes that differ", () => {
  const file = (name: string, v: number[]) => ({
    name,
    bytes: bytes(Float32Array.from(v)),
    dtype: "float32" as const,
  });
  const rows = [
    compareFiles(file("a.bin", [1, 2]), file("a.bin", [1, 2])),
    compareFiles(file("b,c.bin", [1, 2]), file("b.bin", [2, 1])),
    compareFiles(file("d.bin", [1]), file("d.bin", [1, 2])),
  ];
  equal(worstFirst(rows).map((r) => r.right), ["d.bin", "b.bin", "a.bin"]);
  equal(
    vectorCsv(rows, false),
    "Left Files, Right Files, Cosine Similarity,Relative Euclidean Distance, Max Absolute Error, " +
      "Mean Square Error\na.bin,a.bin,1,0,0,0\n" +
      `"b,c.bin",b.bin,${4 / Math.sqrt(5) / Math.sqrt(5)},${Math.sqrt(2 / 5)},1,1\n` +
      "d.bin,d.bin,sizes differ: 1 and 2,,,\n",
  );
  equal(vectorCsv(rows, true).split("\n")[1], "a.bin,a.bin,1,0,0,0,2,2,Infinity,");
  equal(vectorTable(rows, true).length, 6);
});
