/**
 * Every row of the operator table that is on the BPU of a march: a model that keeps the constraints, the
 * operator between two convolutions, is placed on the BPU, and its program gives the bits of stock
 * onnxruntime-web; where the row has int16, with int16 inputs and outputs too. Skips where the table
 * (../shared) is absent.
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { completeConfig, parseConfig } from "../../formats/config/mod.ts";
import type { Graph, Node } from "../../ir/graph.ts";
import { bayes } from "../../march/bayes.ts";
import { bayesE } from "../../march/bayes_e.ts";
import { bernoulli2 } from "../../march/bernoulli2.ts";
import type { March } from "../../march/march.ts";
import type { QuantLayout } from "../../quantize/layout.ts";
import type { Conversion } from "../convert.ts";
import { int16Tensors } from "../int16.ts";
import { Random } from "./harness.ts";
import { convertWith, rowGraph, runExactly } from "./row_model.ts";
import { S, specOf } from "./row_specs.ts";
import type { Spec } from "./row_specs.ts";
import { variantsOf } from "./row_variants.ts";

interface Cell {
  readonly on: string;
  readonly int16: string;
}

const table = new URL("../../../../shared/reference/operators.json", import.meta.url);
let rows: { readonly op: string; readonly bayes: Cell; readonly bernoulli2: Cell }[] = [];
try {
  rows = JSON.parse(Deno.readTextFileSync(table)).onnx;
} catch {
  console.log("skipped: the operator table is absent");
}
/** bayes_e is said to run what bayes runs. */
const columns = [[bayes, "bayes"], [bayesE, "bayes"], [bernoulli2, "bernoulli2"]] as const;

/** Where the nodes of a row's model are, and what became of the operator. */
function checkPlaces(op: string, spec: Spec, march: March, c: Conversion): void {
  // What reads indices and truth values (the Cast before the last convolution) is float. bernoulli2 has no
  // Reshape, with which the model makes the shapes of a row and passes those of a product.
  const shaping = ["Reshape", "Transpose", "Slice"];
  const helper = (n: Node) =>
    n.op === "Cast" || march === bernoulli2 && n.name !== "it" && shaping.includes(n.op);
  const cpu = c.optimized.nodes.filter((n) => c.plan.nodes.get(n.name)?.on !== "BPU" && !helper(n));
  const reasons = cpu.map((n) => `${n.name} (${n.op}): ${c.plan.nodes.get(n.name)?.reason}`);
  equal(reasons.join(), "", `${op} is not on the BPU: ${reasons}`);
  if (spec.becomes === undefined) {
    ok(c.plan.nodes.has("it"), `node it vanished: ${c.optimized.nodes.map((n) => n.op)}`);
    return;
  }
  const ops = c.quantized.graph.nodes.map((n) => n.op);
  for (const want of spec.becomes) {
    ok(ops.some((o) => o.startsWith(want)), `no ${want} among ${ops}`);
  }
}

/** The sides of an operator that a configuration can ask for. */
const sides = [["input", "output"], ["input"], ["output"]] as const;
type Sides = typeof sides[number];

/** What a configuration asks for that names `it` in `node_info`, or all nodes where passes took it away. */
function asked(march: March, graph: Graph, side: Sides, told: string[]) {
  return (g: Graph, layout: QuantLayout) => {
    const kept = g.nodes.some((n) => n.name === "it");
    const types = side.map((s) => s === "input" ? "InputType: int16" : "OutputType: int16");
    const yaml = `model_parameters:
  onnx_model: m.onnx
  march: ${march.name}
  output_model_file_prefix: m
  ${kept ? `node_info: {it: {ON: BPU, ${types}}}` : ""}
input_parameters:
  input_type_rt: featuremap
  input_type_train: featuremap
  input_layout_train: NCHW
  norm_type: no_preprocess
calibration_parameters:
  calibration_type: skip
  ${kept ? "" : "optimization: set_all_nodes_int16"}
compiler_parameters:
  optimize_level: O3
`;
    const { config } = parseConfig(yaml, { file: "m.yaml", modelType: "onnx" });
    const complete = completeConfig(config, graph.inputs).config;
    return int16Tensors(g, layout, march, complete, (line) => told.push(line));
  };
}

/** The features that the operator (or all, where passes took it away) reads and makes are int16. */
function checkInt16(c: Conversion, side: Sides, int16: string): void {
  const owner = c.layout.absorbed.get("it");
  const only = c.layout.groups.get(owner ?? "it");
  const type = (t: string) => c.quantized.tensors.get(t)?.dtype;
  for (const g of only === undefined ? c.layout.groups.values() : [only]) {
    // An activation that became the range of the operator before it reads what that one makes.
    const inputs = owner === undefined && (only === undefined || side[0] === "input")
      ? g.inputs
      : [];
    const made = int16 === "in" || only !== undefined && side.at(-1) === "input" ? [] : g.outputs;
    const outputs = made.filter((t) => only !== undefined || !c.layout.accumulators.has(t));
    for (const t of [...inputs, ...outputs]) equal(type(t), "int16", `${t} of ${g.node.op}`);
  }
}

/** A model with `it` at int16, and what it gives. */
async function runInt16(op: string, spec: Spec, march: March, side: Sides, int16: string) {
  const r = new Random(3);
  const graph = rowGraph(op, spec, r);
  const feeds = new Map([["x", r.values(S)]]);
  const told: string[] = [];
  const c = await convertWith(graph, march, feeds, { int16: asked(march, graph, side, told) });
  checkPlaces(op, spec, march, c);
  checkInt16(c, side, int16);
  const refused = told.filter((line) =>
    line.includes(" it ") && !(int16 === "in" && line.includes("output"))
  );
  equal(refused.join(), "");
  await runExactly(c, feeds);
}

for (const [march, column] of columns) {
  const onBpu = rows.filter((r) => r[column].on === "BPU");
  Deno.test({
    name: `every BPU row of ${march.name} has a model here`,
    ignore: onBpu.length === 0,
    fn() {
      deepEqual(onBpu.map((r) => r.op).filter((op) => specOf(march.name, op) === undefined), []);
    },
  });
  for (const { op, [column]: row } of onBpu) {
    const spec = specOf(march.name, op);
    if (spec === undefined || spec.folds) continue;
    Deno.test(`${op} between two convolutions runs on the BPU of ${march.name}`, async () => {
      for (const seed of march === bayes ? [1, 2] : [1]) {
        const r = new Random(seed);
        const graph = rowGraph(op, spec, r);
        const feeds = new Map([["x", r.values(S)]]);
        const c = await convertWith(graph, march, feeds);
        checkPlaces(op, spec, march, c);
        await runExactly(c, feeds);
      }
    });
    // The rows of bayes_e are those of bayes, by the same code.
    if (row.int16 === "no" || march !== bayes) continue;
    Deno.test(`${op} with int16 in node_info runs at int16 on ${march.name}`, async () => {
      for (const side of sides) await runInt16(op, spec, march, side, row.int16);
    });
  }
}

for (const [march, column] of [[bayes, "bayes"], [bernoulli2, "bernoulli2"]] as const) {
  const rowOf = (op: string) => rows.find((r) => r.op === op)?.[column];
  for (const [op, form, spec] of variantsOf(column)) {
    Deno.test({
      name: `${op} ${form} runs on the BPU of ${march.name}`,
      ignore: rows.length === 0,
      async fn() {
        const r = new Random(4);
        const graph = rowGraph(op, spec, r);
        const feeds = new Map([["x", r.values(S)]]);
        const c = await convertWith(graph, march, feeds);
        checkPlaces(op, spec, march, c);
        await runExactly(c, feeds);
        const { int16 } = rowOf(op)!;
        if (int16 !== "no") await runInt16(op, spec, march, sides[0], int16);
      },
    });
  }
}
