/**
 * The chain from a float graph to a program: optimize, place, calibrate, quantize, compile. Every stage
 * is a value in the result.
 *
 * @module
 */

import { compile } from "../compile/compile.ts";
import type { Program } from "../compile/program.ts";
import type { Engine } from "../ir/engine.ts";
import type { Graph } from "../ir/graph.ts";
import type { March } from "../march/march.ts";
import { inferTypes } from "../ops/infer.ts";
import { optimize } from "../passes/mod.ts";
import { insertCalibration } from "../quantize/calibrated.ts";
import { layoutOf } from "../quantize/layout.ts";
import type { QuantLayout } from "../quantize/layout.ts";
import { Refusal } from "../quantize/lower.ts";
import { place } from "../quantize/place.ts";
import type { PlaceOptions } from "../quantize/place.ts";
import type { Plan, TensorPlan } from "../quantize/plan.ts";
import type { Quantized } from "../quantize/quantize.ts";
import type { Calibrator } from "./calibrator.ts";
import { closed } from "./search/regions.ts";
import { addForm } from "./search/forms.ts";
import type { Fork } from "./search/forms.ts";
import { openWorkshop } from "./search/recipe.ts";
import type { Recipe, Workshop } from "./search/recipe.ts";

export type { Calibrator };

/** Names of the stages, in order. */
export type StageName = "optimize" | "calibrate" | "quantize" | "compile";

/** What {@linkcode convert} needs. */
export interface ConvertOptions {
  readonly march: March;
  readonly place?: PlaceOptions;
  /** Operators of which every node is asked onto the BPU (`set_Softmax_output_int8`). */
  readonly bpuKinds?: ReadonlySet<string>;
  /** Thresholds that are known beforehand (inputs of pictures). */
  readonly fixed?: ReadonlyMap<string, TensorPlan>;
  /** Weight thresholds that a quantized model brought with it (`calibration_type: load`). */
  readonly weights?: ReadonlyMap<string, Float32Array>;
  /** Graph inputs that arrive as int8. */
  readonly integerInputs?: ReadonlySet<string>;
  /**
   * Tensors of the optimized graph that are to be int16, for a layout (so that a request about a node's
   * output finds the tensor that carries its scale). Tensors named by any sharer count.
   */
  readonly int16?: (graph: Graph, layout: QuantLayout) => ReadonlySet<string>;
  readonly calibrator: Calibrator;
  /**
   * A calibrator for a graph with other constants, that has observed some of its tensors; for
   * `perChannel` and searches. Without it the calibrator itself observes them again, and no search may
   * add forms.
   */
  readonly fork?: Fork;
  /** One activation scale per channel where every reader can absorb it. */
  readonly perChannel?: boolean;
  /** Decides how the graph is quantized; without it the calibrator's first method does. */
  search?(workshop: Workshop, plain: Recipe): Promise<Recipe>;
  /** Evaluates constant nodes that have no fold of their own. */
  readonly engine?: Engine;
  /** One line for the log. */
  log?(line: string): void;
  /** Called when a stage ends; the caller keeps the time. */
  stage?(name: StageName): void;
}

/** All stages of a conversion. */
export interface Conversion {
  readonly original: Graph;
  readonly optimized: Graph;
  readonly calibrated: Graph;
  readonly quantized: Quantized;
  readonly program: Program;
  readonly plan: Plan;
  readonly layout: QuantLayout;
  /** Method that set the thresholds. */
  readonly method: string;
  readonly recipe: Recipe;
}

/** Runs the float passes for a march on a graph with static shapes. */
export async function optimized(
  original: Graph,
  options: { march: March; engine?: Engine; log?(line: string): void },
): Promise<Graph> {
  const { graph } = await optimize(inferTypes(original), {
    march: options.march,
    ...(options.engine === undefined ? {} : { engine: options.engine }),
    ...(options.log === undefined ? {} : { log: (line) => options.log?.(line) }),
  });
  return inferTypes(graph);
}

/**
 * Converts a float graph.
 *
 * A node whose numbers do not fit is moved to the CPU with its reason, and the rest is quantized again.
 */
export async function convert(original: Graph, options: ConvertOptions): Promise<Conversion> {
  const graph = await optimized(original, options);
  options.stage?.("optimize");
  const refused = new Map<string, string>(options.place?.refused);
  const denied = new Set<string>();
  const told = new Set<string>();
  const tell = (line: string) => {
    if (!told.has(line)) options.log?.(line);
    told.add(line);
  };
  const known = new Set<string>(options.fixed?.keys());
  const { calibrator } = options;

  for (;;) {
    const bpu = new Set(options.place?.bpu);
    for (const n of graph.nodes) if (options.bpuKinds?.has(n.op)) bpu.add(n.name);
    const nodes = place(graph, options.march, { ...options.place, bpu, refused });
    const layout = layoutOf(graph, nodes, options.march);
    const asked = new Set(
      [...options.int16?.(graph, layout) ?? []].map((t) => layout.root(t))
        .filter((t) => !denied.has(t)),
    );
    // Accumulators need thresholds where a search makes their inputs int16.
    const observed = new Set([
      ...layout.needed,
      ...[...layout.accumulators].map((t) => layout.root(t)),
    ]);
    const missing = [...observed].filter((t) => !known.has(t));
    if (missing.length > 0) {
      await calibrator.observe(graph, missing);
      for (const t of missing) known.add(t);
    }
    const workshop = openWorkshop({
      graph,
      march: options.march,
      nodes,
      calibrator,
      ...(options.fixed === undefined ? {} : { fixed: options.fixed }),
      ...(options.weights === undefined ? {} : { weights: options.weights }),
      ...(options.integerInputs === undefined ? {} : { integerInputs: options.integerInputs }),
    });
    try {
      const per = options.perChannel === true && await addPerChannel(workshop, options, tell);
      const plain: Recipe = {
        method: calibrator.candidates[0]!,
        int16: closed(workshop, asked),
        ...(per ? { form: "per_channel" } : {}),
      };
      const first = workshop.build(plain);
      const recipe = await options.search?.(workshop, plain) ?? plain;
      options.stage?.("calibrate");
      // A search may have changed the thresholds behind the same recipe.
      const built = options.search === undefined ? first : workshop.build(recipe);
      const calibrated = insertCalibration(built.graph, built.plan, built.layout);
      options.stage?.("quantize");
      const program = compile(built.quantized.graph, options.march.name);
      options.stage?.("compile");
      return {
        original,
        optimized: workshop.formOf(recipe).graph,
        calibrated,
        quantized: built.quantized,
        program,
        plan: built.plan,
        layout: built.layout,
        method: recipe.method,
        recipe,
      };
    } catch (error) {
      if (!(error instanceof Refusal) || refused.has(error.nodeName)) throw error;
      const wide = touched(layout, error.nodeName).filter((t) => asked.has(t));
      if (wide.length > 0) {
        for (const t of wide) denied.add(t);
        options.log?.(`Layer ${error.nodeName} cannot use int16 and runs in int8: ${error.why}`);
        continue;
      }
      refused.set(error.nodeName, error.why);
      options.log?.(`Layer ${error.nodeName} will be executed on CPU: ${error.why}`);
    }
  }
}

/** Adds the form with scales per channel and says what was done; false where nothing could be. */
async function addPerChannel(
  workshop: Workshop,
  options: ConvertOptions,
  log: (line: string) => void,
): Promise<boolean> {
  const { calibrator } = options;
  const again: Fork = async (graph, tensors) => {
    await calibrator.observe(graph, tensors);
    return calibrator;
  };
  const { changed, notes } = await addForm(workshop, "per_channel", options.fork ?? again);
  for (const line of notes) log(`per_channel: ${line}`);
  log(`per_channel: ${changed} tensors have a scale per channel`);
  return changed > 0;
}

/** Tensors (roots) that a node reads or makes. */
function touched(layout: QuantLayout, node: string): string[] {
  const g = layout.groups.get(layout.absorbed.get(node) ?? node);
  return g === undefined ? [] : [...g.inputs, ...g.outputs].map((t) => layout.root(t));
}
