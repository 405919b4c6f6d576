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
import { fromBinary } from "../deps.ts";
import { BpuError } from "../errors.ts";
import { ModelProtoSchema } from "../formats/onnx/gen/onnx_pb.ts";
import { loadOnnx } from "../formats/onnx/load.ts";
import type { Graph } from "../ir/graph.ts";
import { numbersOf, sameShape } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { March } from "../march/march.ts";
import { frozen, onnxCases } from "../ops/onnx_cases.ts";
import type { OnnxCase } from "../ops/onnx_cases.ts";
import type { FloatEngine } from "../run/float.ts";
import { openProgram } from "../run/simulator.ts";
import { convert } from "./convert.ts";
import type { Conversion, ConvertOptions } from "./convert.ts";
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
  /** Every operator of the model. */
  readonly ops: readonly string[];
  readonly forms: readonly FormResult[];
  /** Why no form was tried. */
  readonly outOfScope?: string;
}

/** Rounding of float32 sums, relative to the largest expected magnitude. */
export const ROUNDING = 1e-5;

/** Tolerance of ONNX's own test runner, relative to each value: some expected values have four digits. */
export const WRITTEN = 1e-3;

/** Halves round earlier. */
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
  const a = numbersOf(have), b = numbersOf(want);
  const rounding = roundingOf(want.dtype) * Math.max(1, largest(b));
  for (let i = 0; i < b.length; i++) {
    if (Object.is(a[i], b[i]) || a[i] === b[i]) continue;
    if (!(Math.abs(a[i]! - b[i]!) <= Math.max(rounding, WRITTEN * Math.abs(b[i]!)))) {
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

function largest(values: ArrayLike<number>): number {
  let top = 0;
  for (let i = 0; i < values.length; i++) {
    const v = Math.abs(values[i]!);
    if (v < Infinity) top = Math.max(top, v);
  }
  return top;
}

/** Share of the largest expected magnitude by which a quantized output may be off. */
export const QUANTIZED = 0.04;

/**
 * What is wrong with an output behind the BPU. A float lies within {@linkcode QUANTIZED} (five steps of
 * an int8 output) of the range of the values that the float model gives for inputs moved by up to a step
 * (`moved`: the error that the operator itself carries through). Integers and booleans (ArgMax,
 * comparisons) are decisions on rounded values: one in eight may differ. NaN has no integer form.
 */
export function quantizedProblem(
  have: Tensor | undefined,
  want: Tensor,
  moved: readonly Tensor[] = [],
): string {
  const type = typeProblem(have, want);
  if (have === undefined || type !== "") return type;
  const a = numbersOf(have), b = numbersOf(want);
  if (!want.dtype.includes("float")) {
    let off = 0;
    for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) off++;
    return off * 8 > b.length ? `${off} of ${b.length} values differ` : "";
  }
  const top = largest(b);
  const margin = Math.max(QUANTIZED * top, 1e-6);
  const others = moved.map((t) => numbersOf(t));
  for (let i = 0; i < b.length; i++) {
    if (a[i] === b[i] || Number.isNaN(b[i])) continue;
    let low = b[i]!, high = b[i]!;
    for (const o of others) {
      if (!(o[i]! >= low)) low = o[i]!;
      if (!(o[i]! <= high)) high = o[i]!;
    }
    if (Number.isNaN(low) || Number.isNaN(high)) continue;
    if (a[i]! >= low - margin && a[i]! <= high + margin) continue;
    return `element ${i} is ${a[i]}, not ${b[i]} (${
      (100 * Math.abs(a[i]! - b[i]!) / top).toFixed(1)
    } % of the largest)`;
  }
  return "";
}

/** Outputs of a float graph for inputs moved by up to a step of int8. */
async function moved(
  graph: Graph,
  engine: FloatEngine,
  feeds: ReadonlyMap<string, Tensor>,
): Promise<ReadonlyMap<string, Tensor>[]> {
  const session = await engine.open(graph);
  const results: ReadonlyMap<string, Tensor>[] = [];
  for (const sign of [() => 1, () => -1, even, odd, thirds]) {
    const near = new Map([...feeds].map(([name, t]): [string, Tensor] => {
      if (!(t.data instanceof Float32Array)) return [name, t];
      const step = largest(t.data) / 127;
      return [name, { ...t, data: t.data.map((v, i) => v + step * sign(i)) }];
    }));
    results.push(await session.run(near));
  }
  await session.close();
  return results;
}

const even = (i: number) => i % 2 === 0 ? 1 : -1;
const odd = (i: number) => -even(i);
const thirds = (i: number) => i % 3 - 1;

/** Converts a graph with thresholds from these feeds. */
export async function convertWith(
  graph: Graph,
  march: March,
  engine: FloatEngine,
  feeds: ReadonlyMap<string, Tensor>,
  options: Pick<ConvertOptions, "place" | "int16"> = {},
): Promise<Conversion> {
  const thresholds = new Map<string, number>();
  return await convert(graph, {
    ...options,
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
    const graph = loadOnnx(model, { inputShapes: shapes, containers: k.containers });
    const conversion = await convertWith(graph, march, engine, feeds);
    const bpu = conversion.layout.groups.size;
    const { outputs, problem } = await simulate(conversion, engine, feeds);
    const folded = conversion.optimized.nodes.length === 0;
    if (problem !== "") return { form, ok: false, why: problem, refused: false };
    const random = graph.nodes.some((n) => n.op.startsWith("Random") || n.op === "Bernoulli");
    let near: ReadonlyMap<string, Tensor>[] | undefined;
    for (const [name, want] of k.outputs) {
      if (want === undefined) continue;
      const have = outputs.get(name);
      let why = random
        ? typeProblem(have, want)
        : bpu > 0
        ? quantizedProblem(have, want)
        : floatProblem(have, want);
      if (why !== "" && bpu > 0) {
        near ??= await moved(graph, engine, feeds);
        why = quantizedProblem(have, want, near.map((m) => m.get(name)!));
      }
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
  ops: readonly string[],
  march: March,
  engine: FloatEngine,
): Promise<CaseResult> {
  const inputs = new Map<string, Tensor>();
  const head = { name: k.name, ops };
  for (const [name, t] of k.inputs) {
    if (t === undefined) {
      return { ...head, forms: [], outOfScope: `the input ${name} is no tensor of a known type` };
    }
    inputs.set(name, t);
  }
  if (k.outputs.size > 0 && [...k.outputs.values()].every((t) => t === undefined)) {
    return { ...head, forms: [], outOfScope: "no output is a tensor of a known type" };
  }
  const forms = [await runForm("as it is", k.model, k, inputs, march, engine)];
  const [first, ...rest] = [...inputs];
  if (first !== undefined && rest.length > 0) {
    const model = frozen(k.model, new Map(rest), k.containers);
    forms.push(await runForm("constants", model, k, new Map([first]), march, engine));
  }
  if (first !== undefined) {
    forms.push(
      await runForm("folded", frozen(k.model, inputs, k.containers), k, new Map(), march, engine),
    );
  }
  return { ...head, forms };
}

/** The archives of ONNX's own cases. */
export const archives: readonly string[] = [
  "onnx-v1.16.0-node-tests.tar.gz",
  "onnx-v1.16.0-pytorch-converted-operator.tar.gz",
  "onnx-v1.16.0-simple-light.tar.gz",
];

/** Why a case cannot give the expected values, by the start of its name. */
const otherwise: readonly (readonly [string, string])[] = [
  ...["test_cast_FLOAT_to_STRING", "test_castlike_FLOAT_to_STRING"].map((name) =>
    [name, "onnxruntime writes eight digits of a float, numpy the shortest that read back"] as const
  ),
  ...["test_cast_FLOAT_to_BFLOAT16", "test_castlike_FLOAT_to_BFLOAT16"].map((name) =>
    [name, "the expected values are cut off; the specification rounds to even"] as const
  ),
  [
    "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True",
    "the expected values count what ceil_mode adds behind the padding; onnxruntime and PyTorch do not",
  ],
  ["test_qlinearmatmul_2D_int8", "the expected values wrap around; onnxruntime saturates"],
  ["test_qlinearmatmul_3D_int8", "the expected values wrap around; onnxruntime saturates"],
  [
    "test_resize_downsample_scales_cubic_align_corners",
    "onnxruntime takes the rounded output size for the corners, the specification the exact one",
  ],
  [
    "test_resize_downsample_scales_linear_align_corners",
    "onnxruntime takes the rounded output size for the corners, the specification the exact one",
  ],
  ["test_maxunpool_export_with_output_shape", "onnxruntime ignores the row length of output_shape"],
  ...["softmax", "logsoftmax"].map((f) =>
    [`test_${f}_large_number_expanded`, "8 bits do not tell 10000 from 10003"] as const
  ),
];

/** The reason why a case gives other values than expected; undefined when it should not. */
export function knownDifference(name: string): string | undefined {
  return otherwise.find(([start]) => name.startsWith(start))?.[1];
}

/** How a case ended. */
export type Verdict = "BPU" | "CPU" | "different" | "out of scope" | "wrong";

/** Verdict of a case, and the sentence that goes with it. */
export function verdictOf(r: CaseResult): { readonly verdict: Verdict; readonly why: string } {
  if (r.outOfScope !== undefined) return { verdict: "out of scope", why: r.outOfScope };
  const wrong = r.forms.find((f) => !f.ok && !f.refused);
  if (wrong !== undefined && !wrong.ok) {
    const known = knownDifference(r.name);
    return known === undefined
      ? { verdict: "wrong", why: `${wrong.form}: ${wrong.why}` }
      : { verdict: "different", why: known };
  }
  const refused = r.forms.flatMap((f) => f.ok ? [] : [f.why]);
  const right = r.forms.flatMap((f) => f.ok ? [f] : []);
  if (right.length === 0) return { verdict: "out of scope", why: refused[0] ?? "it has no form" };
  return { verdict: right.some((f) => f.where === "BPU") ? "BPU" : "CPU", why: refused[0] ?? "" };
}

/** Runs the cases that `wanted` picks. */
export async function runCases(
  wanted: (index: number, name: string) => boolean,
  march: March,
  engine: FloatEngine,
  onCase?: (r: CaseResult) => void,
): Promise<{ readonly results: CaseResult[]; readonly missing: string[] }> {
  const results: CaseResult[] = [], missing: string[] = [];
  let index = 0;
  for (const archive of archives) {
    const cases = await onnxCases(archive);
    if (cases === undefined) {
      missing.push(archive);
      continue;
    }
    for (const k of cases) {
      if (!wanted(index++, k.name)) continue;
      const nodes = fromBinary(ModelProtoSchema, k.model).graph?.node ?? [];
      const ops = [...new Set(nodes.map((n) => n.opType))];
      const r = await runCase(k, ops, march, engine);
      results.push(r);
      onCase?.(r);
    }
  }
  return { results, missing };
}
