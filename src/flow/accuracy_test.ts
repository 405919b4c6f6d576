import assert from "node:assert/strict";
import { completeConfig, parseConfig } from "../formats/config/mod.ts";
import type { CompleteConfig } from "../formats/config/mod.ts";
import { randomCalibration } from "../formats/data/mod.ts";
import { attr, node } from "../ir/graph.ts";
import type { Graph } from "../ir/graph.ts";
import { functionsOf } from "../ops/functions.ts";
import { createFloatEngine } from "../run/float.ts";
import { int16Tensors as int16InPlan } from "../quantize/plan.ts";
import { makertbin } from "./makertbin.ts";
import type { Made } from "./makertbin.ts";
import { splitSamples } from "./search/held_back.ts";
import type { MixedGoal } from "./search/mixed.ts";
import { smallConfig, smallGraph } from "./testing.ts";

/** Configuration of the small model with other calibration keys and node_info. */
function config(type: string, optimization = "", nodeInfo = "", march = "bayes"): CompleteConfig {
  const text = smallConfig({})
    .replace("calibration_type: 'skip'", `calibration_type: '${type}'\n  cal_data_dir: './cal'`)
    .replace(
      "calibration_parameters:",
      `calibration_parameters:${optimization && `\n  optimization: '${optimization}'`}`,
    )
    .replace("march: 'bayes'", `march: '${march}'`)
    .replace("input_parameters:", `${nodeInfo.replace(/^/gm, "  ")}\ninput_parameters:`);
  const parsed = parseConfig(text, { file: "small.yaml", modelType: "onnx" });
  return completeConfig(parsed.config, smallGraph({}).inputs).config;
}

async function make(
  c: CompleteConfig,
  goal?: MixedGoal,
  model = smallGraph({}),
): Promise<{ made: Made; log: string[] }> {
  const log: string[] = [];
  const engine = createFloatEngine({ workers: 0, functions: functionsOf });
  try {
    const made = await makertbin(c, model, {
      engine,
      samples: randomCalibration(c.inputs, 8),
      log: (line) => log.push(line),
      ...(goal === undefined ? {} : { goal }),
    });
    assert.equal(made.proof.exact.differing, 0);
    return { made, log };
  } finally {
    await engine.close();
  }
}

const wide = (m: Made) => [...int16InPlan(m.conversion.plan.tensors)].sort();
const scores = (log: readonly string[]) =>
  new Map(log.flatMap((l): [string, number][] => {
    const m = /^ {2}(.*): similarity ([\d.]+)/.exec(l);
    return m === null ? [] : [[m[1]!, Number(m[2])]];
  }));

Deno.test("held-back samples are apart from the others and spread over all", () => {
  for (const n of [9, 10, 20, 100, 1000]) {
    const { observed, held } = splitSamples(n);
    assert.equal(observed.length + held.length, n);
    assert.equal(new Set([...observed, ...held]).size, n);
    assert.ok(held.length >= 1 && held.length <= 16);
  }
  assert.deepEqual(splitSamples(2), { observed: [0, 1], held: [0, 1] });
  assert.equal(splitSamples(8).held.length, 8);
  const { held } = splitSamples(1000);
  assert.ok(held[0]! < 100 && held.at(-1)! > 900);
});

Deno.test("default: prints the space, is deterministic, never below max", async () => {
  const first = await make(config("default")), again = await make(config("default"));
  assert.deepEqual(first.log, again.log);
  assert.deepEqual(first.made.files.get("small.bin"), again.made.files.get("small.bin"));
  assert.ok(first.log.some((l) => l.startsWith("search space: methods [max, ")));
  const chosen = first.log.map((l) => /^chosen: (.*), similarity ([\d.]+)/.exec(l)).find((m) => m);
  assert.ok(Number(chosen![2]) >= scores(first.log).get("max")!);
});

Deno.test("bias_correction: the choice is printed, the stage models hold it", async () => {
  const { made, log } = await make(config("max", "bias_correction"));
  assert.ok(log.some((l) => l.includes("max, bias correction of the weights: similarity")));
  assert.ok(log.some((l) => l.includes("max, bias correction full: similarity")));
  const { recipe, optimized, calibrated } = made.conversion;
  const bias = (g: typeof optimized) =>
    g.nodes.filter((n) => n.op === "Conv").map((n) => g.constants.get(n.inputs[2] ?? "")?.data);
  if (recipe.bias !== undefined) assert.notDeepEqual(bias(optimized), bias(calibrated));
  else assert.deepEqual(bias(optimized), bias(calibrated));
});

Deno.test("int16 by node_info and by optimization", async () => {
  const byNode = await make(config("max", "", "node_info: {'conv1': {'OutputType': 'int16'}}"));
  // conv1 has absorbed the Relu: its result is r. conv2 reads int16, so its accumulators are int16.
  assert.deepEqual(wide(byNode.made), ["r", "y"]);
  const byInput = await make(config("max", "", "node_info: {'conv2': {'InputType0': 'int16'}}"));
  assert.deepEqual(wide(byInput.made), ["r", "y"]);
  const byKind = await make(config("max", "set_Conv_input_int16"));
  assert.deepEqual(wide(byKind.made), ["data", "r", "y"]);
  const all = await make(config("max", "set_all_nodes_int16"));
  assert.deepEqual(wide(all.made), ["data", "r", "y"]);
});

Deno.test("int16 that cannot be is logged and runs in int8", async () => {
  const unknown = await make(config("max", "", "node_info: {'nothing': {'OutputType': 'int16'}}"));
  assert.deepEqual(wide(unknown.made), []);
  assert.ok(unknown.log.some((l) => l.includes("nothing is not a node")));
  const march = await make(config("max", "set_Conv_output_int16", "", "bernoulli2"));
  assert.deepEqual(wide(march.made), []);
  assert.ok(march.log.some((l) => l.includes("bernoulli2 has no int16")));
});

Deno.test("--int16-tensors: the node_info that it prints gives the same tensors", async () => {
  const { made, log } = await make(config("default"), { tensors: 1 });
  const found = wide(made);
  assert.ok(found.length >= 1);
  const from = log.indexOf("node_info to paste into model_parameters:") + 1;
  const to = log.indexOf("}", from) + 1;
  const pasted = await make(config("max", "", log.slice(from, to).join("\n")));
  assert.deepEqual(wide(pasted.made), found);
  const text = (name: string) => new TextDecoder().decode(made.files.get(name));
  assert.match(text("small_pareto.csv"), /^int16_tensors,added_tensor,latency_us,/);
  assert.match(text("small_pareto.svg"), /<polyline points="[\d., ]+"/);
  const { mixed } = made.search!;
  assert.deepEqual([...mixed!.int16].sort(), found);
  assert.equal(mixed!.nodeInfo, log.slice(from, to).join("\n"));
  assert.deepEqual(mixed!.pareto.map((p) => p.count), [...mixed!.pareto.keys()]);
  const table = log.slice(log.indexOf("accuracy against latency (* chosen):") + 1);
  assert.match(table[0]!, /int16 tensors +latency us +predicted error +worst output/);
  assert.ok(table.some((l) => /^ {2}1 \* +[\d.]+ +[\d.e+-]+ +[\d.]+$/.test(l)), table.join("\n"));
});

Deno.test("--accuracy: few evaluations; unreachable goals are said to be", async () => {
  const easy = await make(config("default"), { accuracy: 0.5 });
  assert.deepEqual(wide(easy.made), []);
  const hard = await make(config("default"), { accuracy: 1 });
  assert.ok(hard.log.some((l) => l.includes("is not reached")));
  const steps = hard.log.filter((l) => /tensors at int16: similarity/.test(l)).length;
  assert.ok(steps <= Math.log2(3) + 3);
});

Deno.test("set_Softmax_output_int8 asks Softmax onto the BPU", async () => {
  const plain = smallGraph({});
  const type = { dtype: "float32" as const, shape: plain.outputs[0]!.shape };
  const graph: Graph = {
    ...plain,
    nodes: [...plain.nodes, node("Softmax", "prob", ["y"], ["p"], { axis: attr.int(1) })],
    outputs: [{ name: "p", ...type }],
    types: new Map([...plain.types, ["p", type]]),
  };
  const on = async (optimization: string) => {
    const { made } = await make(config("max", optimization), undefined, graph);
    return made.conversion.plan.nodes.get("prob")!.on;
  };
  assert.equal(await on(""), "CPU");
  assert.equal(await on("set_Softmax_output_int8"), "BPU");
});

Deno.test("per_channel says what it did and what it is worth, and is kept", async () => {
  const c = config("max");
  const { made, log } = await make({ ...c, calibration: { ...c.calibration, perChannel: true } });
  assert.ok(
    log.some((l) => l === "per_channel: 1 tensors have a scale per channel"),
    log.join("\n"),
  );
  assert.ok(log.some((l) => /^per_channel: similarity [\d.]+ without, [\d.]+ with it; /.test(l)));
  assert.equal(made.conversion.recipe.form, "per_channel");
  // Thresholds come from all samples: nothing is decided.
  assert.ok(log.some((l) => l.startsWith("8 of 8 samples are compared")));
});

Deno.test("asymmetric by option: zero points where they make steps finer, bits proven", async () => {
  const { made } = await make(config("max", "asymmetric"));
  const plans = [...made.conversion.plan.tensors.values()];
  assert.ok(plans.some((p) => p.dtype === "int8" && p.zero !== 0));
  const symmetric = await make(config("max"));
  assert.ok([...symmetric.made.conversion.plan.tensors.values()].every((p) => p.zero === 0));
});

Deno.test("default decides on per_channel, zero points and equalization itself", async () => {
  const { made, log } = await make(config("default"), undefined, unevenGraph());
  const space = log.find((l) => l.startsWith("search space: "))!;
  assert.match(
    space,
    /per_channel \[False, True\], asymmetric \[.*\], equalization \[False, True\]/,
  );
  const tried = scores(log);
  const forms = [...tried.keys()].filter((n) => /, (per_channel|equalized)$/.test(n));
  assert.ok(forms.length >= 2, log.join("\n"));
  const chosen = log.map((l) => /^chosen: (.*), similarity ([\d.]+)/.exec(l)).find((m) => m)!;
  assert.ok(Number(chosen[2]) >= tried.get("max")!);
  // One channel is 100 times louder than the others: one scale for all cannot be the choice.
  assert.notEqual(made.conversion.recipe.form ?? "plain", "plain", chosen[1]);
});

/** The small model with a first convolution whose channels differ and a second that evens them out. */
function unevenGraph(): Graph {
  const graph = smallGraph({});
  const scaled = (name: string, axis: number, f: (c: number) => number) => {
    const k = graph.constants.get(name)!,
      inner = k.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const data = (k.data as Float32Array).map((v, i) =>
      v * f(Math.floor(i / inner) % k.shape[axis]!)
    );
    return [name, { ...k, data }] as const;
  };
  const [first, second] = graph.nodes.filter((n) => n.op === "Conv");
  const factor = (c: number) => c === 0 ? 100 : 1;
  const bias = first!.inputs[2];
  return {
    ...graph,
    constants: new Map([
      ...graph.constants,
      scaled(first!.inputs[1]!, 0, factor),
      ...(bias === undefined ? [] : [scaled(bias, 0, factor)]),
      scaled(second!.inputs[1]!, 1, (c) => 1 / factor(c)),
    ]),
  };
}

Deno.test("adaround: measured, deterministic, in the stage models", async () => {
  const first = await make(config("max", "adaround")),
    again = await make(config("max", "adaround"));
  assert.ok(first.log.some((l) => /^adaround: \d+ weights of 2 layers/.test(l)));
  assert.ok(first.log.some((l) => l.startsWith("  max, adaround: similarity ")));
  assert.deepEqual(first.made.files.get("small.bin"), again.made.files.get("small.bin"));
});

Deno.test("accuracy_target is --accuracy; options without effect say so", async () => {
  const c = config("default");
  const given = (more: Partial<CompleteConfig["calibration"]>): CompleteConfig => ({
    ...c,
    calibration: { ...c.calibration, ...more },
  });
  const flag = await make(c, { accuracy: 1 }), key = await make(given({ accuracyTarget: 1 }));
  assert.deepEqual(key.log, flag.log);
  assert.ok(key.made.files.has("small_node_info.txt"));
  const easy = await make(given({ accuracyTarget: 1 }), { accuracy: 0.5 });
  assert.deepEqual(wide(easy.made), [], "the flag wins");
  const { log } = await make(given({ type: "max", optimization: ["lstm_batch_last"] }));
  assert.ok(log.some((l) => l.startsWith("optimization lstm_batch_last has no effect: ")));
});
