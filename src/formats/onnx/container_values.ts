/**
 * What is known of the sequences and optional values of a graph while they are flattened: the tensors that
 * each one holds, small constants, stated shapes, and the names that are taken.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { numbersOf, type Tensor } from "../../ir/tensor.ts";
import type { GraphProto, NodeProto, TypeProto } from "./gen/onnx_pb.ts";
import type { Limits } from "./limits.ts";
import { readTensor, writeTensor } from "./tensor_proto.ts";

/** Tensors in order. */
export interface Sequence {
  readonly kind: "sequence";
  readonly items: readonly string[];
}

/** An optional value; what it holds is a tensor (by name) or a sequence. */
export interface Optional {
  readonly kind: "optional";
  readonly of: string | Sequence | undefined;
}

/** What a name of a graph may stand for besides a tensor. */
export type Container = Sequence | Optional;

/** The graph cannot be flattened: a length or a position is only known at run time. */
export class Unresolved extends Error {}

const producers: ReadonlySet<string> = new Set([
  "SequenceConstruct",
  "SequenceEmpty",
  "SequenceInsert",
  "SequenceErase",
  "SequenceMap",
  "SplitToSequence",
  "Optional",
]);

/** Most elements of all sequences together. */
const MOST_HELD = 1 << 20;

/** Whether a value is a sequence or optional. */
export const isContainer = (t: TypeProto | undefined) =>
  t?.value.case === "sequenceType" || t?.value.case === "optionalType";

/** Whether a graph or its subgraphs have anything to do with containers. */
export function mentions(g: GraphProto): boolean {
  return [...g.input, ...g.output].some((v) => isContainer(v.type)) ||
    g.node.some((n) =>
      producers.has(n.opType) || n.opType.startsWith("OptionalHas") ||
      n.attribute.some((a) => a.g !== undefined && mentions(a.g))
    );
}

/** Type of the tensors in a container. */
export function tensorType(t: TypeProto | undefined): TypeProto | undefined {
  const v = t?.value;
  return v?.case === "sequenceType" || v?.case === "optionalType"
    ? tensorType(v.value.elemType)
    : t;
}

/** The container that an input of a type is, when it holds the tensors `items`. */
export function inputContainer(type: TypeProto, items: readonly string[]): Container {
  const sequence: Sequence = { kind: "sequence", items };
  if (type.value.case !== "optionalType") return sequence;
  if (type.value.value.elemType?.value.case !== "sequenceType") {
    return { kind: "optional", of: items[0] };
  }
  return { kind: "optional", of: items.length === 0 ? undefined : sequence };
}

/** The tensors of a container in order. */
export function itemsOf(c: Container): readonly string[] {
  if (c.kind === "sequence") return c.items;
  if (c.of === undefined) return [];
  return typeof c.of === "string" ? [c.of] : c.of.items;
}

/** Element type without a shape: the elements of a sequence need not have the same. */
export function elementType(t: TypeProto | undefined): TypeProto | undefined {
  const inner = tensorType(t);
  if (inner?.value.case !== "tensorType") return inner;
  return {
    ...inner,
    value: { case: "tensorType", value: { ...inner.value.value, shape: undefined } },
  };
}

/** The values of a graph and of the bodies that are written out into it. */
export class ContainerValues {
  readonly containers = new Map<string, Container>();
  readonly constants = new Map<string, readonly number[]>();
  readonly ranks = new Map<string, readonly number[]>();
  readonly #taken = new Set<string>();
  #copies = 0;
  #elements = 0;

  constructor(private readonly limits: Limits) {}

  /** A number that no other copy of a name or of a body has. */
  copy(): number {
    return this.#copies++;
  }

  /** Takes every name of a graph and its subgraphs. */
  take(g: GraphProto): void {
    for (const v of [...g.input, ...g.initializer, ...g.output]) this.#taken.add(v.name);
    for (const n of g.node) {
      for (const o of n.output) this.#taken.add(o);
      for (const a of n.attribute) if (a.g !== undefined) this.take(a.g);
    }
  }

  /** A name that is not taken, `hint` itself where that is so. */
  unique(hint: string): string {
    let name = hint;
    while (this.#taken.has(name)) name = `${hint}_${this.copy()}`;
    this.#taken.add(name);
    return name;
  }

  /** Small integer values, and the shapes that are stated. */
  learn(g: GraphProto): void {
    for (const t of g.initializer) {
      if (t.dims.reduce((a, b) => a * b, 1n) > 4096n || t.externalData.length > 0) continue;
      if (![6, 7, 9].includes(t.dataType)) {
        this.ranks.set(t.name, t.dims.map(Number));
        continue;
      }
      const source = { limits: this.limits, external: () => new Uint8Array(), decoded: 0 };
      const value = readTensor(t, source, {});
      this.constants.set(t.name, Array.from(numbersOf(value)));
      this.ranks.set(t.name, value.shape);
    }
    for (const v of [...g.input, ...g.valueInfo]) {
      const t = v.type?.value;
      if (t?.case !== "tensorType" || t.value.shape === undefined) continue;
      this.ranks.set(
        v.name,
        t.value.shape.dim.map((d) => d.value.case === "dimValue" ? Number(d.value.value) : -1),
      );
    }
  }

  /** The values of a small constant. Throws {@linkcode Unresolved} for anything else. */
  constant(name: string): readonly number[] {
    const c = this.constants.get(name);
    if (c === undefined) throw new Unresolved(name);
    return c;
  }

  /** Adds a constant to a graph and returns its name. */
  store(out: GraphProto, hint: string, t: Tensor): string {
    const name = this.unique(`${hint}_value`);
    out.initializer.push(writeTensor(t, name));
    this.constants.set(name, Array.from(numbersOf(t)));
    return name;
  }

  /** The sequence that a name stands for. Throws {@linkcode Unresolved} for anything else. */
  sequence(name: string): Sequence {
    const c = this.containers.get(name);
    if (c?.kind === "sequence") return c;
    if (c?.kind === "optional" && typeof c.of === "object") return c.of;
    throw new Unresolved(name);
  }

  /** Index of an element; positions count from the end when negative. */
  position(n: NodeProto, input: number, length: number, fallback: number): number {
    const name = n.input[input] ?? "";
    const p = name === "" ? fallback : this.constant(name)[0] ?? NaN;
    const at = p < 0 ? p + length : p;
    if (at >= 0 && at <= length) return at;
    throw new BpuError("model", `position ${p} is outside of a sequence of ${length}`, {
      node: n.name,
      op: n.opType,
    });
  }

  /** Notes the tensors of a sequence. */
  hold(name: string, items: readonly string[]): void {
    this.#elements += items.length;
    if (this.#elements > MOST_HELD) throw new Unresolved(name);
    this.containers.set(name, { kind: "sequence", items });
  }

  /** What an optional made of a value holds. */
  held(name: string): string | Sequence {
    return this.containers.has(name) ? this.sequence(name) : name;
  }

  /** Whether a node reads a container, or has one in a subgraph. */
  touches(n: NodeProto): boolean {
    const reads = (m: NodeProto): boolean =>
      m.input.some((i) => this.containers.has(i)) ||
      m.attribute.some((a) => a.g !== undefined && (mentions(a.g) || a.g.node.some(reads)));
    return reads(n);
  }
}
