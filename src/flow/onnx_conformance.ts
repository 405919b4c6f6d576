/**
 * For tests and reports only: one of ONNX's own cases through the whole pipeline.
 *
 * A case runs in up to three forms: as it stands (every input at run time), with all inputs but the
 * first turned into constants (how models hold shapes, axes and weights; what makes an operator fit the
 * BPU), and with all inputs constant (what constant folding sees). Every form is loaded, inferred,
 * optimized, placed, quantized with thresholds from the case's own inputs, compiled and simulated.
 *
 * What is compared: integers, booleans, strings and shapes are equal; floats that only the CPU or
 * folding computed are within {@linkcode ROUNDING}; where something ran on the BPU, the simulator equals
 * the quantized ONNX model bit for bit, and each output is as near to the expected one as
 * {@linkcode quantizedProblem} says.
 *
 * @module
 */

import { maxThreshold } from "../calibrate/methods/max.ts";
import { observe } from "../calibrate/observe.ts";
import { BpuError } from "../errors.ts";
import { loadOnnx } from "../formats/onnx/load.ts";
import type { Graph } from "../ir/graph.ts";
import { numbersOf, sameShape } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { March } from "../march/march.ts";
import { frozen } from "../ops/onnx_cases.ts";
import type { OnnxCase } from "../ops/onnx_cases.ts";
import type { FloatEngine } from "../run/float.ts";
import { openProgram } from "../run/simulator.ts";
import { convert } from "./convert.ts";
import type { Conversion } from "./convert.ts";
import { differingValues } from "./prove.ts";

/** Where the outputs of a form came from. */
export type Where = "BPU" | "CPU" | "folded";

/** Result of one form of a case. */
export type FormResult =
  | { readonly form: string; readonly ok: true; readonly where: Where; readonly bpu: number }
  | { readonly form: string; readonly ok: false; readonly why: string; readonly refused: boolean };

/** Result of a case. */
export interface CaseResult {
  readonly name: string;
  /** Operator that the case is about. */
  readonly op: string;
  /** Every operator of the model. */
  readonly ops: readonly string[];
  readonly forms: readonly FormResult[];
  /** Why no form was tried. */
  readonly outOfScope?: string;
}

/** Relative to the larger of 1 and the expected magnitude: rounding of float32 sums. */
export const ROUNDING = 2e-5;

/** Halves and bfloat16 round this much earlier. */
const roundingOf = (dtype: string) =>
  dtype === "float16" ? 4e-3 : dtype === "bfloat16" ? 2e-2 : ROUNDING;

/** What is wrong with a tensor that no quantization touched; "" when nothing. */
export function floatProblem(have: Tensor | undefined, want: Tensor): string {
  const type = typeProblem(have, want);
  if (have === undefined || type !== "") return type;
  if (!want.dtype.includes("float")) {
    for (let i = 0; i < want.data.length; i++) {
      if (have.data[i] !== want.data[i]) {
        return `element ${i} is ${have.data[i]}, not ${want.data[i]}`;
      }
    }
    return "";
  }
  const a = numbersOf(have), b = numbersOf(want), tolerance = roundingOf(want.dtype);
  for (let i = 0; i < b.length; i++) {
    if (Object.is(a[i], b[i]) || a[i] === b[i]) continue;
    if (!(Math.abs(a[i]! - b[i]!) <= tolerance * Math.max(1, Math.abs(b[i]!)))) {
      return `element ${i} is ${a[i]}, not ${b[i]}`;
    }
  }
  return "";
}

function typeProblem(have: Tensor | undefined, want: Tensor): string {
  if (have === undefined) return "the output is missing";
  if (have.dtype !== want.dtype) return `the output is ${have.dtype}, not ${want.dtype}`;
  if (!sameShape(have.shape, want.shape)) {
    return `the output has the shape [${have.shape}], not [${want.shape}]`;
  }
  return "";
}

/** Share of the largest expected magnitude by which a quantized output may be off. */
export const QUANTIZED = 0.04;

/**
 * What is wrong with an output behind the BPU. Floats: each value within {@linkcode QUANTIZED} of the
 * largest expected magnitude (about five steps of an int8 output: half a step of its own, and those of
 * inputs and weights that the operator carries through), the mean within a quarter of that. Integers and
 * booleans (ArgMax, comparisons) are decisions on rounded values: no more than one in eight may differ.
 */
export function quantizedProblem(have: Tensor | undefined, want: Tensor): string {
  const type = typeProblem(have, want);
  if (have === undefined || type !== "") return type;
  const a = numbersOf(have), b = numbersOf(want);
  if (!want.dtype.includes("float")) {
    let off = 0;
    for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) off++;
    return off * 8 > b.length ? `${off} of ${b.length} values differ` : "";
  }
  let top = 0, sum = 0, worst = 0, at = 0;
  for (const v of b) if (Number.isFinite(v)) top = Math.max(top, Math.abs(v));
  for (let i = 0; i < b.length; i++) {
    if (Object.is(a[i], b[i]) || a[i] === b[i]) continue;
    const e = Math.abs(a[i]! - b[i]!);
    if (!(e <= worst)) {
      worst = e;
      at = i;
    }
    sum += e;
  }
  if (worst <= QUANTIZED * top && sum <= QUANTIZED / 4 * top * Math.max(1, b.length)) return "";
  if (worst <= 1e-6) return "";
  return `element ${at} is ${a[at]}, not ${b[at]} (off by ${
    (100 * worst / top).toFixed(1)
  } % of the largest)`;
}

/** Converts a graph with thresholds from these feeds. */
export async function convertWith(
  graph: Graph,
  march: March,
  engine: FloatEngine,
  feeds: ReadonlyMap<string, Tensor>,
): Promise<Conversion> {
  const thresholds = new Map<string, number>();
  return await convert(graph, {
    march,
    engine,
    calibrator: {
      candidates: ["max"],
      async observe(g, tensors) {
        const given = new Map(g.inputs.map((p): [string, Tensor] => [p.name, feeds.get(p.name)!]));
        for (const [name, s] of await observe(g, tensors, () => [given], engine)) {
          thresholds.set(name, maxThreshold(s));
        }
      },
      threshold: (_, t, dtype) => ({
        dtype,
        threshold: thresholds.get(t)!,
        zero: 0,
        method: "max",
      }),
    },
  });
}

/** Runs simulator and quantized model; says what is wrong between them. */
export async function simulate(
  c: Conversion,
  engine: FloatEngine,
  feeds: ReadonlyMap<string, Tensor>,
): Promise<{ readonly outputs: ReadonlyMap<string, Tensor>; readonly problem: string }> {
  const simulator = await openProgram(c.program, { cpu: engine });
  const outputs = await simulator.run(feeds);
  await simulator.close();
  const reference = await engine.open(c.quantized.graph);
  const want = await reference.run(
    new Map(c.quantized.graph.inputs.map((p): [string, Tensor] => [p.name, feeds.get(p.name)!])),
  );
  await reference.close();
  for (const [name, t] of want) {
    const have = outputs.get(name);
    const type = typeProblem(have, t);
    if (have === undefined || type !== "") return { outputs, problem: `${name}: ${type}` };
    const n = t.dtype === "string" || have.dtype === "string"
      ? have.data.findIndex((v, i) => v !== t.data[i]) + 1
      : differingValues(have, t);
    if (n > 0) {
      return { outputs, problem: `simulator and quantized ONNX differ in ${n} values of ${name}` };
    }
  }
  return { outputs, problem: "" };
}

async function runForm(
  form: string,
  model: Uint8Array,
  k: OnnxCase,
  feeds: ReadonlyMap<string, Tensor>,
  march: March,
  engine: FloatEngine,
): Promise<FormResult> {
  try {
    const shapes = new Map([...feeds].map(([name, t]) => [name, t.shape] as const));
    const graph = loadOnnx(model, { inputShapes: shapes });
    const conversion = await convertWith(graph, march, engine, feeds);
    const bpu = conversion.layout.groups.size;
    const { outputs, problem } = await simulate(conversion, engine, feeds);
    const folded = conversion.optimized.nodes.length === 0;
    if (problem !== "") return { form, ok: false, why: problem, refused: false };
    for (const [name, want] of k.outputs) {
      if (want === undefined) continue;
      const have = outputs.get(name);
      const why = bpu > 0 ? quantizedProblem(have, want) : floatProblem(have, want);
      if (why !== "") return { form, ok: false, why: `${name}: ${why}`, refused: false };
    }
    return { form, ok: true, where: bpu > 0 ? "BPU" : folded ? "folded" : "CPU", bpu };
  } catch (e) {
    if (e instanceof BpuError) {
      return { form, ok: false, why: e.sentence(), refused: e.code !== "internal" };
    }
    const why = e instanceof Error ? `${e.message}` : String(e);
    return { form, ok: false, why: `crash: ${why}`, refused: false };
  }
}

/** Runs a case in all its forms. */
export async function runCase(
  k: OnnxCase,
  op: string,
  ops: readonly string[],
  march: March,
  engine: FloatEngine,
): Promise<CaseResult> {
  const inputs = new Map<string, Tensor>();
  const head = { name: k.name, op, ops };
  for (const [name, t] of k.inputs) {
    if (t === undefined) {
      return { ...head, forms: [], outOfScope: `the input ${name} is no tensor of a known type` };
    }
    inputs.set(name, t);
  }
  if ([...k.outputs.values()].every((t) => t === undefined)) {
    return { ...head, forms: [], outOfScope: "no output is a tensor of a known type" };
  }
  const forms = [await runForm("as it is", k.model, k, inputs, march, engine)];
  const [first, ...rest] = [...inputs];
  if (first !== undefined && rest.length > 0) {
    const model = frozen(k.model, new Map(rest));
    forms.push(await runForm("constants", model, k, new Map([first]), march, engine));
  }
  if (first !== undefined) {
    forms.push(await runForm("folded", frozen(k.model, inputs), k, new Map(), march, engine));
  }
  return { ...head, forms };
}
