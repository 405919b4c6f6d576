/** Shape inference and folding of part A against ONNX's own node cases. */

import assert from "node:assert/strict";
import { loadOnnx } from "../formats/onnx/load.ts";
import type { Graph } from "../ir/graph.ts";
import { sameShape, type Tensor } from "../ir/tensor.ts";
import { isFloat, toDoubles } from "./convert.ts";
import { inferValues } from "./infer.ts";
import { listA } from "./list_a.ts";
import { frozen, onnxCases } from "./onnx_cases.ts";
import { opOf } from "./registry.ts";

const mine: ReadonlySet<string> = new Set(listA.map((d) => d.op));

function belongs(g: Graph): boolean {
  return g.nodes.some((n) => mine.has(n.op) && n.domain === "") &&
    g.nodes.every((n) => opOf(n) !== undefined);
}

function difference(have: Tensor, want: Tensor): string | undefined {
  if (have.dtype !== want.dtype) return `${have.dtype} is not ${want.dtype}`;
  if (!sameShape(have.shape, want.shape)) return `${have.shape} is not ${want.shape}`;
  if (Array.isArray(have.data) || Array.isArray(want.data)) {
    return String(have.data) === String(want.data) ? undefined : "strings differ";
  }
  if (!isFloat(have.dtype)) {
    const i = Array.from(have.data as ArrayLike<number | bigint>).findIndex((v, k) =>
      v !== (want.data as ArrayLike<number | bigint>)[k]
    );
    return i < 0 ? undefined : `element ${i}: ${have.data[i]} is not ${want.data[i]}`;
  }
  const [a, b] = [toDoubles(have), toDoubles(want)];
  const relative = have.dtype === "float64" ? 1e-9 : have.dtype === "float32" ? 2e-5 : 1e-2;
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i]) || a[i] === b[i]) continue;
    if (!(Math.abs(a[i]! - b[i]!) <= relative * Math.abs(b[i]!) + 1e-6)) {
      return `element ${i}: ${a[i]} is not ${b[i]}`;
    }
  }
  return undefined;
}

Deno.test("ONNX node cases: types and values", async () => {
  const cases = await onnxCases("onnx-v1.16.0-node-tests.tar.gz");
  if (cases === undefined) return console.log("skipped: no ../shared/data/conformance");
  const failures: string[] = [];
  const notLoaded: string[] = [];
  let [types, partial, values, unfolded] = [0, 0, 0, 0];
  const unfoldedOps = new Map<string, number>();
  for (const c of cases) {
    let graph: Graph;
    try {
      graph = loadOnnx(c.model);
    } catch (e) {
      notLoaded.push(`${c.name}: ${(e as Error).message}`);
      continue;
    }
    if (!belongs(graph)) continue;
    try {
      const { graph: typed } = inferValues(graph);
      for (const [name, want] of c.outputs) {
        if (want === undefined) continue;
        const t = typed.outputs.find((o) => o.name === name);
        if (t === undefined) continue;
        const have = `${t.dtype} ${t.shape}`;
        if (t.dtype === want.dtype && sameShape(t.shape, want.shape)) types++;
        else if (t.shape.length === want.shape.length && t.shape.includes(-1)) partial++;
        else failures.push(`${c.name}: inferred ${have}, expected ${want.dtype} ${want.shape}`);
      }
    } catch (e) {
      failures.push(`${c.name}: ${(e as Error).message}`);
      continue;
    }
    const given = new Map([...c.inputs].flatMap(([n, t]) => t === undefined ? [] : [[n, t]]));
    if (given.size !== c.inputs.size) continue;
    try {
      const known = inferValues(loadOnnx(frozen(c.model, given)), { maxFold: 1 << 20 });
      for (const [name, want] of c.outputs) {
        const have = known.values.get(name) ?? known.graph.constants.get(name);
        if (want === undefined) continue;
        if (have === undefined) {
          unfolded++;
          const op = graph.nodes.find((n) => mine.has(n.op))!.op;
          unfoldedOps.set(op, (unfoldedOps.get(op) ?? 0) + 1);
          continue;
        }
        const wrong = difference(have, want);
        if (wrong === undefined) values++;
        else failures.push(`${c.name}: ${name}: ${wrong}`);
      }
    } catch (e) {
      failures.push(`${c.name} (constants): ${(e as Error).message}`);
    }
  }
  console.log(
    `types ${types} equal, ${partial} partly unknown; values ${values} equal, ${unfolded} not folded; ` +
      `${notLoaded.length} cases not loaded`,
  );
  console.log(`not folded: ${[...unfoldedOps].map(([k, v]) => `${k} ${v}`).join(", ")}`);
  if (Deno.args.includes("-v")) console.log(notLoaded.join("\n"));
  assert.deepEqual(failures, []);
  assert.ok(types > 700 && values > 540, "cases are missing");
});
