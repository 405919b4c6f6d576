import assert from "node:assert/strict";
import { type Attr, attr, type Graph, type Node, node } from "../ir/graph.ts";
import { f32, i64, type Tensor } from "../ir/tensor.ts";
import { bayesE } from "../march/bayes_e.ts";
import { bernoulli2 } from "../march/bernoulli2.ts";
import { optimize } from "./mod.ts";
import { assertSame, engine, graphOf, Rng } from "./test_support.ts";

/** Grows a random network of the idioms that passes look for, node by node. */
class Grower {
  readonly nodes: Node[] = [];
  readonly constants: Record<string, Tensor> = {};
  readonly shapes = new Map<string, readonly number[]>();
  readonly rng: Rng;

  constructor(seed: number) {
    this.rng = new Rng(seed);
  }

  constant(t: Tensor): string {
    const name = `c${Object.keys(this.constants).length}`;
    this.constants[name] = t;
    return name;
  }

  scalar(v: number): string {
    return this.constant(f32(this.rng.pick([[], [1]]), [v]));
  }

  add(
    op: string,
    inputs: readonly string[],
    shape: readonly number[],
    attrs: Record<string, Attr> = {},
  ): string {
    const out = `t${this.nodes.length}`;
    this.nodes.push(node(op, `n${this.nodes.length}`, inputs, [out], attrs));
    this.shapes.set(out, shape);
    return out;
  }

  pick(rank?: number): string {
    const names = [...this.shapes.keys()].filter((n) =>
      rank === undefined || this.shapes.get(n)!.length === rank
    );
    // Mostly the newest, so that the network gets deep.
    return this.rng.int(0, 3) === 0 ? this.rng.pick(names) : names.at(-1)!;
  }

  /** Per-channel or scalar constant for a tensor. */
  values(shape: readonly number[], offset = 0): string {
    const rest = new Array<number>(Math.max(0, shape.length - 2)).fill(1);
    const forms = [[], [1], [shape[1]!, ...rest], [1, shape[1]!, ...rest]];
    return this.constant(this.rng.f32(this.rng.pick(forms), 0.8, offset));
  }

  conv(x: string): string {
    const { rng } = this;
    const [n, c, h, w] = this.shapes.get(x) as [number, number, number, number];
    const depthwise = rng.int(0, 3) === 0;
    const k = rng.pick([1, 1, 3]);
    const pad = rng.pick([0, 0, 1]);
    const size = (d: number) => d + 2 * pad - k + 1;
    if (size(h) < 1 || size(w) < 1) return x;
    const m = depthwise ? c : rng.int(2, 5);
    const inputs = [x, this.constant(rng.f32([m, depthwise ? 1 : c, k, k], 0.7))];
    if (rng.int(0, 1) === 0) inputs.push(this.constant(rng.f32([m])));
    return this.add("Conv", inputs, [n, m, size(h), size(w)], {
      pads: attr.ints([pad, pad, pad, pad]),
      group: attr.int(depthwise ? c : 1),
      kernel_shape: attr.ints([k, k]),
    });
  }

  batchNorm(x: string): string {
    const shape = this.shapes.get(x)!;
    const c = shape[1]!;
    const stat = (scale: number, offset: number) => this.constant(this.rng.f32([c], scale, offset));
    return this.add("BatchNormalization", [
      x,
      stat(0.5, 1),
      stat(1, 0),
      stat(1, 0),
      stat(0.3, 0.6),
    ], shape);
  }

  affine(x: string): string {
    const shape = this.shapes.get(x)!;
    const op = this.rng.pick(["Mul", "Add", "Sub", "Div", "Neg"]);
    if (op === "Neg") return this.add(op, [x], shape);
    const c = this.values(shape, op === "Div" ? 1.5 : 0);
    const inputs = op !== "Div" && this.rng.int(0, 1) === 0 ? [c, x] : [x, c];
    return this.add(op, inputs, shape);
  }

  activation(x: string): string {
    const { rng } = this;
    const shape = this.shapes.get(x)!;
    switch (rng.int(0, 6)) {
      case 0:
        return this.add("Relu", [x], shape);
      case 1:
        return this.add("Clip", [x, this.scalar(0), this.scalar(1.5)], shape);
      case 2:
        return this.add("Mul", [x, this.add("Sigmoid", [x], shape)], shape);
      case 3: {
        const ramp = this.add("Add", [x, this.constant(f32([], [3]))], shape);
        const zero = this.constant(f32([], [0]));
        const six = this.constant(f32([], [6]));
        const clip = this.add("Clip", [ramp, zero, six], shape);
        return this.add("Div", [this.add("Mul", [x, clip], shape), six], shape);
      }
      case 4:
        return this.add("Max", [x, this.scalar(0)], shape);
      case 5:
        return this.add("LeakyRelu", [x], shape, { alpha: attr.float(0.25) });
      default:
        return this.add("Tanh", [x], shape);
    }
  }

  shuffle(x: string): string {
    const { rng } = this;
    const shape = this.shapes.get(x)!;
    const perm = shape.length === 4
      ? rng.pick([[0, 2, 3, 1], [0, 3, 1, 2], [0, 1, 3, 2]])
      : shape.length === 3
      ? [0, 2, 1]
      : [0, 1];
    return this.add("Transpose", [x], perm.map((p) => shape[p]!), { perm: attr.ints(perm) });
  }

  reshape(x: string): string {
    const shape = this.shapes.get(x)!;
    const [n, c] = [shape[0]!, shape[1]!];
    const rest = shape.slice(2).reduce((a, b) => a * b, 1);
    const to = this.rng.pick([[n, c, rest], [n, c * rest], [n, c, 1, rest], [n, rest, c, 1]]);
    return this.add("Reshape", [x, this.constant(i64(to))], to);
  }

  product(x: string): string {
    const shape = this.shapes.get(x)!;
    const k = shape.at(-1)!;
    if (k > 300) return x;
    const m = this.rng.int(2, 6);
    const y = this.add("MatMul", [x, this.constant(this.rng.f32([k, m], 0.5))], [
      ...shape.slice(0, -1),
      m,
    ]);
    return this.rng.int(0, 1) === 0
      ? y
      : this.add("Add", [y, this.constant(this.rng.f32([m]))], this.shapes.get(y)!);
  }

  window(x: string): string {
    const { rng } = this;
    const [n, c, h, w] = this.shapes.get(x) as [number, number, number, number];
    switch (rng.int(0, 3)) {
      case 0: {
        const p = [rng.int(0, 1), rng.int(0, 1), rng.int(0, 1), rng.int(0, 1)];
        const pads = this.constant(i64([0, 0, p[0]!, p[1]!, 0, 0, p[2]!, p[3]!]));
        return this.add("Pad", [x, pads], [n, c, h + p[0]! + p[2]!, w + p[1]! + p[3]!]);
      }
      case 1:
        return this.add("ReduceMean", [x], [n, c, 1, 1], { axes: attr.ints([2, 3]) });
      default: {
        if (h < 2 || w < 2) return x;
        return this.add(rng.pick(["MaxPool", "AveragePool"]), [x], [n, c, h - 1, w - 1], {
          kernel_shape: attr.ints([2, 2]),
        });
      }
    }
  }

  join(x: string): string {
    const shape = this.shapes.get(x)!;
    const others = [...this.shapes].filter(([n, s]) => n !== x && s.join() === shape.join());
    if (others.length === 0) return x;
    const [other] = this.rng.pick(others);
    if (this.rng.int(0, 1) === 0) return this.add("Add", [other, x], shape);
    const axis = shape.length > 1 ? 1 : 0;
    const joined = shape.map((d, i) => i === axis ? 2 * d : d);
    return this.add("Concat", [x, other], joined, { axis: attr.int(axis) });
  }

  step(): void {
    const kind = this.rng.int(0, 11);
    const four = [...this.shapes.values()].some((s) => s.length === 4);
    const x = this.pick(kind < 5 && four ? 4 : undefined);
    const rank = this.shapes.get(x)!.length;
    if (kind < 3 && rank === 4) this.conv(x);
    else if (kind === 3 && rank === 4) this.window(x);
    else if (kind === 4) this.batchNorm(x);
    else if (kind < 7) this.affine(x);
    else if (kind === 7) this.activation(x);
    else if (kind === 8) this.shuffle(x);
    else if (kind === 9) this.reshape(x);
    else if (kind === 10) this.product(x);
    else this.join(x);
  }

  graph(): Graph {
    this.shapes.set("x", [this.rng.int(1, 2), 3, 6, 5]);
    while (this.nodes.length < 18) this.step();
    const read = new Set(this.nodes.flatMap((n) => n.inputs));
    const outputs = this.nodes.map((n) => n.outputs[0]!)
      .filter((o) => !read.has(o) || this.rng.int(0, 15) === 0);
    return graphOf({
      inputs: { x: this.shapes.get("x")! },
      outputs,
      nodes: this.nodes,
      constants: this.constants,
    });
  }
}

const FROM = Number(Deno.env.get("PASSES_SEED") ?? 0);
const COUNT = Number(Deno.env.get("PASSES_COUNT") ?? 40);

Deno.test(`optimize keeps the outputs of ${COUNT} random networks`, async () => {
  for (let seed = FROM; seed < FROM + COUNT; seed++) {
    const g = new Grower(seed).graph();
    for (const march of [undefined, seed % 4 === 0 ? bayesE : bernoulli2]) {
      try {
        const r = await optimize(g, { engine, march, verify: true });
        await assertSame(g, r.graph, 2e-5);
        const again = await optimize(r.graph, { engine, march, verify: true });
        assert.ok(again.steps.every((s) => s.fired === 0), "not at a fixpoint");
      } catch (e) {
        const where = `seed ${seed} on ${march?.name ?? "no march"}`;
        throw new Error(`${where}: ${(e as Error).message}`, { cause: e });
      }
    }
  }
});
