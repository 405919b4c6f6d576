/** Nodes with senseless inputs and attributes: an answer or a BpuError, never anything else. */

import assert from "node:assert/strict";
import { BpuError } from "../errors.ts";
import { random } from "../formats/onnx/test_models.ts";
import { type Attr, attr } from "../ir/graph.ts";
import { allocate, elementCount, isStatic, sameShape } from "../ir/tensor.ts";
import type { DType, Tensor, TensorType } from "../ir/tensor.ts";
import { fromDoubles } from "./convert.ts";
import { listB } from "./list_b.ts";
import { caseContext, type OpCase } from "./op_case.ts";

const dtypes: readonly DType[] = [
  "float32",
  "int64",
  "int32",
  "bool",
  "float16",
  "string",
  "uint8",
];

const keys: readonly string[] = [
  ...["axis", "axes", "perm", "keepdims", "blocksize", "batch_dims", "to", "dtype", "k", "sorted"],
  ...["start", "end", "starts", "ends", "pads", "split", "num_outputs", "repeats", "shape", "mode"],
  ...["equation", "scales", "coordinate_transformation_mode", "nearest_mode", "reduction", "steps"],
  ...["batch_axis", "time_axis", "num_scan_inputs", "sample_size", "value", "allowzero", "upper"],
  ...["output_datatype", "keep_aspect_ratio_policy", "onesided", "case_change_action", "largest"],
];

const words = [
  "",
  "linear",
  "nearest",
  "reflect",
  "edge",
  "wrap",
  "ij,jk->ik",
  "...i->i",
  "add",
  "mul",
];

Deno.test("senseless nodes are answered or refused", () => {
  const next = random(7);
  const pick = (lo: number, hi: number) => lo + Math.floor((next() + 1) / 2 * (hi - lo + 1));
  const one = <T>(list: readonly T[]): T => list[pick(0, list.length - 1)]!;
  const number = () => one([-9, -2, -1, 0, 0, 1, 1, 2, 3, 4, 2 ** 31, 2 ** 53, 9.2e18]);
  const input = (): Tensor | TensorType | undefined => {
    const rank = one([0, 1, 1, 1, 2, 3, 4]);
    const shape = Array.from({ length: rank }, () => one([0, 1, 1, 2, 3, 4]));
    const dtype = one(dtypes);
    switch (pick(0, 5)) {
      case 0:
        return undefined;
      case 1:
        return { dtype, shape: shape.map((d) => pick(0, 1) ? d : -1) };
      default: {
        const n = elementCount(shape);
        const data = dtype === "string"
          ? allocate(dtype, n)
          : fromDoubles(dtype, Array.from({ length: n }, number));
        return { dtype, shape, data };
      }
    }
  };
  const attribute = (): Attr =>
    one<() => Attr>([
      () => attr.int(number()),
      () => attr.ints(Array.from({ length: pick(0, 4) }, number)),
      () => attr.float(number() / 2),
      () => attr.string(one(words)),
      () => attr.floats([number(), 0.5]),
      () => attr.tensor({ dtype: "float32", shape: [1], data: Float32Array.of(1) }),
    ])();
  let answered = 0;
  let refused = 0;
  for (let i = 0; i < 40000; i++) {
    const def = listB[i % listB.length]!;
    const k: OpCase = {
      def,
      inputs: Array.from({ length: pick(0, 4) }, input),
      attrs: Object.fromEntries(Array.from({ length: pick(0, 3) }, () => [one(keys), attribute()])),
      outputs: pick(1, 3),
    };
    const c = caseContext(k);
    try {
      const types = def.infer(c);
      for (const t of types) {
        assert.ok(
          t.shape.every((d) => Number.isInteger(d) && d >= -1),
          `${def.op} gives ${t.shape}`,
        );
      }
      if (!types.every((t) => isStatic(t.shape))) continue;
      def.fold?.(c)?.forEach((v, o) => {
        assert.equal(v.dtype, types[o]!.dtype, def.op);
        assert.ok(sameShape(v.shape, types[o]!.shape), `${def.op}: ${v.shape}, ${types[o]!.shape}`);
        assert.equal(v.data.length, elementCount(v.shape), def.op);
      });
      answered++;
    } catch (e) {
      if (!(e instanceof BpuError) || e.code === "internal") {
        const shown = k.inputs.map((t) => t && `${t.dtype}[${t.shape}]`).join(" ");
        throw new Error(`${def.op} ${shown} ${[...Object.keys(k.attrs ?? {})]}`, { cause: e });
      }
      refused++;
    }
  }
  console.log(`${answered} answered, ${refused} refused`);
  assert.ok(answered > 2000 && refused > 2000);
});
