/**
 * Plans a float graph for the float32 kernels: which steps run, and where every tensor lies. A graph
 * is planned without touching memory, so that coverage is known before anything is loaded.
 *
 * @module
 */

import { allocateArena } from "../../compile/allocate.ts";
import { type Graph, type Node, typeOf } from "../../ir/graph.ts";
import { elementCount, isStatic, stridesOf, type Tensor } from "../../ir/tensor.ts";
import type { Arena } from "../../kernels/arena.ts";
import { copyStrided } from "../../kernels/copy.ts";
import { copyRowsF32 } from "../../kernels/copy_f32.ts";
import type { Executor } from "../../kernels/executor.ts";
import { collapse } from "../../kernels/strided.ts";
import type { Lookup } from "../../ops/context.ts";

/** How a tensor lies in memory: row-major, or (rank 4) channels last. */
export type Layout = "nchw" | "nhwc";

interface Lies {
  readonly shape: readonly number[];
  readonly layout: Layout;
}

/** A computed tensor: the place of its buffer in memory is known when the plan is loaded. */
export interface Activation extends Lies {
  readonly buffer: string;
}

/** A constant; its data lie as `layout` says. */
export interface Fixed extends Lies {
  readonly buffer: Tensor;
}

/** A tensor. */
export type Value = Activation | Fixed;

/** Why a graph is left to another engine. */
export class NotCovered extends Error {}

/** What a step finds when it is loaded and when it runs. */
export interface Memory {
  readonly arena: Arena;
  /** Who runs convolutions. */
  readonly executor: Executor;
  at(v: Value): number;
}

/** Loads constants and returns what runs. */
export type Load = (m: Memory) => () => void;

/** One step and the tensors of the graph that are complete after it. */
export interface Step {
  readonly load: Load;
  readonly reads: readonly Value[];
  readonly writes: readonly Value[];
  readonly done: string[];
}

/** A planned graph. */
export interface Plan {
  readonly graph: Graph;
  readonly inputs: ReadonlyMap<string, Value>;
  readonly steps: readonly Step[];
  /** Every tensor that was asked for; constants too. */
  readonly results: ReadonlyMap<string, Value>;
  /** Offset of each buffer from the base of the activations. */
  readonly offsets: ReadonlyMap<string, number>;
  readonly bytes: number;
  /**
   * Multiply-adds of dense convolutions and constant matrices, of depthwise convolutions, and of products of
   * two activations.
   */
  readonly work: { dense: number; depthwise: number; matrix: number };
  /** Elements that all other steps write. */
  readonly moved: number;
}

/** Element strides. */
export function stridesIn(shape: readonly number[], layout: Layout): number[] {
  if (layout === "nchw") return stridesOf(shape);
  const [, c, h, w] = shape as readonly [number, number, number, number];
  return [h * w * c, 1, w * c, c];
}

/** Axes from the outermost in memory to the innermost. */
export function orderOf(v: { shape: readonly number[]; layout: Layout }): readonly number[] {
  return v.layout === "nhwc" ? [0, 2, 3, 1] : v.shape.map((_, i) => i);
}

/** Whether both layouts of a shape are the same bytes. */
export function sameBytes(shape: readonly number[]): boolean {
  return shape.length !== 4 || shape[1] === 1 || shape[2]! * shape[3]! === 1;
}

/** Whether a value is a constant. */
export function isConstant(v: Value): v is Fixed {
  return typeof v.buffer !== "string";
}

/** Operators whose kernels want channels last. */
const pictures = new Set([
  ...["Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"],
  ...["Resize", "DepthToSpace", "SpaceToDepth", "BatchNormalization", "PRelu"],
]);

/** Gathers the steps of a graph. */
export class Planner {
  readonly graph: Graph;
  readonly lookup: Lookup;
  readonly steps: Step[] = [];
  readonly work = { dense: 0, depthwise: 0, matrix: 0 };
  moved = 0;
  readonly #values = new Map<string, Value>();
  readonly #folded = new Map<string, Tensor>();
  readonly #converted = new Map<string, Value>();
  readonly #readers = new Map<string, Node[]>();
  /** Reads of each buffer that nodes still to come will make. */
  readonly #pending = new Map<string, number>();
  readonly #sizes = new Map<string, number>();
  readonly #asked: ReadonlySet<string>;
  readonly #absorbed = new Set<Node>();
  #buffers = 0;

  constructor(graph: Graph, values: ReadonlyMap<string, Tensor>, asked: ReadonlySet<string>) {
    this.graph = graph;
    this.#asked = asked;
    this.lookup = {
      type: (name) => typeOf(graph, name),
      value: (name) => graph.constants.get(name) ?? values.get(name) ?? this.#folded.get(name),
    };
    for (const n of graph.nodes) {
      for (const t of n.inputs) {
        if (t === "") continue;
        const list = this.#readers.get(t);
        if (list === undefined) this.#readers.set(t, [n]);
        else list.push(n);
      }
    }
  }

  /** Static shape of a float32 tensor. */
  shapeOf(name: string): readonly number[] {
    const t = this.lookup.value(name) ?? this.lookup.type(name);
    if (t === undefined || !isStatic(t.shape)) throw new NotCovered(`${name} has no static shape`);
    if (t.dtype !== "float32") throw new NotCovered(`${name} is ${t.dtype}`);
    if (elementCount(t.shape) === 0) throw new NotCovered(`${name} is empty`);
    return t.shape;
  }

  /** Constant input; undefined when it is an activation or not given. */
  constant(n: Node, i: number): Tensor | undefined {
    const name = n.inputs[i] ?? "";
    return name === "" ? undefined : this.lookup.value(name);
  }

  /** Constant float32 input that must be one. */
  floats(n: Node, i: number): Float32Array {
    const t = this.constant(n, i);
    if (t === undefined || !(t.data instanceof Float32Array)) {
      throw new NotCovered(`input ${i} of ${n.name} is no float constant`);
    }
    return t.data;
  }

  /** A tensor as it lies. */
  value(name: string): Value {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const tensor = this.lookup.value(name);
    if (tensor === undefined) throw new NotCovered(`${name} is not computed`);
    const v: Value = { shape: this.shapeOf(name), layout: "nchw", buffer: tensor };
    this.#values.set(name, v);
    return v;
  }

  /** A tensor in a layout; converted at most once. */
  as(name: string, layout: Layout): Value {
    return this.convert(this.value(name), layout);
  }

  convert(v: Value, layout: Layout): Value {
    if (v.layout === layout) return v;
    if (sameBytes(v.shape)) return { ...v, layout };
    if (isConstant(v)) {
      const data = new Float32Array(elementCount(v.shape));
      const [n, c, h, w] = v.shape as readonly [number, number, number, number];
      const [from, to] = [stridesIn(v.shape, v.layout), stridesIn(v.shape, layout)];
      const source = v.buffer.data as Float32Array;
      for (let i = 0; i < n * c * h * w; i++) {
        const at = [
          Math.floor(i / (c * h * w)),
          Math.floor(i / (h * w)) % c,
          Math.floor(i / w) % h,
          i % w,
        ];
        const offset = (s: readonly number[]) => at.reduce((sum, p, a) => sum + p * s[a]!, 0);
        data[offset(to)] = source[offset(from)]!;
      }
      return { shape: v.shape, layout, buffer: { ...v.buffer, data } };
    }
    const key = `${v.buffer} ${layout} ${v.shape.join("x")}`;
    let made = this.#converted.get(key);
    if (made === undefined) {
      made = this.make(v.shape, layout);
      this.#converted.set(key, made);
      this.move(v, made, v.shape, stridesIn(v.shape, v.layout), stridesIn(v.shape, layout));
    }
    return made;
  }

  /** A new buffer. */
  make(shape: readonly number[], layout: Layout): Activation {
    const buffer = `b${this.#buffers++}`;
    this.#sizes.set(buffer, elementCount(shape) * 4);
    return { shape, layout, buffer };
  }

  /** A value for a node's result: the buffer of `from` when nothing reads that afterwards. */
  inPlace(from: Value, n: Node, shape = from.shape): Activation {
    if (!isConstant(from)) {
      const own = n.inputs.filter((t) => this.#values.get(t)?.buffer === from.buffer).length;
      const free = own > 0 && this.#pending.get(from.buffer) === own;
      // A conversion's source and target are one tensor: who reads one later may be given the other.
      const held = [...this.#converted].some(([key, v]) =>
        v.buffer === from.buffer || key.startsWith(`${from.buffer} `)
      );
      if (free && !held) return { ...from, shape };
    }
    return this.make(shape, from.layout);
  }

  /** A node's result that is known while planning. */
  fold(name: string, value: Tensor): void {
    this.#folded.set(name, value);
    this.define(name, this.value(name));
  }

  /** Names a node's result. */
  define(name: string, v: Value): void {
    if (name === "") return;
    this.#values.set(name, v);
    if (!isConstant(v)) {
      const readers = this.#readers.get(name)?.length ?? 0;
      this.#pending.set(v.buffer, (this.#pending.get(v.buffer) ?? 0) + readers);
    }
    if (this.#asked.has(name)) {
      // A result that no step makes (a view of an input) is complete from the start.
      if (this.steps.length === 0) this.step([], [], () => () => {});
      this.steps.at(-1)!.done.push(name);
    }
  }

  step(reads: readonly Value[], writes: readonly Value[], load: Load): void {
    this.steps.push({ load, reads, writes, done: [] });
  }

  /** A strided copy from one value (or a part of it) to another. */
  move(
    from: Value,
    to: Value,
    dims: readonly number[],
    fromStrides: readonly number[],
    toStrides: readonly number[],
    fromOffset = 0,
    toOffset = 0,
  ): void {
    const by = dims.map((_, i) => i).sort((a, b) => toStrides[b]! - toStrides[a]! || a - b);
    const sorted = (v: readonly number[]) => by.map((i) => v[i]!);
    const { dims: d, strides } = collapse(sorted(dims), [sorted(fromStrides), sorted(toStrides)]);
    const [s, t] = strides as [number[], number[]];
    if (d.length > 7) throw new NotCovered("a copy of too many dimensions");
    this.moved += elementCount(dims);
    const last = d.length - 1, rows = s[last] === 1 && t[last] === 1;
    // Of the outer dimensions the longest goes next to the rows.
    const order = d.map((_, i) => i);
    if (rows) order.splice(0, last, ...order.slice(0, last).sort((a, b) => d[a]! - d[b]!));
    const pick = (v: readonly number[]) => order.map((i) => v[i]!);
    const nest = { dims: pick(d), srcStrides: pick(s), dstStrides: pick(t) };
    this.step([from], [to], (m) => () => {
      const src = m.at(from) + fromOffset * 4, dst = m.at(to) + toOffset * 4;
      if (rows) copyRowsF32(m.arena, { ...nest, src, dst });
      else copyStrided(m.arena, { ...nest, src, dst, elementBytes: 4 });
    });
  }

  /** The only reader of a tensor, where the tensor itself is not asked for. */
  soleReader(name: string): Node | undefined {
    const readers = this.#readers.get(name);
    return readers?.length === 1 && !this.#asked.has(name) ? readers[0] : undefined;
  }

  /** The node's work is done by another step. */
  absorb(n: Node): void {
    this.#absorbed.add(n);
  }

  isAbsorbed(n: Node): boolean {
    return this.#absorbed.has(n);
  }

  /** A node is planned: its reads are no longer to come. */
  finish(n: Node): void {
    for (const t of n.inputs) {
      const b = this.#values.get(t)?.buffer;
      if (typeof b === "string") this.#pending.set(b, (this.#pending.get(b) ?? 0) - 1);
    }
  }

  /** Layout for a tensor that may have either. */
  preferred(name: string): Layout {
    if (this.shapeOf(name).length !== 4) return "nchw";
    return this.#readers.get(name)?.some((n) => pictures.has(n.op)) ? "nhwc" : "nchw";
  }

  plan(inputs: ReadonlyMap<string, Value>): Plan {
    const results = new Map<string, Value>();
    for (const name of this.#asked) results.set(name, this.value(name));
    const spans = new Map<string, { from: number; to: number }>();
    const touch = (v: Value, step: number): void => {
      if (isConstant(v)) return;
      const span = spans.get(v.buffer);
      if (span === undefined) spans.set(v.buffer, { from: step, to: step });
      else span.to = step;
    };
    for (const v of inputs.values()) touch(v, 0);
    this.steps.forEach((s, i) => {
      for (const v of [...s.reads, ...s.writes]) touch(v, i);
      for (const name of s.done) touch(this.value(name), i);
    });
    const lives = [...spans].map(([name, { from, to }]) => ({
      name,
      bytes: this.#sizes.get(name)! + 16,
      from,
      to,
    }));
    const { offsets, bytes } = allocateArena(lives);
    const { graph, steps, work, moved } = this;
    return { graph, inputs, steps, results, offsets, bytes, work, moved };
  }
}
