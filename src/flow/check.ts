/**
 * `hb_mapper checker` as a function: converts with random data and says what runs where.
 *
 * @module
 */

import { observe } from "../calibrate/observe.ts";
import { maxThreshold } from "../calibrate/methods/max.ts";
import type { Feeds } from "../ir/engine.ts";
import type { Graph } from "../ir/graph.ts";
import { elementCount, isStatic, shapeText } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import { allocate } from "../ir/tensor.ts";
import { BpuError } from "../errors.ts";
import type { March } from "../march/march.ts";
import type { FloatEngine } from "../run/float.ts";
import { convert } from "./convert.ts";
import type { Conversion } from "./convert.ts";
import { loadQuantized } from "./load_quantized.ts";
import { nodeRows } from "./node_rows.ts";
import type { SourcedRow } from "./node_rows.ts";

/** What the checker found. */
export interface Checked {
  readonly conversion: Conversion;
  readonly rows: readonly SourcedRow[];
}

/** Deterministic values in -1..1. */
export function randomFeeds(graph: Graph): Feeds {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  };
  return new Map(graph.inputs.map((p): [string, Tensor] => {
    const data = allocate(p.dtype, elementCount(p.shape));
    if (data instanceof Float32Array || data instanceof Float64Array) {
      for (let i = 0; i < data.length; i++) data[i] = next();
    }
    return [p.name, { dtype: p.dtype, shape: p.shape, data }];
  }));
}

/** A shape to try: 1 for an open batch, 224 for other open dimensions. */
const example = (shape: readonly number[]) =>
  shape.map((d, i) => d >= 0 ? d : i === 0 ? 1 : 224).join("x");

/** More elements of one input than any memory here holds. */
const MAX_INPUT = 2 ** 31;

/**
 * Throws BpuError when an input cannot be converted: `shape` for an unknown dimension, `limit` for
 * more values than fit, `unsupported` for texts.
 */
export function refuseInputs(graph: Graph): void {
  for (const p of graph.inputs) {
    if (p.dtype === "string") {
      throw new BpuError("unsupported", "an input of texts cannot be converted", {
        tensor: p.name,
        hint: "Export the model from its first input of numbers on.",
      });
    }
    if (isStatic(p.shape) && elementCount(p.shape) > MAX_INPUT) {
      throw new BpuError("limit", `an input of shape ${shapeText(p.shape)} is too large`, {
        tensor: p.name,
        hint: "Give a smaller input_shape, or export the model for one.",
      });
    }
  }
  const all = graph.inputs.filter((p) => !isStatic(p.shape));
  const open = all[0];
  if (open === undefined) return;
  const flags = all.map((p) => `--input-shape ${p.name} ${example(p.shape)}`).join(" ");
  throw new BpuError(
    "shape",
    `The shape of model input:${open.name} is [${
      shapeText(open.shape)
    }] which has unknown dimensions`,
    {
      tensor: open.name,
      hint: `Please specify the input-shape parameter: ${flags} (input_shape in a yaml).`,
    },
  );
}

/** Checks a float graph with static input shapes. */
export async function checkModel(
  graph: Graph,
  march: March,
  engine: FloatEngine,
  log?: (line: string) => void,
): Promise<Checked> {
  refuseInputs(graph);
  const float = loadQuantized(graph, { calibration: { type: "max" } }, (l) => log?.(l)).graph;
  const feeds = randomFeeds(graph);
  const thresholds = new Map<string, number>();
  log?.("Run calibration model with max method.");
  const conversion = await convert(float, {
    march,
    engine,
    ...(log === undefined ? {} : { log }),
    calibrator: {
      candidates: ["max"],
      async observe(g, tensors) {
        const stats = await observe(g, tensors, () => [feeds], engine);
        // Random data may be outside of a function (a logarithm); placement needs no threshold.
        for (const [name, s] of stats) thresholds.set(name, s.count > 0 ? maxThreshold(s) : 1);
      },
      threshold: (_, t, dtype) => ({
        dtype,
        threshold: thresholds.get(t)!,
        zero: 0,
        method: "max",
      }),
    },
  });
  return { conversion, rows: nodeRows(conversion) };
}
