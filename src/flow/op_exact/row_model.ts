/**
 * For tests only: models of single rows of the operator table, converted and run.
 *
 * @module
 */

import { equal } from "node:assert/strict";
import { readBin, writeBin } from "../../container/bin.ts";
import type { Graph, Node } from "../../ir/graph.ts";
import { attr, node } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { elementCount, i64, numbersOf } from "../../ir/tensor.ts";
import type { March } from "../../march/march.ts";
import { functionsOf } from "../../ops/functions.ts";
import { inferTypes } from "../../ops/infer.ts";
import { openProgram } from "../../run/simulator.ts";
import { convert } from "../convert.ts";
import type { Conversion, ConvertOptions } from "../convert.ts";
import { exactness } from "../prove.ts";
import { engine } from "./harness.ts";
import type { Random } from "./harness.ts";
import { S } from "./row_specs.ts";
import type { Spec } from "./row_specs.ts";

/** The graph of a row: the operator, named `it`, between two convolutions. */
export function rowGraph(op: string, spec: Spec, r: Random): Graph {
  const nodes: Node[] = [];
  const constants = new Map<string, Tensor>();
  const store = (name: string, t: Tensor) => {
    constants.set(name, t);
    return name;
  };
  /** A feature map of a shape, made by a convolution of the input. */
  const feature = (name: string, shape: readonly number[]): string => {
    const count = elementCount(shape);
    const channels = count / 64;
    const rank4 = shape.length === 4 && shape[0] === 1 && shape[2] === 8 && shape[3] === 8;
    const made = rank4 ? name : `${name}_conv`;
    const out = Math.ceil(channels);
    nodes.push(
      node("Conv", `${name}_c`, ["x", store(`${name}_w`, r.values([out, 8, 1, 1]))], [made]),
    );
    if (rank4) return name;
    let from = made;
    if (out * 64 !== count) {
      const flat = store(`${name}_flat`, i64([1, 1, 1, out * 64]));
      nodes.push(node("Reshape", `${name}_f`, [from, flat], [`${name}_flat_out`]));
      const ends = [i64([0]), i64([count]), i64([3])].map((t, i) => store(`${name}_cut${i}`, t));
      nodes.push(node("Slice", `${name}_s`, [`${name}_flat_out`, ...ends], [`${name}_cut`]));
      from = `${name}_cut`;
    }
    nodes.push(node("Reshape", `${name}_r`, [from, store(`${name}_shape`, i64(shape))], [name]));
    return name;
  };
  const x = feature("a", spec.shape ?? S);
  const inputs = [
    ...(spec.left === undefined ? [] : [store("left", spec.left)]),
    x,
    ...(spec.more ?? []).map((m, i) => {
      if ("feature" in m) return feature(`b${i}`, m.feature);
      return m.data.length === 0 ? "" : store(`k${i}`, m);
    }),
  ];
  nodes.push(node(op, "it", inputs, ["y", ...spec.outputs ?? []], spec.attrs ?? {}));
  const graph = (outputs: Graph["outputs"]): Graph => ({
    name: op,
    opset: 17,
    domains: new Map(),
    nodes,
    inputs: [{ name: "x", dtype: "float32", shape: S }],
    outputs,
    constants,
    types: new Map(),
    metadata: new Map(),
  });
  // Every output goes into another convolution.
  const types = inferTypes(graph([])).types;
  const ends = ["y", ...spec.outputs ?? []].map((name) => {
    if (spec.last) return name;
    const t = types.get(name)!;
    let from = name;
    if (t.dtype !== "float32") {
      nodes.push(node("Cast", `${name}_cast`, [from], [`${name}_float`], { to: attr.int(1) }));
      from = `${name}_float`;
    }
    let shape = t.shape;
    if (shape.length !== 4) {
      shape = [1, elementCount(shape), 1, 1];
      nodes.push(
        node("Reshape", `${name}_back`, [from, store(`${name}_4`, i64(shape))], [`${name}4`]),
      );
      from = `${name}4`;
    }
    const w = store(`${name}_end_w`, r.values([3, shape[1]!, 1, 1]));
    nodes.push(node("Conv", `${name}_end`, [from, w], [`${name}_out`]));
    return `${name}_out`;
  });
  const bare = inferTypes(graph([]));
  return { ...bare, outputs: ends.map((name) => ({ name, ...bare.types.get(name)! })) };
}

/** Converts with the thresholds of one sample; the node `it` is asked onto the BPU. */
export async function convertWith(
  graph: Graph,
  march: March,
  feeds: ReadonlyMap<string, Tensor>,
  options: Pick<ConvertOptions, "int16"> = {},
): Promise<Conversion> {
  const thresholds = new Map<string, number>();
  return await convert(graph, {
    ...options,
    march,
    engine,
    place: { bpu: new Set(["it"]) },
    calibrator: {
      candidates: ["max"],
      async observe(g, tensors) {
        const session = await engine.open(g, tensors);
        for (const [name, t] of await session.run(feeds)) {
          let most = 1e-3;
          for (const v of numbersOf(t)) if (Math.abs(v) > most) most = Math.abs(v);
          thresholds.set(name, Math.min(most, 1e6));
        }
        await session.close();
      },
      threshold: (_, t, dtype) => ({
        dtype,
        threshold: thresholds.get(t) ?? 1,
        zero: 0,
        method: "max",
      }),
    },
  });
}

/** The outputs of the program from its file, which must be those of stock onnxruntime-web bit for bit. */
export async function runExactly(
  c: Conversion,
  feeds: ReadonlyMap<string, Tensor>,
): Promise<ReadonlyMap<string, Tensor>> {
  const file = await writeBin({ program: c.program, info: {} }, functionsOf);
  const { program } = await readBin(file, "row.bin");
  const simulator = await openProgram(program, { cpu: engine });
  const session = await engine.open(c.quantized.graph);
  const simulated = await simulator.run(feeds);
  const found = exactness(simulated, await session.run(feeds));
  await session.close();
  await simulator.close();
  equal(found.differing, 0, `${found.differing} of ${found.total} differ`);
  return simulated;
}
