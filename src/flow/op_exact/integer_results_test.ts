/** Quantized operators that make or take indices or truth values, in graphs written by hand. */

import { equal } from "node:assert/strict";
import { compile } from "../../compile/compile.ts";
import type { Graph, Node } from "../../ir/graph.ts";
import { attr, HORIZON, node } from "../../ir/graph.ts";
import type { DType, Tensor } from "../../ir/tensor.ts";
import { elementCount, f32, i64, tensor } from "../../ir/tensor.ts";
import { inferTypes } from "../../ops/infer.ts";
import { openProgram } from "../../run/simulator.ts";
import { exactness } from "../prove.ts";
import { engine, map, Random } from "./harness.ts";

const operators = (name: string, make: (r: Random, b: HandGraph) => void) => {
  Deno.test(`${name}: the simulator equals onnxruntime-web bit for bit`, async () => {
    for (let seed = 0; seed < 24; seed++) {
      const r = new Random(seed * 17 + name.length);
      const b = new HandGraph(r);
      make(r, b);
      const graph = b.graph();
      const feeds = new Map(
        graph.inputs.map((p) => [p.name, b.given.get(p.name) ?? r.values(p.shape, 2)]),
      );
      const simulator = await openProgram(compile(graph, "bayes"), { cpu: engine });
      const session = await engine.open(graph);
      const found = exactness(await simulator.run(feeds), await session.run(feeds));
      await session.close();
      await simulator.close();
      equal(found.differing, 0, `seed ${seed}: ${found.differing} of ${found.total} differ`);
    }
  });
};

/** A quantized graph in the making: quantized inputs, one operator, outputs of any type. */
class HandGraph {
  readonly nodes: Node[] = [];
  readonly constants = new Map<string, Tensor>();
  readonly inputs: { name: string; dtype: DType; shape: readonly number[] }[] = [];
  /** Values of the inputs that are not features. */
  readonly given = new Map<string, Tensor>();
  outputs: string[] = [];
  constructor(readonly r: Random) {}

  /** A quantized feature map, coarse so that values repeat. */
  feature(
    shape: readonly number[],
    dtype: "int8" | "int16" = this.r.pick("int8", "int16"),
    zero = 0,
  ): string {
    const name = `x${this.inputs.length}`;
    this.inputs.push({ name, dtype: "float32", shape });
    this.constants.set(`${name}_s`, f32([], [this.r.pick(0.5, 0.01)]));
    this.constants.set(
      `${name}_z`,
      dtype === "int8"
        ? tensor("int8", [], Int8Array.of(zero))
        : tensor("int16", [], Int16Array.of(0)),
    );
    const [qmin, qmax, to] = dtype === "int8" ? [-128, 127, 3] : [-32768, 32767, 5];
    this.nodes.push(
      node("HzQuantize", `${name}_q`, [name, `${name}_s`, `${name}_z`], [`${name}_i`], {
        qmin: attr.int(qmin),
        qmax: attr.int(qmax),
        to: attr.int(to),
      }, HORIZON),
    );
    return `${name}_i`;
  }

  /** An input of indices. */
  indices(t: Tensor): string {
    const name = `i${this.inputs.length}`;
    this.inputs.push({ name, dtype: t.dtype, shape: t.shape });
    this.given.set(name, t);
    return name;
  }

  graph(): Graph {
    const bare: Graph = {
      name: "hand",
      opset: 17,
      domains: new Map([[HORIZON, 1]]),
      nodes: this.nodes,
      inputs: this.inputs,
      outputs: [],
      constants: this.constants,
      types: new Map(),
      metadata: new Map(),
    };
    const typed = inferTypes(bare);
    return {
      ...typed,
      outputs: this.outputs.map((name) => ({ name, ...typed.types.get(name)! })),
    };
  }
}

for (const op of ["HzArgMax", "HzArgMin"]) {
  operators(op, (r, b) => {
    const axis = r.int(0, 3);
    b.nodes.push(node(op, "n", [b.feature(map(r))], ["y"], {
      axis: attr.int(axis),
      axes: attr.ints([axis]),
      keepdims: attr.int(r.int(0, 1)),
      select_last_index: attr.int(r.int(0, 1)),
    }, HORIZON));
    b.outputs = ["y"];
  });
}

for (const op of ["HzEqual", "HzGreater", "HzGreaterOrEqual", "HzLess", "HzLessOrEqual"]) {
  operators(op, (r, b) => {
    const shape = map(r);
    const other = r.pick(shape, [1, shape[1]!, 1, 1], [shape[0]!, 1, 1, shape[3]!]);
    const m = (name: string) => {
      b.constants.set(name, tensor("int32", [], Int32Array.of(r.pick(16384, 20000, 32767))));
      return name;
    };
    if (r.next() < 0.5) {
      const names = [b.feature(shape), b.feature(other), m("m1"), m("m2")];
      b.nodes.push(node(op, "n", names, ["y"], {}, HORIZON));
    } else {
      const [za, zb] = [r.int(-128, 127), r.pick(0, r.int(-128, 127))];
      const names = [b.feature(shape, "int8", za), b.feature(other, "int8", zb), m("m1"), m("m2")];
      const zeros = { a_zero: attr.int(za), b_zero: attr.int(zb) };
      b.nodes.push(node(`${op}Asym`, "n", names, ["y"], zeros, HORIZON));
    }
    b.outputs = ["y"];
  });
}

operators("HzTopK", (r, b) => {
  const shape = r.pick(map(r), map(r).slice(1));
  const axis = r.int(0, shape.length - 1);
  const dtype = r.pick("int8", "int16");
  b.constants.set("k", i64([r.int(1, shape[axis]!)]));
  b.nodes.push(node("HzTopK", "n", [b.feature(shape, dtype), "k"], ["y", "indices"], {
    axis: attr.int(axis),
    largest: attr.int(r.int(0, 1)),
    to: attr.int(dtype === "int8" ? 3 : 5),
  }, HORIZON));
  b.outputs = ["y", "indices"];
});

/** Indices around a size: most fit, some are just outside, some far. */
function someIndices(r: Random, shape: readonly number[], size: number): Tensor {
  const [dtype, far] = r.pick(
    ["int16", 32767] as const,
    ["int32", 2 ** 31 - 1] as const,
    ["int64", 2 ** 40 + 1] as const,
  );
  const values = Array.from(
    { length: elementCount(shape) },
    () => r.next() < 0.8 ? r.int(-size, size - 1) : r.pick(size, -size - 1, far, -far - 1),
  );
  if (dtype === "int64") return { ...i64(values), shape };
  return tensor(
    dtype,
    shape,
    dtype === "int16" ? Int16Array.from(values) : Int32Array.from(values),
  );
}

operators("HzGather", (r, b) => {
  const shape = r.pick(map(r, 5), map(r, 5).slice(1));
  const axis = r.int(0, shape.length - 1);
  const at = r.pick([], [3], [2, 2], ...(shape.length === 3 ? [] : [[1, 3, 2, 2]]));
  const names = [b.feature(shape), b.indices(someIndices(r, at, shape[axis]!))];
  b.nodes.push(node("HzGather", "n", names, ["y"], { axis: attr.int(axis) }, HORIZON));
  b.outputs = ["y"];
});

operators("HzGatherElements", (r, b) => {
  const shape = r.pick(map(r, 5), map(r, 5).slice(1));
  const axis = r.int(0, shape.length - 1);
  const to = shape.map((d, i) => i === axis ? r.int(1, 7) : r.int(1, d));
  const names = [b.feature(shape), b.indices(someIndices(r, to, shape[axis]!))];
  b.nodes.push(node("HzGatherElements", "n", names, ["y"], { axis: attr.int(axis) }, HORIZON));
  b.outputs = ["y"];
});
