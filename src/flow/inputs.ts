/**
 * Input preprocessing as nodes of the graph: what the runtime delivers goes in, the trained network's
 * input comes out.
 *
 * @module
 */

import type { CompleteInput } from "../formats/config/mod.ts";
import { preprocessMatrix } from "../formats/data/mod.ts";
import { BpuError } from "../errors.ts";
import type { Graph, Node, Port } from "../ir/graph.ts";
import { attr, HORIZON, node } from "../ir/graph.ts";
import { tensor } from "../ir/tensor.ts";
import type { Tensor, TensorType } from "../ir/tensor.ts";
import type { TensorPlan } from "../quantize/plan.ts";

/** A graph with its preprocessing, and what calibration and quantization must know about its inputs. */
export interface Prepared {
  readonly graph: Graph;
  /** Thresholds that follow from the input type: pictures are -128..127 in steps of 1. */
  readonly fixed: ReadonlyMap<string, TensorPlan>;
  /** Inputs that the quantized graph takes as int8. */
  readonly integerInputs: ReadonlySet<string>;
}

/** Name of the preprocessing node of an input, as in the original tool. */
export function preprocessName(input: string): string {
  return `HZ_PREPROCESS_FOR_${input}`;
}

/** What the first node of an input takes, in the original's words: `YUV444_128` is YUV minus 128. */
export function intermediateType(input: Pick<CompleteInput, "typeRt">): string {
  switch (input.typeRt) {
    case "nv12":
    case "yuv444":
      return "YUV444_128";
    case "featuremap":
      return "featuremap";
    default:
      return `${input.typeRt.toUpperCase()}_128`;
  }
}

/**
 * Adds HzPreprocess nodes for picture inputs, and mean and scale for feature maps that have them.
 *
 * @param inputs in any order; every graph input must have one
 */
export function attachInputs(graph: Graph, inputs: readonly CompleteInput[]): Prepared {
  const nodes: Node[] = [];
  const constants = new Map<string, Tensor>(graph.constants);
  const types = new Map<string, TensorType>(graph.types);
  const ports: Port[] = [];
  const renamed = new Map<string, string>();
  const fixed = new Map<string, TensorPlan>();
  const integerInputs = new Set<string>();

  for (const p of graph.inputs) {
    const input = inputs.find((i) => i.name === p.name);
    if (input === undefined) {
      throw new BpuError("config", `the yaml does not describe the model input ${p.name}`, {
        key: "input_parameters.input_name",
        tensor: p.name,
        hint: "Name every input of the model, separated by ';'.",
      });
    }
    ports.push({ ...p, shape: input.shape });
    const picture = input.typeRt !== "featuremap";
    if (picture) {
      integerInputs.add(p.name);
      fixed.set(p.name, { dtype: "int8", threshold: 127, zero: 0, method: "input" });
    }
    const matrix = preprocessMatrix(input);
    if (matrix === undefined) continue;
    if (p.shape.length !== 4) {
      throw new BpuError(
        "config",
        `input ${p.name} has rank ${p.shape.length}, norm_type needs 4`,
        {
          key: "input_parameters.norm_type",
          tensor: p.name,
          hint: "Use norm_type no_preprocess.",
        },
      );
    }
    const name = preprocessName(p.name);
    const [o, i] = [matrix.bias.length, matrix.weight.length / matrix.bias.length];
    constants.set(
      `${name}_weight`,
      tensor("float32", [o, i, 1, 1], Float32Array.from(matrix.weight)),
    );
    constants.set(`${name}_bias`, tensor("float32", [o], Float32Array.from(matrix.bias)));
    const nhwc = input.layoutTrain === "NHWC";
    const nchw = (s: readonly number[]) => nhwc ? [s[0]!, s[3]!, s[1]!, s[2]!] : [...s];
    const shape = nchw(input.shape);
    const temp = (suffix: string, dims: readonly number[]) => {
      const t = `${name}${suffix}`;
      types.set(t, { dtype: "float32", shape: dims });
      return t;
    };
    let x = p.name;
    if (nhwc) {
      const t = temp("_NHWC2NCHW", shape);
      nodes.push(node("Transpose", `${name}_NHWC2NCHW_LayoutConvert_Input0`, [x], [t], {
        perm: attr.ints([0, 3, 1, 2]),
      }));
      x = t;
    }
    const y = temp("", [shape[0]!, o, shape[2]!, shape[3]!]);
    nodes.push(node("HzPreprocess", name, [x, `${name}_weight`, `${name}_bias`], [y], {}, HORIZON));
    let out = y;
    if (nhwc) {
      out = temp("_NCHW2NHWC", [shape[0]!, shape[2]!, shape[3]!, o]);
      nodes.push(node("Transpose", `${name}_NCHW2NHWC_LayoutConvert_Output0`, [y], [out], {
        perm: attr.ints([0, 2, 3, 1]),
      }));
    }
    renamed.set(p.name, out);
  }
  const read = (t: string) => renamed.get(t) ?? t;
  return {
    graph: {
      ...graph,
      domains: new Map([...graph.domains, [HORIZON, 1]]),
      nodes: [...nodes, ...graph.nodes.map((n) => ({ ...n, inputs: n.inputs.map(read) }))],
      inputs: ports,
      constants,
      types,
      metadata: new Map([
        ...graph.metadata,
        ...inputs.map((
          i,
        ): [string, string] => [`bpukit_input_type:${i.name}`, intermediateType(i)]),
      ]),
    },
    fixed,
    integerInputs,
  };
}
