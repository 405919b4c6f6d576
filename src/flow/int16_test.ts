/** Which tensors of normalisations the options and node_info widen. */

import { deepEqual, ok } from "node:assert/strict";
import { completeConfig, parseConfig } from "../formats/config/mod.ts";
import type { Graph } from "../ir/graph.ts";
import { attr, node } from "../ir/graph.ts";
import { f32 } from "../ir/tensor.ts";
import { bayes } from "../march/bayes.ts";
import { optimize } from "../passes/mod.ts";
import { layoutOf } from "../quantize/layout.ts";
import { place } from "../quantize/place.ts";
import { int16Tensors } from "./int16.ts";
import { placeOptions } from "./place_options.ts";
import { graphOf, Random } from "./op_exact/harness.ts";

/** Two normalisations, as exporters write them, between projections: of x0 comes a, n, b, q and y. */
async function network(): Promise<Graph> {
  const r = new Random(1), axes = { axes: attr.ints([-1]), keepdims: attr.int(1) };
  return (await optimize(graphOf({
    inputs: [[1, 6, 16]],
    constants: {
      w: r.values([16, 16]),
      gamma: r.values([16]),
      two: f32([], [2]),
      epsilon: f32([], [1e-5]),
    },
    nodes: [
      node("MatMul", "first", ["x0", "w"], ["a"]),
      node("ReduceMean", "mean", ["a"], ["m"], axes),
      node("Sub", "sub", ["a", "m"], ["d"]),
      node("Pow", "square", ["d", "two"], ["d2"]),
      node("ReduceMean", "var", ["d2"], ["v"], axes),
      node("Add", "add", ["v", "epsilon"], ["e"]),
      node("Sqrt", "root", ["e"], ["s"]),
      node("Div", "norm", ["d", "s"], ["n"]),
      node("MatMul", "second", ["n", "w"], ["b"]),
      node("Mul", "square2", ["b", "b"], ["b2"]),
      node("ReduceMean", "mean2", ["b2"], ["v2"], axes),
      node("Add", "add2", ["v2", "epsilon"], ["e2"]),
      node("Sqrt", "root2", ["e2"], ["s2"]),
      node("Div", "rms", ["b", "s2"], ["p"]),
      node("Mul", "scale", ["p", "gamma"], ["q"]),
      node("MatMul", "last", ["q", "w"], ["y"]),
    ],
  }))).graph;
}

/** Of a, n, b and q those that become int16, whether others do, and what is logged. */
async function widened(
  option: string,
  nodeInfo = "",
): Promise<{ wide: string[]; others: number; log: string[] }> {
  const graph = await network(), log: string[] = [];
  const yaml = `model_parameters:
  onnx_model: m.onnx
  march: bayes
  output_model_file_prefix: m
  ${nodeInfo}
input_parameters:
  input_type_rt: featuremap
  input_type_train: featuremap
  input_layout_train: NCHW
  norm_type: no_preprocess
calibration_parameters:
  calibration_type: skip
  ${option && `optimization: ${option}`}
compiler_parameters:
  optimize_level: O3
`;
  const { config } = parseConfig(yaml, { file: "m.yaml", modelType: "onnx" });
  const complete = completeConfig(config, graph.inputs).config;
  const layout = layoutOf(graph, place(graph, bayes, placeOptions(complete, false)), bayes);
  const wide = int16Tensors(graph, layout, bayes, complete, (line) => log.push(line));
  const named = ["a", "n", "b", "q"].filter((t) => wide.has(layout.root(t)));
  return { wide: named, others: wide.size - named.length, log };
}

Deno.test("a written-out normalisation takes the options of its kind", async () => {
  const kinds = (await network()).nodes.map((n) => n.op);
  deepEqual(kinds.filter((k) => k.includes("Norm")), ["LayerNormalization", "HzRMSNormalization"]);
  for (
    const [option, tensors] of [
      ["set_LayerNormalization_input_int16", ["a"]],
      ["set_LayerNormalization_output_int16", ["n"]],
      ["set_HzRMSNormalization_input_int16", ["b"]],
      ["set_HzRMSNormalization_output_int16", ["q"]],
    ] as const
  ) {
    deepEqual(await widened(option), { wide: [...tensors], others: 0, log: [] }, option);
  }
});

Deno.test("a normalisation takes types from node_info, by the name of the node that divides", async () => {
  for (
    const [info, tensors] of [
      ["{norm: {InputType: int16}}", ["a"]],
      ["{norm: {OutputType: int16}}", ["n"]],
      ["{norm: {InputType0: int16, OutputType: int16}}", ["a", "n"]],
      ["{rms: {InputType: int16, OutputType: int16}}", ["b", "q"]],
      // The scale is a constant: nothing of it is a tensor that could be widened.
      ["{norm: {InputType1: int16}}", []],
    ] as const
  ) {
    deepEqual(
      await widened("", `node_info: ${info}`),
      { wide: [...tensors], others: 0, log: [] },
      info,
    );
  }
});

Deno.test("a node that a normalisation has taken in is named as unknown", async () => {
  const { wide, others, log } = await widened("", "node_info: {sub: {OutputType: int16}}");
  deepEqual([wide, others], [[], 0]);
  ok(log[0]?.includes("sub is not a node of the optimized model"), log.join("\n"));
});

Deno.test("a normalisation on the CPU keeps its float and says so", async () => {
  const { wide, others, log } = await widened("", "node_info: {norm: {ON: CPU, InputType: int16}}");
  deepEqual([wide, others], [[], 0]);
  deepEqual(log, ["int16 is not set for norm: it runs on the CPU in float"]);
});
