/**
 * Collects nodes while a net is walked, and names tensors at the end: only then is it known which
 * version of an in-place blob is the last one and keeps the name.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import {
  type Attr,
  type Attrs,
  type Graph,
  type Node,
  node,
  OPSET,
  type Port,
} from "../../ir/graph.ts";
import {
  type DType,
  elementCount,
  shapeText,
  type Tensor,
  type TensorType,
} from "../../ir/tensor.ts";

/** A tensor of the graph under construction. */
export interface Value extends TensorType {
  /** Provisional, unique; the final name comes with {@linkcode GraphBuilder.finish}. */
  readonly id: string;
  /** Set for a constant. */
  readonly constant?: Tensor;
}

/** One top of one layer: `value` is what the blob `name` holds from here on. */
export interface Binding {
  readonly name: string;
  readonly value: Value;
  readonly layer: string;
}

/** Caffe's own bound: the elements of a blob fit an int. */
const MAX_ELEMENTS = 2 ** 31 - 1;
/** Caffe's own bound on axes. */
const MAX_AXES = 32;
/** Elements of all constants that a net makes up, rather than reads from its caffemodel. */
const MAX_COMPUTED = 2 ** 26;

/** Whether a shape is one that a blob can have; otherwise the reason. */
export function shapeProblem(shape: readonly number[]): string | undefined {
  if (shape.length > MAX_AXES) {
    return `it has ${shape.length} axes, at most ${MAX_AXES} are allowed`;
  }
  if (!shape.every((d) => Number.isInteger(d) && d > 0)) {
    return "every dimension must be at least 1";
  }
  if (elementCount(shape) > MAX_ELEMENTS) return "it has more than 2^31 - 1 elements";
  return undefined;
}

/** See the module. */
export class GraphBuilder {
  readonly #nodes: Node[] = [];
  readonly #types = new Map<string, TensorType>();
  readonly #constants = new Map<string, Tensor>();
  readonly #hints = new Map<string, string>();
  readonly #inputs: Value[] = [];
  readonly #nodeNames = new Names();
  readonly #domains = new Map<string, number>();
  #next = 0;
  #computed = 0;

  /** Counts elements that a converter is about to make up; false when that is too much. */
  reserve(elements: number): boolean {
    this.#computed += elements;
    return this.#computed <= MAX_COMPUTED;
  }

  #value(hint: string, type: TensorType, constant?: Tensor): Value {
    const id = `%${this.#next++}`;
    this.#hints.set(id, hint);
    if (constant === undefined) this.#types.set(id, { dtype: type.dtype, shape: type.shape });
    else this.#constants.set(id, constant);
    return { id, dtype: type.dtype, shape: type.shape, constant };
  }

  /** A graph input; its name is kept whatever happens. */
  input(name: string, shape: readonly number[], dtype: DType = "float32"): Value {
    const v = this.#value(name, { dtype, shape: [...shape] });
    this.#inputs.push(v);
    return v;
  }

  /** A constant. */
  constant(hint: string, t: Tensor): Value {
    return this.#value(hint, t, t);
  }

  /** A node with its outputs. `undefined` stands for an input that is not given. */
  emit(
    op: string,
    name: string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly TensorType[],
    attrs: Readonly<Record<string, Attr>> | Attrs = {},
    domain = "",
  ): Value[] {
    const unique = this.#nodeNames.take(name);
    if (domain !== "") this.#domains.set(domain, 1);
    const values = outputs.map((t, i) => this.#value(i === 0 ? unique : `${unique}:${i}`, t));
    const from = inputs.map((v) => v?.id ?? "");
    while (from.at(-1) === "") from.pop();
    this.#nodes.push(node(op, unique, from, values.map((v) => v.id), attrs, domain));
    return values;
  }

  /**
   * The graph, with final names: inputs and graph outputs keep theirs, then the last version of every
   * blob, and earlier versions are called `blob/layer`. Nodes that nothing needs are left out.
   */
  finish(name: string, bindings: readonly Binding[], outputs: readonly Binding[]): Graph {
    const used = new Names();
    const names = new Map<string, string>();
    const call = (v: Value, wanted: string): void => {
      names.set(v.id, used.take(wanted));
    };
    for (const v of this.#inputs) call(v, this.#hints.get(v.id)!);
    const ports: Port[] = outputs.map((o) => {
      let v = o.value;
      // One tensor may be several outputs, an input or a constant: each port needs its own.
      if (names.has(v.id) || v.constant !== undefined) {
        v = this.emit("Identity", `${o.layer}/${o.name}`, [v], [v])[0]!;
      }
      call(v, used.has(o.name) ? `${o.name}/${o.layer}` : o.name);
      return { name: names.get(v.id)!, dtype: v.dtype, shape: v.shape };
    });
    const last = new Map(bindings.map((b) => [b.name, b]));
    for (const b of last.values()) {
      if (!names.has(b.value.id) && !used.has(b.name)) call(b.value, b.name);
    }
    for (const b of bindings) if (!names.has(b.value.id)) call(b.value, `${b.name}/${b.layer}`);

    const kept = this.#needed(ports.map((p) => p.name), names);
    const final = (id: string): string => {
      if (id === "") return "";
      const known = names.get(id);
      if (known !== undefined) return known;
      call({ id, dtype: "float32", shape: [] }, this.#hints.get(id)!);
      return names.get(id)!;
    };
    const nodes = kept.map((n) => ({
      ...n,
      inputs: n.inputs.map(final),
      outputs: n.outputs.map(final),
    }));
    const alive = new Set(kept.flatMap((n) => [...n.inputs, ...n.outputs]));
    for (const v of this.#inputs) alive.add(v.id);
    const pick = <T>(map: ReadonlyMap<string, T>): Map<string, T> =>
      new Map([...map].filter(([id]) => alive.has(id)).map(([id, t]) => [final(id), t]));
    return {
      name,
      opset: OPSET,
      domains: this.#domains,
      nodes,
      inputs: this.#inputs.map((v) => ({ name: final(v.id), dtype: v.dtype, shape: v.shape })),
      outputs: ports,
      constants: pick(this.#constants),
      types: pick(this.#types),
      metadata: new Map(),
    };
  }

  /** Nodes that an output depends on, in order. */
  #needed(outputs: readonly string[], names: ReadonlyMap<string, string>): Node[] {
    const wanted = new Set(outputs);
    const alive = new Set<string>();
    for (const [id, n] of names) if (wanted.has(n)) alive.add(id);
    const kept: Node[] = [];
    for (const n of this.#nodes.toReversed()) {
      if (!n.outputs.some((o) => alive.has(o))) continue;
      for (const i of n.inputs) alive.add(i);
      kept.push(n);
    }
    return kept.reverse();
  }
}

/** Hands out every name once. */
class Names {
  readonly #taken = new Set<string>();
  /** Next suffix to try per name, so that many equal names stay linear. */
  readonly #next = new Map<string, number>();

  has(name: string): boolean {
    return this.#taken.has(name);
  }

  /** `wanted`, or with the first suffix `_2`, `_3`, ... that is not taken. */
  take(wanted: string): string {
    let name = wanted;
    let i = this.#next.get(wanted) ?? 2;
    for (; this.#taken.has(name); i++) name = `${wanted}_${i}`;
    this.#next.set(wanted, i);
    this.#taken.add(name);
    return name;
  }
}

/** Throws unless a blob can have this shape. */
export function checkShape(
  shape: readonly number[],
  place: { file: string; line: number; node?: string; op?: string },
): void {
  const problem = shapeProblem(shape);
  if (problem === undefined) return;
  throw new BpuError(
    "shape",
    `the shape ${shapeText(shape)} is not possible: ${problem}`,
    place,
  );
}
