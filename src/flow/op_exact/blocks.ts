/**
 * For tests only: blocks of networks with normalisations, written out as exporters do.
 *
 * @module
 */

import type { Attr, Graph, Node } from "../../ir/graph.ts";
import { attr, node } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { elementCount, f32, i64 } from "../../ir/tensor.ts";
import { graphOf, type Random } from "./harness.ts";

/** Values of the normal distribution. */
export function normal(r: Random, shape: readonly number[], size = 1): Tensor {
  const gauss = () =>
    Math.sqrt(-2 * Math.log(1 - r.next())) * Math.cos(2 * Math.PI * r.next()) * size;
  return f32(shape, Array.from({ length: elementCount(shape) }, gauss));
}

/** Nodes in a row, each named after its result. */
class Chain {
  readonly nodes: Node[] = [];
  readonly constants: Record<string, Tensor> = {};
  constructor(readonly r: Random) {}

  op(op: string, inputs: readonly (string | Tensor)[], attrs: Record<string, Attr> = {}): string {
    const out = `t${this.nodes.length}`;
    const names = inputs.map((t, i) => {
      if (typeof t === "string") return t;
      const name = `${out}_k${i}`;
      this.constants[name] = t;
      return name;
    });
    this.nodes.push(node(op, out, names, [out], attrs));
    return out;
  }

  /** Layer normalisation as exporters write it out. */
  norm(x: string, axis: number, affine: readonly number[]): string {
    const axes = { axes: attr.ints([axis]), keepdims: attr.int(1) };
    const c = this.op("Sub", [x, this.op("ReduceMean", [x], axes)]);
    const v = this.op("ReduceMean", [this.op("Pow", [c, f32([], [2])])], axes);
    const s = this.op("Sqrt", [this.op("Add", [v, f32([], [1e-6])])]);
    const y = this.op("Mul", [this.op("Div", [c, s]), normal(this.r, affine, 0.5)]);
    return this.op("Add", [y, normal(this.r, affine, 0.2)]);
  }

  /** The same without the mean. */
  rms(x: string, width: number): string {
    const axes = { axes: attr.ints([-1]), keepdims: attr.int(1) };
    const v = this.op("ReduceMean", [this.op("Pow", [x, f32([], [2])])], axes);
    const s = this.op("Sqrt", [this.op("Add", [v, f32([], [1e-6])])]);
    const y = this.op("Mul", [x, this.op("Div", [f32([], [1]), s])]);
    return this.op("Mul", [normal(this.r, [width], 0.5), y]);
  }

  linear(x: string, from: number, to: number): string {
    const y = this.op("MatMul", [x, normal(this.r, [from, to], from ** -0.5)]);
    return this.op("Add", [y, normal(this.r, [to], 0.1)]);
  }

  conv(x: string, w: readonly number[], attrs: Record<string, Attr> = {}): string {
    const fan = w.slice(1).reduce((a, b) => a * b, 1);
    const inputs = [x, normal(this.r, w, fan ** -0.5), normal(this.r, [w[0]!], 0.1)];
    return this.op("Conv", inputs, attrs);
  }

  gelu(x: string): string {
    const e = this.op("Erf", [this.op("Div", [x, f32([], [Math.SQRT2])])]);
    const g = this.op("Mul", [x, this.op("Add", [e, f32([], [1])])]);
    return this.op("Mul", [g, f32([], [0.5])]);
  }

  graph(shape: readonly number[], last: string): Graph {
    const nodes = this.nodes.map((n) => n.outputs[0] === last ? { ...n, outputs: ["y"] } : n);
    return graphOf({ inputs: [shape], constants: this.constants, nodes });
  }
}

/** A block of a vision transformer on [1, tokens, width], before and after it a projection. */
export function transformer(r: Random): Graph {
  const [tokens, width, heads] = [17, 32, 4], b = new Chain(r);
  const x = b.linear("x0", width, width);
  const n = b.norm(x, -1, [width]);
  const split = (t: string, perm: readonly number[]) => {
    const parts = b.op("Reshape", [t, i64([1, tokens, heads, width / heads])]);
    return b.op("Transpose", [parts], { perm: attr.ints(perm) });
  };
  const q = split(b.linear(n, width, width), [0, 2, 1, 3]);
  const k = split(b.linear(n, width, width), [0, 2, 3, 1]);
  const v = split(b.linear(n, width, width), [0, 2, 1, 3]);
  const scores = b.op("Mul", [b.op("MatMul", [q, k]), f32([], [(width / heads) ** -0.5])]);
  const mixed = b.op("MatMul", [b.op("Softmax", [scores], { axis: attr.int(-1) }), v]);
  const back = b.op("Transpose", [mixed], { perm: attr.ints([0, 2, 1, 3]) });
  const joined = b.op("Reshape", [back, i64([1, tokens, width])]);
  const a = b.op("Add", [x, b.linear(joined, width, width)]);
  const h = b.gelu(b.linear(b.norm(a, -1, [width]), width, 4 * width));
  const y = b.op("Add", [a, b.linear(h, 4 * width, width)]);
  return b.graph([1, tokens, width], b.linear(b.norm(y, -1, [width]), width, 10));
}

/** Two blocks of a ConvNeXt with their stem: normalisation over the channels of a picture. */
export function convNext(r: Random): Graph {
  const b = new Chain(r), C = 24;
  let x = b.conv("x0", [C, 3, 4, 4], { strides: attr.ints([4, 4]) });
  x = b.norm(x, 1, [C, 1, 1]);
  for (let i = 0; i < 2; i++) {
    const pads = { pads: attr.ints([3, 3, 3, 3]), group: attr.int(C) };
    const n = b.norm(b.conv(x, [C, 1, 7, 7], pads), 1, [C, 1, 1]);
    const h = b.conv(b.gelu(b.conv(n, [4 * C, C, 1, 1])), [C, 4 * C, 1, 1]);
    x = b.op("Add", [x, b.op("Mul", [h, normal(r, [C, 1, 1], 0.3)])]);
  }
  return b.graph([1, 3, 48, 48], b.conv(b.norm(x, 1, [C, 1, 1]), [10, C, 1, 1]));
}

/** The gated half of a block of a language model: its product of a swish and a projection. */
export function gated(r: Random): Graph {
  const width = 32, b = new Chain(r);
  const x = b.linear("x0", width, width), n = b.rms(x, width);
  const gate = b.linear(n, width, 3 * width);
  const swish = b.op("Mul", [gate, b.op("Sigmoid", [gate])]);
  const h = b.op("Mul", [swish, b.linear(n, width, 3 * width)]);
  const y = b.op("Add", [x, b.linear(h, 3 * width, width)]);
  return b.graph([1, 17, width], b.linear(b.rms(y, width), width, 10));
}
