/**
 * ONNX's own cases for shape, data movement, reduction and control flow operators: the inferred output
 * types, and the folded values, are the expected ones.
 */

import assert from "node:assert/strict";
import { loadOnnx } from "../formats/onnx/load.ts";
import { BpuError } from "../errors.ts";
import type { Graph } from "../ir/graph.ts";
import type { Tensor, TensorType } from "../ir/tensor.ts";
import { toDoubles } from "./convert.ts";
import { inferValues, subgraphsOf } from "./infer.ts";
import { listB } from "./list_b.ts";
import { frozen, type OnnxCase, onnxCases } from "./onnx_cases.ts";

const archives = [
  "onnx-v1.16.0-node-tests.tar.gz",
  "onnx-v1.16.0-simple-light.tar.gz",
  "onnx-v1.16.0-pytorch-converted-operator.tar.gz",
];

const mine = new Set(listB.map((d) => d.op));

function opsOf(g: Graph): string[] {
  return g.nodes.flatMap((n) => [n.op, ...subgraphsOf(n).flatMap(opsOf)]);
}

function load(bytes: Uint8Array): Graph | undefined {
  try {
    return loadOnnx(bytes);
  } catch (e) {
    if (e instanceof BpuError && e.code !== "internal") return undefined;
    throw e;
  }
}

/** What is wrong with a type, "" when nothing; unknown dimensions are not wrong. */
function typeProblem(have: TensorType, want: TensorType): string {
  const fits = have.dtype === want.dtype && have.shape.length === want.shape.length &&
    have.shape.every((d, i) => d < 0 || d === want.shape[i]);
  return fits ? "" : `${have.dtype} [${have.shape}] is not ${want.dtype} [${want.shape}]`;
}

/** Integers, strings and halves bit for bit, floats to 1e-5 (the archive holds numpy's sums). */
function valueProblem(have: Tensor, want: Tensor): string {
  const type = typeProblem(have, want);
  if (type !== "") return type;
  const float = want.dtype === "float32" || want.dtype === "float64";
  const a: ArrayLike<unknown> = float ? toDoubles(have) : have.data;
  const b: ArrayLike<unknown> = float ? toDoubles(want) : want.data;
  for (let i = 0; i < b.length; i++) {
    if (a[i] === b[i] || Object.is(a[i], b[i])) continue;
    const close = float &&
      Math.abs(Number(a[i]) - Number(b[i])) <= 1e-5 * Math.max(1, Math.abs(Number(b[i])));
    if (!close) return `element ${i}: ${a[i]} is not ${b[i]}`;
  }
  return "";
}

/**
 * Cases whose expected output is neither the specification's nor the engine's: bfloat16 made by cutting
 * bits off (not round to nearest even), and numpy's text of floats (onnxruntime prints eight digits).
 */
const exceptions: ReadonlySet<string> = new Set(
  ["BFLOAT16", "STRING"].flatMap((to) => [
    `test_cast_FLOAT_to_${to}`,
    `test_castlike_FLOAT_to_${to}`,
    `test_castlike_FLOAT_to_${to}_expanded`,
  ]),
);

class Tally {
  readonly counts = new Map<string, number>();
  readonly wrong: string[] = [];

  add(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  of(what: string): number {
    return this.counts.get(what) ?? 0;
  }
}

function tryCase(k: OnnxCase, tally: Tally): void {
  const inputs = new Map<string, Tensor>();
  for (const [name, t] of k.inputs) {
    if (t === undefined) return tally.add("inputs are not tensors that we hold");
    inputs.set(name, t);
  }
  const open = load(k.model);
  const closed = load(frozen(k.model, inputs));
  const either = closed ?? open;
  if (either === undefined) return tally.add("not loaded (opset, element type, refused forms)");
  if (!opsOf(either).every((o) => mine.has(o))) return tally.add("other operators");
  const check = (problem: string, what: string) => {
    if (problem === "") tally.add(what);
    else tally.wrong.push(`${k.name}: ${problem}`);
  };
  if (open !== undefined) {
    const { graph } = inferValues(open, { declared: "ignore" });
    for (const o of open.outputs) {
      const want = k.outputs.get(o.name);
      const have = graph.types.get(o.name) ?? graph.constants.get(o.name);
      if (want === undefined || have === undefined) tally.add("types that depend on values");
      else {
        const what = have.shape.includes(-1) ? "types that depend on values" : "types equal";
        check(typeProblem(have, want), what);
      }
    }
  }
  if (closed !== undefined) {
    const { graph, values } = inferValues(closed, { declared: "ignore", maxFold: 1 << 22 });
    for (const o of closed.outputs) {
      const want = k.outputs.get(o.name);
      if (want === undefined) continue;
      const have = values.get(o.name) ?? graph.constants.get(o.name);
      if (exceptions.has(k.name)) tally.add("exceptions");
      else if (have !== undefined) check(valueProblem(have, want), "values equal");
      else {
        tally.add("not folded");
        const t = graph.types.get(o.name);
        if (t !== undefined) check(typeProblem(t, want), "types of what is not folded");
      }
    }
  }
}

Deno.test("ONNX's own cases", async () => {
  const tally = new Tally();
  let cases = 0;
  for (const a of archives) {
    const list = await onnxCases(a);
    if (list === undefined) {
      console.log(`skipped: ${a} is not here`);
      continue;
    }
    for (const k of list) {
      cases++;
      tryCase(k, tally);
    }
  }
  console.log(`${cases} cases`);
  for (const [what, n] of tally.counts) console.log(`  ${n} ${what}`);
  assert.deepEqual(tally.wrong, []);
  if (cases < 1000) return;
  // What passes today must not fall silent.
  assert.ok(tally.of("types equal") >= 220, `${tally.of("types equal")} types`);
  assert.ok(tally.of("values equal") >= 390, `${tally.of("values equal")} values`);
});
