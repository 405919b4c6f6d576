/**
 * For tests only: one node, folded by us and run by stock onnxruntime-web.
 *
 * @module
 */

import assert from "node:assert/strict";
import { differs, runOrt, testModel } from "../formats/onnx/test_models.ts";
import { type Attr, node, OPSET } from "../ir/graph.ts";
import { sameShape, type Tensor, type TensorType } from "../ir/tensor.ts";
import { inferContext, type Lookup } from "./context.ts";
import type { InferContext, OpDef } from "./op.ts";

/** One node to be tried. */
export interface OpCase {
  readonly def: OpDef;
  readonly inputs: readonly (Tensor | TensorType | undefined)[];
  readonly attrs?: Readonly<Record<string, Attr>>;
  /** Number of outputs (1). */
  readonly outputs?: number;
}

function isTensor(t: Tensor | TensorType | undefined): t is Tensor {
  return t !== undefined && "data" in t;
}

/** The node's context: inputs with data are constants, the others only have a type. */
export function caseContext(k: OpCase): InferContext {
  const names = k.inputs.map((t, i) => t === undefined ? "" : `x${i}`);
  const outs = Array.from({ length: k.outputs ?? 1 }, (_, i) => `y${i}`);
  const byName = new Map(k.inputs.map((t, i) => [`x${i}`, t]));
  const lookup: Lookup = {
    type: (name) => byName.get(name),
    value(name) {
      const t = byName.get(name);
      return isTensor(t) ? t : undefined;
    },
  };
  return inferContext(node(k.def.op, "n", names, outs, k.attrs), lookup);
}

/** Output types. */
export function typesOf(k: OpCase): readonly TensorType[] {
  return k.def.infer(caseContext(k));
}

/** Folded outputs; fails when the node does not fold or disagrees with its own inferred types. */
export function foldOf(k: OpCase): readonly Tensor[] {
  const c = caseContext(k);
  const types = k.def.infer(c);
  const values = k.def.fold?.(c);
  assert.ok(values !== undefined, `${k.def.op} does not fold`);
  values.forEach((v, i) => {
    assert.equal(v.dtype, types[i]!.dtype, `${k.def.op} output ${i}`);
    assert.ok(sameShape(v.shape, types[i]!.shape), `${k.def.op} output ${i}: ${v.shape}`);
  });
  return values;
}

/** Values of the node in onnxruntime-web. */
export async function ortOf(k: OpCase, opset = OPSET): Promise<readonly Tensor[]> {
  const c = caseContext(k);
  const types = k.def.infer(c);
  const feeds = new Map<string, Tensor>();
  k.inputs.forEach((t, i) => {
    if (isTensor(t)) feeds.set(`x${i}`, t);
  });
  const model = testModel({
    opset,
    nodes: [c.node],
    inputs: [...feeds].map(([name, t]) => ({ name, dtype: t.dtype, shape: t.shape })),
    outputs: c.node.outputs.map((name, i) => ({ name, dtype: types[i]!.dtype })),
  });
  const got = await runOrt(model, feeds);
  return c.node.outputs.map((name) => got.get(name)!);
}

/** Asserts that folding gives what onnxruntime-web computes; floats up to `tolerance`. */
export async function sameAsOrt(k: OpCase, tolerance = 0): Promise<void> {
  const want = await ortOf(k);
  const have = foldOf(k);
  const text = `${k.def.op} ${k.inputs.map((t) => t && `${t.dtype}[${t.shape}]`)} ${
    Object.entries(k.attrs ?? {}).map(([key, a]) =>
      `${key}=${a.type === "tensor" ? a.value.dtype : a.value}`
    )
  }`;
  want.forEach((w, i) => assert.equal(differs(have[i], w, tolerance), "", `${text} output ${i}`));
}
