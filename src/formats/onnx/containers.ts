/**
 * Sequences and optional values vanish: what is in them is known when the model is loaded, so that every
 * use of one is a use of some tensors.
 *
 * @module
 */

import { create } from "../../deps.ts";
import { BpuError } from "../../errors.ts";
import { i64, type Tensor } from "../../ir/tensor.ts";
import {
  ContainerValues,
  elementType,
  inputContainer,
  isContainer,
  itemsOf,
  mentions,
  type Sequence,
  tensorType,
  Unresolved,
} from "./container_values.ts";
import {
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  type GraphProto,
  type NodeProto,
  NodeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./gen/onnx_pb.ts";
import { copyNode } from "./inline.ts";
import type { Limits } from "./limits.ts";

/**
 * Number of tensors in the containers among a model's inputs: of a sequence (also of an optional one) its
 * length, of an optional tensor 0 or 1. The tensors are inputs called `name_0`, `name_1`, ...
 */
export type ContainerSizes = ReadonlyMap<string, number>;

/**
 * The graph without containers, where their sizes are known; else the graph as it is (inner containers
 * then run as they stand, those among inputs and outputs are refused later).
 */
export function flattenContainers(
  g: GraphProto,
  opset: number,
  sizes: ContainerSizes,
  limits: Limits,
): GraphProto {
  if (!mentions(g)) return g;
  try {
    return new Flattener(g, opset, sizes, limits).graph;
  } catch (e) {
    if (e instanceof Unresolved) return g;
    throw e;
  }
}

/** Most rounds of a Loop, or elements of a sequence, that are written out. */
const MOST = 1024;

class Flattener {
  readonly graph: GraphProto;
  readonly #values: ContainerValues;
  #count = 0;

  constructor(
    g: GraphProto,
    private readonly opset: number,
    sizes: ContainerSizes,
    private readonly limits: Limits,
  ) {
    this.#values = new ContainerValues(limits);
    this.#values.take(g);
    const input: ValueInfoProto[] = [];
    for (const v of g.input) {
      const size = sizes.get(v.name);
      if (!isContainer(v.type) || size === undefined) {
        input.push(v);
        continue;
      }
      const items = Array.from({ length: Math.min(size, MOST) }, (_, i) => `${v.name}_${i}`);
      const type = tensorType(v.type);
      for (const name of items) input.push(create(ValueInfoProtoSchema, { name, type }));
      this.#values.containers.set(v.name, inputContainer(v.type!, items));
    }
    const made = this.#scope({ ...g, input });
    const output = g.output.flatMap((v) => {
      const c = this.#values.containers.get(v.name);
      if (c === undefined) return [v];
      return itemsOf(c).map((item, i) => {
        const name = this.#values.unique(`${v.name}_${i}`);
        made.node.push(node("Identity", [item], [name]));
        return create(ValueInfoProtoSchema, { name, type: elementType(v.type) });
      });
    });
    this.graph = { ...made, output };
  }

  /** A graph with its nodes rewritten; its inputs and outputs are as given. */
  #scope(g: GraphProto): GraphProto {
    const out: GraphProto = { ...g, node: [], initializer: [...g.initializer] };
    this.#values.learn(g);
    for (const n of g.node) this.#node(n, out);
    return out;
  }

  #node(n: NodeProto, out: GraphProto): void {
    if (++this.#count > this.limits.nodes) {
      throw new BpuError("limit", `the model has more than ${this.limits.nodes} nodes`);
    }
    const [a = "", b = ""] = n.input;
    const y = n.output[0] ?? "";
    const sequence = (items: readonly string[]) => this.#values.hold(y, items);
    const plain = n.domain === "" || n.domain === "ai.onnx";
    switch (plain ? n.opType : "") {
      case "SequenceConstruct":
        sequence(n.input);
        return;
      case "SequenceEmpty":
        sequence([]);
        return;
      case "SequenceInsert": {
        const { items } = this.#values.sequence(a);
        const at = this.#values.position(n, 2, items.length, items.length);
        sequence([...items.slice(0, at), b, ...items.slice(at)]);
        return;
      }
      case "SequenceErase": {
        const { items } = this.#values.sequence(a);
        const at = this.#values.position(n, 1, items.length, items.length - 1);
        sequence(items.filter((_, i) => i !== at));
        return;
      }
      case "SequenceAt": {
        const { items } = this.#values.sequence(a);
        const item = items[this.#values.position(n, 1, items.length, 0)];
        if (item === undefined) throw new Unresolved(a);
        out.node.push({ ...n, opType: "Identity", input: [item], attribute: [] });
        return;
      }
      case "SequenceLength":
        this.#constantNode(n, out, i64ScalarOf(this.#values.sequence(a).items.length));
        return;
      case "ConcatFromSequence":
        this.#concat(n, this.#values.sequence(a).items, out);
        return;
      case "SplitToSequence":
        this.#split(n, out);
        return;
      case "SequenceMap":
        this.#map(n, out);
        return;
      case "Optional":
        this.#values.containers.set(y, {
          kind: "optional",
          of: a === "" ? undefined : this.#values.held(a),
        });
        return;
      case "OptionalHasElement": {
        const c = this.#values.containers.get(a);
        const has = a !== "" && (c === undefined || c.kind === "sequence" || c.of !== undefined);
        const value: Tensor = { dtype: "bool", shape: [], data: Uint8Array.of(has ? 1 : 0) };
        this.#constantNode(n, out, value);
        return;
      }
      case "OptionalGetElement":
      case "Identity": {
        const c = this.#values.containers.get(a);
        if (c === undefined) break;
        if (n.opType === "Identity") this.#values.containers.set(y, c);
        else if (c.kind === "sequence") this.#values.containers.set(y, c);
        else if (typeof c.of === "object") this.#values.containers.set(y, c.of);
        else if (c.of === undefined) throw new Unresolved(a);
        else out.node.push({ ...n, opType: "Identity", input: [c.of] });
        return;
      }
      case "If":
        if (this.#values.touches(n)) return this.#if(n, out);
        break;
      case "Loop":
        if (this.#values.touches(n)) return this.#loop(n, out);
        break;
      case "Constant": {
        const t = n.attribute[0];
        const value = t?.name === "value_int" ? [Number(t.i ?? 0n)] : undefined;
        if (value !== undefined) this.#values.constants.set(y, value);
        if (t?.t !== undefined) {
          this.#values.learn({
            ...out,
            initializer: [{ ...t.t, name: y }],
            input: [],
            valueInfo: [],
          });
        }
      }
    }
    if (this.#values.touches(n)) throw new Unresolved(n.name);
    const known = this.#values.constants.get(a);
    if (plain && known !== undefined) {
      if (n.opType === "Identity") this.#values.constants.set(y, known);
      if (n.opType === "Not") this.#values.constants.set(y, known.map((v) => v === 0 ? 1 : 0));
    }
    out.node.push(n);
  }

  #constantNode(n: NodeProto, out: GraphProto, t: Tensor): void {
    const name = this.#values.store(out, n.output[0]!, t);
    out.node.push({ ...n, opType: "Identity", input: [name], attribute: [] });
    this.#values.constants.set(n.output[0]!, this.#values.constant(name));
  }

  #concat(n: NodeProto, items: readonly string[], out: GraphProto): void {
    if (items.length === 0) throw new Unresolved(n.name);
    const axis = intOf(n, "axis", 0);
    const parts = intOf(n, "new_axis", 0) === 0
      ? [...items]
      : items.map((item) => this.#unsqueezed(item, axis, out));
    out.node.push({
      ...n,
      opType: "Concat",
      input: parts,
      attribute: [intAttribute("axis", axis)],
    });
  }

  #unsqueezed(item: string, axis: number, out: GraphProto): string {
    return this.#reshaped("Unsqueeze", item, axis, out, this.#values.unique(`${item}_apart`));
  }

  /** Unsqueeze or Squeeze of one axis, in the form of the model's opset. */
  #reshaped(op: string, x: string, axis: number, out: GraphProto, y: string): string {
    const input = this.opset < 13 ? [x] : [x, this.#values.store(out, y, i64([axis]))];
    const attributes = this.opset < 13 ? [intsAttribute("axes", [axis])] : [];
    out.node.push({ ...node(op, input, [y]), attribute: attributes });
    return y;
  }

  #split(n: NodeProto, out: GraphProto): void {
    const x = n.input[0] ?? "";
    const name = n.input[1] ?? "";
    const given = name === "" ? [1] : this.#values.constant(name);
    const shape = this.#values.ranks.get(x);
    const axis = intOf(n, "axis", 0);
    let sizes = given;
    if (name === "" || (this.#values.ranks.get(name)?.length ?? 1) === 0) {
      const length = shape?.[axis < 0 ? axis + shape.length : axis] ?? -1;
      const chunk = given[0]!;
      if (length < 1 || !(chunk >= 1) || length / chunk > MOST) throw new Unresolved(x);
      sizes = Array.from(
        { length: Math.ceil(length / chunk) },
        (_, i) => Math.min(chunk, length - i * chunk),
      );
    }
    const y = n.output[0]!;
    const parts = sizes.map(() => this.#values.unique(`${y}_part`));
    const input = this.opset < 13 ? [x] : [x, this.#values.store(out, y, i64(sizes))];
    const attributes = [intAttribute("axis", axis)];
    if (this.opset < 13) attributes.push(intsAttribute("split", sizes));
    out.node.push({ ...n, opType: "Split", input, output: parts, attribute: attributes });
    const items = name === "" && intOf(n, "keepdims", 1) === 0
      ? parts.map((p) => this.#reshaped("Squeeze", p, axis, out, this.#values.unique(`${p}_item`)))
      : parts;
    this.#values.hold(y, items);
  }

  /** Writes a body out with other names; returns the names of its outputs. */
  #instantiate(body: GraphProto, inputs: readonly string[], out: GraphProto): string[] {
    const prefix = `${body.name || "body"}_${this.#values.copy()}`;
    const names = new Map(body.input.map((v, i) => [v.name, inputs[i]!]));
    const own = new Set([
      ...body.initializer.map((t) => t.name),
      ...body.node.flatMap((n) => n.output),
    ]);
    // Names of inner subgraphs stay; what they capture is renamed with the rest.
    const rename = (name: string): string => {
      const known = names.get(name);
      if (known !== undefined || !own.has(name) || name === "") return known ?? name;
      const made = this.#values.unique(`${prefix}/${name}`);
      names.set(name, made);
      return made;
    };
    const initializer = body.initializer.map((t) => ({ ...t, name: rename(t.name) }));
    out.initializer.push(...initializer);
    this.#values.learn({ ...body, initializer, input: [], valueInfo: [] });
    for (const n of body.node) this.#node(copyNode(n, prefix, rename, new Map()), out);
    return body.output.map((v) => rename(v.name));
  }

  #map(n: NodeProto, out: GraphProto): void {
    const body = graphOf(n, "body");
    const { items } = this.#values.sequence(n.input[0] ?? "");
    const rows = items.map((_, i) => {
      const inputs = n.input.map((name) =>
        this.#values.containers.has(name) ? this.#values.sequence(name).items[i] ?? "" : name
      );
      if (inputs.includes("")) throw new Unresolved(n.name);
      return this.#instantiate(body, inputs, out);
    });
    n.output.forEach((y, k) => this.#values.hold(y, rows.map((r) => r[k]!)));
  }

  #if(n: NodeProto, out: GraphProto): void {
    const condition = this.#values.constants.get(n.input[0] ?? "");
    if (condition !== undefined) {
      const body = graphOf(n, condition[0] ? "then_branch" : "else_branch");
      const results = this.#instantiate(body, [], out);
      n.output.forEach((y, i) => this.#alias(results[i]!, y, out));
      return;
    }
    // Both branches hand on as many tensors as their containers hold.
    const branches = ["then_branch", "else_branch"].map((key) => {
      const g = this.#scope(graphOf(n, key));
      const groups = g.output.map((v) => {
        const c = this.#values.containers.get(v.name);
        return c === undefined ? [v] : itemsOf(c).map((item) => {
          const name = this.#values.unique(`${item}_handed`);
          g.node.push(node("Identity", [item], [name]));
          return create(ValueInfoProtoSchema, { name, type: elementType(v.type) });
        });
      });
      const kinds = g.output.map((v) => this.#values.containers.get(v.name)?.kind);
      return { g, groups, kinds };
    });
    const [one, other] = branches as [typeof branches[0], typeof branches[0]];
    const fits = one.groups.every((v, i) =>
      v.length === other.groups[i]?.length && one.kinds[i] === other.kinds[i]
    );
    if (!fits) throw new Unresolved(n.name);
    const output = n.output.flatMap((y, i) => {
      const kind = one.kinds[i];
      if (kind === undefined) return [y];
      const items = one.groups[i]!.map(() => this.#values.unique(`${y}_item`));
      const held: Sequence = { kind: "sequence", items };
      this.#values.containers.set(y, kind === "sequence" ? held : { kind, of: held });
      return items;
    });
    const attribute = n.attribute.map((a) => {
      const b = a.name === "then_branch" ? one : a.name === "else_branch" ? other : undefined;
      return b === undefined ? a : { ...a, g: { ...b.g, output: b.groups.flat() } };
    });
    out.node.push({ ...n, output, attribute });
  }

  #loop(n: NodeProto, out: GraphProto): void {
    const body = graphOf(n, "body");
    const [m = "", keep = "", ...initial] = n.input;
    const trips = m === "" ? Infinity : this.#values.constant(m)[0] ?? Infinity;
    let going = keep === "" || this.#values.constant(keep)[0] === 1;
    let state = initial;
    const rounds: string[][] = [];
    for (let i = 0; going && i < trips; i++) {
      if (i >= MOST) throw new Unresolved(n.name);
      const counter = this.#values.store(out, `${n.output[0]}_round`, i64ScalarOf(i));
      const condition = this.#values.store(out, `${n.output[0]}_condition`, boolOf(true));
      const results = this.#instantiate(body, [counter, condition, ...state], out);
      going = this.#values.constant(results[0]!)[0] === 1;
      state = results.slice(1, 1 + initial.length);
      rounds.push(results.slice(1 + initial.length));
    }
    n.output.forEach((y, i) => {
      if (y === "") return;
      if (i < state.length) return this.#alias(state[i]!, y, out);
      const parts = rounds.map((r) => this.#unsqueezed(r[i - state.length]!, 0, out));
      if (parts.length === 0) throw new Unresolved(y);
      out.node.push({ ...node("Concat", parts, [y]), attribute: [intAttribute("axis", 0)] });
    });
  }

  /** Gives a value the name that a node's readers use. */
  #alias(from: string, to: string, out: GraphProto): void {
    if (to === "") return;
    const c = this.#values.containers.get(from);
    if (c !== undefined) {
      this.#values.containers.set(to, c);
      return;
    }
    const known = this.#values.constants.get(from);
    if (known !== undefined) this.#values.constants.set(to, known);
    out.node.push(node("Identity", [from], [to]));
  }
}

function node(op: string, input: readonly string[], output: readonly string[]): NodeProto {
  return create(NodeProtoSchema, { opType: op, input: [...input], output: [...output] });
}

function intOf(n: NodeProto, key: string, fallback: number): number {
  const a = n.attribute.find((x) => x.name === key);
  return a?.i === undefined ? fallback : Number(a.i);
}

function graphOf(n: NodeProto, key: string): GraphProto {
  const g = n.attribute.find((a) => a.name === key)?.g;
  if (g === undefined) {
    throw new BpuError("model", `the attribute ${key} is missing`, { node: n.name, op: n.opType });
  }
  return g;
}

function intAttribute(name: string, value: number) {
  return create(AttributeProtoSchema, { name, type: Kind.INT, i: BigInt(value) });
}

function intsAttribute(name: string, values: readonly number[]) {
  return create(AttributeProtoSchema, { name, type: Kind.INTS, ints: values.map(BigInt) });
}

function i64ScalarOf(v: number): Tensor {
  return { dtype: "int64", shape: [], data: BigInt64Array.of(BigInt(v)) };
}

function boolOf(v: boolean): Tensor {
  return { dtype: "bool", shape: [], data: Uint8Array.of(v ? 1 : 0) };
}
